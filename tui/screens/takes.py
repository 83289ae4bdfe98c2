"""Takes: what was recorded, what it looks like, and what is worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.protocol import (
    EditMarker,
    EditTake,
    FalseTake,
    GetOverview,
    ListTrash,
    Marker,
    Overview,
    Play,
    Restore,
    Take,
    TrashEntry,
    TrashTake,
)
from tui import words
from tui.actions import ScreenName
from tui.look import Look
from tui.picture import Picture
from tui.screens import takes_rows
from tui.screens.base import StudioScreen, bindings_of
from tui.screens.dialogs import Ask, Choice, Pick
from tui.screens.takes_rows import take_key
from tui.widgets.paper import Line
from tui.widgets.table import Table

STEPS: Final = 100
"""Into how many steps left and right cut a take."""
MUCH: Final = 10


class TakesScreen(StudioScreen):
    """A list, the selected take's markers, its waveform. The place to play from is kept while nothing plays."""

    SCREEN: ClassVar[ScreenName] = "takes"
    BINDINGS = bindings_of("takes")

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.list = Table(look, id="take-list")
        self.markers = Table(look, id="markers")
        self.head_paper = self.paper("take-head", lambda w, _: [takes_rows.head(self._take(), look, w)])
        self.wave_paper = self.paper("wave", self._wave)
        self._at_s = 0.0
        """Where the selected take is played from."""
        self._newest: str | None = None

    def body(self) -> Sequence[Widget]:
        """Takes and markers on top, the waveform below."""
        return [Horizontal(self.list, self.markers, id="take-lists"), self.head_paper, self.wave_paper]

    def show_body(self, picture: Picture) -> None:
        """Everything from the picture; a new take gets the cursor."""
        takes = list(reversed(picture.takes.takes))
        if takes and take_key(takes[0]) != self._newest:
            self._newest = self.list.cursor = take_key(takes[0])
            self._at_s = 0.0
        heard = self._heard()
        rows = [
            takes_rows.take_row(
                take,
                self._overview(take, ask=False),
                heard is not None and heard is take,
                self.look,
                self.list.size.width,
            )
            for take in takes
        ]
        name = words.clean(picture.session.session.name) if picture.session.session else ""
        title = words.fit(f"  Takes of {name}" if name else "  Takes", 40, self.look.glyphs.ellipsis).rstrip()
        self.list.show(rows, head=[(title, "title")], empty=_no_takes(picture))
        take = self._take()
        self.markers.show(
            takes_rows.marker_rows(take), head=[("Markers", "title")], empty=[[("m sets one while playing.", "dim")]]
        )
        self.head_paper.repaint()
        self.wave_paper.repaint()

    def show_meters(self) -> None:
        """The banner's time, and how far the take has been heard."""
        super().show_meters()
        if self.picture.playing:
            self.wave_paper.repaint()

    def _wave(self, width: int, height: int) -> list[Line]:
        take = self._take()
        overview = self._overview(take)
        if take is None or overview is None:
            return takes_rows.no_wave(self.picture, self._problem(take), take)
        heard_s = self.picture.position_s if self._heard() is take else None
        at_s = self._at_s if heard_s is None else heard_s
        return takes_rows.wave(take, overview, at_s, heard_s, self.look, width, height)

    def _overview_request(self, take: Take) -> GetOverview:
        return GetOverview(take=take.number, false_number=take.false_number)

    def _overview(self, take: Take | None, *, ask: bool = True) -> Overview | None:
        if take is None or take.status == "recording":
            return None
        return self.studio.overviews.look(self.picture, self._overview_request(take), take.frames, ask=ask)

    def _problem(self, take: Take | None) -> str:
        if take is None:
            return ""
        return self.studio.overviews.problem(self.picture, self._overview_request(take), take.frames)

    @on(Table.Moved)
    def _moved(self, event: Table.Moved) -> None:
        marker = self._marker()
        self._at_s = 0.0
        if event.table is self.markers and marker is not None and (take := self._take()) is not None:
            self._at_s = marker.at_samples / take.rate_hz
        self.show_body(self.picture)

    def _take(self) -> Take | None:
        return next((take for take in self.picture.takes.takes if take_key(take) == self.list.cursor), None)

    def _finished(self) -> Take | None:
        """The selected take, or a word that it is not finished."""
        take = self._take()
        if take is None or take.status == "recording":
            self.studio.say("warning", "Select a finished take first." if take is None else "This take still runs.")
            return None
        return take

    def _heard(self) -> Take | None:
        """The take that plays."""
        transport = self.picture.transport
        if not self.picture.playing or transport.take is None:
            return None
        place = transport.take, transport.false_number
        return next((take for take in self.picture.takes.takes if (take.number, take.false_number) == place), None)

    def _marker(self) -> Marker | None:
        """The selected marker, where markers have the focus."""
        take = self._take()
        if take is None or self.focused is not self.markers:
            return None
        return next((marker for marker in take.markers if str(marker.at_samples) == self.markers.cursor), None)

    # Listening.

    def playable(self) -> Play | None:
        """The selected take, from the place under the waveform."""
        take = self._take()
        if take is None or take.status == "recording":
            return None
        return Play(take=take.number, false_number=take.false_number, at_s=self._at_s)

    def do_choose(self) -> None:
        """Play from here, also while something plays."""
        if self._finished() is not None and (request := self.playable()) is not None:
            self.studio.send(request)

    def do_compare(self) -> None:
        """The selected take from where the other one is."""
        take = self._finished()
        if take is not None:
            self.studio.send(Play(take=take.number, false_number=take.false_number))

    def _step(self, steps: int) -> None:
        take = self._take()
        if take is None or not take.frames:
            return
        length_s = take.frames / take.rate_hz
        self._at_s = min(max(self._at_s + steps * length_s / STEPS, 0.0), length_s)
        self.wave_paper.repaint()

    def do_less(self) -> None:
        """Earlier."""
        self._step(-1)

    def do_more(self) -> None:
        """Later."""
        self._step(1)

    def do_less_much(self) -> None:
        """Much earlier."""
        self._step(-MUCH)

    def do_more_much(self) -> None:
        """Much later."""
        self._step(MUCH)

    # Keeping order.

    def _edit(self, take: Take, **changes: Any) -> EditTake:
        return EditTake(take=take.number, false_number=take.false_number, **changes)

    def do_star(self) -> None:
        """Mark the selected take as a good one."""
        if take := self._finished():
            self.studio.send(self._edit(take, starred=not take.starred))

    def do_false_take(self) -> None:
        """Set the selected take aside, or let it count again; while recording, the one that runs."""
        if self.picture.recording:
            self.studio.send(FalseTake())
        elif take := self._finished():
            self.studio.send(self._edit(take, false_take=not take.false_take))

    async def do_rename(self) -> None:
        """Name the selected take, or the selected marker."""
        take = self._finished()
        if take is None:
            return
        if marker := self._marker():
            name = await self.studio.ask(Ask(self.look, "Name of the marker", marker.name))
            if name is not None:
                await self.studio.call(self._marker_edit(take, marker, name))
            return
        name = await self.studio.ask(Ask(self.look, f"Name of take {take.number}", take.name))
        if name is not None:
            await self.studio.call(self._edit(take, name=name))

    async def do_notes(self) -> None:
        """Write about the selected take."""
        if take := self._finished():
            notes = await self.studio.ask(Ask(self.look, f"Notes on take {take.number}", take.notes))
            if notes is not None:
                await self.studio.call(self._edit(take, notes=notes))

    async def do_trash(self) -> None:
        """Move the selected take to the trash, or take the selected marker away."""
        take = self._finished()
        if take is None:
            return
        if marker := self._marker():
            await self.studio.call(self._marker_edit(take, marker, None))
            return
        await self.studio.call(TrashTake(take=take.number, false_number=take.false_number))
        self.studio.say("info", f"Take {take.number} is in the trash.", "R brings it back.")

    def _marker_edit(self, take: Take, marker: Marker, name: str | None) -> EditMarker:
        return EditMarker(take=take.number, false_number=take.false_number, at_samples=marker.at_samples, name=name)

    async def do_restore(self) -> None:
        """Bring something back out of the trash."""
        entries = await self.studio.link.call(ListTrash(), list[TrashEntry])
        if not entries:
            self.studio.say("info", "The trash is empty.")
            return
        choices = [
            Choice(entry.id, entry.title, f"{words.size(entry.bytes)}, {entry.trashed_utc[:10]}") for entry in entries
        ]
        answer = await self.studio.ask(Pick(self.look, "Bring back out of the trash", choices))
        if answer is not None:
            await self.studio.call(Restore(entry=answer))


def _no_takes(picture: Picture) -> list[Line]:
    if picture.session.session is None:
        return [[("  No session is open: N makes one, O opens one.", "dim")]]
    return [[("  None yet: r records one. R looks into the trash.", "dim")]]
