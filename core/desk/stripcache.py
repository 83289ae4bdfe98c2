"""Rendered strips kept as files, so that a mix with another fader is a sum of what was rendered before.

A file's name says everything that its audio depends on, and its blocks carry checksums: one that a crash, a power cut
or a tired card has spoilt is noticed where it is read, and that strip is rendered again from there. Nothing is synced,
because a recording may want the disk, and nothing here can't be made again.
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

from core.desk.toned import Toned
from core.dsp.audio import Audio

RECORD_FRAMES: Final = 131_072
"""Frames under one checksum."""
LEAST_FREE_BYTES: Final = 4_000_000_000
LEAST_FREE_SHARE: Final = 0.1
"""Of the disk: what is left free for recordings, whether one runs or not."""
_FILE: Final = ".strip"
_PARTIAL: Final = ".partial"
_CHECKSUM_BYTES: Final = 4


class Readable(Protocol):
    """What a channel reads its strip from."""

    def read(self, frames: int) -> Audio:
        """The next samples, shape (channels, frames)."""
        ...


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

    def attach(self, strips: Sequence[Toned], block_frames: int) -> list[Readable]:
        """Each strip, or its kept audio, or the strip with somebody who keeps what is read of it.

        What this mix uses is never removed for it, and what does not fit beside it is not kept: a mix larger than the
        cache keeps as many strips as fit. No error comes from here; a disk that fails keeps nothing.
        """
        try:
            return self._attach(strips, block_frames)
        except OSError:
            return list(strips)

    def _attach(self, strips: Sequence[Toned], block_frames: int) -> list[Readable]:
        files = [None if strip.key is None else self._file_of(strip.key, block_frames) for strip in strips]
        sizes = {path: _bytes_of(strip) for path, strip in zip(files, strips, strict=True) if path is not None}
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
                    found[n] = Kept(file, strip, block_frames) if file in kept else Keeping(file, strip)
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

    def __init__(self, path: Path, strip: Toned) -> None:
        self._path = path
        self._strip = strip
        self._partial = path.with_suffix(f".{os.getpid()}{_PARTIAL}")
        self._left = strip.frames
        self._pending: list[Audio] = []
        self._records = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("wb")

    def read(self, frames: int) -> Audio:
        """As the strip."""
        block = self._strip.read(frames)
        if not self._file.closed:
            kept = block[:, : self._left]
            self._left -= kept.shape[1]
            self._pending.append(kept.copy())
            if sum(part.shape[1] for part in self._pending) >= RECORD_FRAMES or not self._left:
                self._write()
        return block

    def finish(self) -> None:
        """Read what the mix did not need of the strip, and give the file its name."""
        while self._left and not self._file.closed:
            self.read(min(self._left, RECORD_FRAMES))
        if not self._file.closed:
            with contextlib.suppress(OSError):
                self._file.close()
                self._partial.replace(self._path)

    def close(self) -> None:
        """Let go of the file; one that is not whole goes away."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _write(self) -> None:
        joined = np.concatenate(self._pending, axis=1)
        whole = joined.shape[1] if not self._left else joined.shape[1] // RECORD_FRAMES * RECORD_FRAMES
        self._pending = [joined[:, whole:]]
        try:
            for at in range(0, whole, RECORD_FRAMES):
                disk = shutil.disk_usage(self._partial.parent)
                if disk.free < max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total):
                    self.close()
                    return
                data = np.ascontiguousarray(joined[:, at : at + RECORD_FRAMES][:, : whole - at], "<f4").tobytes()
                self._file.write(data)
                self._file.write(_checksum(data, self._records))
                self._records += 1
        except OSError:
            self.close()


class Kept:
    """A strip as it was kept, and the strip itself from the first block on that is not what it was."""

    def __init__(self, path: Path, strip: Toned, block_frames: int) -> None:
        self._path = path
        self._file = path.open("rb")
        self._strip = strip
        self._block_frames = block_frames
        self._given = 0
        self._records = 0
        self._ready = np.zeros((strip.channels, 0), np.float32)
        self._whole = True

    def read(self, frames: int) -> Audio:
        """As the strip."""
        while self._whole and self._ready.shape[1] < frames and self._left() > 0:
            self._fill()
        if not self._whole:
            return self._strip.read(frames)
        block, self._ready = self._ready[:, :frames], self._ready[:, frames:]
        self._given += frames
        return np.pad(block, ((0, 0), (0, frames - block.shape[1]))) if block.shape[1] < frames else block

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _left(self) -> int:
        return self._strip.frames - self._records * RECORD_FRAMES

    def _fill(self) -> None:
        frames = min(RECORD_FRAMES, self._left())
        size = 4 * self._strip.channels * frames
        try:
            data = self._file.read(size)
            whole = self._file.read(_CHECKSUM_BYTES) == _checksum(data, self._records) and len(data) == size
        except OSError:
            whole = False
        if not whole:
            self._start_over()
            return
        self._records += 1
        audio = np.frombuffer(data, "<f4").reshape(self._strip.channels, frames).astype(np.float32)
        self._ready = np.concatenate([self._ready, audio], axis=1)

    def _start_over(self) -> None:
        """Render the strip up to here, in the mix's own steps."""
        self._whole = False
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        for _ in range(self._given // self._block_frames):
            self._strip.read(self._block_frames)


def _checksum(data: bytes, record: int) -> bytes:
    return zlib.crc32(data, record).to_bytes(_CHECKSUM_BYTES, "little")


def _bytes_of(strip: Toned) -> int:
    records = -(-strip.frames // RECORD_FRAMES)
    return 4 * strip.channels * strip.frames + _CHECKSUM_BYTES * records
