"""WAV files whose recorder lost its power: the audio is there, and the header says that there is none."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from sessions.errors import LibraryError
from sessions.wavread import read_info

_RIFF_BODY_AT: Final = 8
_LARGEST: Final = 0xFFFF_FFFF


@contextlib.contextmanager
def mended(path: Path) -> Iterator[Path | BinaryIO]:
    """The file as it is, or as its recorder would have left it, had it come to write the sizes. Raises OSError.

    A recorder writes the length of the audio at the end, so where that is 0 all that follows is audio. A file whose own
    length is right was finished without audio. What no 32-bit size can say (4 GiB and more) is left as it is.
    """
    sizes = _lost(path)
    if not sizes:
        yield path
        return
    with _Mended(path, sizes) as file:
        yield file


def _lost(path: Path) -> dict[int, bytes]:
    """Where which sizes belong; nothing where none is lost."""
    try:
        info = read_info(path)
    except LibraryError:
        return {}
    with path.open("rb") as file:
        head, length = file.read(_RIFF_BODY_AT), os.fstat(file.fileno()).st_size
    told = _RIFF_BODY_AT + int.from_bytes(head[4:], "little")
    frame_bytes = max(1, info.channels * info.bits // 8)
    data_bytes = (length - info.data_offset) // frame_bytes * frame_bytes
    if info.container != "RIFF" or info.data_bytes or not data_bytes or length > _LARGEST:
        return {}
    if abs(told - length) <= 1:  # with or without a byte that makes it even
        return {}
    riff_bytes = info.data_offset - _RIFF_BODY_AT + data_bytes
    return {
        _RIFF_BODY_AT - 4: struct.pack("<I", riff_bytes),
        info.data_offset - 4: struct.pack("<I", data_bytes),
    }


class _Mended(io.FileIO):
    """Reads as if other bytes stood at some places."""

    def __init__(self, path: Path, instead: dict[int, bytes]) -> None:
        super().__init__(path, "rb")
        self._instead = instead

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As a file does."""
        at = self.tell()
        count = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for place, data in self._instead.items():
            first, last = max(place, at), min(place + len(data), at + count)
            if first < last:
                view[first - at : last - at] = data[first - place : last - place]
        return count

    def read(self, size: int | None = -1) -> bytes:
        """As a file does."""
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        data = bytearray(max(size, 0))
        return bytes(data[: self.readinto(data)])
