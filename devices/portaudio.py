"""Real interfaces through PortAudio, which lives in a process of its own (`devices.driver`)."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import select
import subprocess
import time
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from devices import driver
from devices.base import Block, Stream, StreamRequest
from devices.child import end, kill, module_command, start
from devices.errors import DeviceError

DRIVER: Final = tuple(module_command("devices.driver"))
OPEN_WITHIN_S: Final = 5.0
SILENT_FOR_S: Final = 1.0
"""An interface that delivers nothing for so long is gone."""

_PLAY_AHEAD_S: Final = 0.15
"""Sleep of the writing thread that playback survives, beside its own block."""

_LARGEST_CALLBACK_FRAMES: Final = 8_192
"""JACK's longest period; the ring's part that may be overwritten while it is read."""


class PortAudioStream:
    """An open interface, read out of the ring that its driver process fills."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        events_fd: int,
        memory: mmap.mmap,
        task: driver.Task,
        sample_type: Literal["float32", "int32"],
        output_latency_frames: int,
    ) -> None:
        self.sample_type: Literal["float32", "int32"] = sample_type
        self.rate_hz = task.rate_hz
        self.inputs = task.inputs
        self.outputs = task.outputs
        self.output_latency_frames = output_latency_frames
        self._process = process
        self._events_fd = events_fd
        self._nearly_full_bytes = fcntl.fcntl(events_fd, fcntl.F_GETPIPE_SZ) - 2 * select.PIPE_BUF
        whole = np.frombuffer(memory, sample_type)
        split = task.ring_frames * task.inputs
        self._captured: NDArray[Any] = whole[:split].reshape(-1, task.inputs)
        self._played: NDArray[Any] = whole[split:].reshape(-1, task.outputs or 1)
        self._safe_frames = task.ring_frames - _LARGEST_CALLBACK_FRAMES
        self._told = (0, 0, 0)
        self._known_losses = (0, 0)
        self._read = 0
        self._written = output_latency_frames
        self._gone = False

    def read(self, frames: int) -> Block:
        """Wait for exactly `frames` frames; DeviceError "device_lost" after a second without any."""
        audio = np.empty((frames, self.inputs), self.sample_type)
        slept_over = 0
        done = 0
        while done < frames:
            if self._read == self._told[0]:
                # Waking once for the block costs half of waking for each of the driver's callbacks.
                time.sleep(min(frames - done, self._safe_frames // 4) / self.rate_hz)
                self._listen(SILENT_FOR_S)
            slept_over += self._skip_overwritten()
            count = min(frames - done, self._told[0] - self._read)
            _from_ring(self._captured, self._read, audio[done : done + count])
            self._listen(0.0)
            if self._told[0] - self._read <= self._safe_frames:
                self._read += count
                done += count
        reports, lost = self._told[1] - self._known_losses[0], self._told[2] - self._known_losses[1]
        self._known_losses = self._told[1:]
        lost += slept_over
        return Block(audio=audio, overflowed=reports > 0 or lost > 0, lost_frames=lost, slept_frames=slept_over)

    def _skip_overwritten(self) -> int:
        """After a sleep longer than the ring: go on with what is new; returns the frames that are lost."""
        behind = self._told[0] - self._read
        if behind <= self._safe_frames:
            return 0
        skipped = behind - self._safe_frames // 2
        self._read += skipped
        # What is played stays in place against what is captured.
        self._written += skipped
        return skipped

    def _listen(self, timeout_s: float) -> None:
        """Take in what the driver process has told; with a timeout, wait for its next word or call it gone."""
        if not _has_word(self._events_fd, timeout_s):
            if timeout_s:
                raise self._is_gone("it has delivered nothing for a second")
            return
        # Every write is one event and smaller than a page, so that only whole ones are read.
        events = os.read(self._events_fd, driver.EVENT.size << 12)
        if not events:
            raise self._is_gone("its driver ended")
        self._told = driver.EVENT.unpack_from(events, len(events) - driver.EVENT.size)
        if len(events) >= self._nearly_full_bytes:
            # The last events may have found no room.
            self._listen(SILENT_FOR_S)

    def _is_gone(self, why: str) -> DeviceError:
        self._gone = True
        return DeviceError(
            "device_lost",
            f"The interface is gone: {why}. What was recorded so far is safe.",
            "Check its cable and power; recording goes on when it is back.",
        )

    def write(self, audio: NDArray[np.float32]) -> bool:
        """Put (frames, outputs) behind what was written before; True when some of it comes too late to be heard."""
        self._listen(0.0)
        late = min(max(self._told[0] - self._written, 0), len(audio))
        self._written += late
        heard = audio[late:]
        if self.sample_type == "int32":
            # 2^31 - 128 is the largest float32 below full scale.
            heard = np.clip(heard.astype(np.float64) * 2.0**31, -(2.0**31), 2.0**31 - 128).astype(np.int32)
        _into_ring(self._played, self._written, heard)
        self._written += len(heard)
        return late > 0

    def close(self) -> None:
        """Give the interface back; a driver process that doesn't end by itself is killed."""
        if self._gone:
            kill(self._process)
        else:
            end(self._process, driver.CLOSE_WITHIN_S)
        if self._events_fd >= 0:
            os.close(self._events_fd)
            self._events_fd = -1


def _has_word(events_fd: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(events_fd, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


def _from_ring(ring: NDArray[Any], position: int, out: NDArray[Any]) -> None:
    at = position % len(ring)
    first = min(len(out), len(ring) - at)
    out[:first] = ring[at : at + first]
    out[first:] = ring[: len(out) - first]


def _into_ring(ring: NDArray[Any], position: int, audio: NDArray[Any]) -> None:
    at = position % len(ring)
    first = min(len(audio), len(ring) - at)
    ring[at : at + first] = audio[:first]
    ring[: len(audio) - first] = audio[first:]


def open_portaudio(interface_id: str, request: StreamRequest, *, command: Sequence[str] = DRIVER) -> Stream:
    """Open a real interface by its identity; raises DeviceError as `devices.base.open_stream` says.

    `command` starts the process that drives it.
    """
    ahead = request.block_frames + round(_PLAY_AHEAD_S * request.rate_hz)
    buffer_frames = max(round(request.buffer_s * request.rate_hz), 4 * request.block_frames, 2 * ahead)
    events_fd, theirs = os.pipe()
    memory_fd = os.memfd_create("oto-audio")
    task = driver.Task(
        interface_id=interface_id,
        rate_hz=request.rate_hz,
        inputs=request.inputs,
        outputs=request.outputs,
        ring_frames=buffer_frames + _LARGEST_CALLBACK_FRAMES,
        memory_fd=memory_fd,
        events_fd=theirs,
    )
    os.ftruncate(memory_fd, task.memory_bytes)
    memory = mmap.mmap(memory_fd, task.memory_bytes)
    process = start([*command, driver.command_argument(task)], pass_fds=(memory_fd, theirs))
    os.close(memory_fd)
    os.close(theirs)
    try:
        answer = _first_line(events_fd)
    except DeviceError:
        # A JACK server takes seconds to get over a client that was killed.
        end(process, driver.CLOSE_WITHIN_S)
        os.close(events_fd)
        raise
    os.set_blocking(events_fd, False)
    return PortAudioStream(process, events_fd, memory, task, answer["sample_type"], ahead if request.outputs else 0)


def _first_line(events_fd: int) -> Any:
    """What the driver process says about opening; raises what it tells, or that it says nothing."""
    line = b""
    while not line.endswith(b"\n"):
        if not _has_word(events_fd, OPEN_WITHIN_S):
            raise DeviceError(
                "device_lost",
                f"The interface did not open within {OPEN_WITHIN_S:g} s.",
                "Unplug it, plug it in again and try once more.",
            )
        # A byte at a time: events follow at once.
        byte = os.read(events_fd, 1)
        if not byte:
            raise DeviceError(
                "device_lost",
                "The audio system crashed while the interface was being opened.",
                "Unplug it, plug it in again and try once more.",
            )
        line += byte
    answer = json.loads(line)
    if "error" in answer:
        raise DeviceError(answer["error"], answer["message"], answer["hint"])
    return answer
