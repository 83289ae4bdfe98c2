"""Samples straight from a WAV file's bytes, many times faster than libsndfile: tracks, and the mixes made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from core.dsp.audio import Audio
from sessions.errors import LibraryError
from sessions.wavread import read_info

_KINDS: Final = ((16, False), (24, False), (32, True))
"""Bits, and whether they are a floating-point number."""


class Pcm:
    """The samples of a WAV, RF64 or BW64 file of 16 or 24 bits or 32-bit floats, to the same bits as libsndfile's."""

    def __init__(self, path: Path, data_offset: int, channels: int, bits: int) -> None:
        self._path = path
        self._data_offset = data_offset
        self._channels = channels
        self._bits = bits

    @classmethod
    def of(cls, path: Path, *, channels: int, frames: int) -> Pcm | None:
        """The file, if it is such a one and both readers agree how much is in it."""
        try:
            info = read_info(path)
        except LibraryError:
            return None
        same = (info.bits, info.is_float) in _KINDS and (info.channels, info.frames) == (channels, frames)
        return cls(path, info.data_offset, channels, info.bits) if same else None

    def read(self, start: int, frames: int) -> Audio:
        """Frames [start, start + frames) as (channels, frames). Raises OSError, also when the file ends before."""
        samples, width = frames * self._channels, self._bits // 8
        # 24 bits are the lower bytes of a number that reaches into the next sample, or at the end into one byte more.
        data = bytearray(samples * width + 1)
        with self._path.open("rb") as file:
            file.seek(self._data_offset + start * self._channels * width)
            filled = file.readinto(memoryview(data)[:-1])
        if filled < len(data) - 1:
            raise OSError("it ends before its audio does")
        return np.ascontiguousarray(self._numbers(data, samples).reshape(frames, self._channels).T)

    def _numbers(self, data: bytearray, samples: int) -> Audio:
        if self._bits == 32:
            return np.frombuffer(data, "<f4", samples)
        if self._bits == 16:
            audio = np.frombuffer(data, "<i2", samples).astype(np.float32)
            audio *= np.float32(2.0**-15)
        else:
            audio = np.left_shift(np.ndarray((samples,), "<i4", data, strides=(3,)), 8).astype(np.float32)
            audio *= np.float32(2.0**-31)
        return audio
