"""A look-ahead limiter that holds the true peak, the level between the samples included, under a ceiling.

The reduction that each row of 16 samples needs is found by oversampling, held back to the start of the look-ahead,
released exponentially in dB, and averaged over the look-ahead with a Hann window: a mean of values that are each at
least what a row needs is at least what it needs, so the gain is smooth and in time (after P. Hämäläinen, "Smoothing of
the Control Signal Without Clipped Output in Digital Peak Limiters", DAFx 2002). It is released in two stages: what a
single stroke takes is given back at once, what stays loud slowly, so that strokes don't pump the music behind them. A
hold as long as a wave of bass keeps the gain from following the wave itself. Gain that moves bends the waveform between
the samples by a trace; a second, shorter pass takes that trace away.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Audio, Floats, run
from core.dsp.envelope import DecayingMaximum, Smoother, from_db
from core.dsp.truepeak import CONTEXT, HALF_TAPS, METER_PHASES, ROW, peaks_at, row_peaks

LOOKAHEAD_MS: Final = 4.0
PHASES: Final = 8
"""Twice the meter's oversampling, so that a meter whose grid lies elsewhere finds no more. Needed only for the few rows
that are near the ceiling after the first pass."""

_BETWEEN: Final = 1.1
"""No value of the finer grid exceeds this times the greatest of the meter's, in a row and the two beside it; for a tone
at the Nyquist frequency it is 1.082."""

_SURELY: Final = 1.0 - 1e-6
"""No peak above the ceiling is read below this part of it in float32."""

_HOLD_MS: Final = 15.0
"""With the look-ahead a whole wave of 53 Hz: some basses reach further to one side than to the other."""
_STROKE_RELEASE_MS: Final = 15.0

_SECOND_LOOKAHEAD_MS: Final = 1.0
_SECOND_RELEASE_MS: Final = 10.0
_MARGIN_DB: Final = 0.05
"""What is left between the limiter and a meter whose interpolator differs from ours near the end of the band."""

_BEND: Final = 2.5 * math.log(10) / 20
"""A change of gain by 1 dB around a row moves its interpolated peaks by less than this part of the ceiling: 2.5 is
more than the sum of the interpolator's absolute weights."""


_RAMP: Final[Audio] = np.arange(ROW, dtype=np.float32) / np.float32(ROW)


class ReductionEnvelope:
    """Turns the reduction that rows need into one that is smooth and in time. All in dB, positive is less gain."""

    def __init__(
        self, lookahead_rows: int, release_rows: float, *, hold_rows: int = 0, sustained_rows: float = 0.0
    ) -> None:
        """Times in rows: how long reduction is held, how fast it then goes back, and, if given, how much slower what is
        left of it when it has lasted that long.
        """
        self.lookahead_rows = lookahead_rows
        self._reach = lookahead_rows + 2 + hold_rows
        self._needed = np.zeros(self._reach - 1)
        self._release = DecayingMaximum(math.exp(-1.0 / release_rows))
        self._sustained = Smoother(math.exp(-1.0 / sustained_rows)) if sustained_rows else None
        self._released = np.zeros(lookahead_rows)
        weights = np.hanning(lookahead_rows + 3)[1:-1]
        self._weights = weights / weights.sum()

    def process(self, needed_db: Floats) -> Floats:
        """One value per row: the reduction at the start of the row that came in `lookahead_rows` rows before."""
        needed = np.concatenate((self._needed, needed_db))
        self._needed = needed[-(self._reach - 1) :]
        held = self._release.process(_sliding_maximum(needed, self._reach))
        if self._sustained is not None:
            held = np.maximum(held, self._sustained.process(held))
        released = np.concatenate((self._released, held))
        self._released = released[-self.lookahead_rows :]
        return _weighted(released, self._weights)


def reduction_envelope(rate_hz: int, release_ms: float) -> ReductionEnvelope:
    """The envelope of the limiter's gain: `release_ms` is the time constant of what stays loud."""
    per_ms = rows_per_ms(rate_hz)
    return ReductionEnvelope(
        lookahead_rows(rate_hz),
        min(_STROKE_RELEASE_MS, release_ms) * per_ms,
        hold_rows=round(_HOLD_MS * per_ms),
        sustained_rows=release_ms * per_ms,
    )


class _Pass:
    """Finds the peaks of rows and turns them down; hands out whole rows, and which of them may still be too high."""

    def __init__(self, channels: int, ceiling: float, envelope: ReductionEnvelope) -> None:
        self.deepest_db = 0.0
        self._ceiling = ceiling
        self._envelope = envelope
        self._early = envelope.lookahead_rows
        self._ahead = np.zeros((channels, HALF_TAPS - 1), np.float32)
        self._held = np.zeros((channels, 0), np.float32)
        self._suspects = np.zeros(0, bool)
        self._peaks: Floats = np.zeros(0)
        self._knots: Floats = np.zeros(1)
        """Reduction at the starts of rows, from the row before the first in `_held`."""

    def process(self, x: Audio, suspects: NDArray[np.bool_] | None = None) -> tuple[Audio, NDArray[np.bool_]]:
        """Take any number of frames or, where only some rows can be too high, whole rows and which those are."""
        self._held = np.concatenate((self._held, x), axis=1)
        self._look(np.concatenate((self._ahead, x), axis=1), suspects)
        ready = max(len(self._knots) - 3, 0)
        out, self._held = self._held[:, : ready * ROW], self._held[:, ready * ROW :].copy()
        peaks, self._peaks = self._peaks[:ready], self._peaks[ready:]
        knots, self._knots = self._knots[: ready + 3], self._knots[ready:]
        if not ready or not knots.any():
            return out, peaks > self._ceiling / _BETWEEN
        self.deepest_db = max(self.deepest_db, float(knots.max()))
        gain = from_db(-knots)
        starts, rises = (each.astype(np.float32)[:, None] for each in (gain[1:-2], np.diff(gain[1:-1])))
        lines: Audio = starts + rises * _RAMP
        moved_db = _sliding_maximum(knots, 4) + _sliding_maximum(-knots, 4)
        highest = peaks * np.maximum(gain[1:-2], gain[2:-1]) + _BEND * self._ceiling * moved_db
        return out * lines.reshape(-1), highest > self._ceiling / _BETWEEN

    def _look(self, ahead: Audio, suspects: NDArray[np.bool_] | None) -> None:
        """Find the reduction that the rows in `ahead` need."""
        rows = max((ahead.shape[1] - CONTEXT) // ROW, 0)
        self._ahead = ahead[:, rows * ROW :].copy()
        if suspects is not None:
            self._suspects = np.concatenate((self._suspects, suspects))
        if not rows:
            return
        ahead = ahead[:, : rows * ROW + CONTEXT]
        if suspects is None:
            peaks = row_peaks(ahead, METER_PHASES, self._ceiling / _BETWEEN).max(axis=0).astype(np.float64)
            over = np.flatnonzero(peaks > self._ceiling * _SURELY)
            peaks[over] = peaks_at(ahead, METER_PHASES, over)
        else:
            wanted = np.flatnonzero(self._suspects[:rows])
            peaks = np.zeros(rows)
            peaks[wanted] = peaks_at(ahead, PHASES, wanted)
            self._suspects = self._suspects[rows:]
        self._peaks = np.concatenate((self._peaks, peaks))
        knots = self._envelope.process(20 * np.log10(np.maximum(peaks / self._ceiling, 1.0)))
        self._knots = np.concatenate((self._knots, knots[self._early :]))
        self._early = max(self._early - rows, 0)


class TruePeakLimiter:
    """Streaming form of `limit`: all channels by the same gain, `latency_samples` late."""

    def __init__(self, rate_hz: int, channels: int, *, ceiling_dbtp: float, release_ms: float = 100.0) -> None:
        ceiling = 10 ** ((ceiling_dbtp - _MARGIN_DB) / 20)
        first = reduction_envelope(rate_hz, release_ms)
        second = ReductionEnvelope(
            lookahead_rows(rate_hz, _SECOND_LOOKAHEAD_MS), _SECOND_RELEASE_MS * rows_per_ms(rate_hz)
        )
        self._first, self._second = (_Pass(channels, ceiling, envelope) for envelope in (first, second))
        self.latency_samples = (first.lookahead_rows + second.lookahead_rows + 5) * ROW + 2 * ROW - 1
        self._out = np.zeros((channels, self.latency_samples), np.float32)

    @property
    def deepest_db(self) -> float:
        """The most that any moment so far was turned down, in dB."""
        return self._first.deepest_db

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        limited, _ = self._second.process(*self._first.process(block))
        out = np.concatenate((self._out, limited), axis=1)
        self._out = out[:, block.shape[1] :]
        return out[:, : block.shape[1]]


def limit(x: Audio, rate_hz: int, *, ceiling_dbtp: float, release_ms: float = 100.0) -> Audio:
    """Hold the true peak of (channels, frames) audio under `ceiling_dbtp`, whatever comes.

    `release_ms` is the time constant in which reduction that lasted goes back, in dB; what a single stroke takes goes
    back in 15 ms, or sooner. Audio below the ceiling passes untouched. Raises OtoError("bad_input") for NaN.
    """
    return run(TruePeakLimiter(rate_hz, len(x), ceiling_dbtp=ceiling_dbtp, release_ms=release_ms), x)


def rows_per_ms(rate_hz: int) -> float:
    """Rows of the limiter in a millisecond."""
    return rate_hz / ROW / 1000


def lookahead_rows(rate_hz: int, lookahead_ms: float = LOOKAHEAD_MS) -> int:
    """A look-ahead in whole rows."""
    return math.ceil(lookahead_ms * rows_per_ms(rate_hz))


def _weighted(x: Floats, weights: Floats) -> Floats:
    """Sum of each neighbours by their weights, as `np.convolve` does for few of them at five times the cost."""
    length = len(x) - len(weights) + 1
    total: Floats = weights[0] * x[:length]
    for at, weight in enumerate(weights[1:], start=1):
        total += weight * x[at : at + length]
    return total


def _sliding_maximum(x: Floats, width: int) -> Floats:
    """Greatest of each `width` neighbours, by doubling; shorter than `x` by width - 1."""
    reach = 1
    while 2 * reach <= width:
        x = np.maximum(x[:-reach], x[reach:])
        reach *= 2
    rest = width - reach
    return np.maximum(x[:-rest], x[rest:]) if rest else x
