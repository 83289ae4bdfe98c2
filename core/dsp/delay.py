"""Delay to a fraction of a sample, for aligning microphones."""

from __future__ import annotations

import math

import numpy as np

from core.dsp.audio import Audio, Chain, DelayLine, Floats, Processor, checked, run

_HALF_TAPS = 32
_KAISER_BETA = 8.0


def _fractional_taps(fraction: float) -> Floats:
    """A windowed sinc of 64 taps that delays by 31 + fraction samples; flat within 0.01 dB up to 0.43 of the rate."""
    position = np.arange(2 * _HALF_TAPS) - (_HALF_TAPS - 1) - fraction
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(1.0 - (position / _HALF_TAPS) ** 2, 0.0))) / np.i0(_KAISER_BETA)
    taps = np.sinc(position) * window
    normalised: Floats = taps / taps.sum()
    return normalised


class _Fraction:
    """Delays by a fraction of a sample beyond its latency."""

    latency_samples = _HALF_TAPS - 1

    def __init__(self, channels: int, fraction: float) -> None:
        self._taps = _fractional_taps(fraction)
        self._before = np.zeros((channels, len(self._taps) - 1), np.float32)

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        if not block.shape[1]:
            return block
        joined = np.concatenate([self._before, block], axis=1)
        self._before = joined[:, block.shape[1] :].copy()
        return np.stack([np.convolve(channel, self._taps, "valid").astype(np.float32) for channel in joined])


class Delay(Chain):
    """Streaming form of `delay`."""

    def __init__(self, rate_hz: int, channels: int, *, delay_ms: float) -> None:
        samples = delay_ms * rate_hz / 1000.0
        whole = math.floor(samples + 1e-6)
        fraction = max(samples - whole, 0.0)
        parts: list[Processor] = [DelayLine(channels, whole)]
        if fraction > 1e-6:
            parts.append(_Fraction(channels, fraction))
        super().__init__(parts)


def delay(x: Audio, rate_hz: int, *, delay_ms: float) -> Audio:
    """Move (channels, frames) audio later by any time: whole samples bit for bit, fractions by interpolation.

    (T. Laakso et al., "Splitting the Unit Delay", IEEE Signal Processing Magazine 13(1), 1996.) What moves past the end
    is cut off. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return audio if delay_ms == 0.0 else run(Delay(rate_hz, len(audio), delay_ms=delay_ms), audio)
