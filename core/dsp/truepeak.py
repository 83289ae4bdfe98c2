"""True peak: the highest point of the waveform between its samples, by polyphase oversampling (BS.1770-5 Annex 2).

The interpolator is a windowed sinc that passes the samples themselves untouched, so phase 0 costs nothing. All other
phases of a row of 16 positions are one small matrix product. A row whose samples are too small to reach the level in
question, by the sum of the interpolator's absolute weights, is never computed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

ROW: Final = 16
"""Positions that are interpolated together."""

HALF_TAPS: Final = 16
"""Samples on each side of a position that its interpolation looks at."""

CONTEXT: Final = 2 * HALF_TAPS - 1
"""Samples that a row needs beyond its own: HALF_TAPS - 1 before and HALF_TAPS after."""

METER_PHASES: Final = 4
"""Oversampling of the meter, as BS.1770-5 Annex 2 describes it for 48 kHz."""

_KAISER_BETA: Final = 9.0


@lru_cache
def interpolator(phases: int) -> tuple[Audio, float]:
    """Weights that turn the samples around a row into the values between them.

    Returns a matrix (ROW * (phases - 1), ROW + CONTEXT) and the greatest sum of absolute weights of any position: no
    interpolated value exceeds that times the greatest sample around it.
    """
    fractions = np.arange(1, phases) / phases
    offsets = np.arange(-HALF_TAPS + 1, HALF_TAPS + 1)
    distance = fractions[:, None] - offsets[None, :]
    window = np.i0(_KAISER_BETA * np.sqrt(1.0 - (distance / HALF_TAPS) ** 2)) / np.i0(_KAISER_BETA)
    taps = np.sinc(distance) * window
    taps /= taps.sum(axis=1, keepdims=True)
    matrix = np.zeros((ROW, phases - 1, ROW + CONTEXT), dtype=np.float32)
    for position in range(ROW):
        matrix[position, :, position : position + 2 * HALF_TAPS] = taps
    return matrix.reshape(-1, ROW + CONTEXT), float(np.abs(taps).sum(axis=1).max())


def row_peaks(x: Audio, phases: int, floor: float) -> Audio:
    """The highest absolute value of each row of positions, between the samples too, wherever it exceeds `floor`.

    `x` is float32 (channels, rows * ROW + CONTEXT): the rows' samples with HALF_TAPS - 1 before and HALF_TAPS after.
    Returns float32 (channels, rows). Rows that can't exceed `floor` hold their highest sample instead.
    """
    rows = (x.shape[1] - CONTEXT) // ROW
    magnitude = np.abs(x)
    first, end = HALF_TAPS - 1, HALF_TAPS - 1 + rows * ROW
    around = np.empty((x.shape[0], rows + 2), dtype=np.float32)
    around[:, 0] = magnitude[:, :first].max(axis=1)
    around[:, 1:-1] = _fold_rows(magnitude[:, first:end])
    around[:, -1] = magnitude[:, end:].max(axis=1)
    matrix, greatest_sum = interpolator(phases)
    reachable = np.maximum(np.maximum(around[:, :-2], around[:, 2:]), around[:, 1:-1])
    peaks: Audio = around[:, 1:-1].copy()
    for channel in range(x.shape[0]):
        wanted = np.flatnonzero(reachable[channel] > floor / greatest_sum)
        if wanted.size:
            windows = np.lib.stride_tricks.sliding_window_view(x[channel], ROW + CONTEXT)[wanted * ROW]
            between = matrix @ windows.T
            np.abs(between, out=between)
            peaks[channel, wanted] = np.maximum(peaks[channel, wanted], between.max(axis=0))
    return peaks


def _fold_rows(magnitude: Audio) -> Audio:
    """Greatest of each ROW neighbours, by halving: far faster in numpy than a maximum over a short axis."""
    for _ in range(ROW.bit_length() - 1):
        magnitude = np.maximum(magnitude[:, 0::2], magnitude[:, 1::2])
    return magnitude


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
            self._true_peak = self._highest(x[:, : rows * ROW + CONTEXT])
            x = x[:, rows * ROW :]
        self._pending = x.copy()

    @property
    def true_peak(self) -> float:
        """Highest true peak so far, as if silence followed."""
        silence = np.zeros((self._pending.shape[0], HALF_TAPS + ROW), dtype=np.float32)
        x = np.concatenate((self._pending, silence), axis=1)
        rows = (x.shape[1] - CONTEXT) // ROW
        return self._highest(x[:, : rows * ROW + CONTEXT])

    def _highest(self, x: Audio) -> float:
        floor = max(self._true_peak, self.sample_peak)
        return max(floor, float(row_peaks(x, METER_PHASES, floor).max(initial=0.0)))


def true_peak(x: Audio) -> float:
    """True peak of float32 (channels, frames) in linear full-scale units, oversampled four times."""
    meter = TruePeakMeter(x.shape[0])
    meter.add(x)
    return meter.true_peak
