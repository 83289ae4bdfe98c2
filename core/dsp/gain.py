"""Level, polarity, place and width: what needs no memory of earlier samples."""

from __future__ import annotations

import math

import numpy as np

from core.dsp.audio import Audio, checked

OFF_DB = -90.0
"""A fader or send this low is shut: exactly zero."""


def db_to_gain(gain_db: float) -> float:
    """Amplitude ratio of a gain in dB; 0 from -90 dB down."""
    return 0.0 if gain_db <= OFF_DB else float(10.0 ** (gain_db / 20.0))


def gain(x: Audio, *, gain_db: float) -> Audio:
    """Scale (channels, frames) audio. 0 dB returns the same samples. Raises OtoError("bad_input") for NaN."""
    audio = checked(x)
    return audio if gain_db == 0.0 else audio * np.float32(db_to_gain(gain_db))


def polarity(x: Audio, *, invert: bool = True) -> Audio:
    """Turn (channels, frames) audio upside down, exactly. Raises OtoError("bad_input") for NaN."""
    audio = checked(x)
    return -audio if invert else audio


def pan_gains(pan: float) -> tuple[float, float]:
    """Left and right gain of a mono source at `pan` (-1 left .. +1 right).

    The sine-cosine law: left² + right² = 1 everywhere, so the middle is 3 dB down on each side and a source is as loud
    (BS.1770 sums the channels' powers) wherever it sits.
    """
    if abs(pan) == 1.0:
        return (1.0, 0.0) if pan < 0 else (0.0, 1.0)
    angle = (pan + 1.0) * math.pi / 4.0
    return math.cos(angle), math.sin(angle)


def pan(x: Audio, *, pan: float) -> Audio:
    """Place audio between two loudspeakers with constant power: (1 or 2, frames) becomes (2, frames).

    Mono follows `pan_gains`. Stereo is balanced by the same law scaled to unity in the middle, where its samples pass
    unchanged. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    left, right = pan_gains(pan)
    if audio.shape[0] == 2:
        if pan == 0.0:
            return audio
        left, right = left * math.sqrt(2.0), right * math.sqrt(2.0)
    return audio * np.array([[left], [right]], np.float32)


def width(x: Audio, *, width: float) -> Audio:
    """Scale the side signal of (2, frames) audio: 0 is mono, 1 the same samples, 2 twice the side.

    The middle (left + right) is kept, so what a mono loudspeaker plays never changes; mono (1, frames) audio has no
    side and passes. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    if width == 1.0 or audio.shape[0] == 1:
        return audio
    same, other = np.float32((1.0 + width) / 2.0), np.float32((1.0 - width) / 2.0)
    return same * audio + other * audio[::-1]
