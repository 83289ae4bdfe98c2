"""Saturation: peaks are rounded, odd harmonics grow, as on tape driven hot."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.dsp.audio import Audio, DelayLine, Framed, checked, run

REFERENCE = 0.25
"""Peaks of this amplitude (-12 dBFS) come out as loud as they went in, at any drive."""

_ROW = 32
"""Samples that one row of the matrix products makes."""
_REACH = 64
"""Samples that up- and downsampling look back, together their latency."""
_STRAIGHT = 1e-4
"""Steepness that bends a full-scale peak by less than 24 bits can say."""
_BATCH = 8
"""Rows per product."""
_CHUNK = 8_192


def oversampling(rate_hz: int) -> int:
    """How many times the rate the curve runs at: 8 at 44.1 and 48 kHz, less above, about 384 kHz always."""
    return max(2, 1 << max(0, round(math.log2(384_000 / rate_hz))))


class Saturation(Framed):
    """Streaming form of `saturate`.

    Only what the curve changes passes the up- and downsampling; the signal itself is added untouched. Both
    conversions are linear-phase filters, written as products of rows of samples with a banded matrix.
    """

    def __init__(self, rate_hz: int, channels: int, *, drive_db: float) -> None:
        super().__init__(channels, _ROW * _BATCH, _REACH)
        self._steepness = max(10.0 ** (drive_db / 20.0) - 1.0, _STRAIGHT)
        self._level = REFERENCE / math.tanh(self._steepness * REFERENCE)
        times = oversampling(rate_hz)
        # Flat to 0.45 of the rate, 90 dB down from 0.55 on.
        taps = np.sinc(np.arange(-times * _REACH // 2, times * _REACH // 2 + 1) / times)
        taps *= np.kaiser(len(taps), 9.0)
        taps /= taps.sum()
        up = np.zeros((_REACH + _ROW, _ROW * times))
        down = np.zeros(((_REACH + _ROW) * times, _ROW))
        for sample in range(_ROW):
            for phase in range(times):
                kernel = taps[phase::times][::-1]
                up[sample + _REACH + 1 - len(kernel) : sample + _REACH + 1, sample * times + phase] = kernel * times
            last = (sample + _REACH) * times
            down[last - len(taps) + 1 : last + 1, sample] = taps[::-1]
        self._up = up.astype(np.float32)
        self._down = down.astype(np.float32)
        self._times = times
        self._before = np.zeros((channels, _REACH), np.float32)
        self._bent_before = np.zeros((channels, _REACH * times), np.float32)
        self._dry = DelayLine(channels, _REACH)

    def _process_frames(self, x: Audio) -> Audio:
        out = self._dry.process(x).copy()
        for start in range(0, x.shape[1], _CHUNK):
            piece = slice(start, start + _CHUNK)
            out[:, piece] += self._bend(x[:, piece])
        return out

    def _bend(self, x: Audio) -> Audio:
        """What the curve adds to (channels, n) audio, n a multiple of the row."""
        fine, self._before = _banded(self._before, x, self._up, _ROW)
        bent = np.tanh(fine * np.float32(self._steepness)) * np.float32(self._level) - fine
        change, self._bent_before = _banded(self._bent_before, bent, self._down, _ROW * self._times)
        return change


def _banded(before: Audio, x: Audio, band: Audio, row: int) -> tuple[Audio, Audio]:
    """Every row of samples, with what lies before it, times a banded matrix; and what will lie before the next x."""
    joined = np.concatenate([before, x], axis=1)
    windows = sliding_window_view(joined, band.shape[0], axis=1)[:, ::row]
    # A few rows at a time: a larger product would be split among threads of the linear algebra library.
    batches = np.ascontiguousarray(windows).reshape(-1, _BATCH, band.shape[0])
    return (batches @ band).reshape(len(x), -1), joined[:, joined.shape[1] - before.shape[1] :]


def saturate(x: Audio, rate_hz: int, *, drive_db: float) -> Audio:
    """Round the peaks of (channels, frames) audio with a hyperbolic tangent at about 384 kHz.

    0 dB returns the same samples and little changes near it: the curve is tanh((10^(drive/20) - 1) x), scaled so
    that a peak of -12 dBFS keeps its level. The higher rate keeps harmonics from folding back (J. Reiss, A. McPherson,
    "Audio Effects", 2014, on oversampling non-linear effects). Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return audio if drive_db == 0.0 else run(Saturation(rate_hz, len(audio), drive_db=drive_db), audio)
