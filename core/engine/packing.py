"""Between an interface's samples and the bytes of a file: exact where the file can hold what the interface sent."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sessions.model import SampleFormat

FULL_SCALE_24: Final = float(1 << 23)
"""The same in both directions, so that 16- and 24-bit sources that arrive as float32 come back bit for bit."""

BYTES_PER_SAMPLE: Final[dict[SampleFormat, int]] = {"pcm24": 3, "float32": 4}

Samples = NDArray[np.float32] | NDArray[np.int32]


def pack(audio: Samples, sample_format: SampleFormat) -> list[memoryview]:
    """Turn (frames, channels) samples into each channel's bytes in a file, little-endian.

    float32 is full scale +-1.0 and for pcm24 is rounded to the nearest 24-bit step, clipped at full scale; int32 is
    left-aligned (full scale 2^31) as 24-bit converters deliver it. What is no finite number is silence in a float file,
    which no mix could use otherwise.
    """
    planes = audio.T if audio.flags.f_contiguous else audio.T.copy()
    if sample_format == "float32":
        if planes.dtype == np.int32:
            planes = planes.astype(np.float32) * np.float32(1.0 / (1 << 31))
        elif not (finite := np.isfinite(planes)).all():
            planes = np.where(finite, planes, np.float32(0.0))
        return _rows(planes.astype("<f4", copy=False).view(np.uint8))
    if planes.dtype == np.int32:
        return _rows(_upper_three_bytes(planes))
    scaled = planes * np.float32(FULL_SCALE_24)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -FULL_SCALE_24, FULL_SCALE_24 - 1.0, out=scaled)
    scaled[np.isnan(scaled)] = 0.0
    return _rows(_upper_three_bytes(scaled.astype(np.int32) << 8))


def _upper_three_bytes(planes: Samples) -> NDArray[np.uint8]:
    """(channels, frames) left-aligned integers as (channels, 3 * frames) bytes."""
    four = planes.astype("<i4", copy=False).view(np.uint8).reshape(*planes.shape, 4)
    three = np.empty((*planes.shape, 3), np.uint8)
    # A third of the time of one copy of three bytes at each sample.
    for at in range(3):
        three[..., at] = four[..., at + 1]
    return three.reshape(len(planes), -1)


def _rows(planes: NDArray[np.uint8]) -> list[memoryview]:
    return [memoryview(plane) for plane in planes]


def to_float(data: bytes, sample_format: SampleFormat) -> NDArray[np.float32]:
    """Decode packed samples to float32, full scale +-1.0; 24-bit values are exact."""
    if sample_format == "float32":
        return np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
    wide = np.zeros((len(raw), 4), dtype=np.uint8)
    wide[:, 1:] = raw
    integers = wide.view("<i4")[:, 0] >> 8
    return integers.astype(np.float32) * np.float32(1.0 / FULL_SCALE_24)
