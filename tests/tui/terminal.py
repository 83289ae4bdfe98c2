"""A terminal that remembers what it was sent."""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

from tui.sparing import PLAIN, pen_after

TOKEN = re.compile(r"\x1b\[([0-9;?<>=$]*)([A-Za-z])|\x1b\].*?(?:\x07|\x1b\\)|\n|[^\x1b\n]+")


class Terminal:
    """As much of a terminal as it takes to show what was sent: cells with what is seen of their pen."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.cells: dict[tuple[int, int], tuple[str, object]] = {}
        self.row = self.column = 0
        self.pen = PLAIN

    def take(self, data: str) -> None:
        for token in TOKEN.finditer(data):
            parameters, final = token[1], token[2]
            if final == "m":
                self.pen = pen_after(self.pen, parameters)
            elif final == "H":
                row, column = (int(part or 1) for part in (parameters or "1;1").split(";"))
                self.row, self.column = row - 1, column - 1
            elif final == "C":
                self.column += int(parameters or 1)
            elif final == "J":
                self.cells.clear()
            elif token[0] == "\n":
                self.row, self.column = self.row + 1, 0
            elif final is None and token[0][0] != "\x1b":
                for character in token[0]:
                    self._print(character)

    def _print(self, character: str) -> None:
        at, width = (self.row, self.column), get_character_cell_size(character)
        if self.cells.get(at, ("x", None))[0] == "":
            self.cells[self.row, self.column - 1] = ("?", None)  # half of a wide character was overwritten
        after = (self.row, self.column + width)
        if self.cells.get(after, ("x", None))[0] == "":
            self.cells[after] = ("?", None)
        bare = character == " " and not self.pen.flags & set("4579")
        self.cells[at] = (character, self.pen.paper if bare else self.pen)
        if width == 2:
            self.cells[self.row, self.column + 1] = ("", self.pen)
        self.column += width
        assert self.column <= self.columns
