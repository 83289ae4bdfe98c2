"""Writes one take's files from the ring on a thread of its own: once for the library, once more for a mirror."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.engine.ring import Ring, RingOverrunError
from sessions.model import Marker
from sessions.wav import WavWriter, sync_together

CHUNK_S: Final = 1.0
WRITE_EVERY_S: Final = 0.3
SYNC_EVERY_S: Final = 0.85
"""Every third write: what is older than a second has been synced."""
PROMISED_S: Final = 30.0
"""How far headers run ahead."""
CLAIM_OF_FREE: Final = 16
"""All files of a take together claim at most this part of what is free."""
LONGEST_CLAIM_BYTES: Final = 32_767 * 4096
"""The longest piece that ext4 can claim at once (EXT_UNWRITTEN_MAX_LEN); four pieces lie in a file's own entry."""


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
        syncer: _Syncer | None = None
        try:
            files = self._open_files()
            syncer = _Syncer(files)
            syncer.start()
            self._follow(files, syncer)
        except Exception as error:  # whatever it is, the take ends with what it has and says so
            failure = error
        if syncer is not None:
            syncer.stop()
        frames = self.position - self.start_position
        try:
            for file in files:
                file.publish()
            sync_together(files)  # the audio first: after a power cut no words may pass for audio
            for file in files:
                file.seal(self._markers())
            sync_together(files)
        except Exception as error:
            failure = failure or error
        for file in files:
            try:
                file.close(self._markers())
            except Exception as error:
                failure = failure or error
        self._tell(Finished(frames) if failure is None else DiskFailed(frames, failure))

    def _follow(self, files: Sequence[WavWriter], syncer: _Syncer) -> None:
        chunk = int(CHUNK_S * self._rate_hz)
        promised = int(PROMISED_S * self._rate_hz)
        claimed_to = self.position
        while (stop := self._stop_at) is None or self.position < stop:
            if syncer.error is not None:
                raise syncer.error
            end = self._ring.end if stop is None else min(self._ring.end, stop)
            frames = min(chunk, end - self.position)
            if self.position + frames != stop:
                frames = files[0].whole_pages(frames)
            if frames <= 0:
                self._wake.wait(WRITE_EVERY_S)
                self._wake.clear()
                continue
            try:
                planes = self._ring.read(self.position, frames, self._channels)
            except RingOverrunError as overrun:
                self._skip_to(overrun.oldest + chunk // 4, files)
                continue
            with syncer.held_off(WRITE_EVERY_S):
                if self.position >= claimed_to:
                    claimed_to = self.position + self._claim(files)
                for file, plane in zip(files, planes, strict=True):
                    file.append(plane)
                for file in files:
                    file.promise(promised)
            self.position += frames
            if stop is None and self._ring.end - self.position < chunk:
                self._wake.wait(WRITE_EVERY_S)
                self._wake.clear()

    def _claim(self, files: Sequence[WavWriter]) -> int:
        """Claim space for what comes next, in pieces as long as the disk's free space permits; returns frames.

        Where they would be short nothing is claimed: the last of a disk belongs to audio.
        """
        disk = os.statvfs(files[0].path)
        share_bytes = disk.f_bavail * disk.f_frsize // CLAIM_OF_FREE // len(files)
        frames = min(share_bytes, LONGEST_CLAIM_BYTES) // files[0].format.frame_bytes
        shortest = int(PROMISED_S * self._rate_hz)
        if frames < shortest:
            return shortest
        for file in files:
            file.claim(frames)
        return frames

    def _skip_to(self, position: int, files: Sequence[WavWriter]) -> None:
        position = position if self._stop_at is None else min(position, self._stop_at)
        lost = position - self.position
        for file in files:
            file.extend_silence(lost)
        at_frames = self.position - self.start_position
        self.position = position
        self._tell(Overrun(at_frames, lost))


class _Syncer(threading.Thread):
    """Syncs files soon after they were written; it may take seconds on a slow card without holding the writer up."""

    def __init__(self, files: Sequence[WavWriter]) -> None:
        super().__init__(name="take-sync", daemon=True)
        self.error: Exception | None = None
        self._files = files
        self._began_s = -math.inf
        self._due = threading.Event()
        self._stopped = False
        self._disk = threading.Lock()

    @contextlib.contextmanager
    def held_off(self, longest_s: float) -> Iterator[None]:
        """Write to the files: not while they are synced, since then each would need a sync of its own.

        A sync that takes longer than `longest_s` is not waited for. Afterwards the files are synced, if it is time.
        """
        alone = self._disk.acquire(timeout=longest_s)
        try:
            yield
        finally:
            if alone:
                self._disk.release()
        if time.monotonic() - self._began_s >= SYNC_EVERY_S:
            self._due.set()

    def stop(self) -> None:
        """Let a sync end that has begun, and begin no other."""
        self._stopped = True
        self._due.set()
        self.join()

    def run(self) -> None:
        while self._due.wait() and not self._stopped:
            self._due.clear()
            self._began_s = time.monotonic()
            try:
                with self._disk:
                    sync_together(self._files)
            except Exception as error:
                self.error = error
                return
