"""Sends the terminal only the cells that differ from what it shows.

Textual sends a changed region again from the left edge of its widget, each stretch with its whole colour and a reset;
for a bridge of meters that is six times what changed. `Copy` follows what Textual writes as a terminal would, and says
what has to be sent so that a terminal that showed the old picture shows the new one. What it does not understand goes
out as it is, and the copy begins anew, so the worst that can happen is a picture that is sent whole. Who knows which
cells changed can paint them into the copy at once, and spares Textual the way there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import get_character_cell_size
from textual.drivers.linux_driver import LinuxDriver

_TOKEN: Final = re.compile(
    r"\x1b\[([0-9;:?<>=]*)([ -/]*[@-~])"  # control sequences
    r"|\x1b[\]P_^X].*?(?:\x07|\x1b\\)"  # strings for the terminal: titles, clipboard
    r"|\x1b.?|[\x00-\x1f\x7f]|[^\x00-\x1f\x7f]+",
    re.DOTALL,
)
_HARMLESS: Final = frozenset(("h", "l", "u", "$p", "c", "n"))
"""Modes of the terminal and its keyboard, and questions about them: they do not move or paint."""
_OTHER_SCREEN: Final = ("?1049", "?47", "?1047")
_NARROW: Final = frozenset(map(chr, (*range(0x20, 0x7F), *range(0x2500, 0x25A0))))
"""ASCII, box lines and blocks: what nearly every cell holds, one cell wide."""
_SEEN_ON_BLANKS: Final = frozenset("4579")
"""Underline, blinking, reverse, struck through: a blank cell shows these too."""


class Pen(NamedTuple):
    """How a cell is painted, as parameters of SGR (ECMA-48 8.3.117)."""

    flags: frozenset[str] = frozenset()
    ink: str = ""
    paper: str = ""


PLAIN: Final = Pen()


Cell = tuple[str, Pen]
"""A character, with what combines with it, and its pen; "" is the second half of a wide one."""


class Copy:
    """What the terminal shows, as far as it is known."""

    def __init__(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        """Of the terminal. What is printed in the last column leaves the cursor nobody knows where; what lies beyond,
        because a screen was drawn before it heard that the terminal shrank, would be squeezed into its edge."""
        self._shown: dict[int, dict[int, Cell]] = {}
        self._wanted: dict[int, dict[int, Cell]] = {}
        """Cells that were written since the last difference and are not shown yet."""
        self._wide: set[int] = set()
        """Rows that wide characters were written in."""
        self._at = (0, 0)
        """Row and column where Textual writes next."""
        self._pen = PLAIN
        self._cursor: tuple[int, int] | None = None
        """Where the terminal's own cursor is."""
        self._terminal_pen: Pen | None = None

    def forget(self) -> None:
        """Nothing is known any more: the terminal was resized, or something else wrote on it."""
        self._shown.clear()
        self._cursor = self._terminal_pen = None

    def feed(self, data: str) -> str:
        """Take what Textual writes; return what has to be sent instead."""
        out: list[str] = []
        for token in _TOKEN.finditer(data):
            parameters, final = token[1], token[2]
            text = token[0]
            if final == "m":
                self._pen = pen_after(self._pen, parameters)
            elif final == "H":
                row, _, column = parameters.partition(";")
                self._at = (int(row or 1) - 1, int(column or 1) - 1)
            elif text == "\r":
                self._at = (self._at[0], 0)
            elif text == "\n":  # the terminal driver makes it a return as well
                self._at = (self._at[0] + 1, 0)
            elif text[0] < " " or text[0] == "\x7f":
                out.append(self.difference())
                out.append(text)
                if not self._leaves_the_picture(text, parameters, final):
                    self.forget()
            else:
                self._write(text)
        out.append(self.difference())
        return "".join(out)

    def paint(self, row: int, column: int, painted: Iterable[Cell]) -> None:
        """Put cells in place; `difference` says what to send."""
        shown, wanted = self._shown.setdefault(row, {}), self._wanted.setdefault(row, {})
        for at, (text, pen) in enumerate(painted, column):
            cell = (text, _seen(pen) if text == " " else pen)
            if shown.get(at) != cell:
                wanted[at] = cell
                if not text:
                    self._wide.add(row)
            elif wanted:
                wanted.pop(at, None)

    def _leaves_the_picture(self, text: str, parameters: str | None, final: str | None) -> bool:
        """Whether a sequence neither paints nor moves the cursor: modes, strings, the bell."""
        if final is not None:
            return final in _HARMLESS and parameters not in _OTHER_SCREEN
        return text == "\x07" or (len(text) > 2 and text[0] == "\x1b")

    def _write(self, text: str) -> None:
        row, column = self._at
        shown, wanted = self._shown.setdefault(row, {}), self._wanted.setdefault(row, {})
        pen, blank = self._pen, _seen(self._pen)
        for character in text:
            width = 1 if character in _NARROW else get_character_cell_size(character)
            if width == 0:
                text_before, pen_before = wanted.get(column - 1) or shown.get(column - 1) or ("", pen)
                wanted[column - 1] = (text_before + character, pen_before)
                continue
            here = blank if character == " " else pen
            before = shown.get(column)
            if before is None or before[0] != character or before[1] != here:
                wanted[column] = (character, here)
            elif wanted:
                wanted.pop(column, None)
            column += 1
            if width == 2:
                wanted[column] = ("", pen)
                self._wide.add(row)
                column += 1
        self._at = (row, column)

    def difference(self) -> str:
        """What has to be sent so that the terminal shows everything that was written and painted."""
        out: list[str] = []
        for row, wanted in sorted(self._wanted.items()):
            if not wanted or row >= self.size[1]:
                continue
            shown = self._shown[row]
            columns = sorted(wanted)
            shown.update(wanted)
            if row in self._wide:  # half of a wide character can't be replaced alone: the rest of the line goes out
                columns = sorted(column for column in shown if column >= columns[0] - 1)
            for column in columns:
                self._put(out, row, column, shown[column])
        self._wanted.clear()
        return "".join(out)

    def _put(self, out: list[str], row: int, column: int, cell: Cell) -> None:
        text, pen = cell
        if not text:
            return
        end = column + (1 if text in _NARROW else get_character_cell_size(text[0]))
        if end > self.size[0]:
            return
        if self._cursor != (row, column):
            if self._cursor is not None and self._cursor[0] == row and self._cursor[1] < column:
                out.append(f"\x1b[{column - self._cursor[1]}C")
            else:
                out.append(f"\x1b[{row + 1};{column + 1}H")
        if text != " " or self._terminal_pen is None or _seen(self._terminal_pen) != pen:
            out.append(change(self._terminal_pen, pen))
            self._terminal_pen = pen
        out.append(text)
        self._cursor = (row, end) if end < self.size[0] else None


@lru_cache(maxsize=1024)
def _seen(pen: Pen) -> Pen:
    """A pen as a blank shows it: without ink, unless that is seen."""
    flags = pen.flags & _SEEN_ON_BLANKS
    return Pen(flags, pen.ink if flags else "", pen.paper)


@lru_cache(maxsize=1024)
def pen_after(pen: Pen, parameters: str) -> Pen:
    """The pen after a colour sequence."""
    codes = parameters.split(";")
    at = 0
    while at < len(codes):
        code = codes[at]
        if code in ("", "0"):
            pen = PLAIN
        elif code in ("38", "48"):
            length = 3 if codes[at + 1 : at + 2] == ["5"] else 5
            colour = ";".join(codes[at : at + length])
            pen = pen._replace(ink=colour) if code == "38" else pen._replace(paper=colour)
            at += length - 1
        elif code == "39":
            pen = pen._replace(ink="")
        elif code == "49":
            pen = pen._replace(paper="")
        elif code[:-1] in ("3", "9"):
            pen = pen._replace(ink=code)
        elif code[:-1] in ("4", "10"):
            pen = pen._replace(paper=code)
        else:
            pen = pen._replace(flags=pen.flags | {code})
        at += 1
    return pen


def pen_of(written: str) -> Pen:
    """The pen that styled text was written with, a reset after it or not."""
    pen = PLAIN
    for token in _TOKEN.finditer(written):
        if token[2] != "m":
            break
        pen = pen_after(pen, token[1])
    return pen


@lru_cache(maxsize=4096)
def change(before: Pen | None, pen: Pen) -> str:
    """The shortest sequence from one pen to another; nothing is known of a terminal whose pen is None."""
    if before == pen:
        return ""
    codes: list[str] = []
    if before is None or before.flags - pen.flags:
        codes.append("0")
        before = PLAIN
    codes += sorted(pen.flags - before.flags)
    if before.ink != pen.ink:
        codes.append(pen.ink or "39")
    if before.paper != pen.paper:
        codes.append(pen.paper or "49")
    return f"\x1b[{';'.join(codes)}m"


class SparingDriver(LinuxDriver):
    """Textual's terminal driver, with a copy of the screen before the wire."""

    copy: Copy | None = None
    _painted = False
    """Cells were painted into the copy that are not sent yet."""

    def write(self, data: str) -> None:
        """Send the difference that Textual's writing makes."""
        if difference := self._followed().feed(data):
            super().write(difference)

    def paint(self, row: int, column: int, painted: Iterable[Cell]) -> None:
        """Show cells without Textual; all that is painted in one turn of the loop is sent together."""
        if self.copy is None or not self._painted:
            self._painted = True
            self.copy = self._followed()
            asyncio.get_running_loop().call_soon(self._send_painted)
        self.copy.paint(row, column, painted)

    def forget(self) -> None:
        """Send everything again: the terminal was resized, or something else wrote on it."""
        self.copy = None

    def _followed(self) -> Copy:
        size = self._get_terminal_size()
        if self.copy is None or self.copy.size != size:
            self.copy = Copy(*size)
        return self.copy

    def _send_painted(self) -> None:
        self._painted = False
        if difference := self._followed().difference():
            super().write(difference)
