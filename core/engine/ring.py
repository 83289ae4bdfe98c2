"""The last seconds of every input, addressed by sample position, in memory or in a file."""

from __future__ import annotations

import os
from pathlib import Path


class RingOverrunError(Exception):
    """What was asked for has been overwritten; `oldest` is the first position that is still there."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"overwritten before position {oldest}")
        self.oldest = oldest


class Ring:
    """A ring of interleaved frames with one writer and any number of readers, without locks.

    Positions count frames since the stream started and never wrap. Short rings live in memory (an anonymous file that
    the kernel keeps in RAM), long ones in a file that has no name and vanishes with the process; both are read and
    written with positional system calls that release Python's lock.
    """

    def __init__(self, capacity_frames: int, frame_bytes: int, folder: Path | None = None) -> None:
        self.capacity_frames = capacity_frames
        self.frame_bytes = frame_bytes
        self.end = 0
        """Position after the last frame that may be read."""
        self._claimed = 0
        if folder is None:
            self._fd = os.memfd_create("oto-ring")
            os.ftruncate(self._fd, capacity_frames * frame_bytes)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
            os.posix_fallocate(self._fd, 0, capacity_frames * frame_bytes)

    @property
    def oldest(self) -> int:
        """The first position that has not been overwritten."""
        return max(0, self._claimed - self.capacity_frames)

    @property
    def filled_frames(self) -> int:
        """How many frames can be read now."""
        return self.end - self.oldest

    def append(self, data: bytes | memoryview) -> None:
        """Add whole frames at the end, overwriting the oldest. At most one capacity at a time."""
        frames = len(data) // self.frame_bytes
        self._claimed = self.end + frames
        view = memoryview(data)
        offset = (self.end % self.capacity_frames) * self.frame_bytes
        first = min(len(data), self.capacity_frames * self.frame_bytes - offset)
        _write_all(self._fd, view[:first], offset)
        if first < len(data):
            _write_all(self._fd, view[first:], 0)
        self.end = self._claimed

    def read(self, start: int, frames: int) -> bytes:
        """Return frames [start, start + frames). Raises RingOverrunError when part of them was overwritten."""
        if start < self.oldest:
            raise RingOverrunError(self.oldest)
        frames = min(frames, self.end - start)
        offset = (start % self.capacity_frames) * self.frame_bytes
        wanted = frames * self.frame_bytes
        first = min(wanted, self.capacity_frames * self.frame_bytes - offset)
        data = os.pread(self._fd, first, offset)
        if first < wanted:
            data += os.pread(self._fd, wanted - first, 0)
        if start < self.oldest:
            raise RingOverrunError(self.oldest)
        return data

    def __del__(self) -> None:
        os.close(self._fd)


def _write_all(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data = data[written:]
        offset += written
