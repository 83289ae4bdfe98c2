"""Master: how loud, how limited, how coloured, and whether it may leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.protocol.requests import GetOverview, Play
from core.protocol.topics import Bounce, Overview
from tui.actions import ScreenName
from tui.listening import bounce_of
from tui.look import Look
from tui.picture import Picture
from tui.screens import master_rows
from tui.screens.base import StudioScreen, bindings_of
from tui.screens.dialogs import Ask
from tui.screens.mastering import master
from tui.screens.mix_rows import ab, bounce_rows, work_line
from tui.widgets.paper import Line
from tui.widgets.table import Table


class MasterScreen(StudioScreen):
    """Bounces, and what the selected one is like."""

    SCREEN: ClassVar[ScreenName] = "master"
    BINDINGS = bindings_of("master")

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.bounces = Table(look, id="master-bounces")
        self.papers = [
            self.paper("master-head", self._head),
            self.paper("loudness", self._loudness),
            self.paper("spectrum", self._spectrum),
            self.paper("delivery", self._delivery),
            self.paper("master-work", self._work),
        ]
        self._newest: str | None = None

    def body(self) -> Sequence[Widget]:
        """From the list to the whole song to the details."""
        head, loudness, spectrum, delivery, work = self.papers
        return [self.bounces, head, loudness, Horizontal(spectrum, delivery, id="master-detail"), work]

    def show_body(self, picture: Picture) -> None:
        """Everything from the picture; a new bounce gets the cursor."""
        every = picture.bounces.bounces
        if every and every[0].id != self._newest:
            self._newest = self.bounces.cursor = every[0].id
        rows = bounce_rows(picture, self.look, ab(self.studio.listening.heard))
        head: Line = [("   Masters and mixes, heard equally loud", "title")]
        self.bounces.show(rows, head=head, empty=[[("   None yet.", "dim")]])
        for paper in self.papers:
            paper.repaint()

    @on(Table.Moved)
    def _moved(self) -> None:
        for paper in self.papers:
            paper.repaint()

    def _bounce(self) -> Bounce | None:
        return bounce_of(self.picture, self.bounces.cursor)

    def _seen(self) -> tuple[Bounce, Overview] | None:
        bounce = self._bounce()
        if bounce is None:
            return None
        overview = self.studio.overviews.look(self.picture, GetOverview(bounce=bounce.id), bounce.frames)
        return None if overview is None else (bounce, overview)

    def _head(self, width: int, _: int) -> list[Line]:
        seen = self._seen()
        return [master_rows.head(self._bounce(), seen[1] if seen else None, self.look, width)]

    def _loudness(self, width: int, height: int) -> list[Line]:
        bounce, seen = self._bounce(), self._seen()
        if seen is not None:
            return master_rows.loudness(seen[1], seen[0].integrated_lufs, self.look, width, height)
        request = GetOverview(bounce=bounce.id) if bounce is not None else None
        problem = self.studio.overviews.problem(self.picture, request, bounce.frames) if request and bounce else ""
        return master_rows.nothing_yet(self.picture, bounce, problem)

    def _spectrum(self, _: int, height: int) -> list[Line]:
        seen = self._seen()
        return master_rows.spectrum(seen[1], self.look, height) if seen else []

    def _delivery(self, width: int, height: int) -> list[Line]:
        seen = self._seen()
        return master_rows.delivery(*seen, self.look, width, height) if seen else []

    def _work(self, width: int, _: int) -> list[Line]:
        return [work_line(self.picture, self.look, width, ("mix", "master"))]

    def _mix(self) -> Bounce | None:
        """The mix that is selected, or that the selected master was made from."""
        bounce = self._bounce()
        mix = bounce_of(self.picture, bounce.source_bounce) if bounce and bounce.kind == "master" else bounce
        if mix is None:
            self.studio.say(
                "warning", "The mix behind this master is gone.", "Select a mix, or render one with b on Mix."
            )
        return mix

    async def do_master(self) -> None:
        """Master the selected mix, or the mix of the selected master once more."""
        if mix := self._mix():
            await master(self, mix)

    async def do_reference(self) -> None:
        """The same towards a reference song."""
        mix = self._mix()
        if mix is None:
            return
        hint = "A path on this box: an audio file that sounds as it should."
        reference = await self.studio.ask(Ask(self.look, "Sound like which song?", hint=hint))
        if reference:
            await master(self, mix, reference)

    def do_choose(self) -> None:
        """Play the selected bounce."""
        if request := self.playable():
            self.studio.send(request)

    def do_compare(self) -> None:
        """Hear the other bounce from the same place on."""
        self.compare(self.bounces)

    def playable(self) -> Play | None:
        """The selected bounce, as loud as all the others."""
        bounce = self._bounce()
        return self.studio.listening.play(self.picture, bounce) if bounce is not None else None
