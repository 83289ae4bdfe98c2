"""Rendered strips and returns kept as files, so that a mix with another fader is a sum of what was rendered before.

A strip is kept up to its fader, the return of a reverb with everything that feeds it. A file's name says everything
that its audio depends on, and each of its blocks, which are those of the mix, has a checksum: one that a crash, a power
cut or a tired card has spoilt is noticed where it is read. That strip is rendered again from there; a return can't be
rendered alone, so then the mix is rendered without what was kept. Nothing is synced, because a recording may want the
disk, and nothing here can't be made again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from core.dsp.audio import Audio

LEAST_FREE_BYTES: Final = 4_000_000_000
LEAST_FREE_SHARE: Final = 0.1
"""Of the disk: what is left free for recordings, whether one runs or not."""
_FILE: Final = ".strip"
_PARTIAL: Final = ".partial"
_CHECKSUM_BYTES: Final = 4
_PAGE_BYTES: Final = 4096


class Readable(Protocol):
    """What a channel reads its strip from."""

    def read(self, frames: int) -> Audio:
        """The next samples, shape (channels, frames)."""
        ...


class Keepable(Readable, Protocol):
    """What can be kept: rendered from front to back, always the same."""

    channels: int
    frames: int
    key: str | None
    """Names this audio on this box for ever; None where it isn't worth keeping, or has no name."""


class Unrepeatable(Exception):  # noqa: N818 - nothing went wrong yet
    """What was kept is spoilt, and what made it can't be asked again."""


@functools.cache
def desk_version() -> str:
    """What the code that makes a strip's sound is: another desk never plays what an older one has kept."""
    digest = hashlib.sha256(np.__version__.encode())
    for folder in (Path(__file__).parent, Path(__file__).parent.parent / "dsp"):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class StripCache:
    """A folder of at most `limit_bytes`; what was not used for the longest makes room."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def attach(self, strips: Sequence[Keepable], block_frames: int) -> list[Readable]:
        """Each strip, or its kept audio, or the strip with somebody who keeps what is read of it.

        What this mix uses is never removed for it, and what does not fit beside it is not kept: a mix larger than the
        cache keeps as many strips as fit. No error comes from here; a disk that fails keeps nothing.
        """
        try:
            return self._attach(strips, block_frames)
        except OSError:
            return list(strips)

    def _attach(self, strips: Sequence[Keepable], block_frames: int) -> list[Readable]:
        files = [None if strip.key is None else self._file_of(strip.key, block_frames) for strip in strips]
        sizes = {
            path: _bytes_of(strip, block_frames) for path, strip in zip(files, strips, strict=True) if path is not None
        }
        there = {path: path.stat().st_size for path in self._folder.glob(f"*{_FILE}")}
        kept = {path for path, size in sizes.items() if there.get(path) == size}
        wanted: list[Path] = []
        room = self._limit_bytes
        for path in sorted(sizes, key=lambda path: path not in kept):  # stable: what is there first
            if sizes[path] <= room:
                room -= sizes[path]
                wanted.append(path)
        self._make_room(there, wanted, sum(sizes[path] for path in wanted if path not in kept))
        for path in kept.intersection(wanted):
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
        found: list[Readable] = list(strips)
        for n, (file, strip) in enumerate(zip(files, strips, strict=True)):
            if file is not None and file in wanted:
                wanted.remove(file)  # one track that is there twice is kept once
                with contextlib.suppress(OSError):
                    found[n] = Kept(file, strip, block_frames) if file in kept else Keeping(file, strip, block_frames)
        return found

    def _file_of(self, key: str, block_frames: int) -> Path:
        """How audio is cut into blocks shows in its last bits, so it is a part of the name."""
        return self._folder / f"{hashlib.sha256(f'{block_frames} {key}'.encode()).hexdigest()[:32]}{_FILE}"

    def _make_room(self, there: dict[Path, int], wanted: Sequence[Path], more_bytes: int) -> None:
        """Remove what nobody finished, and then the oldest that this mix does not use, until `more_bytes` fit."""
        if not self._folder.is_dir():
            return
        for partial in self._folder.glob(f"*{_PARTIAL}"):
            if not Path(f"/proc/{partial.name.split('.')[-2]}").exists():
                partial.unlink(missing_ok=True)
        in_use = sum(there.values())
        for path in sorted(there.keys() - set(wanted), key=lambda path: path.stat().st_mtime_ns):
            if in_use + more_bytes <= self._limit_bytes:
                break
            path.unlink(missing_ok=True)
            in_use -= there[path]


class Keeping:
    """A strip that is written to a file as it is read, under another name until it is whole."""

    def __init__(self, path: Path, strip: Keepable, block_frames: int) -> None:
        self._path = path
        self._strip = strip
        self._block_frames = block_frames
        self._partial = path.with_suffix(f".{os.getpid()}{_PARTIAL}")
        self._left = strip.frames
        self._begun = np.zeros((strip.channels, 0), np.float32)
        """Of a block that the end of the mix has cut short."""
        self._records = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("wb")

    def read(self, frames: int) -> Audio:
        """As the strip."""
        block = self._strip.read(frames)
        if not self._file.closed:
            kept = block[:, : self._left]
            self._left -= kept.shape[1]
            record = np.concatenate([self._begun, kept], axis=1) if self._begun.shape[1] else kept
            full = record.shape[1] == self._block_frames or not self._left
            self._begun = record[:, :0] if full else record.copy()
            if full and record.shape[1]:
                self._write(record)
        return block

    def finish(self) -> None:
        """Read what the mix did not need of the strip, and give the file its name."""
        while self._left and not self._file.closed:
            self.read(min(self._left, self._block_frames - self._begun.shape[1]))
        if not self._file.closed:
            with contextlib.suppress(OSError):
                self._file.close()
                self._partial.replace(self._path)

    def close(self) -> None:
        """Let go of the file; one that is not whole goes away."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _write(self, record: Audio) -> None:
        data = np.ascontiguousarray(record, "<f4").data.cast("B")
        try:
            disk = shutil.disk_usage(self._partial.parent)
            if disk.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total):
                self.close()
                return
            self._file.write(data)
            self._file.write(_checksum(data, self._records))
            self._records += 1
        except OSError:
            self.close()


class Kept:
    """A strip as it was kept, and the strip itself from the first block on that is not what it was."""

    def __init__(self, path: Path, strip: Keepable, block_frames: int) -> None:
        self._path = path
        self._file = path.open("rb")
        self._strip = strip
        self._block_frames = block_frames
        self._records = 0
        self._whole = True

    def read(self, frames: int) -> Audio:
        """As the strip; every block but the last has as many frames as the blocks of the mix."""
        left = min(self._block_frames, self._strip.frames - self._records * self._block_frames)
        if self._whole and left <= 0:
            return np.zeros((self._strip.channels, frames), np.float32)
        record = self._record(left) if self._whole else None
        if record is None:
            return self._strip.read(frames)
        self._records += 1
        block = record[:, :frames]
        return np.pad(block, ((0, 0), (0, frames - left))) if left < frames else block

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _record(self, frames: int) -> Audio | None:
        """The next record of the file; None, and the strip rendered up to here, where it is not what was written."""
        audio = np.empty((self._strip.channels, frames), "<f4")
        data = audio.data.cast("B")
        try:
            whole = self._file.readinto(data) == len(data)
            if whole and self._file.read(_CHECKSUM_BYTES) == _checksum(data, self._records):
                return audio.astype(np.float32, copy=False)
        except OSError:
            pass
        self._whole = False
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        for _ in range(self._records):
            self._strip.read(self._block_frames)
        return None


def _checksum(data: memoryview, record: int) -> bytes:
    """A CRC over the sums of pages, as fast as memory: it sees a flipped bit, and a page lost or in another's place."""
    whole = len(data) // _PAGE_BYTES * _PAGE_BYTES
    sums = np.frombuffer(data[:whole], "<u8").reshape(-1, _PAGE_BYTES // 8).sum(axis=1)
    return zlib.crc32(data[whole:], zlib.crc32(sums.data, record)).to_bytes(_CHECKSUM_BYTES, "little")


def _bytes_of(strip: Keepable, block_frames: int) -> int:
    records = -(-strip.frames // block_frames)
    return 4 * strip.channels * strip.frames + _CHECKSUM_BYTES * records
