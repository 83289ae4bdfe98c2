"""True peak: the highest point of the waveform between its samples, by polyphase oversampling (BS.1770-5 Annex 2).

The interpolator is a windowed sinc that passes the samples themselves untouched, so phase 0 costs nothing. All other
phases of a row of 16 positions are one small matrix product. A row whose samples are too small to reach the level in
question, by the sum of the interpolator's absolute weights, is never computed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Audio, Floats

Signal = TypeVar("Signal", Audio, Floats)

ROW: Final = 16
"""Positions that are interpolated together."""

HALF_TAPS: Final = 16
"""Samples on each side of a position that its interpolation looks at."""

CONTEXT: Final = 2 * HALF_TAPS - 1
"""Samples that a row needs beyond its own: HALF_TAPS - 1 before and HALF_TAPS after."""

METER_PHASES: Final = 4
"""Oversampling of the meter, as BS.1770-5 Annex 2 describes it for 48 kHz."""

_MOST_PRODUCTS: Final = 1 << 18
"""Multiplications per matrix product: larger ones would be split among the threads of the linear algebra library, which
costs more than it gives and steals from the other core."""

_MOST_ROWS: Final = 128
"""Rows per matrix product at the most, since the last one of each call is filled up."""

_DENSE: Final = 3
"""Where more than one row in so many is wanted, taking all of them is cheaper than picking."""

_KAISER_BETA: Final = 6.0
_HALFWAY_REACH: Final = 1.35
"""No value between the samples exceeds this times the greatest of the samples and the points halfway between them, in
its row and the two beside it: the linear programme that seeks the worst case for this interpolator finds 1.343."""


class _Interpolator:
    """Weights that turn the samples around a row into the values between them."""

    def __init__(self, phases: int) -> None:
        fractions = np.arange(1, phases) / phases
        distance = fractions[:, None] - np.arange(-HALF_TAPS + 1, HALF_TAPS + 1)
        window = np.i0(_KAISER_BETA * np.sqrt(1.0 - (distance / HALF_TAPS) ** 2)) / np.i0(_KAISER_BETA)
        taps = np.sinc(distance) * window
        taps /= taps.sum(axis=1, keepdims=True)
        middle = phases // 2 - 1
        self.halfway = _matrix(taps[middle : middle + 1])
        self.others = _matrix(np.delete(taps, middle, axis=0))
        self.between = np.concatenate((self.halfway, self.others)).astype(np.float64)
        self.greatest_sum = float(np.abs(taps).sum(axis=1).max())
        """No interpolated value exceeds this times the greatest sample around it."""


def _matrix(taps: Floats) -> Audio:
    """(phases, taps) laid out so that it takes (ROW + CONTEXT) samples to (ROW * phases) values."""
    matrix = np.zeros((ROW, len(taps), ROW + CONTEXT), dtype=np.float32)
    for position in range(ROW):
        matrix[position, :, position : position + 2 * HALF_TAPS] = taps
    return matrix.reshape(-1, ROW + CONTEXT)


_interpolator = lru_cache(_Interpolator)


def row_peaks(x: Audio, phases: int, floor: float) -> Audio:
    """The highest absolute value of each row of positions, between the samples too, wherever it exceeds `floor`.

    `x` is float32 (channels, rows * ROW + CONTEXT): the rows' samples with HALF_TAPS - 1 before and HALF_TAPS after;
    `phases`, even, is the oversampling. Returns float32 (channels, rows). Rows that can't exceed `floor` hold a value
    that doesn't either.
    """
    rows = (x.shape[1] - CONTEXT) // ROW
    weights = _interpolator(phases)
    windows = _windows(x)
    first, end = HALF_TAPS - 1, HALF_TAPS - 1 + rows * ROW
    around = np.empty((x.shape[0], rows + 2), dtype=np.float32)
    around[:, 0] = np.abs(x[:, :first]).max(axis=1)
    around[:, 1:-1] = row_maxima(np.abs(x[:, first:end]))
    around[:, -1] = np.abs(x[:, end:]).max(axis=1)
    peaks: Audio = around[:, 1:-1].copy()
    bound = _with_neighbours(around) * np.float32(weights.greatest_sum)
    between = np.full((x.shape[0], rows + 2), np.inf, dtype=np.float32)
    for channel in range(x.shape[0]):
        near = np.flatnonzero(bound[channel] > floor)
        if not near.size:
            continue
        peaks[channel, near] = np.maximum(peaks[channel, near], _highest(weights.halfway, windows[channel], near))
        between[channel, 1:-1] = bound[channel]
        between[channel, 1 + near] = peaks[channel, near]
        near = near[_with_neighbours(between[channel])[near] > floor / _HALFWAY_REACH]
        peaks[channel, near] = np.maximum(peaks[channel, near], _highest(weights.others, windows[channel], near))
    return peaks


def row_maxima(x: Audio) -> Audio:
    """Greatest of each ROW neighbours, (channels, rows * ROW) to (channels, rows).

    Far faster in numpy than a maximum over a short axis.
    """
    # What lies side by side goes through a processor's vector registers, so only a few are picked before it gets short.
    fours = _greater(_greater(x, 1), 2)[:, ::4]
    eights = np.maximum(fours[:, 0::2], fours[:, 1::2])
    return np.maximum(eights[:, 0::2], eights[:, 1::2])


def _greater(x: Audio, apart: int) -> Audio:
    """The greater of each value and the one so far behind it; shorter by as much."""
    return np.maximum(x[:, :-apart], x[:, apart:])


def peaks_at(x: Audio, phases: int, rows: NDArray[np.intp]) -> Floats:
    """The highest absolute value of these rows, over all channels, in float64; `x` and `phases` as in `row_peaks`.

    A product in float32 rounds by a row's place in it, on some processors. That will do to choose rows by and to read a
    meter; what follows a peak would differ (at -132 dB) by where a stream was cut.
    """
    weights = _interpolator(phases)
    windows = _windows(x)
    highest: Floats = np.abs(windows[:, rows, HALF_TAPS - 1 : HALF_TAPS - 1 + ROW]).max(axis=(0, 2)).astype(np.float64)
    for channel in windows:
        np.maximum(highest, _greatest(weights.between, channel[rows].astype(np.float64)), out=highest)
    return highest


def _windows(x: Audio) -> Audio:
    """(channels, rows, ROW + CONTEXT): each row with what lies around it, without copying."""
    return np.lib.stride_tricks.sliding_window_view(x, ROW + CONTEXT, axis=1)[:, ::ROW]


def _highest(matrix: Audio, windows: Audio, rows: NDArray[np.intp]) -> Audio:
    """Greatest absolute value that `matrix` makes of each of these rows of `windows`."""
    if _DENSE * len(rows) > len(windows):
        return _greatest(matrix, windows)[rows]
    return _greatest(matrix, windows[rows])


def _greatest(matrix: Signal, windows: Signal) -> Signal:
    """Greatest absolute value that `matrix` makes of each window: (rows, ROW + CONTEXT) becomes (rows,).

    Every product has the same shape, because another one rounds otherwise: a row's value must not hang on its company.
    """
    batch = min(_MOST_ROWS, 1 << (_MOST_PRODUCTS // matrix.size).bit_length() - 1)
    rows = len(windows)
    filled = np.empty((rows + -rows % batch, windows.shape[1]), windows.dtype)
    filled[:rows], filled[rows:] = windows, 0.0
    values: Signal = matrix @ filled.reshape(-1, batch, filled.shape[1]).transpose(0, 2, 1)
    np.abs(values, out=values)
    return _fold(values).reshape(-1)[:rows]


def _fold(magnitude: Signal) -> Signal:
    """Greatest along the middle axis, in a third of the time of numpy's maximum. What is given is written over."""
    length = magnitude.shape[1]
    while length > 1:
        half = length // 2
        np.maximum(magnitude[:, :half], magnitude[:, length - half : length], out=magnitude[:, :half])
        length -= half
    return magnitude[:, 0]


def _with_neighbours(x: Audio) -> Audio:
    """Greatest of each value and the two beside it; without the ends."""
    return np.maximum(np.maximum(x[..., :-2], x[..., 2:]), x[..., 1:-1])


class TruePeakMeter:
    """Highest sample and highest true peak of a stream, in linear full-scale units."""

    def __init__(self, channels: int) -> None:
        self.sample_peak = 0.0
        self._true_peak = 0.0
        self._pending = np.zeros((channels, HALF_TAPS - 1), dtype=np.float32)

    def add(self, block: Audio) -> None:
        """Measure float32 (channels, frames); blocks of any size give the same result."""
        self.sample_peak = max(self.sample_peak, float(np.max(block, initial=0.0)), -float(np.min(block, initial=0.0)))
        x = np.concatenate((self._pending, block), axis=1)
        rows = (x.shape[1] - CONTEXT) // ROW
        if rows > 0:
            self._true_peak = self._seek(x[:, : rows * ROW + CONTEXT])
            x = x[:, rows * ROW :]
        self._pending = x.copy()

    @property
    def true_peak(self) -> float:
        """Highest true peak so far, as if silence followed."""
        silence = np.zeros((self._pending.shape[0], HALF_TAPS + ROW), dtype=np.float32)
        x = np.concatenate((self._pending, silence), axis=1)
        rows = (x.shape[1] - CONTEXT) // ROW
        return self._seek(x[:, : rows * ROW + CONTEXT])

    def _seek(self, x: Audio) -> float:
        floor = max(self._true_peak, self.sample_peak)
        return max(floor, float(row_peaks(x, METER_PHASES, floor).max(initial=0.0)))


def true_peak(x: Audio) -> float:
    """True peak of float32 (channels, frames) in linear full-scale units, oversampled four times."""
    meter = TruePeakMeter(x.shape[0])
    meter.add(x)
    return meter.true_peak
