"""Samples straight from a WAV file's bytes, many times faster than libsndfile: tracks, and the mixes made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from core.dsp.audio import Audio
from sessions.errors import LibraryError
from sessions.wavread import read_info

_KINDS: Final = {(16, False): "<i2", (24, False): "<i4", (32, True): "<f4"}
"""Of bits, and whether they are a floating-point number: the numbers that they are read as."""


class Pcm:
    """The samples of a WAV, RF64 or BW64 file of 16 or 24 bits or 32-bit floats, to the same bits as libsndfile's."""

    def __init__(self, path: Path, data_offset: int, channels: int, bits: int, *, is_float: bool) -> None:
        self._path = path
        self._data_offset = data_offset
        self._channels = channels
        self._bits = bits
        self._kind = _KINDS[bits, is_float]

    @classmethod
    def of(cls, path: Path, *, channels: int, frames: int) -> Pcm | None:
        """The file, if it is such a one and both readers agree how much is in it."""
        try:
            info = read_info(path)
        except LibraryError:
            return None
        same = (info.bits, info.is_float) in _KINDS and (info.channels, info.frames) == (channels, frames)
        return cls(path, info.data_offset, channels, info.bits, is_float=info.is_float) if same else None

    def read(self, start: int, frames: int) -> Audio:
        """Frames [start, start + frames) as (channels, frames). Raises OSError, also when the file ends before."""
        width = self._bits // 8
        # 24 bits are the lower bytes of a number that reaches into the next sample, or at the end into one byte more.
        data = bytearray(frames * self._channels * width + 1)
        with self._path.open("rb") as file:
            file.seek(self._data_offset + start * self._channels * width)
            filled = file.readinto(memoryview(data)[:-1])
        if filled < len(data) - 1:
            raise OSError("it ends before its audio does")
        numbers = np.ndarray((self._channels, frames), self._kind, data, strides=(width, width * self._channels))
        if self._bits == 24:
            numbers = np.left_shift(numbers, 8, order="C")
        audio: Audio = numbers.astype(np.float32, order="C", copy=False)
        if numbers.dtype.kind == "i":
            audio *= np.float32(2.0 ** (1 - 8 * numbers.itemsize))
        return audio
