"""What a limiter will do to a song's loudness, known without limiting it again and again.

One pass keeps two numbers per row of 16 samples: its true peak and its K-weighted energy. The limiter's gain follows
from the peaks alone, and what it leaves of the energy gives the loudness, for any gain before the limiter.
"""

from __future__ import annotations

import contextlib
import io
import math
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

import numpy as np

from core import paths
from core.analysis.loudness import CHANNEL_WEIGHTS, integrated_lufs, k_weighted
from core.dsp.audio import Audio, Floats
from core.dsp.envelope import from_db
from core.dsp.limiter import reduction_envelope
from core.dsp.truepeak import CONTEXT, HALF_TAPS, METER_PHASES, ROW, row_peaks

_STRETCH_ROWS: Final = 1 << 16
_HELD_ROWS: Final = 1 << 21
"""Rows that are held in memory: a quarter of an hour at 44.1 kHz."""
_ROW_BYTES: Final = 4
_HOP_S: Final = 0.1
_SOUNDING_DB: Final = 30.0
_SILENT_DB: Final = -170.0
_DEEPEST: Final = 0.25
"""Peaks 12 dB below the highest are not looked for between the samples: no gain that is worth it limits them."""
_STEP_DB: Final = 0.01


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
        self._peaks_db = _Rows()
        self._energy = _Rows()
        self._rows = 0
        self._free_lufs: float | None = None

    def add(self, block: Audio) -> None:
        """Take (channels, n), as it will reach the loudness gain."""
        ahead = np.concatenate((self._ahead, block), axis=1)
        rows = max((ahead.shape[1] - CONTEXT) // ROW, 0)
        self._ahead = ahead[:, rows * ROW :].copy()
        if rows:
            floor = math.inf if self._rough else self._highest * _DEEPEST
            peaks = row_peaks(ahead[:, : rows * ROW + CONTEXT], METER_PHASES, floor).max(axis=0)
            self._peaks_db.add(20 * np.log10(np.maximum(peaks, np.float32(1e-10))))
            self._highest = max(self._highest, float(peaks.max()))
        weighted = np.concatenate((self._rest, self._filter.process(block)), axis=1)
        rows = weighted.shape[1] // ROW
        self._rest = weighted[:, rows * ROW :].copy()
        squares = np.square(weighted[:, : rows * ROW]).reshape(len(weighted), rows, ROW) @ np.ones(ROW, np.float32)
        self._energy.add(self._weights @ squares)

    def finish(self) -> None:
        """Say that silence follows."""
        channels = len(self._ahead)
        self.add(np.zeros((channels, 2 * CONTEXT), np.float32))
        self._rows = min(self._peaks_db.count, self._energy.count)
        starts = range(0, self._rows, _STRETCH_ROWS)
        energy = (self._energy.between(start, min(start + _STRETCH_ROWS, self._rows)) for start in starts)
        self._free_lufs = integrated_lufs(self._hops(energy))

    def peak_dbtp(self) -> float | None:
        """Highest true peak with no limiter, or a rough one; None for silence."""
        return 20 * math.log10(self._highest) if self._highest > 0.0 else None

    def loud_peak_dbfs(self) -> float:
        """Where the peaks of loud moments lie: nine of ten stretches of 100 ms that sound stay below it."""
        stretch = max(round(self._rate_hz * _HOP_S / ROW), 1)
        whole = max(self._rows // stretch, 1) * stretch
        many = _STRETCH_ROWS // stretch * stretch
        parts = (self._peaks_db.between(start, min(start + many, whole)) for start in range(0, whole, many))
        highest = np.concatenate([np.maximum.reduceat(each, np.arange(0, len(each), stretch)) for each in parts])
        sounding = highest[highest > highest.max(initial=_SILENT_DB) - _SOUNDING_DB]
        return _reached(sounding, 0.90) if sounding.size else 0.0

    def unlimited_lufs(self) -> float | None:
        """Loudness with no limiter, when the stream has ended; None for silence."""
        return self._free_lufs

    def at(self, gain_db: float, *, ceiling_dbtp: float, release_ms: float) -> Forecast:
        """What comes out with this gain before the limiter."""
        reductions = _Reductions()
        loudness = integrated_lufs(self._hops(self._left(gain_db, ceiling_dbtp, release_ms, reductions)))
        free = self.unlimited_lufs()
        return Forecast(
            gain_db=gain_db,
            integrated_lufs=loudness,
            deepest_db=reductions.deepest_db,
            busy_db=reductions.reached_db(0.99),
            lost_lu=max(free + gain_db - loudness, 0.0) if free is not None and loudness is not None else 0.0,
        )

    def _left(
        self, gain_db: float, ceiling_dbtp: float, release_ms: float, reductions: _Reductions
    ) -> Iterator[Floats]:
        """What the limiter leaves of the energy, stretch after stretch; each one's reductions are taken down."""
        envelope = reduction_envelope(self._rate_hz, release_ms)
        late = envelope.lookahead_rows
        for start in range(0, self._rows + late, _STRETCH_ROWS):
            end = min(start + _STRETCH_ROWS, self._rows + late)
            level_db = self._peaks_db.between(start, min(end, self._rows)).astype(np.float64)
            needed = np.maximum(level_db + (gain_db - ceiling_dbtp), 0.0)
            reduction = envelope.process(np.concatenate((needed, np.zeros(end - start - len(needed)))))
            reduction = reduction[max(late - start, 0) :]
            reductions.add(reduction)
            energy = self._energy.between(max(start - late, 0), max(end - late, 0))
            yield energy.astype(np.float64) * np.square(from_db(gain_db - reduction))

    def _hops(self, parts: Iterable[Audio | Floats]) -> Floats:
        """Mean energy per 100 ms; at rates where a row doesn't divide it, cut within rows."""
        hop_rows = self._rate_hz * _HOP_S / ROW
        reached: list[Floats] = []
        first, total, edge = 0, 0.0, 0
        for part in chain(parts, (np.zeros(1),)):
            rows = part.astype(np.float64)
            sums = np.concatenate(([0.0], np.cumsum(rows))) + total
            last = math.ceil((first + len(rows)) / hop_rows)
            edges = np.arange(edge, last) * hop_rows - first
            whole = edges.astype(np.intp)
            reached.append(sums[whole] + (edges - whole) * rows[whole])
            first, total, edge = first + len(rows), float(sums[-1]), last
        hops: Floats = np.diff(np.concatenate(reached)) / (hop_rows * ROW)
        return hops


class _Rows:
    """A value per row; an hour of them is 40 MB, so a long song's lie on the disk until it is judged."""

    def __init__(self) -> None:
        self.count = 0
        self._file: BinaryIO = io.BytesIO()

    def add(self, values: Audio | Floats) -> None:
        """Put (k,) behind what is there."""
        if self.count <= _HELD_ROWS < self.count + len(values):
            self._put_on_disk()
        self._file.seek(self.count * _ROW_BYTES)
        self._file.write(np.ascontiguousarray(values, np.float32).data)
        self.count += len(values)

    def between(self, start: int, end: int) -> Audio:
        """The values from one row to another."""
        self._file.seek(start * _ROW_BYTES)
        return np.frombuffer(self._file.read(max(end - start, 0) * _ROW_BYTES), np.float32)

    def _put_on_disk(self) -> None:
        held = self._file
        held.seek(0)
        with contextlib.ExitStack() as opened:
            self._file = opened.enter_context(tempfile.TemporaryFile(dir=paths.scratch()))
            weakref.finalize(self, opened.pop_all().close)
        shutil.copyfileobj(held, self._file)


class _Reductions:
    """How much was turned down for how long: counted, because an hour of them is 40 MB."""

    def __init__(self) -> None:
        self.deepest_db = 0.0
        self._counts = np.zeros(0, np.intp)

    def add(self, reduction_db: Floats) -> None:
        self.deepest_db = max(self.deepest_db, float(reduction_db.max(initial=0.0)))
        steps = np.bincount((reduction_db / _STEP_DB).astype(np.intp), minlength=len(self._counts))
        steps[: len(self._counts)] += self._counts
        self._counts = steps

    def reached_db(self, part: float) -> float:
        """The reduction that this part of the time stays below, to a hundredth of a decibel."""
        total = int(self._counts.sum())
        return float(np.searchsorted(np.cumsum(self._counts), part * total)) * _STEP_DB if total else 0.0


def _reached(values: Audio, part: float) -> float:
    """The value that this part of all stays below, by the nearest rank.

    The first percentile that numpy is asked for loads its masked arrays, which takes longer than a forecast.
    """
    rank = round(part * (len(values) - 1))
    return float(np.partition(values, rank)[rank])
