"""Master: how loud, how limited, how coloured, and whether it may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec
from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.protocol.requests import GetOverview, Play, SetAlbum, StepAlbum
from core.protocol.topics import Album, Bounce, Overview
from tui import words
from tui.actions import ScreenName
from tui.listening import bounce_of
from tui.look import Look
from tui.picture import Picture
from tui.screens import album, master_rows
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask
from tui.screens.mastering import master, master_album
from tui.screens.mix_rows import ab, bounce_rows, work_line
from tui.widgets.paper import Line
from tui.widgets.table import Table


class MasterScreen(StudioScreen):
    """Bounces, and what the selected one is like."""

    SCREEN: ClassVar[ScreenName] = "master"

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
        self.album = Table(look, id="album")
        self._laying = asyncio.Lock()
        """Held while the album is changed: the next change begins from what this one left."""
        self._newest: str | None = None

    def body(self) -> Sequence[Widget]:
        """From the list to the whole song to the details."""
        head, loudness, spectrum, delivery, work = self.papers
        details = Horizontal(spectrum, delivery, id="master-detail")
        return [self.bounces, self.album, head, loudness, details, work]

    def show_body(self, picture: Picture) -> None:
        """Everything from the picture; a new bounce gets the cursor."""
        every = picture.songs
        if every and every[0].id != self._newest:
            self._newest = self.bounces.cursor = every[0].id
        rows = bounce_rows(picture, self.look, ab(self.studio.listening.heard))
        head: Line = [("   Masters and mixes, heard equally loud", "title")]
        self.bounces.show(rows, head=head, empty=[[("   None yet.", "dim")]])
        songs = album.rows(picture, self.look, self.album.size.width)
        self.album.show(songs, head=album.head(picture), empty=album.EMPTY)
        for paper in self.papers:
            paper.repaint()

    @on(Table.Moved)
    def _moved(self) -> None:
        for paper in self.papers:
            paper.repaint()

    def _bounce(self) -> Bounce | None:
        """The bounce, or song of the album, that keys act on."""
        if self.focused is self.album and self.album.cursor is not None:
            return bounce_of(self.picture, self.picture.bounces.album[int(self.album.cursor)].bounce)
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
        return [work_line(self.picture, self.look, width, ("mix", "master", "album"))]

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
        if self.shows_album:
            await master_album(self)
        elif mix := self._mix():
            await master(self, mix)

    @property
    def shows_album(self) -> bool:
        """Whether the album stands where the song's curves are."""
        return self.has_class("-album")

    def do_album(self) -> None:
        """The album's songs, or the selected song."""
        self.set_class(not self.shows_album, "-album")
        (self.album if self.shows_album and self.picture.bounces.album else self.bounces).focus()
        self.call_after_refresh(self.show)

    async def do_put_part(self) -> None:
        """The selected mix is the album's next song."""
        if mix := self._mix():
            await self._lay(lambda songs: album.with_song(songs, mix.id))
            if not self.shows_album:
                self.studio.say("info", f"{words.clean(mix.id)} is on the album.", "D shows it, u takes it back.")

    async def do_trash(self) -> None:
        """Take the selected song off the album; its mix stays."""
        await self._change(album.without)

    async def do_song_before(self) -> None:
        """One earlier."""
        await self._change(lambda songs, n: album.moved(songs, n, n - 1), follow=-1)

    async def do_song_after(self) -> None:
        """One later."""
        await self._change(lambda songs, n: album.moved(songs, n, n + 1), follow=1)

    async def do_less(self) -> None:
        """A shorter gap."""
        await self._turn(-1)

    async def do_more(self) -> None:
        """A longer gap."""
        await self._turn(1)

    async def do_less_much(self) -> None:
        """A much shorter gap."""
        await self._turn(-10)

    async def do_more_much(self) -> None:
        """A much longer gap."""
        await self._turn(10)

    async def _turn(self, steps: int) -> None:
        await self._change(lambda songs, n: album.with_gap(songs, n, steps * album.GAP_STEP_S))

    async def _change(self, change: Callable[[album.Songs, int], album.Songs], follow: int = 0) -> None:
        """Do something to the selected song; the cursor goes along with it."""
        if not self.shows_album or self.album.cursor is None:
            self.studio.say("warning", "Select a song of the album first.", "D shows the album.")
            return
        await self._lay(lambda songs: change(songs, int(self.album.cursor or 0)))
        self.album.select(str(int(self.album.cursor or 0) + follow))

    async def _lay(self, change: Callable[[album.Songs], album.Songs]) -> None:
        """Change the album, one key after the other, and know it before the next."""
        async with self._laying:
            songs = change(self.picture.bounces.album)
            await self.studio.call(SetAlbum(songs=songs))
            self._laid(songs)

    def _laid(self, songs: album.Songs) -> None:
        """Know what the album is now, before the engine's topic comes."""
        self.studio.hear(msgspec.structs.replace(self.picture.bounces, album=songs))
        self.show()

    async def do_undo(self) -> None:
        """Take the last change of the album back."""
        await self._walk(StepAlbum(), "Nothing to undo in the album.")

    async def do_redo(self) -> None:
        """Put back what was undone."""
        await self._walk(StepAlbum(redo=True), "Nothing to redo in the album.")

    async def _walk(self, request: StepAlbum, otherwise: str) -> None:
        answer: Any = Album | None
        async with self._laying:
            stepped = await self.studio.link.call(request, answer)
            if stepped is None:
                self.studio.say("info", otherwise)
                return
            self._laid(stepped.songs)
        if not self.shows_album:
            self.studio.say("info", "The album is changed.", "D shows it.")

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
        else:
            self.studio.say("warning", "Nothing has been rendered yet.", "b on Mix renders.")

    def do_compare(self) -> None:
        """Hear the other bounce from the same place on."""
        self.compare(self.bounces)

    def playable(self) -> Play | None:
        """The selected bounce, as loud as all the others."""
        bounce = self._bounce()
        return self.studio.listening.play(self.picture, bounce) if bounce is not None else None
