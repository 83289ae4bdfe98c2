"""The two questions the studio asks: pick one of these, and type something. Esc always leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar, cast

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Click
from textual.screen import ModalScreen
from textual.widgets import Input

from tui import words
from tui.actions import BY_ID
from tui.look import Look
from tui.widgets.paper import Line, Paper
from tui.widgets.table import Row, Table

if TYPE_CHECKING:
    from tui.app import Studio

T = TypeVar("T")

BELOW: Final = 5
"""Rows that a dialog leaves free: what there is to say, and the keys of the transport."""
AROUND_CHOICES: Final = 5
"""Frame, title, field and hint."""
FEWEST_CHOICES: Final = 4
WIDTH: Final = 70
"""Cells of a dialog whose lines do not need more."""


def _typing_bindings() -> list[BindingType]:
    """The function keys of the transport: recording starts and stops even while something is typed."""
    return [
        Binding(key, f"act('{action.id}')", action.label, show=False, priority=True)
        for action in (BY_ID["record"], BY_ID["stop"])
        for key in action.keys
        if len(key) > 1
    ]


class Dialog(ModalScreen[T]):
    """A box in the middle of the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False), *_typing_bindings()]

    def __init__(self, look: Look, title: str, hint: str) -> None:
        super().__init__()
        self.look = look
        self.heading = title
        self._hint = hint

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)

    def action_act(self, action_id: str) -> None:
        """Do what a function key stands for, behind the dialog."""
        cast("Studio", self.app).perform(action_id)

    def _text(self, id: str, line: Line) -> Paper:
        return Paper(self.look, lambda *_: [line], id=id)


class Ask(Dialog[str]):
    """Type something; the answer is None when left with Esc."""

    def __init__(self, look: Look, title: str, value: str = "", hint: str = "Enter accepts, Esc leaves.") -> None:
        super().__init__(look, title, hint)
        self._value = words.clean(value)

    def compose(self) -> ComposeResult:
        """Title, field, hint."""
        with Vertical(classes="box"):
            yield self._text("title", [(self.heading, "title")])
            field = Input(self._value, compact=True)
            field.cursor_blink = False
            yield field
            yield self._text("hint", [(self._hint, "dim")])

    @on(Input.Submitted)
    def _accept(self, event: Input.Submitted) -> None:
        self.dismiss(words.clean(event.value))


@dataclass(frozen=True)
class Choice:
    """One of the things to pick from."""

    key: str
    label: str
    detail: str = ""


class Pick(Dialog[str]):
    """Pick one line; typing narrows them. The answer is its key, or None when left with Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('up')", "Up", show=False, priority=True),
        Binding("down", "move('down')", "Down", show=False, priority=True),
        Binding("pageup", "move('page_up')", "Page up", show=False, priority=True),
        Binding("pagedown", "move('page_down')", "Page down", show=False, priority=True),
    ]

    def __init__(self, look: Look, title: str, choices: Sequence[Choice], *, start: str | None = None) -> None:
        super().__init__(look, title, "Type to narrow, arrows to move, Enter takes, Esc leaves.")
        self._choices = choices
        self._start = start
        self._table = Table(look, id="choices")
        self._table.can_focus = False
        self._table.acts_unfocused = True

    def compose(self) -> ComposeResult:
        """Title, field, lines, hint."""
        box = Vertical(classes="box")
        room = self.app.size.height - 2 * BELOW
        box.styles.height = min(len(self._choices) + AROUND_CHOICES, max(room, AROUND_CHOICES + FEWEST_CHOICES))
        box.styles.width = min(max(_width(self._choices), WIDTH), max(self.app.size.width - 2 * BELOW, WIDTH))
        with box:
            yield self._text("title", [(self.heading, "title")])
            field = Input(compact=True)
            field.cursor_blink = False
            yield field
            yield self._table
            yield self._text("hint", [(self._hint, "dim")])

    def on_mount(self) -> None:
        """All lines at first."""
        self._show("")
        if self._start is not None:
            self._table.select(self._start)

    def action_move(self, how: str) -> None:
        """Move the cursor while the field keeps the focus."""
        self._table.move(how)  # type: ignore[arg-type]

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _accept(self) -> None:
        if self._table.cursor is not None:
            self.dismiss(self._table.cursor)

    def on_click(self, event: Click) -> None:
        """A click on a line takes it."""
        if event.widget is self._table:
            self._accept()

    def _show(self, wanted: str) -> None:
        parts = wanted.casefold().split()
        fitting = [c for c in self._choices if all(p in f"{c.label} {c.detail}".casefold() for p in parts)]
        widest = _widest(fitting)
        rows = [
            Row([(words.clean(c.label).ljust(widest + 2), "text"), (words.clean(c.detail), "dim")], c.key)
            for c in fitting
        ]
        self._table.show(rows, empty=[[("Nothing fits.", "dim")]])


def _widest(choices: Sequence[Choice]) -> int:
    return max((cell_len(words.clean(choice.label)) for choice in choices), default=0)


def _width(choices: Sequence[Choice]) -> int:
    """Cells of a frame in which no line is cut."""
    details = max((cell_len(words.clean(choice.detail)) for choice in choices), default=0)
    return _widest(choices) + 2 + details + 4
