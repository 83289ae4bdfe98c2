"""The linear-phase equaliser: any curve, nothing moved in time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.fft import irfft, rfft

from core.dsp.audio import Audio, Floats, Framed, checked, run

_HALF_S = 0.0425
"""Half the length of the impulse response: curves are as fine as 24 Hz."""


def _half_taps(rate_hz: int) -> int:
    """Samples before and after the middle of the impulse response: a power of two, 2048 at 44.1 and 48 kHz."""
    return 1 << round(math.log2(_HALF_S * rate_hz))


def linear_phase_taps(rate_hz: int, *, freq_hz: Sequence[float], gain_db: Sequence[float]) -> Floats:
    """Shape (n,), n odd: a symmetric impulse response of odd length whose magnitude is the curve, by the window method.

    Between its points the curve is a monotone cubic on logarithmic frequency, which never swings beyond them
    (F. Fritsch, R. Carlson, "Monotone Piecewise Cubic Interpolation", SIAM J. Numer. Anal. 17(2), 1980); outside it
    is held.
    """
    from scipy.interpolate import PchipInterpolator  # slow to load, and few masters have a curve

    half = _half_taps(rate_hz)
    # Sampled four times finer than the response is long, so that what folds back is nothing.
    bins = np.fft.rfftfreq(8 * half, 1.0 / rate_hz)
    octaves = np.log2(np.clip(bins, freq_hz[0], freq_hz[-1]))
    if len(freq_hz) == 1:
        freq_hz, gain_db = (freq_hz[0], 2.0 * freq_hz[0]), (gain_db[0], gain_db[0])
    curve_db = PchipInterpolator(np.log2(freq_hz), gain_db)(octaves)
    response = np.roll(np.fft.irfft(10.0 ** (curve_db / 20.0)), half)[: 2 * half + 1]
    taps: Floats = response * np.hanning(2 * half + 3)[1:-1]
    return taps


class LinearPhase(Framed):
    """Streaming form of `shape_tone`: overlap-save (J. Smith, "Spectral Audio Signal Processing", 2011)."""

    def __init__(
        self,
        rate_hz: int,
        channels: int,
        *,
        freq_hz: Sequence[float],
        mid_db: Sequence[float],
        side_db: Sequence[float],
    ) -> None:
        half = _half_taps(rate_hz)
        # The response and a frame of new samples, less one, make a power of two.
        super().__init__(channels, 6 * half, half)
        self._before = np.zeros((channels, 2 * half), np.float32)
        curves = (mid_db,) if channels == 1 else (mid_db, side_db)
        taps = np.stack([linear_phase_taps(rate_hz, freq_hz=freq_hz, gain_db=gain_db) for gain_db in curves])
        self._response = rfft(taps.astype(np.float32), 8 * half)

    def _process_frames(self, x: Audio) -> Audio:
        reach = self._before.shape[1]
        joined = np.concatenate([self._before, x], axis=1)
        self._before = joined[:, x.shape[1] :].copy()
        out = np.empty_like(x)
        for start in range(0, x.shape[1], self._frame):
            window = joined[:, start : start + reach + self._frame]
            if len(window) == 2:
                window = np.stack([window[0] + window[1], window[0] - window[1]]) * np.float32(0.5)
            shaped = irfft(rfft(window) * self._response, window.shape[1])[:, reach:]
            if len(shaped) == 2:
                shaped = np.stack([shaped[0] + shaped[1], shaped[0] - shaped[1]])
            out[:, start : start + self._frame] = shaped
        return out


def shape_tone(
    x: Audio,
    rate_hz: int,
    *,
    freq_hz: Sequence[float],
    mid_db: Sequence[float],
    side_db: Sequence[float],
) -> Audio:
    """Give middle and sides of (1 or 2, frames) audio the gains of a curve, in dB at frequencies in rising order.

    Mono has no sides. All of 0 dB returns the same samples. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    if not any((*mid_db, *side_db)):
        return audio
    return run(LinearPhase(rate_hz, len(audio), freq_hz=freq_hz, mid_db=mid_db, side_db=side_db), audio)
