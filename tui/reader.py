"""The studio for a screen reader: nothing is drawn; what changed is said as lines of plain text.

The screens are the same, and so are their keys. Whatever the eye would be drawn to is a `Spoken`: which screen, which
line, what the tape does, what there is to say. Between two of them only what differs is said.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.widgets import Input

from tui import words
from tui.actions import BY_ID
from tui.look import UNICODE, Glyphs, Look
from tui.picture import Picture
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Dialog
from tui.widgets.banner import state_of, what
from tui.widgets.bridge import Bridge, track_at
from tui.widgets.footer import to_say
from tui.widgets.paper import Paper
from tui.widgets.table import Table

LOOK: Final = Look(UNICODE, "mono")
"""Glyphs that are told apart, to be put into words."""

_WORDS: Final = {
    UNICODE.armed: "armed",
    UNICODE.disarmed: "not armed",
    UNICODE.star: "starred",
    UNICODE.check: "chosen",
    UNICODE.uncheck: "",
    UNICODE.lock: "locked",
    UNICODE.play: "plays",
    UNICODE.up: "lead",
    UNICODE.down: "background",
}
WORK_STEP: Final = 0.25
"""Of a job: said once a quarter."""


class LineDriver(LinuxDriver):
    """Textual's terminal driver that reads keys and draws nothing."""

    def write(self, data: str) -> None:
        """Drop pictures, and the wish for another screen to draw them on."""

    def say(self, line: str) -> None:
        """Write a line below the others."""
        super().write(f"{line}\r\n")


@dataclass(frozen=True)
class Spoken:
    """What a studio would say if asked for everything; each part is a line, or nothing."""

    place: str = ""
    line: str = ""
    state: str = ""
    work: str = ""
    notice: str = ""


def spoken(picture: Picture, screen: Screen[object]) -> Spoken:
    """What stands out on a screen now."""
    focused = screen.focused
    line = ""
    if isinstance(focused, Bridge):
        line = _input(picture, focused.cursor)
    elif isinstance(focused, Table):
        line = in_words(focused.row_text())
    elif isinstance(focused, Input):
        tables = [in_words(table.row_text()) for table in screen.query(Table)]
        line = ", ".join(part for part in (focused.value, *tables) if part)
    place = screen.heading if isinstance(screen, Dialog) else ""
    name = screen.SCREEN if isinstance(screen, StudioScreen) else "record"
    if isinstance(screen, StudioScreen):
        place = BY_ID[f"go_{name}"].label
        if isinstance(focused, Table) and (head := in_words(focused.head_text())):
            place = f"{place}: {head}"
    jobs = picture.running_jobs
    return Spoken(
        place=place,
        line=line,
        state=f"{state_of(picture)[0]} {what(picture)}",
        work=f"{jobs[0].kind} {jobs[0].fraction // WORK_STEP * WORK_STEP:.0%}" if jobs else "",
        notice=to_say(picture)[0],
    )


def news(before: Spoken, now: Spoken) -> list[str]:
    """What differs, in the order in which it is said."""
    return [new for old, new in zip(astuple(before), astuple(now), strict=True) if new and new != old]


def whole_screen(screen: Screen[object]) -> list[str]:
    """Every line of a screen that has words on it."""
    lines = [in_words(line) for paper in screen.query(Paper) if paper.display for line in paper.texts()]
    return [line for line in lines if any(character.isalnum() for character in line)]


def in_words(text: str, glyphs: Glyphs = UNICODE) -> str:
    """Text with its glyphs said and its drawings left out."""
    said = "".join(f" {_WORDS[character]} " if character in _WORDS else character for character in text)
    drawn = {*glyphs.fractions, *glyphs.heights, glyphs.peak, glyphs.hold}
    return " ".join("".join(" " if c in drawn or 0x2800 <= ord(c) < 0x2900 else c for c in said).split())


def _input(picture: Picture, number: int) -> str:
    track = track_at(picture, number)
    if track is None:
        return f"Input {number} without a track"
    role = f", {track.role.replace('_', ' ')}" if track.role else ""
    return f"Input {number} {words.clean(track.name)}{role}, {'armed' if track.armed else 'not armed'}"
