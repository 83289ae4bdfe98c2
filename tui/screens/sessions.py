"""Sessions: everything that was ever recorded on this box, to open, name, write about, put away and find again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.widget import Widget

from core.errors import OtoError
from core.protocol.requests import EditSession, ListSessions, ListUnreadable, OpenSession, TrashSession
from core.protocol.topics import SessionSummary, UnreadableSession
from tui import words
from tui.actions import ScreenName
from tui.look import Look
from tui.picture import Picture
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask
from tui.screens.trash import bring_back
from tui.widgets.paper import Line, Span
from tui.widgets.table import Row, Table

_UNREADABLE: Final = "can't be read"


class SessionsScreen(StudioScreen):
    """A line per session, newest first; the list is read again when the open session or its takes change."""

    SCREEN: ClassVar[ScreenName] = "sessions"

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.list = Table(look, id="session-list")
        self.head_paper = self.paper("session-head", lambda w, h: head(self._session() or self._unreadable(), w, h))
        self._sessions: list[SessionSummary] = []
        self._lost: list[UnreadableSession] = []
        self._read: object = None
        """What the list was read after."""
        self._wanted = ""

    def body(self) -> Sequence[Widget]:
        """The list, and what was written about the selected session."""
        return [self.list, self.head_paper]

    def show_body(self, picture: Picture) -> None:
        """The list as it was read last; a change has it read again."""
        now = (picture.session, len(picture.takes.takes), picture.link)
        if picture.link == "up" and now != self._read:
            self._read = now
            self.run_worker(self._look_again(), group="sessions", exclusive=True)
        opened = picture.session.session.id if picture.session.session else None
        fitting = [session for session in self._sessions if has_words(session, self._wanted)]
        lost = [session for session in self._lost if has_words(session, self._wanted)]
        title = f"  Sessions with '{self._wanted}'" if self._wanted else "  Sessions"
        title += f", {len(lost)} at the end can't be read" if lost else ""
        rows = [row(session, session.id == opened, self.look, self.list.size.width) for session in fitting]
        rows += [lost_row(session) for session in lost]
        nothing = "No session has these words: / lists others." if self._sessions else "None yet: N makes one."
        self.list.show(rows, head=[(title, "title")], empty=[[(f"  {nothing}", "dim")]])
        self.head_paper.repaint()

    async def _look_again(self) -> None:
        try:
            self._sessions = await self.studio.link.call(ListSessions(), list[SessionSummary])
            self._lost = await self.studio.link.call(ListUnreadable(), list[UnreadableSession])
        except OtoError as error:
            self._read = None
            self.studio.say_error(error)
        else:
            self.call_after_refresh(self.show_body, self.picture)  # when the list knows how wide it is

    def on_table_moved(self) -> None:
        """What was written about another one."""
        self.head_paper.repaint()

    def _session(self) -> SessionSummary | None:
        return next((session for session in self._sessions if session.id == self.list.cursor), None)

    def _unreadable(self) -> UnreadableSession | None:
        return next((session for session in self._lost if _lost_key(session) == self.list.cursor), None)

    def _chosen(self) -> SessionSummary | None:
        """The selected session, or a word that there is none or that it can't be read."""
        if (lost := self._unreadable()) is not None:
            self.studio.say("warning", words.clean(lost.message), lost.hint)
            return None
        if (session := self._session()) is None:
            self.studio.say("warning", "No session is in the list: N makes one.")
        return session

    def do_choose(self) -> None:
        """Open the selected session and show its takes."""
        if (session := self._chosen()) is not None:
            if self.picture.recording:
                self.studio.say("warning", "This waits until recording stops.")
                return
            self.studio.send(OpenSession(session=session.id))
            self.studio.go("takes")

    async def do_rename(self) -> None:
        """Name the selected session; its folder keeps its name."""
        if (session := self._chosen()) is not None:
            name = await self.studio.ask(Ask(self.look, "Name of the session", session.name))
            if name:
                await self.studio.call(EditSession(session=session.id, name=name))
                await self._look_again()

    async def do_notes(self) -> None:
        """Write about the selected session."""
        if (session := self._chosen()) is not None:
            notes = await self.studio.ask(Ask(self.look, f"Notes on '{words.clean(session.name)}'", session.notes))
            if notes is not None:
                await self.studio.call(EditSession(session=session.id, notes=notes))
                await self._look_again()

    async def do_trash(self) -> None:
        """Move the selected session to the trash."""
        if (session := self._chosen()) is not None:
            await self.studio.call(TrashSession(session=session.id))
            name = words.clean(session.name)
            self.studio.say("info", f"'{name}' is in the trash.", "R brings it back with all that is in it.")
            await self._look_again()

    async def do_restore(self) -> None:
        """Bring something back out of the trash."""
        await bring_back(self.studio)
        await self._look_again()

    async def do_find(self) -> None:
        """List the sessions with some words only."""
        wanted = await self.studio.ask(Ask(self.look, "Sessions with", self._wanted, "Empty lists all. Esc leaves."))
        if wanted is not None:
            self._wanted = wanted
            self.show_body(self.picture)


def row(session: SessionSummary, opened: bool, look: Look, width: int) -> Row:
    """Whether it is open, its day, how much is in it, its name and what was written about it."""
    count = f"{session.takes} take{'' if session.takes == 1 else 's'}"
    text = "  ".join(part for part in (words.clean(session.name), words.clean(session.notes)) if part)
    spans: list[Span] = [
        (f"{look.glyphs.play if opened else ' '} ", "accent"),
        (f"{words.local_date(session.created_utc):<12}{count:>9} {words.size(session.bytes):>8}   ", "dim"),
        (words.fit(text, max(width - 36, 8), look.glyphs.ellipsis), "title" if opened else "text"),
    ]
    return Row(spans, session.id)


def lost_row(session: UnreadableSession) -> Row:
    """The folder of a session that can't be read; the head says why."""
    spans: list[Span] = [(f"  {_UNREADABLE:<33}", "warn"), (words.clean(session.id), "text")]
    return Row(spans, _lost_key(session))


def _lost_key(session: UnreadableSession) -> str:
    return f"unreadable/{session.id}"


def head(session: SessionSummary | UnreadableSession | None, width: int, height: int) -> list[Line]:
    """Where the selected session lies, and what was written about it; of one that can't be read, why."""
    if session is None:
        return []
    if isinstance(session, UnreadableSession):
        return [[(line, "warn")] for line in words.wrap(words.clean(session.message), width, height)]
    text = " ".join(part for part in (words.clean(session.notes), f"In {words.clean(session.path)}.") if part)
    return [[(line, "dim")] for line in words.wrap(text, width, height)]


def has_words(session: SessionSummary | UnreadableSession, wanted: str) -> bool:
    """Whether a session's name, day or notes have all of these words; of one that can't be read, its folder's name."""
    if isinstance(session, UnreadableSession):
        text = session.id.casefold()
    else:
        text = f"{session.name} {words.local_date(session.created_utc)} {session.notes}".casefold()
    return all(word in text for word in wanted.casefold().split())
