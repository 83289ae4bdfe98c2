"""From an open interface to the ring: the two threads that nothing may hold up."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.engine.meters import MeterBank
from core.engine.packing import BYTES_PER_SAMPLE, Samples, pack
from core.engine.player import Player
from core.engine.ring import Ring
from devices.base import Stream
from devices.errors import DeviceError
from sessions.model import SampleFormat

log = logging.getLogger(__name__)

QUEUE_BYTES: Final = 32 * 1024 * 1024
"""How much may wait between the two threads before input is dropped (and counted)."""
CLOCK_WINDOW_S: Final = 2.0
CLOCK_LOSS_S: Final = 0.1
REALTIME_PRIORITY: Final = 60


@dataclass(frozen=True)
class InputLost:
    """Input that never reached the ring. `frames` is None when the driver only said that something is missing."""

    at: int
    """Ring position."""
    frames: int | None
    ours: bool
    """True when the box was too slow to take it, False when the driver dropped it."""


class ClockWatch:
    """Compares frames delivered with the clock, since a driver's word on lost input is only a lower bound."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._recent: deque[tuple[float, float]] = deque()
        self._baseline_s: float | None = None

    def lost_frames(self, now_s: float, frames: int) -> int:
        """Frames that the clock says are missing since it last said so; 0 when time and frames agree.

        Delivery is late at times and catches up, so only a lag whose smallest value over a whole window stays above the
        usual one counts. The usual lag follows the slow drift between the two clocks.
        """
        lag_s = now_s - frames / self._rate_hz
        self._recent.append((now_s, lag_s))
        while self._recent[0][0] < now_s - CLOCK_WINDOW_S:
            self._recent.popleft()
        smallest = min(lag for _, lag in self._recent)
        if self._baseline_s is None or smallest < self._baseline_s:
            self._baseline_s = smallest
        if now_s - self._recent[0][0] < CLOCK_WINDOW_S * 0.8:
            return 0
        excess_s = smallest - self._baseline_s
        if excess_s < CLOCK_LOSS_S:
            self._baseline_s += 0.001 * excess_s
            return 0
        self._baseline_s = smallest
        return round(excess_s * self._rate_hz)


class Capture:
    """Reads an open stream into a ring until it ends, feeding meters and playing what the player has.

    The reading thread does nothing but read, hand over and (in duplex) write; the pumping thread measures and packs.
    """

    def __init__(
        self,
        stream: Stream,
        ring: Ring,
        player: Player,
        *,
        sample_format: SampleFormat,
        block_frames: int,
        realtime: bool,
        on_lost: Callable[[InputLost], None],
        on_end: Callable[[DeviceError], None],
    ) -> None:
        self.stream = stream
        self.ring = ring
        self.meters = MeterBank(stream.inputs)
        self.hurry = threading.Event()
        """Set while a simulated interface shall run as fast as the machine allows."""
        self.hold_back: Callable[[], bool] = lambda: False
        """For simulated speed only: whether the disk should catch up first."""
        self._player = player
        self.sample_format: SampleFormat = sample_format
        self._block_frames = block_frames
        self._realtime = realtime
        self._on_lost = on_lost
        self._on_end = on_end
        self._queue: deque[Samples | int] = deque()
        self._queued_bytes = 0
        self._ready = threading.Condition()
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="capture", daemon=True)
        self._pumper = threading.Thread(target=self._pump, name="pump", daemon=True)

    @property
    def moving(self) -> bool:
        """Whether audio is still being taken from the interface and put into the ring."""
        return self._reader.is_alive() and self._pumper.is_alive()

    def start(self) -> None:
        """Begin to read."""
        self._pumper.start()
        self._reader.start()

    def close(self) -> None:
        """Stop reading and give the interface back. The ring stays readable for writers that are still behind."""
        self._closing = True
        self._reader.join()
        with self._ready:
            self._ready.notify()
        self._pumper.join()
        self.stream.close()

    def _read(self) -> None:
        _raise_own_priority()
        frames = 0
        watch = ClockWatch(self.stream.rate_hz)
        block_s = self._block_frames / self.stream.rate_hz
        try:
            while not self._closing:
                if not self._realtime:
                    self._pace(block_s)
                block = self.stream.read(self._block_frames)
                if block.lost_frames:
                    self._skip(frames, block.lost_frames, ours=block.slept_frames > 0)
                    self._play_silence(frames, block.lost_frames)
                    frames += block.lost_frames
                elif block.overflowed:
                    self._on_lost(InputLost(frames, None, ours=False))
                if self._realtime and (lost := watch.lost_frames(time.monotonic(), frames + len(block.audio))):
                    self._on_lost(InputLost(frames, lost, ours=False))
                self._hand_over(frames, block.audio)
                self._play(frames, block.audio)
                frames += len(block.audio)
        except Exception as error:
            self._failed(error)

    def _pace(self, block_s: float) -> None:
        if not self.hurry.is_set():
            time.sleep(block_s)
        # What is queued comes on top of what hold_back sees in the ring: together they must fit into it.
        queue_frames = self.ring.capacity_frames // 4
        while self.hurry.is_set() and not self._closing and (self._queued_frames > queue_frames or self.hold_back()):
            time.sleep(0.002)

    @property
    def _queued_frames(self) -> int:
        return self._queued_bytes // (self.stream.inputs * np.dtype(self.stream.sample_type).itemsize)

    def _play(self, position: int, heard: Samples) -> None:
        if self.stream.outputs and self.stream.write(self._player.fill(position, heard, self.stream.outputs)):
            self._player.slipped = True

    def _play_silence(self, position: int, frames: int) -> None:
        for at in range(0, frames, self.stream.rate_hz):
            size = min(self.stream.rate_hz, frames - at)
            self._play(position + at, np.zeros((size, self.stream.inputs), dtype=np.float32))

    def _hand_over(self, position: int, audio: Samples) -> None:
        if self._queued_bytes + audio.nbytes > QUEUE_BYTES:
            self._skip(position, len(audio), ours=True)
            return
        with self._ready:
            self._queue.append(audio)
            self._queued_bytes += audio.nbytes
            self._ready.notify()

    def _skip(self, position: int, frames: int, *, ours: bool) -> None:
        """Let silence stand for frames that the driver or (`ours`) this process lost, so that time stays true."""
        with self._ready:
            self._queue.append(frames)
            self._ready.notify()
        self._on_lost(InputLost(position, frames, ours=ours))

    def _pump(self) -> None:
        try:
            self._pump_all()
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Whatever ends one thread ends the capture: takes are closed and the interface is opened again."""
        if self._closing:
            return
        if not isinstance(error, DeviceError):
            log.error("capture failed", exc_info=error)
            error = DeviceError("device_lost", f"Capturing failed: {error}.", "OTO opens the interface again.")
        self._on_end(error)

    def _pump_all(self) -> None:
        silence = bytes(BYTES_PER_SAMPLE[self.sample_format])
        while True:
            with self._ready:
                while not self._queue:
                    if self._closing and not self._reader.is_alive():
                        return
                    self._ready.wait(0.2)
                item = self._queue.popleft()
                if not isinstance(item, int):
                    self._queued_bytes -= item.nbytes
            if isinstance(item, int):
                for at in range(0, item, self.stream.rate_hz):
                    self.ring.append([silence * min(self.stream.rate_hz, item - at)] * self.stream.inputs)
                continue
            # With each channel by itself in memory, all that follows is many times as fast.
            audio = item.copy(order="F")
            self.meters.add(audio)
            self.ring.append(pack(audio, self.sample_format))


def _raise_own_priority() -> None:
    """Give the calling thread real-time priority where the box allows it; it works without, only less safely."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(REALTIME_PRIORITY))
