"""A list of lines with one that keys act on; knows nothing of what the lines mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual.events import Blur, Click, Focus
from textual.message import Message

from tui import words
from tui.look import Look, Role
from tui.widgets.paper import Line, Paper

Move = Literal["up", "down", "page_up", "page_down", "top", "bottom"]


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    spans: Line
    key: str | None = None
    """What the line stands for; None for a line that belongs to the one above it and can't be selected."""
    drawing: Line = ()
    """What is drawn at the end of the line and is no text: it looks the same where the cursor is."""


class Table(Paper, can_focus=True):
    """Rows under a head. The cursor stays on its key when rows come, go or move."""

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> Table:
            """The table it happened in."""
            return self.table

    def __init__(self, look: Look, *, id: str) -> None:
        super().__init__(look, self._lines, id=id)
        self.cursor: str | None = None
        self.acts_unfocused = False
        """In a dialog, keys act on the table while a field has the focus."""
        self._head: Line = ()
        self._table_rows: Sequence[Row] = ()
        self._empty: Sequence[Line] = ()
        self._top = 0

    def show(self, rows: Sequence[Row], *, head: Line = (), empty: Sequence[Line] = ()) -> None:
        """Put rows in place; `empty` is shown where there are none."""
        gone_index = self._index()
        self._table_rows, self._head, self._empty = rows, head, empty
        keys = self._keys()
        if self.cursor not in keys:
            self.cursor = keys[min(gone_index, len(keys) - 1)] if keys else None
        self.repaint()

    def select(self, key: str) -> None:
        """Put the cursor on a row, if there is such a row."""
        if key in self._keys() and key != self.cursor:
            self.cursor = key
            self.repaint()
            self.post_message(self.Moved(self))

    def move(self, how: Move) -> None:
        """Move the cursor; it stops at both ends."""
        keys = self._keys()
        if not keys:
            return
        page = max(self.size.height - 2, 1)
        at = self._index()
        to = {"up": at - 1, "down": at + 1, "page_up": at - page, "page_down": at + page, "top": 0}.get(how, len(keys))
        self.select(keys[min(max(to, 0), len(keys) - 1)])

    def row_text(self) -> str:
        """The line under the cursor, or what stands where there are no lines."""
        row = next((row for row in self._table_rows if row.key is not None and row.key == self.cursor), None)
        lines = self._empty if row is None else [row.spans]
        return " ".join(text for line in lines for text, _ in line)

    def head_text(self) -> str:
        """The line above the others."""
        return "".join(text for text, _ in self._head)

    def on_focus(self, _: Focus) -> None:
        """The cursor looks different where keys act."""
        self.repaint()

    def on_blur(self, _: Blur) -> None:
        """The cursor looks different where keys act."""
        self.repaint()

    def on_click(self, event: Click) -> None:
        """A click selects."""
        at = self._top + event.y - (1 if self._head else 0)
        if 0 <= at < len(self._table_rows) and (key := self._table_rows[at].key) is not None:
            self.select(key)

    def _keys(self) -> list[str]:
        return [row.key for row in self._table_rows if row.key is not None]

    def _index(self) -> int:
        keys = self._keys()
        return keys.index(self.cursor) if self.cursor in keys else 0

    def _lines(self, width: int, height: int) -> list[Line]:
        lines = [self._head] if self._head else []
        if not self._table_rows:
            return lines + list(self._empty)
        room = height - len(lines)
        at = next((i for i, row in enumerate(self._table_rows) if row.key == self.cursor), 0)
        first = next((i for i, row in enumerate(self._table_rows) if row.key is not None), 0)
        top = min(max(self._top, at - room + 1), at, max(len(self._table_rows) - room, 0))
        self._top = 0 if at == first else top
        lines += [
            self._selected(row, width) if row.key is not None and row.key == self.cursor else self._plain(row, width)
            for row in self._table_rows[self._top : self._top + room]
        ]
        hidden_below = len(self._table_rows) - self._top - room
        if hidden_below > 0 or self._top:
            lines[0] = self._with_arrows(lines[0], width, hidden_below > 0)
        return lines

    def _plain(self, row: Row, width: int) -> Line:
        """The row; one that is too long says so with an ellipsis."""
        room = width - sum(cell_len(text) for text, _ in (*row.spans[:-1], *row.drawing))
        if not row.spans or cell_len(row.spans[-1][0]) <= room:
            return [*row.spans, *row.drawing]
        text, role = row.spans[-1]
        return [*row.spans[:-1], (words.fit(text, room, self.look.glyphs.ellipsis), role), *row.drawing]

    def _selected(self, row: Row, width: int) -> Line:
        text = "".join(text for text, _ in row.spans)
        room = width - sum(cell_len(drawn) for drawn, _ in row.drawing)
        role: Role = "cursor" if self.has_focus or self.acts_unfocused else "cursor_off"
        return [(words.fit(text, room, self.look.glyphs.ellipsis), role), *row.drawing]

    def _with_arrows(self, line: Line, width: int, more_below: bool) -> Line:
        if not self._head:
            return line
        glyphs = self.look.glyphs
        text = "".join(text for text, _ in line)[: width - 3].ljust(width - 3)
        arrows = f" {glyphs.up if self._top else ' '}{glyphs.down if more_below else ' '}"
        return [(text, line[0][1] if line else "title"), (arrows, "accent")]
