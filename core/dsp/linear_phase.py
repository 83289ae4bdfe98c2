"""The linear-phase equaliser: any curve, nothing moved in time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.dsp.audio import Audio, Floats, Framed, checked, run
from core.dsp.windows import spectra

_HALF_S = 0.0425
"""Half the length of the impulse response: curves are as fine as 24 Hz."""


def _half_taps(rate_hz: int) -> int:
    """Samples before and after the middle of the impulse response: a power of two, 2048 at 44.1 and 48 kHz."""
    return 1 << round(math.log2(_HALF_S * rate_hz))


def linear_phase_taps(rate_hz: int, *, freq_hz: Sequence[float], gain_db: Sequence[float]) -> Floats:
    """Shape (n,), n odd: a symmetric impulse response of odd length whose magnitude is the curve, by the window method.

    Between its points the curve is a monotone cubic on logarithmic frequency; outside it is held.
    """
    half = _half_taps(rate_hz)
    # Sampled four times finer than the response is long, so that what folds back is nothing.
    bins = np.fft.rfftfreq(8 * half, 1.0 / rate_hz)
    octaves = np.log2(np.clip(bins, freq_hz[0], freq_hz[-1]))
    if len(freq_hz) == 1:
        freq_hz, gain_db = (freq_hz[0], 2.0 * freq_hz[0]), (gain_db[0], gain_db[0])
    curve_db = _monotone_cubic(np.log2(freq_hz), np.asarray(gain_db, np.float64), octaves)
    response = np.roll(np.fft.irfft(10.0 ** (curve_db / 20.0)), half)[: 2 * half + 1]
    taps: Floats = response * np.hanning(2 * half + 3)[1:-1]
    return taps


def _monotone_cubic(x: Floats, y: Floats, at: Floats) -> Floats:
    """Values (k,) at `at`, within the rising `x` (n,), of a smooth curve through `y` (n,) that never swings beyond it.

    Slopes are the weighted harmonic means of those beside a point, 0 at its turns (F. Fritsch, J. Butland, "A Method
    for Constructing Local Monotone Piecewise Cubic Interpolants", SIAM J. Sci. Stat. Comput. 5(2), 1984), and at the
    ends those of the lines there. Loading scipy's takes longer than mastering a minute of music.
    """
    widths = np.diff(x)
    lines = np.diff(y) / widths
    before, after = 2 * widths[1:] + widths[:-1], widths[1:] + 2 * widths[:-1]
    turning = lines[:-1] * lines[1:] <= 0.0
    safe = [np.where(turning, 1.0, line) for line in (lines[:-1], lines[1:])]
    inner = np.where(turning, 0.0, (before + after) / (before / safe[0] + after / safe[1]))
    slopes = np.concatenate((lines[:1], inner, lines[-1:]))
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(widths) - 1)
    width, t = widths[piece], (at - x[piece]) / widths[piece]
    bend, slope = 3 * lines[piece] - 2 * slopes[piece] - slopes[piece + 1], slopes[piece]
    twist = slopes[piece] + slopes[piece + 1] - 2 * lines[piece]
    values: Floats = y[piece] + width * t * (slope + t * (bend + t * twist))
    return values


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
        # `spectra` divides by their length, and middle and sides are half of a sum and of a difference.
        scale = 8 * half / channels
        self._response = scale * np.fft.rfft(taps.astype(np.float32), 8 * half)[:, None]

    def _process_frames(self, x: Audio) -> Audio:
        reach = self._before.shape[1]
        joined = np.concatenate([self._before, x], axis=1)
        self._before = joined[:, x.shape[1] :].copy()
        if len(x) == 2:
            joined = np.stack([joined[0] + joined[1], joined[0] - joined[1]])
        # All windows in one call: transforms of one length share a processor's vector registers.
        windows = sliding_window_view(joined, reach + self._frame, axis=1)[:, :: self._frame]
        found = spectra(windows)
        found *= self._response
        shaped = np.fft.irfft(found, windows.shape[2])[:, :, reach:]
        if len(x) == 2:
            shaped = np.stack([shaped[0] + shaped[1], shaped[0] - shaped[1]])
        return np.asarray(shaped, np.float32).reshape(x.shape)


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
