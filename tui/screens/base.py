"""The frame of every screen: state on top, what there is to say and the keys at the bottom, the subject between."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

from core.protocol.requests import Play
from tui.actions import ACTIONS, ScreenName
from tui.look import Look
from tui.picture import Picture
from tui.widgets import banner, footer
from tui.widgets.bridge import Bridge
from tui.widgets.paper import Paper
from tui.widgets.table import Move, Table

if TYPE_CHECKING:
    from tui.app import Studio

_WIDTHS: Final[list[tuple[int, str]] | None] = [(0, "-narrow"), (100, "-wide")]
_HEIGHTS: Final[list[tuple[int, str]] | None] = [(0, "-tight"), (30, "-roomy")]

NOTICE_ROWS: Final = 3


KEY_MAP: Final[list[BindingType]] = [
    Binding(",".join(action.keys), f"act('{action.id}')", action.label, show=False, tooltip=action.tip, id=action.id)
    for action in ACTIONS
]
"""Every key on every screen, out of the registry: one that belongs to other screens says to which."""


class StudioScreen(Screen[None]):
    """A screen is a function of the picture plus where its cursors are."""

    SCREEN: ClassVar[ScreenName]
    BINDINGS = KEY_MAP
    BANNER_ROWS: ClassVar[int] = 1
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.state_paper = self.paper("banner", lambda w, h: banner.banner(self.picture, look, w, h))
        self.notice_paper = self.paper("notice", lambda w, h: footer.notice(self.picture, self.SCREEN, w, h))
        self.keys_paper = self.paper("footer", lambda w, h: footer.footer(self.picture, self.SCREEN, w, h))

    @property
    def studio(self) -> Studio:
        """The app, by its own type."""
        return cast("Studio", self.app)

    @property
    def picture(self) -> Picture:
        """What is known now."""
        return self.studio.picture

    def compose(self) -> ComposeResult:
        """The frame around `body`."""
        yield self.state_paper
        yield from self.body()
        yield self.notice_paper
        yield self.keys_paper

    def paper(self, id: str, draw: banner.Draw) -> Paper:
        """Lines of this screen; styled by `id`."""
        return Paper(self.look, draw, id=id)

    @abstractmethod
    def body(self) -> Sequence[Widget]:
        """What stands between banner and notice."""

    @abstractmethod
    def show_body(self, picture: Picture) -> None:
        """Bring the body up to date."""

    def on_mount(self) -> None:
        """Give the banner its rows and show what is known."""
        self.state_paper.styles.height = self.BANNER_ROWS
        self.show()

    def on_screen_resume(self) -> None:
        """Show what changed meanwhile."""
        self.show()

    def show(self) -> None:
        """Bring everything up to date; only what differs is sent to the terminal."""
        self.show_body(self.picture)
        self._make_room_for_notice()
        for paper in (self.state_paper, self.notice_paper, self.keys_paper):
            paper.repaint()

    def show_meters(self) -> None:
        """Bring up to date what moves all the time: cheap, because it happens twelve times a second."""
        self.state_paper.repaint()

    def _make_room_for_notice(self) -> None:
        """A notice that needs more rows gets them: nobody should have to guess how a sentence ends."""
        rows = max(len(footer.notice(self.picture, self.SCREEN, self.size.width, NOTICE_ROWS)), 1)
        height = self.notice_paper.styles.height
        if self.size.width and (height is None or height.value != rows):
            self.notice_paper.styles.height = rows

    def action_act(self, action_id: str) -> None:
        """Do what a key stands for."""
        self.studio.perform(action_id, self)

    def on_click(self, event: Click) -> None:
        """A click on a key at the bottom does what the key does."""
        for paper, draw in ((self.keys_paper, footer.footer), (self.notice_paper, footer.notice)):
            place = paper.region
            if place.contains(event.screen_x, event.screen_y):
                rows = draw(self.picture, self.SCREEN, *place.size)
                action_id = footer.action_at(rows, event.screen_x - place.x, event.screen_y - place.y, self.picture)
                if action_id is not None:
                    self.studio.perform(action_id, self)

    def playable(self) -> Play | None:
        """What Play would play here."""
        return None

    def compare(self, bounces: Table) -> None:
        """Hear the selected bounce, or the one heard before, from where the other is."""
        request = self.studio.listening.compare(self.picture, bounces.cursor)
        if request is None or request.bounce is None:
            self.studio.say("warning", "Comparing needs two bounces.", "b on Mix renders one.")
            return
        self.studio.send(self.as_heard(request))
        bounces.select(request.bounce)

    def as_heard(self, request: Play) -> Play:
        """What plays a bounce as this screen lets it be heard: where strips can be left out, without those."""
        return request

    def _move(self, how: Move) -> None:
        if isinstance(self.focused, Table | Bridge):
            self.focused.move(how)

    def do_up(self) -> None:
        """One line up."""
        self._move("up")

    def do_down(self) -> None:
        """One line down."""
        self._move("down")

    def do_page_up(self) -> None:
        """One page up."""
        self._move("page_up")

    def do_page_down(self) -> None:
        """One page down."""
        self._move("page_down")

    def do_top(self) -> None:
        """The first line."""
        self._move("top")

    def do_bottom(self) -> None:
        """The last line."""
        self._move("bottom")

    def do_next_area(self) -> None:
        """To the next area."""
        self.focus_next()

    def do_area_before(self) -> None:
        """To the area before."""
        self.focus_previous()
