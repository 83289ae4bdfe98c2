"""Writes one take's files from the ring on a thread of its own: once for the library, once more for a mirror."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from core.engine.ring import Ring, RingOverrunError
from sessions.model import Marker
from sessions.wav import WavWriter

CHUNK_S: Final = 1.0
WAIT_S: Final = 0.25
SYNC_EVERY_S: Final = 1.0


@dataclass(frozen=True)
class Overrun:
    """The ring lapped the writer: silence stands for what is missing."""

    at_frames: int
    """Since the start of this writer's files."""
    frames: int


@dataclass(frozen=True)
class DiskFailed:
    """A file could not be written, synced or closed; what was written before is safe."""

    frames: int
    error: Exception


@dataclass(frozen=True)
class Finished:
    """Every file is closed and synced."""

    frames: int


WriterEvent = Overrun | DiskFailed | Finished


class TakeWriter(threading.Thread):
    """Follows the ring from a position, perhaps in the past, until it is told where to stop.

    `open_files` makes the files on this thread, so that a slow disk delays nobody; it returns one writer per wanted
    channel (`channels`, from 0). `tell` is called on this thread.
    """

    def __init__(
        self,
        ring: Ring,
        *,
        rate_hz: int,
        channels: tuple[int, ...],
        start: int,
        open_files: Callable[[], Sequence[WavWriter]],
        markers: Callable[[], Sequence[Marker]],
        tell: Callable[[WriterEvent], None],
    ) -> None:
        super().__init__(name="take-writer", daemon=True)
        self.start_position = start
        self.position = start
        """Everything before is in the files."""
        self._ring = ring
        self._rate_hz = rate_hz
        self._channels = channels
        self._open_files = open_files
        self._markers = markers
        self._tell = tell
        self._stop_at: int | None = None
        self._wake = threading.Event()

    @property
    def ring_end(self) -> int:
        """Position after the last frame that was captured."""
        return self._ring.end

    @property
    def stop_position(self) -> int | None:
        """Where it was told to stop."""
        return self._stop_at

    def stop_at(self, position: int) -> None:
        """Write up to `position` (of the ring, perhaps still to come), then close the files."""
        self._stop_at = position
        self._wake.set()

    def run(self) -> None:
        """Follow the ring; closes the files whatever happens."""
        files: Sequence[WavWriter] = ()
        failure: Exception | None = None
        synced = threading.Event()
        syncer: _Syncer | None = None
        try:
            files = self._open_files()
            syncer = _Syncer(files, synced)
            syncer.start()
            self._follow(files, syncer)
        except Exception as error:  # whatever it is, the take ends with what it has and says so
            failure = error
        synced.set()
        if syncer is not None:
            syncer.join()
        frames = self.position - self.start_position
        for file in files:
            try:
                file.close(self._markers())
            except Exception as error:
                failure = failure or error
        self._tell(Finished(frames) if failure is None else DiskFailed(frames, failure))

    def _follow(self, files: Sequence[WavWriter], syncer: _Syncer) -> None:
        chunk = int(CHUNK_S * self._rate_hz)
        while (stop := self._stop_at) is None or self.position < stop:
            if syncer.error is not None:
                raise syncer.error
            available = self._ring.end if stop is None else min(self._ring.end, stop)
            if available <= self.position:
                self._wake.wait(WAIT_S)
                self._wake.clear()
                continue
            try:
                planes = self._ring.read(self.position, min(chunk, available - self.position), self._channels)
            except RingOverrunError as overrun:
                self._skip_to(overrun.oldest + chunk // 4, files)
                continue
            for file, plane in zip(files, planes, strict=True):
                file.append(plane)
            for file in files:
                file.publish()
            self.position += len(planes[0]) // self._ring.sample_bytes
            if stop is None and self._ring.end - self.position < chunk:
                self._wake.wait(WAIT_S)
                self._wake.clear()

    def _skip_to(self, position: int, files: Sequence[WavWriter]) -> None:
        position = position if self._stop_at is None else min(position, self._stop_at)
        lost = position - self.position
        for file in files:
            file.extend_silence(lost)
        at_frames = self.position - self.start_position
        self.position = position
        self._tell(Overrun(at_frames, lost))


class _Syncer(threading.Thread):
    """Syncs files once a second; it may take seconds on a slow card without holding the writer up."""

    def __init__(self, files: Sequence[WavWriter], done: threading.Event) -> None:
        super().__init__(name="take-sync", daemon=True)
        self._files = files
        self._done = done
        self.error: Exception | None = None

    def run(self) -> None:
        while not self._done.wait(SYNC_EVERY_S):
            try:
                # First all, then wait: the file system then writes its own books once for all files, not for each.
                for file in self._files:
                    file.begin_sync()
                for file in self._files:
                    file.sync()
            except Exception as error:
                self.error = error
                return
