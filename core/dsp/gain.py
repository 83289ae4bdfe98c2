"""Level, polarity, place and width: what needs no memory of earlier samples."""

from __future__ import annotations

import math

import numpy as np

from core.dsp.audio import Audio, Floats, checked

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


def stereo_matrix(channels: int, *, pan: float = 0.0, width: float = 1.0, gain: float = 1.0) -> Floats:
    """Gains (2, channels) from a source of one or two channels to left and right; width comes before pan."""
    sides = np.array(pan_gains(pan))[:, None]
    if channels == 1:
        sides *= gain
        return sides
    # Unity in the middle, exactly.
    balance = sides * math.sqrt(2.0) if pan else np.ones((2, 1))
    same, other = (1.0 + width) / 2.0, (1.0 - width) / 2.0
    matrix: Floats = balance * np.array([[same, other], [other, same]]) * gain
    return matrix


def place(x: Audio, matrix: Floats) -> Audio:
    """Multiply (channels, frames) audio by a matrix of `stereo_matrix`; the unit matrix returns the same samples."""
    gains = matrix.astype(np.float32)
    if len(x) == 1:
        return x * gains
    own, other = np.diag(gains)[:, None], np.diag(gains[:, ::-1])[:, None]
    if not other.any():
        return x if (own == 1.0).all() else x * own
    placed: Audio = x * own
    placed += x[::-1] * other
    return placed


def pan(x: Audio, *, pan: float) -> Audio:
    """Place audio between two loudspeakers with constant power: (1 or 2, frames) becomes (2, frames).

    Mono follows `pan_gains`. Stereo is balanced by the same law scaled to unity in the middle, where its samples pass
    unchanged. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return place(audio, stereo_matrix(len(audio), pan=pan))


def width(x: Audio, *, width: float) -> Audio:
    """Scale the side signal of (2, frames) audio: 0 is mono, 1 the same samples, 2 twice the side.

    The middle (left + right) is kept, so what a mono loudspeaker plays never changes; mono (1, frames) audio has no
    side and passes. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return audio if len(audio) == 1 else place(audio, stereo_matrix(2, width=width))
