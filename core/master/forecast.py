"""What a limiter will do to a song's loudness, known without limiting it again and again.

One pass keeps two numbers per row of 16 samples: its true peak and its K-weighted energy. The limiter's gain follows
from the peaks alone, and what it leaves of the energy gives the loudness, for any gain before the limiter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.analysis.loudness import CHANNEL_WEIGHTS, integrated_lufs, k_weighted
from core.dsp.audio import Audio, Floats
from core.dsp.envelope import from_db
from core.dsp.limiter import reduction_envelope
from core.dsp.truepeak import CONTEXT, HALF_TAPS, METER_PHASES, ROW, row_peaks

_CHUNK_ROWS: Final = 1 << 16
_HOP_S: Final = 0.1
_SOUNDING_DB: Final = 30.0
_SILENT_DB: Final = -170.0
_DEEPEST: Final = 0.25
"""Peaks 12 dB below the highest are not looked for between the samples: no gain that is worth it limits them."""


@dataclass(frozen=True)
class Forecast:
    """What comes out of the limiter at one gain."""

    gain_db: float
    integrated_lufs: float | None
    deepest_db: float
    """The most that any moment is turned down."""
    busy_db: float
    """How much is turned down at the loudest hundredth of the time."""
    lost_lu: float
    """Loudness that the limiter takes away."""


class LimiterForecast:
    """Gathers what is needed to say what a limiter will do at any gain.

    Where it is `rough` it takes the samples' peaks for the true ones, which is enough to choose settings by and costs a
    fifth: loud music is then limited some tenths of a decibel less than it will be.
    """

    def __init__(self, rate_hz: int, channels: int, *, rough: bool = False) -> None:
        self._rate_hz = rate_hz
        self._rough = rough
        self._highest = 0.0
        self._filter = k_weighted(rate_hz, channels)
        self._weights = np.array(CHANNEL_WEIGHTS[channels])
        self._ahead = np.zeros((channels, HALF_TAPS - 1), np.float32)
        self._rest = np.zeros((channels, 0), np.float32)
        self._peaks: list[Audio] = []
        self._energy: list[Audio] = []
        self._level_db: Audio = np.zeros(0, np.float32)
        """Peak of each row, once the stream has ended."""
        self._free_lufs: float | None = None

    def add(self, block: Audio) -> None:
        """Take (channels, n), as it will reach the loudness gain."""
        ahead = np.concatenate((self._ahead, block), axis=1)
        rows = max((ahead.shape[1] - CONTEXT) // ROW, 0)
        self._ahead = ahead[:, rows * ROW :].copy()
        if rows:
            floor = math.inf if self._rough else self._highest * _DEEPEST
            self._peaks.append(row_peaks(ahead[:, : rows * ROW + CONTEXT], METER_PHASES, floor).max(axis=0))
            self._highest = max(self._highest, float(self._peaks[-1].max()))
        weighted = np.concatenate((self._rest, self._filter.process(block)), axis=1)
        rows = weighted.shape[1] // ROW
        self._rest = weighted[:, rows * ROW :].copy()
        squares = np.square(weighted[:, : rows * ROW]).reshape(len(weighted), rows, ROW) @ np.ones(ROW, np.float32)
        self._energy.append((self._weights @ squares).astype(np.float32))

    def finish(self) -> None:
        """Say that silence follows."""
        channels = len(self._ahead)
        self.add(np.zeros((channels, 2 * CONTEXT), np.float32))
        # One after the other, and in place: of an hour each of these is 40 MB.
        level_db, self._peaks = np.concatenate(self._peaks), []
        energy, self._energy = np.concatenate(self._energy), []
        rows = min(len(level_db), len(energy))
        np.log10(np.maximum(level_db, np.float32(1e-10), out=level_db), out=level_db)
        level_db *= 20
        self._energy, self._level_db = [energy[:rows]], level_db[:rows]
        self._free_lufs = integrated_lufs(self._hops(self._energy))

    def peak_dbtp(self) -> float | None:
        """Highest true peak with no limiter, or a rough one; None for silence."""
        return 20 * math.log10(self._highest) if self._highest > 0.0 else None

    def loud_peak_dbfs(self) -> float:
        """Where the peaks of loud moments lie: nine of ten stretches of 100 ms that sound stay below it."""
        stretch = max(round(self._rate_hz * _HOP_S / ROW), 1)
        whole = len(self._level_db) // stretch * stretch
        highest = self._level_db[:whole].reshape(-1, stretch).max(axis=1) if whole else self._level_db
        sounding = highest[highest > highest.max(initial=_SILENT_DB) - _SOUNDING_DB]
        return _reached(sounding, 0.90) if sounding.size else 0.0

    def unlimited_lufs(self) -> float | None:
        """Loudness with no limiter, when the stream has ended; None for silence."""
        return self._free_lufs

    def at(self, gain_db: float, *, ceiling_dbtp: float, release_ms: float) -> Forecast:
        """What comes out with this gain before the limiter."""
        energy = self._energy[0]
        rows = len(energy)
        envelope = reduction_envelope(self._rate_hz, release_ms)
        lookahead = envelope.lookahead_rows
        left: list[Audio] = []
        reductions: list[Audio] = []
        for start in range(0, rows + lookahead, _CHUNK_ROWS):
            level_db = self._level_db[start : start + _CHUNK_ROWS].astype(np.float64)
            needed = np.maximum(level_db + (gain_db - ceiling_dbtp), 0.0)
            missing = min(start + _CHUNK_ROWS, rows + lookahead) - start - len(needed)
            reductions.append(envelope.process(np.concatenate((needed, np.zeros(missing)))).astype(np.float32))
        reduction = np.concatenate(reductions)[lookahead:]
        for start in range(0, rows, _CHUNK_ROWS):
            part = slice(start, start + _CHUNK_ROWS)
            kept = energy[part].astype(np.float64) * np.square(from_db(gain_db - reduction[part].astype(np.float64)))
            left.append(kept.astype(np.float32))
        loudness = integrated_lufs(self._hops(left))
        free = self.unlimited_lufs()
        return Forecast(
            gain_db=gain_db,
            integrated_lufs=loudness,
            deepest_db=float(reduction.max(initial=0.0)),
            busy_db=_reached(reduction, 0.99) if len(reduction) else 0.0,
            lost_lu=max(free + gain_db - loudness, 0.0) if free is not None and loudness is not None else 0.0,
        )

    def _hops(self, energy: list[Audio]) -> Floats:
        """Mean energy per 100 ms; at rates where a row doesn't divide it, cut within rows."""
        rows: Floats = np.concatenate((*energy, [0.0]), dtype=np.float64)
        hop_rows = self._rate_hz * _HOP_S / ROW
        edges = np.arange(math.floor((len(rows) - 1) / hop_rows) + 1) * hop_rows
        whole = edges.astype(np.intp)
        beyond = (1.0 - (edges - whole)) * rows[whole]
        total = np.cumsum(rows, out=rows)[whole] - beyond
        hops: Floats = np.diff(total) / (hop_rows * ROW)
        return hops


def _reached(values: Audio | Floats, part: float) -> float:
    """The value that this part of all stays below, by the nearest rank.

    The first percentile that numpy is asked for loads its masked arrays, which takes longer than a forecast.
    """
    rank = round(part * (len(values) - 1))
    return float(np.partition(values, rank)[rank])
