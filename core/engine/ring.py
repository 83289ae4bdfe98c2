"""The last seconds of every input, addressed by sample position, in memory or in a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

Planes = Sequence[bytes | memoryview]
"""The same stretch of every channel, one after the other."""


class RingOverrunError(Exception):
    """What was asked for has been overwritten; `oldest` is the first position that is still there."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"overwritten before position {oldest}")
        self.oldest = oldest


class Ring:
    """A ring of frames with one writer and any number of readers, without locks.

    Positions count frames since the stream started and never wrap. Each channel lies by itself, as its file will want
    it. Short rings live in memory (an anonymous file that the kernel keeps in RAM), long ones in a file that has no
    name and vanishes with the process; both are read and written with positional system calls that release Python's
    lock.
    """

    def __init__(self, capacity_frames: int, channels: int, sample_bytes: int, folder: Path | None = None) -> None:
        """Make an empty ring. Raises OSError when there is no room for it."""
        self.capacity_frames = capacity_frames
        self.channels = channels
        self.sample_bytes = sample_bytes
        self.end = 0
        """Position after the last frame that may be read."""
        self._claimed = 0
        size = capacity_frames * channels * sample_bytes
        if folder is None:
            self._fd = os.memfd_create("oto-ring")
            os.ftruncate(self._fd, size)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
            os.posix_fallocate(self._fd, 0, size)

    @property
    def oldest(self) -> int:
        """The first position that has not been overwritten."""
        return max(0, self._claimed - self.capacity_frames)

    @property
    def filled_frames(self) -> int:
        """How many frames can be read now."""
        return self.end - self.oldest

    def append(self, planes: Planes) -> None:
        """Add a stretch of every channel at the end, overwriting the oldest. At most one capacity at a time."""
        size = len(planes[0])
        self._claimed = self.end + size // self.sample_bytes
        for channel, plane in enumerate(planes):
            offset, first = self._place(channel, self.end, size)
            _write_all(self._fd, memoryview(plane)[:first], offset)
            _write_all(self._fd, memoryview(plane)[first:], self._base(channel))
        self.end = self._claimed

    def read(self, start: int, frames: int, channels: Sequence[int]) -> list[bytes]:
        """Return frames [start, start + frames) of some channels (from 0); less where the ring ends.

        Raises RingOverrunError when part of them was overwritten.
        """
        if start < self.oldest:
            raise RingOverrunError(self.oldest)
        wanted = min(frames, self.end - start) * self.sample_bytes
        planes = []
        for channel in channels:
            offset, first = self._place(channel, start, wanted)
            plane = os.pread(self._fd, first, offset)
            if first < wanted:
                plane += os.pread(self._fd, wanted - first, self._base(channel))
            planes.append(plane)
        if start < self.oldest:
            raise RingOverrunError(self.oldest)
        return planes

    def _base(self, channel: int) -> int:
        return channel * self.capacity_frames * self.sample_bytes

    def _place(self, channel: int, position: int, size: int) -> tuple[int, int]:
        """Where a stretch begins in the file, and how many of its bytes lie before the ring's seam."""
        within = position % self.capacity_frames * self.sample_bytes
        return self._base(channel) + within, min(size, self.capacity_frames * self.sample_bytes - within)

    def __del__(self) -> None:
        os.close(self._fd)


def _write_all(fd: int, data: memoryview, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data = data[written:]
        offset += written
