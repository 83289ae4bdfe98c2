"""Long streams of values folded into few: what a curve needs of audio that nobody holds in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Floats

SILENT_DB: Final = -120.0
"""Nothing below this is told apart from silence."""


def even_edges(columns: int, count: int) -> NDArray[np.int64]:
    """Bounds of `columns` stretches, as equal as can be, of `count` values."""
    return np.arange(columns + 1, dtype=np.int64) * count // columns


def step_edges(step: int, count: int) -> NDArray[np.int64]:
    """Bounds of stretches of `step` values each; the last one may be shorter."""
    return np.append(np.arange(0, count, step, dtype=np.int64), count)


class Fold:
    """Folds a stream stretch by stretch with `np.minimum`, `np.maximum` or `np.add`, whatever its blocks.

    `start` is what the first value of each stretch meets.
    """

    def __init__(self, edges: NDArray[np.int64], by: np.ufunc, start: float) -> None:
        self._edges = edges
        self._by = by
        self._at = 0
        self.values: Floats = np.full(len(edges) - 1, start)

    def add(self, x: NDArray[Any]) -> None:
        """Take the next (n,) values, n > 0."""
        end = self._at + len(x)
        first = int(np.searchsorted(self._edges, self._at, "right")) - 1
        last = int(np.searchsorted(self._edges, end, "left"))
        starts = np.maximum(self._edges[first:last] - self._at, 0)
        self.values[first:last] = self._by(self.values[first:last], self._by.reduceat(x, starts))
        self._at = end


def fold(x: Floats, columns: int, by: np.ufunc) -> Floats:
    """At most `columns` values that stand for (n,) values."""
    if len(x) <= columns:
        return x
    folded: Floats = by.reduceat(x, even_edges(columns, len(x))[:-1])
    return folded


def rounded(values: Iterable[float], digits: int = 4) -> tuple[float, ...]:
    """As many digits as can be seen."""
    return tuple(round(float(value), digits) for value in values)


def levels(values_db: Iterable[float]) -> tuple[float | None, ...]:
    """Decibels to a hundredth; None for silence."""
    return tuple(round(float(value), 2) if value > SILENT_DB else None for value in values_db)
