"""A widget that is a few painted lines, and sends the terminal only what changed of them.

What changed goes past Textual's compositor where it can: a screen of meters changes twelve times a second, and to lay
its lines out, cut them, style them and write them as escape sequences again takes Textual most of a second's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby, repeat
from operator import itemgetter
from typing import Final

from rich.cells import get_character_cell_size
from rich.console import Console
from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.look import Look, Role
from tui.sparing import Pen, SparingDriver, pen_of

Span = tuple[str, Role]
"""Text and the role it is painted in. Text is never parsed."""

Line = Sequence[Span]

Cells = list[tuple[str, Role]]
"""One entry per cell; the second cell of a wide character is empty."""

_NARROW: Final = re.compile("[ -~\u2500-\u259f]*")
"""ASCII, box lines and blocks: one cell each."""


class Paper(Widget):
    """Shows what `draw(width, height)` returns, drawn anew at `repaint`; its size is fixed by the layout."""

    DEFAULT_CSS = "Paper { height: 1; width: 1fr; }"

    def __init__(self, look: Look, draw: Callable[[int, int], Sequence[Line]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = look
        self._draw = draw
        self._lines_drawn: list[Line] = []
        self._rows: list[Cells] = []

    def repaint(self) -> None:
        """Draw again and send the cells that differ from what is on screen."""
        old, rows = self._rows, self._fresh_rows()
        self._rows = rows
        if [len(row) for row in rows] != [len(row) for row in old]:  # the layout has changed, the resize is on its way
            self.refresh()
            return
        changes = [
            (y, *changed_span(before, now))
            for y, (before, now) in enumerate(zip(old, rows, strict=True))
            if before is not now and before != now
        ]
        if not changes:
            return
        driver, place = self._way_past_textual()
        for y, first, last in changes:
            if driver is None:
                self.refresh(Region(first, y, last - first + 1, 1))
            else:
                pens = pens_of(self.look, self.app.console)
                painted = [(character, pens[role]) for character, role in rows[y][first : last + 1]]
                driver.paint(place.y + y, place.x + first, painted)

    def _way_past_textual(self) -> tuple[SparingDriver | None, Region]:
        """The terminal's driver and where this widget is on it; None when something lies over it or moves it."""
        driver, place = self.app._driver, self.region
        free = self.screen is self.app.screen and not self.app._batch_count and place.size == self.size
        return (driver if free and isinstance(driver, SparingDriver) else None), place

    def texts(self) -> list[str]:
        """What is painted, as text."""
        return ["".join(character for character, _ in row) for row in self._rows]

    def on_resize(self, _: Resize) -> None:
        """Draw for the new size."""
        self._lines_drawn = []
        self._rows = self._fresh_rows()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines in a region. Nothing is kept of them: they change behind Textual's back."""
        return [self.render_line(y).crop(*crop.column_span) for y in crop.line_range]

    def render_line(self, y: int) -> Strip:
        """One line as segments of equal style."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.look.styles["text"])
        segments = [Segment(text, self.look.styles[role]) for text, role in runs(self._rows[y], self.look.plain)]
        return Strip(segments, self.size.width)

    def _fresh_rows(self) -> list[Cells]:
        width, height = self.size
        if not width or not height:
            return []
        lines = list(self._draw(width, height))[:height]
        lines += [()] * (height - len(lines))
        before, self._lines_drawn = self._lines_drawn, lines
        kept = len(before) == len(self._rows) == height
        return [
            self._rows[y] if kept and line == before[y] else cells(line, width, self.look)
            for y, line in enumerate(lines)
        ]


@lru_cache(maxsize=4)
def pens_of(look: Look, console: Console) -> dict[Role, Pen]:
    """How Textual writes each role on this terminal, which may have fewer colours than the look."""
    return {role: pen_of(Strip([Segment("x", style)]).render(console)) for role, style in look.styles.items()}


def cells(line: Line, width: int, look: Look) -> Cells:
    """A line as exactly `width` cells, cut or padded; what the font can't draw is replaced."""
    out: Cells = []
    for text, role in line:
        text = look.safe(text)
        if _NARROW.fullmatch(text):  # nearly all there is: a meter frame is a thousand cells
            out.extend(zip(text[: width - len(out)], repeat(role)))
            continue
        for character in text:
            size = get_character_cell_size(character)
            if size == 0:
                continue
            if len(out) + size > width:
                break
            out.append((character, role))
            out.extend([("", role)] * (size - 1))
    out.extend([(" ", line[-1][1] if line and line[-1][1].startswith("cursor") else "text")] * (width - len(out)))
    return out


def runs(row: Cells, plain: frozenset[Role]) -> list[tuple[str, Role]]:
    """Cells joined into as few runs as look the same: a blank has no ink, so it joins what is `plain` beside it.

    Every run costs the link a colour sequence that is longer than most runs are.
    """
    joined: list[tuple[str, Role]] = []
    for role, run in groupby(row, itemgetter(1)):
        text = "".join(character for character, _ in run)
        if joined and role in plain and joined[-1][1] in plain:
            before, role_before = joined[-1]
            ink = text.lstrip(" ")
            if not ink or role == role_before or not before.strip(" "):
                joined[-1] = (before + text, role if ink else role_before)
                continue
            joined[-1] = (before + text[: len(text) - len(ink)], role_before)
            text = ink
        joined.append((text, role))
    return joined


def changed_span(before: Cells, now: Cells) -> tuple[int, int]:
    """First and last cell that differ, widened to whole characters. The lines differ and are equally long."""
    first = next(x for x, (a, b) in enumerate(zip(before, now, strict=True)) if a != b)
    last = next(x for x in range(len(now) - 1, -1, -1) if before[x] != now[x])
    while first and (before[first][0] == "" or now[first][0] == ""):
        first -= 1
    while last + 1 < len(now) and (before[last + 1][0] == "" or now[last + 1][0] == ""):
        last += 1
    return first, last
