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


def pack(audio: Samples, sample_format: SampleFormat) -> bytes:
    """Turn (frames, channels) samples into interleaved little-endian file samples.

    float32 is full scale +-1.0 and is rounded to the nearest 24-bit step, clipped at full scale; int32 is left-aligned
    (full scale 2^31) as 24-bit converters deliver it.
    """
    if sample_format == "float32":
        if audio.dtype == np.int32:
            audio = audio.astype(np.float32) * np.float32(1.0 / (1 << 31))
        return np.ascontiguousarray(audio, dtype="<f4").tobytes()
    if audio.dtype == np.int32:
        integers = np.ascontiguousarray(audio, dtype="<i4")
        return integers.view(np.uint8).reshape(*audio.shape, 4)[..., 1:].tobytes()
    scaled = np.multiply(audio, np.float32(FULL_SCALE_24))
    np.rint(scaled, out=scaled)
    np.clip(scaled, -FULL_SCALE_24, FULL_SCALE_24 - 1.0, out=scaled)
    integers = np.nan_to_num(scaled, copy=False, nan=0.0).astype("<i4")
    return integers.view(np.uint8).reshape(*audio.shape, 4)[..., :3].tobytes()


def unpack_channels(data: bytes, channels: int, wanted: tuple[int, ...], sample_format: SampleFormat) -> list[bytes]:
    """Split interleaved file samples into the bytes of the channels `wanted` (from 0), in that order."""
    size = BYTES_PER_SAMPLE[sample_format]
    frames = np.frombuffer(data, dtype=np.uint8).reshape(-1, channels, size)
    return [frames[:, channel, :].tobytes() for channel in wanted]


def to_float(data: bytes, sample_format: SampleFormat) -> NDArray[np.float32]:
    """Decode packed samples to float32, full scale +-1.0; 24-bit values are exact."""
    if sample_format == "float32":
        return np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
    raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
    wide = np.zeros((len(raw), 4), dtype=np.uint8)
    wide[:, 1:] = raw
    integers = wide.view("<i4")[:, 0] >> 8
    return integers.astype(np.float32) * np.float32(1.0 / FULL_SCALE_24)
