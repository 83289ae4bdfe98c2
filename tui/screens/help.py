"""Help: every key, straight from the registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget

from tui import words
from tui.actions import ACTIONS, BY_ID, GROUPS, SCREENS, Action, ScreenName, shown_key
from tui.look import Look
from tui.picture import Picture
from tui.screens.base import StudioScreen
from tui.widgets.paper import Line
from tui.widgets.table import Row, Table


class HelpScreen(StudioScreen):
    """All keys by subject; what can't be done now says why."""

    SCREEN: ClassVar[ScreenName] = "help"

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.keys = Table(look, id="keys")
        self.tip_paper = self.paper("tip", self._tip)

    def body(self) -> Sequence[Widget]:
        """One long list, and the selected line in full."""
        return [self.keys, self.tip_paper]

    def show_body(self, picture: Picture) -> None:
        """The list, with reasons as they are now."""
        told = (line for one in self.studio.wishes.problems for line in words.wrap(one, max(self.size.width, 20), 3))
        rows = [Row([(line, "warn")]) for line in told]
        for group in GROUPS:
            rows.append(Row([(group, "title")]))
            rows += [help_row(action, picture) for action in ACTIONS if action.group == group]
            rows.append(Row([]))
        self.keys.show(rows, head=[("Keys work the same on every screen. Esc always leaves.", "dim")])
        self.tip_paper.repaint()

    def _tip(self, width: int, height: int) -> list[Line]:
        action = BY_ID.get(self.keys.cursor or "")
        if action is None:
            return []
        reason = action.when(self.picture)
        text = f"{action.tip} {f'Not now: {reason}' if reason else ''}"
        return [[(line, "text")] for line in words.wrap(text, width, height)]

    @on(Table.Moved)
    def _repaint_tip(self) -> None:
        self.tip_paper.repaint()


def help_row(action: Action, picture: Picture) -> Row:
    """Keys, name, what it does, where, and why not now."""
    keys = " ".join(map(shown_key, action.keys_now(picture))) or "-"
    where = "" if action.screens == SCREENS else f" ({', '.join(action.screens)})"
    reason = action.when(picture)
    return Row(
        [
            (f"  {keys:<12}", "key"),
            (f"{action.label:<14} ", "text"),
            (reason or f"{action.tip}{where}", "warn" if reason else "dim"),
        ],
        action.id,
    )
