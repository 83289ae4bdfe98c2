"""A table that stands on its side: columns next to each other, one of which keys act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.events import Click

from tui.look import Look
from tui.widgets.paper import Line, Span
from tui.widgets.table import Row, Table


@dataclass(frozen=True)
class Column:
    """Lines of one width, from top to bottom."""

    lines: Sequence[Line]
    key: str


class Columns(Table):
    """Columns with a cursor: the first line of the chosen one is marked."""

    def __init__(self, look: Look, *, id: str, width: int) -> None:
        super().__init__(look, id=id)
        self.column_width = width
        """Cells of a column, without the blank after it."""
        self._columns: Sequence[Column] = ()
        self._first = 0

    def stand(self, columns: Sequence[Column], *, empty: Sequence[Line] = ()) -> None:
        """Put columns in place; `empty` is shown where there are none."""
        self._columns = columns
        self.show([Row((), column.key) for column in columns], empty=empty)

    def row_text(self) -> str:
        """The column under the cursor, from top to bottom."""
        column = next((column for column in self._columns if column.key == self.cursor), None)
        return super().row_text() if column is None else " ".join(text for line in column.lines for text, _ in line)

    def on_click(self, event: Click) -> None:
        """A click selects."""
        at = self._first + event.x // (self.column_width + 1)
        if at < len(self._columns):
            self.select(self._columns[at].key)

    def _lines(self, width: int, height: int) -> list[Line]:
        if not self._columns:
            return list(self._empty)
        fitting = max(width // (self.column_width + 1), 1)
        at = self._index()
        self._first = min(max(self._first, at - fitting + 1), at, max(len(self._columns) - fitting, 0))
        shown = self._columns[self._first : self._first + fitting]
        hidden_after = len(self._columns) - self._first - fitting > 0
        return [self._row(shown, y, hidden_after) for y in range(height)]

    def _row(self, shown: Sequence[Column], y: int, hidden_after: bool) -> Line:
        spans: list[Span] = []
        for column in shown:
            line = column.lines[y] if y < len(column.lines) else [(" " * self.column_width, "text")]
            if y == 0 and column.key == self.cursor:
                line = [("".join(text for text, _ in line), "cursor" if self.has_focus else "cursor_off")]
            spans += [*line, (" ", "text")]
        if y == 0:
            more = [glyph for glyph, there in (("<", self._first), (">", hidden_after)) if there]
            spans[-1] = ("".join(more)[:1] or " ", "accent")
        return spans
