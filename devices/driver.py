"""The process that owns PortAudio: copies between an open interface and memory shared with whoever records.

It exists because PortAudio may hang or crash when a cable is pulled, freezes its list of devices when it starts, and
because its blocking JACK streams deliver two channels only, drop input without a word and wait for ever when the server
ends. Here a callback does nothing but copy, in a process in which no other thread wants the interpreter.

Started by `devices.portaudio` with one argument, a `Task` as JSON. Writes one JSON line (what was opened, or an error)
and then an `EVENT` after every callback to the events descriptor. Ends when its stdin ends, that is with its parent.

The memory holds a ring of captured frames and behind it a ring of frames to be played, both interleaved in the
interface's own sample format and indexed by frames since the start. Playing is by position too: what was not written in
time is heard as silence and moves nothing, so that playback stays in place against capture.
"""

from __future__ import annotations

import contextlib
import gc
import json
import mmap
import os
import signal
import struct
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, Final

from devices import alsa, host
from devices.child import quiet_stdout
from devices.errors import DeviceError
from devices.text import printable

EVENT: Final = struct.Struct("<QQQ8x")
"""Totals since the start: frames captured, times that the host API reported a loss, frames known to be lost.

Its size divides a page, so that a full pipe holds whole ones."""

SAMPLE_BYTES: Final = 4

_HOST_LATENCY_S: Final = 0.1
"""The driver's own buffer, where the host API lets us choose (JACK does not)."""

_REAL_TIME_PRIORITY: Final = 60
CLOSE_WITHIN_S: Final = 1.0


@dataclass(frozen=True)
class Task:
    """What to open, and where to put it."""

    interface_id: str
    rate_hz: int
    inputs: int
    outputs: int
    ring_frames: int
    """Length of each ring."""
    memory_fd: int
    events_fd: int

    @property
    def memory_bytes(self) -> int:
        """Size of the shared memory."""
        return self.ring_frames * (self.inputs + self.outputs) * SAMPLE_BYTES


class Copier:
    """What happens between the interface and the rings in one callback."""

    def __init__(self, task: Task, memory: memoryview) -> None:
        split = task.ring_frames * task.inputs * SAMPLE_BYTES
        self._captured_ring, self._played_ring = memory[:split], memory[split:]
        self._ring_frames = task.ring_frames
        self._frame_bytes = (task.inputs * SAMPLE_BYTES, task.outputs * SAMPLE_BYTES)
        self._events_fd = task.events_fd
        self.telling = False
        """Whether events are wanted, which follow what was opened. Counts are totals, so that nothing is missed."""
        self._frames = 0
        self._losses = 0
        self._lost_frames = 0

    def __call__(
        self, captured: memoryview, to_play: memoryview | None, frames: int, *, loss: bool, lost_frames: int
    ) -> None:
        """Copy one callback's audio and tell the reader."""
        done = 0
        while done < frames:
            at = (self._frames + done) % self._ring_frames
            count = min(frames - done, self._ring_frames - at)
            size = self._frame_bytes[0]
            self._captured_ring[at * size : (at + count) * size] = captured[done * size : (done + count) * size]
            if to_play is not None:
                size = self._frame_bytes[1]
                there = slice(at * size, (at + count) * size)
                to_play[done * size : (done + count) * size] = self._played_ring[there]
                self._played_ring[there] = bytes(count * size)
            done += count
        self._frames += frames
        self._losses += loss
        self._lost_frames += lost_frames
        if not self.telling:
            return
        # An event that finds the pipe full is made up for by the next.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._events_fd, EVENT.pack(self._frames, self._losses, self._lost_frames))


class LossMeter:
    """How much JACK dropped when it says that it did: whole periods, by how far its clock ran ahead of the frames.

    A callback that comes late reads the clock late, and the one that reports a loss always does; so the next one is
    awaited, and the clock's usual lead is the smallest of the last few.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames = 0
        self._usual: deque[float] = deque(maxlen=16)
        self._reported: float | None = None

    def add(self, clock_s: float, frames: int, *, loss: bool) -> int:
        """Take in a callback; returns the frames that were lost before the one before it."""
        lead = clock_s * self._rate_hz - self._frames
        self._frames += frames
        if loss:
            self._reported = lead if self._reported is None else min(lead, self._reported)
            return 0
        lost = 0
        if self._reported is not None and self._usual:
            lost = max(0, round((min(lead, self._reported) - min(self._usual)) / frames)) * frames
            self._frames += lost
            lead -= lost
        self._reported = None
        self._usual.append(lead)
        return lost


def open_device(sounddevice: ModuleType, task: Task, copy: Copier) -> tuple[Any, str]:
    """A PortAudio stream, not yet started, and its sample type. Raises DeviceError in a musician's words."""
    device = _find(host.devices(sounddevice), task.interface_id)
    if task.inputs > device.inputs or task.outputs > device.outputs:
        raise DeviceError(
            "bad_input",
            f"{printable(device.name)} has {device.inputs} inputs and {device.outputs} outputs; "
            f"{task.inputs} and {task.outputs} were asked for.",
            "Choose tracks within its inputs, or another interface.",
        )
    # The host's own format, so that PortAudio converts nothing.
    sample_type = "int32" if device.host_api == "ALSA" else "float32"
    common: dict[str, Any] = {
        "samplerate": task.rate_hz,
        "device": device.index,
        "dtype": sample_type,
        "latency": _HOST_LATENCY_S,
        "clip_off": True,
        "dither_off": True,
    }
    meter = LossMeter(task.rate_hz) if device.host_api == "JACK" else None
    callback = _callback(copy, meter, duplex=bool(task.outputs))
    try:
        if task.outputs:
            return sounddevice.RawStream(channels=(task.inputs, task.outputs), callback=callback, **common), sample_type
        return sounddevice.RawInputStream(channels=task.inputs, callback=callback, **common), sample_type
    except sounddevice.PortAudioError as error:
        raise _in_words(str(error), device, task) from error


def _callback(copy: Copier, meter: LossMeter | None, *, duplex: bool) -> Callable[..., None]:
    started = reported = False

    def run(captured: Any, to_play: Any, frames: int, time: Any, flags: Any) -> None:
        nonlocal started, reported
        if not started:
            started = True
            _raise_priority()
        loss = bool(flags.input_overflow)
        lost_frames = 0
        if meter is not None:
            lost_frames = meter.add(time.inputBufferAdcTime, frames, loss=loss)
            # How much it was is known one callback later: told together, they are one loss.
            loss, reported = reported, loss
        playing = memoryview(to_play) if duplex else None
        copy(memoryview(captured), playing, frames, loss=loss, lost_frames=lost_frames)

    if duplex:
        return run
    return lambda captured, frames, time, flags: run(captured, None, frames, time, flags)


def _raise_priority() -> None:
    """Make the thread that runs the callback a real-time one, where the system lets us and the driver has not."""
    with contextlib.suppress(OSError):
        if os.sched_getscheduler(0) == os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(_REAL_TIME_PRIORITY))


def _find(devices: list[host.HostDevice], interface_id: str) -> host.HostDevice:
    by_id = dict(zip(alsa.identities((device.host_api, device.name) for device in devices), devices, strict=True))
    found = alsa.match(interface_id, by_id)
    if found is not None:
        return by_id[found]
    if interface_id in alsa.identities(("ALSA", f"(hw:{card.number},0)") for card in alsa.cards()):
        raise DeviceError(
            "busy", "Another program is using this interface.", "End that program, or choose another interface."
        )
    names = ", ".join(by_id) or "none"
    raise DeviceError(
        "not_found",
        f"The interface {interface_id} is not plugged in (there are: {names}).",
        "Plug it in and switch it on, or choose another: `oto devices` lists them.",
    )


def _in_words(reason: str, device: host.HostDevice, task: Task) -> DeviceError:
    if "sample rate" in reason.lower():
        return DeviceError(
            "bad_input",
            f"{printable(device.name)} can't run at {task.rate_hz} Hz now; it runs at {device.default_rate_hz} Hz.",
            f"Use a session at {device.default_rate_hz} Hz, or change the rate of the interface.",
        )
    if "unavailable" in reason.lower() or "busy" in reason.lower():
        return DeviceError(
            "busy",
            f"{printable(device.name)} is in use by another program.",
            "End that program, or choose another interface.",
        )
    return DeviceError(
        "device_lost",
        f"{printable(device.name)} could not be opened with {task.inputs} inputs and {task.outputs} outputs: {reason}",
        "Unplug it, plug it in again and try once more.",
    )


def run(task: Task) -> None:
    """Open, tell how it went, and copy until stdin ends."""
    memory = mmap.mmap(task.memory_fd, task.memory_bytes)
    os.set_blocking(task.events_fd, False)
    try:
        sounddevice = host.load()
        copier = Copier(task, memoryview(memory))
        stream, sample_type = open_device(sounddevice, task, copier)
        stream.start()  # may fail as well, when the interface goes while it is opened
        answer = {"sample_type": sample_type}
    except DeviceError as error:
        answer = {"error": error.code, "message": error.message, "hint": error.hint}
    except Exception as error:
        answer = {
            "error": "device_lost",
            "message": f"The audio system could not be used: {type(error).__name__}: {error}",
            "hint": "`oto doctor` says what is missing.",
        }
    os.write(task.events_fd, json.dumps(answer).encode() + b"\n")
    if "error" in answer:
        return
    copier.telling = True
    gc.freeze()
    gc.disable()
    sys.stdin.buffer.read()
    # Closing may hang with the driver; then the alarm ends the process.
    signal.setitimer(signal.ITIMER_REAL, CLOSE_WITHIN_S)
    stream.abort()
    stream.close()


def main() -> int:
    """Entry of the process."""
    # A service manager tells every process of the service to end; whoever records says when capture does.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(quiet_stdout())
    run(Task(**json.loads(sys.argv[1])))
    return 0


def command_argument(task: Task) -> str:
    """A task as the process takes it."""
    return json.dumps(asdict(task))


if __name__ == "__main__":
    sys.exit(main())
