"""Line drawings as inline SVG that fill whatever width there is while their words keep their size.

The curves live in an inner picture that is stretched to the page (its strokes are not, by `vector-effect`); ticks are
text in the outer one, placed in per cent. So one drawing serves a phone, a desk and paper, with no script. Colours are
the page's: a shape only names its class.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.report.text import escaped, minus

CELLS: Final = 1000
"""The inner picture's grid, in both directions; finer than any screen draws it."""
_TOP_PX: Final = 8
_BOTTOM_PX: Final = 20
"""Room for the words under the curves."""

Values = Sequence[float | None]
"""None where there is nothing to draw."""


@dataclass(frozen=True)
class Axis:
    """A scale with its ticks: (value, label)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high one; what is beyond an end lies on it."""
        clamped = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(clamped / self.low) / math.log(self.high / self.low)
        return (clamped - self.low) / (self.high - self.low)


def level_axis(low: float, high: float, step: float, unit: str = "") -> Axis:
    """Decibels with a tick every `step`; the highest says the unit."""
    first, last = math.ceil(low / step), math.floor(high / step)
    ticks = [(index * step, minus(f"{index * step:g}")) for index in range(first, last + 1)]
    if ticks and unit:
        ticks[-1] = (ticks[-1][0], f"{ticks[-1][1]} {unit}")
    return Axis(low, high, tuple(ticks))


def time_axis(duration_s: float) -> Axis:
    """From 0 to the end with at most six ticks at round times."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step = next((step for step in steps if duration_s / step <= 6), steps[-1])
    while duration_s / step > 6:
        step *= 2
    ticks = [(index * step, clock(index * step, step)) for index in range(int(duration_s / step) + 1)]
    return Axis(0.0, duration_s, tuple(ticks))


def frequency_axis(low_hz: float = 22.0, high_hz: float = 18_000.0) -> Axis:
    """Octaves side by side."""
    hertz = (50, 100, 200, 500, 1000, 2000, 5000, 10000)
    ticks = tuple((float(hz), f"{hz // 1000}k" if hz >= 1000 else str(hz)) for hz in hertz)
    return Axis(low_hz, high_hz, ticks, logarithmic=True)


def clock(seconds: float, step_s: float = 1.0) -> str:
    """A time as people read it: 3:07, 1:02:03, and 0.25 s where ticks are closer than a second."""
    if step_s < 1.0:
        return f"{seconds:g} s"
    hours, rest = divmod(round(seconds), 3600)
    minutes, whole = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"


class Plot:
    """Curves on two axes. Shapes are drawn in the order in which they were added."""

    def __init__(self, name: str, title: str, about: str, x: Axis, y: Axis, *, height_px: int = 220) -> None:
        self._name = name
        self._title = title
        self._about = about
        self._x = x
        self._y = y
        self._height_px = height_px
        self._shapes: list[str] = []

    def line(self, xs: Sequence[float], ys: Values, look: str) -> None:
        """A curve, interrupted where `ys` is None; a reading on its own is a dash."""
        runs = [run if len(run) > 1 else [run[0], (run[0][0] + 2, run[0][1])] for run in _runs(self._points(xs, ys))]
        self._shape("".join(f"M{_path(run)}" for run in runs), look)

    def area(self, xs: Sequence[float], low: Values, high: Values, look: str) -> None:
        """What lies between two curves that have their gaps at the same places."""
        under, over = self._points(xs, low), self._points(xs, high)
        runs = zip(_runs(under), _runs(over), strict=True)
        self._shape("".join(f"M{_path(top)} {_path(reversed(bottom))}Z" for bottom, top in runs), look)

    def rule(self, y: float, look: str) -> None:
        """A level across the whole plot."""
        self._shape(f"M0 {self._row(y)}H{CELLS}", look)

    def svg(self) -> str:
        """The drawing with its title and description for those who can't see it."""
        inner_px = self._height_px - _TOP_PX - _BOTTOM_PX
        return "".join(
            [
                f'<svg class="plot" height="{self._height_px}" role="img" '
                f'aria-labelledby="{self._name}-title {self._name}-about">',
                f'<title id="{self._name}-title">{escaped(self._title)}</title>',
                f'<desc id="{self._name}-about">{escaped(self._about)}</desc>',
                f'<svg x="0" y="{_TOP_PX}" width="100%" height="{inner_px}" viewBox="0 0 {CELLS} {CELLS}" '
                'preserveAspectRatio="none">',
                self._grid(),
                *self._shapes,
                "</svg>",
                *self._tick_words(),
                "</svg>",
            ]
        )

    def _grid(self) -> str:
        across = "".join(f"M0 {self._row(value)}H{CELLS}" for value, _ in self._y.ticks)
        upright = "".join(f"M{round(self._x.at(value) * CELLS)} 0V{CELLS}" for value, _ in self._x.ticks)
        return f'<path class="grid" d="{across}{upright}"/>'

    def _tick_words(self) -> Iterable[str]:
        for value, label in self._x.ticks:
            place = self._x.at(value)
            anchor = "start" if place < 0.02 else "end" if place > 0.97 else "middle"
            yield (
                f'<text class="tick" x="{place:.2%}" y="{self._height_px - 5}" text-anchor="{anchor}">'
                f"{escaped(label)}</text>"
            )
        for value, label in self._y.ticks:
            if self._y.at(value) > 0.02:
                yield f'<text class="tick" x="3" y="{max(self._pixel(value) + 11, 11):.0f}">{escaped(label)}</text>'

    def _points(self, xs: Sequence[float], ys: Values) -> list[tuple[int, int] | None]:
        return [
            None if y is None else (round(self._x.at(x) * CELLS), self._row(y)) for x, y in zip(xs, ys, strict=True)
        ]

    def _row(self, y: float) -> int:
        return round((1.0 - self._y.at(y)) * CELLS)

    def _pixel(self, y: float) -> float:
        return _TOP_PX + (1.0 - self._y.at(y)) * (self._height_px - _TOP_PX - _BOTTOM_PX)

    def _shape(self, path: str, look: str) -> None:
        if path:
            self._shapes.append(f'<path class="{look}" d="{path}"/>')


def _runs(points: Iterable[tuple[int, int] | None]) -> list[list[tuple[int, int]]]:
    """Neighbouring points without the gaps between them."""
    runs: list[list[tuple[int, int]]] = []
    going = False
    for point in points:
        if point is not None:
            if not going:
                runs.append([])
            runs[-1].append(point)
        going = point is not None
    return runs


def _path(points: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{x} {y}" for x, y in points)
