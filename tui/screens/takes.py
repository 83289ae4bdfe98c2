"""Takes: what was recorded, what it looks like, and what is worth keeping."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, Final

import msgspec
from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.errors import OtoError
from core.protocol.requests import EditMarker, EditTake, FalseTake, GetOverview, Play, SetComp, StartJob, TrashTake
from core.protocol.topics import Marker, Overview, Take
from tui import composing, splice, words
from tui.actions import ScreenName
from tui.composing import COMP, take_key
from tui.look import Look
from tui.picture import Picture
from tui.screens import takes_rows
from tui.screens.comping import SLIP_S, CompingScreen, before_seam
from tui.screens.dialogs import Ask, Choice, Pick
from tui.screens.trash import bring_back
from tui.widgets.paper import Line
from tui.widgets.table import Table

STEPS: Final = 100
"""Into how many steps left and right cut a take."""
MUCH: Final = 10
MOTIFS: Final = {
    "melody": "over the chords that are played",
    "bass": "where kick and bass play",
    "chords": "others, that share tones with those played",
    "rhythm": "hand percussion where there is room",
}


class TakesScreen(CompingScreen):
    """A list, the selected take's markers, its waveform. The place to play from is kept while nothing plays."""

    SCREEN: ClassVar[ScreenName] = "takes"

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.head_paper = self.paper(
            "take-head", lambda w, _: [takes_rows.head(self._take(), self._stretch_s(), look, w)]
        )
        self.wave_paper = self.paper("wave", self._wave)
        self._session: str | None = None
        """Whose takes these are; what was chosen in another's means nothing here."""
        self._newest: str | None = None
        self._newest_motif = ("", "")
        """The selected take, and its newest motif; "" where it has none."""
        self._compared: tuple[str, str] | None = None
        """The two that are heard against each other."""
        self._wanted = ""
        """Words that a take has to have to be listed."""
        self._gone: list[EditMarker] = []
        """What sets the markers again that were taken away here, the last one last."""

    def body(self) -> Sequence[Widget]:
        """Takes and markers on top, the waveform below."""
        return [Horizontal(self.list, self.markers, id="take-lists"), self.head_paper, self.wave_paper]

    def show_body(self, picture: Picture) -> None:
        """Everything from the picture; a new take gets the cursor."""
        session = picture.session.session.id if picture.session.session else None
        if session != self._session:
            self._session, self._wanted, self._compared, self._composing.stretch = session, "", None, None
            self._gone.clear()
        takes = list(reversed(picture.takes.takes))
        if takes and take_key(takes[0]) != self._newest:
            self._newest = self.list.cursor = take_key(takes[0])
            self._at_s = 0.0
        heard, width = self._heard(), self.list.size.width
        rows = [
            takes_rows.take_row(take, self._overview(take, ask=False), heard == take_key(take), self.look, width)
            for take in takes
            if _has_words(take, self._wanted)
        ]
        tape = composing.tape_of(picture)
        if picture.comp.comp.parts:
            rows = [takes_rows.comp_row(picture, tape, heard == COMP, self.look, width), *rows]
        name = words.clean(picture.session.session.name) if picture.session.session else ""
        what = f"Takes with '{self._wanted}'" if self._wanted else "Takes"
        title = words.fit(f"  {what} of {name}" if name else f"  {what}", 40, self.look.glyphs.ellipsis).rstrip()
        self.list.show(rows, head=[(title, "title")], empty=_no_takes(picture))
        take = self._take()
        for under in composing.with_those_under(take, picture.takes.takes)[1:] if take is not None else ():
            self._overview(under)  # what is heard under an overdub counts when it is compared
        if self.list.cursor == COMP:
            self.markers.show(takes_rows.part_rows(tape), head=takes_rows.part_head(picture.comp.comp.fade_ms))
        else:
            empty: list[Line] = [[("m sets one while playing.", "dim")]]
            playing = picture.transport.bounce if picture.playing else None
            motifs = self._motifs()
            newest = (take_key(take) if take else "", motifs[0].id if motifs else "")
            if motifs and newest[0] == self._newest_motif[0] and newest != self._newest_motif:
                self.markers.cursor = motifs[0].id
            self._newest_motif = newest
            below = [*takes_rows.marker_rows(take), *takes_rows.motif_rows(motifs, playing, self.look)]
            self.markers.show(below, head=[("Markers", "title")], empty=empty)
        self.head_paper.repaint()
        self.wave_paper.repaint()

    def on_descendant_focus(self) -> None:
        """Below stands the take, or the motif that has the focus."""
        self.wave_paper.repaint()

    def show_meters(self) -> None:
        """The banner's time, and how far the take has been heard."""
        super().show_meters()
        if self.picture.playing:
            self.wave_paper.repaint()

    def _wave(self, width: int, height: int) -> list[Line]:
        if motif := self._motif():
            return takes_rows.motif_lines(motif, self.look.glyphs, width, height)
        take = self._take()
        overview = self._overview(take)
        if take is None or overview is None:
            return takes_rows.no_wave(self.picture, self._problem(take), take)
        heard_s = self.picture.position_s if self._heard() == take_key(take) else None
        at_s = self._at_s if heard_s is None else heard_s
        return takes_rows.wave(take, overview, at_s, heard_s, self._stretch_s(), self.look, width, height)

    def _stretch_s(self) -> tuple[float, float] | None:
        """The chosen stretch as it lies in the selected take."""
        take = self._take()
        if take is None or self._composing.stretch is None:
            return None
        start, end = self._composing.within(self.picture, take_key(take))
        return start / take.rate_hz, end / take.rate_hz

    def _overview_request(self, take: Take) -> GetOverview:
        return GetOverview(take=take.number, false_number=take.false_number)

    def _overview(self, take: Take | None, *, ask: bool = True) -> Overview | None:
        if take is None or take.status == "recording":
            return None
        if take.number == 0:
            tape = composing.tape_of(self.picture)
            return None if tape is None else self._composing.look(tape, lambda one: self._overview(one, ask=ask))
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

    # Listening.

    def playable(self) -> Play | None:
        """The selected take, or the comp, from the place under the waveform; or the selected motif."""
        if motif := self._motif():
            return Play(bounce=motif.id)
        take = self._take()
        if take is None or take.status == "recording":
            return None
        return _play(take, self._at_s)

    def do_choose(self) -> None:
        """Play from here, also while something plays; a part of the comp from a little before its seam."""
        if (request := self.playable()) is None:
            self._finished()
        elif (part := self._part()) is not None:
            tape, n = part
            self.studio.send(Play(comp=True, at_s=before_seam(tape.starts[n], tape.takes[n])))
        else:
            self.studio.send(request)

    def do_compare(self) -> None:
        """The selected take, or the one heard before, from the same place in the song and equally loud."""
        take, heard = self._take(), self._heard()
        if take is None or take.status == "recording":
            self._finished()
            return
        key = take_key(take)
        if heard is None:
            self.studio.send(_play(take, self._at_s))
            return
        if key == heard:
            key = next((one for one in self._compared or () if one != heard), heard)
        other, now = composing.shown(self.picture, key), composing.shown(self.picture, heard)
        if other is None or now is None or key == heard:
            self.studio.say("warning", "Comparing needs another take: select it.")
            return
        self._compared = (heard, key)
        at = composing.place(self.picture, heard, round(self.picture.position_s * now.rate_hz), key)
        gain_db = composing.matched_gain_db(self._level(other), self._level(now))
        self.studio.send(_play(other, min(max(at, 0), other.frames) / other.rate_hz, gain_db))
        self.list.select(key)

    def _level(self, take: Take) -> float | None:
        """How loud a take is as it is played, with those it was overdubbed on; None while one is not known."""
        played = composing.with_those_under(take, self.picture.takes.takes)
        overviews = [self._overview(one) for one in played]
        if take.number == 0 or None in overviews:
            return None
        tracks = [len(one.tracks) for one in played]
        return composing.together_lufs([(one.level_lufs, n) for one, n in zip(overviews, tracks, strict=True) if one])

    def _step(self, steps: int) -> Coroutine[Any, Any, None] | None:
        take = self._take()
        if take is None or not take.frames:
            self._finished()
            return None
        if self._part() is not None:
            return self._slip(steps * SLIP_S)
        length_s = take.frames / take.rate_hz
        self._at_s = min(max(self._at_s + steps * length_s / STEPS, 0.0), length_s)
        self.wave_paper.repaint()
        return None

    def do_less(self) -> Coroutine[Any, Any, None] | None:
        """Earlier."""
        return self._step(-1)

    def do_more(self) -> Coroutine[Any, Any, None] | None:
        """Later."""
        return self._step(1)

    def do_less_much(self) -> Coroutine[Any, Any, None] | None:
        """Much earlier."""
        return self._step(-MUCH)

    def do_more_much(self) -> Coroutine[Any, Any, None] | None:
        """Much later."""
        return self._step(MUCH)

    # A motif.

    async def do_motif(self) -> None:
        """Say what it shall be, and let OTO listen to the selected take."""
        take = self._finished()
        if take is None:
            return
        if take.false_number:
            self.studio.say("warning", "A motif goes with a take that counts.", "f lets this one count again.")
            return
        choices = [Choice(name, name, detail) for name, detail in MOTIFS.items()]
        part = await self.studio.ask(Pick(self.look, f"A motif that goes with take {take.number}", choices))
        if part is not None:
            self.studio.send(StartJob(kind="motif", take=take.number, options={"part": part}))

    # Keeping order.

    async def do_find(self) -> None:
        """List the takes with some words only."""
        wanted = await self.studio.ask(Ask(self.look, "Takes with", self._wanted, "Empty lists all. Esc leaves."))
        if wanted is not None:
            self._wanted = wanted
            self.show_body(self.picture)

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
        if self._motif():
            self.studio.say("info", "A motif is called after its take and its number.")
            return
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
        """Move the selected take to the trash, or take the selected marker, part or the whole comp away."""
        if self.list.cursor == COMP:
            async with self._laying:
                part = self._part()
                parts = () if part is None else splice.without(*part)
                await self._lay(SetComp(parts=parts, fade_ms=self.picture.comp.comp.fade_ms), 0)
            self.studio.say("info", "The comp is taken away." if part is None else "The part is gone.", "u undoes it.")
            return
        if self._motif():
            self.studio.say("info", "Motifs stay with their session, as mixes do.")
            return
        take = self._finished()
        if take is None:
            return
        if marker := self._marker():
            await self.studio.call(self._marker_edit(take, marker, None))
            self._gone.append(msgspec.structs.replace(self._marker_edit(take, marker, marker.name), again=True))
            self.studio.say("info", "The marker is gone.", "u sets it again.")
            return
        await self.studio.call(TrashTake(take=take.number, false_number=take.false_number))
        self.studio.say("info", f"Take {take.number} is in the trash.", "R brings it back.")

    async def do_undo(self) -> None:
        """Set the marker again that was taken away last; when none was, take the last change of the comp back."""
        if not self._gone:
            await super().do_undo()
            return
        request = self._gone.pop()
        try:
            await self.studio.call(request)
        except OtoError as error:
            if error.code in ("disconnected", "timeout"):
                self._gone.append(request)  # the engine comes back, and so may the marker
            raise
        self.studio.say("info", "The marker is back.")

    def _marker_edit(self, take: Take, marker: Marker, name: str | None) -> EditMarker:
        return EditMarker(take=take.number, false_number=take.false_number, at_samples=marker.at_samples, name=name)

    async def do_restore(self) -> None:
        """Bring something back out of the trash."""
        await bring_back(self.studio)


def _play(take: Take, at_s: float, gain_db: float = 0.0) -> Play:
    if take.number == 0:
        return Play(comp=True, at_s=at_s, gain_db=gain_db)
    return Play(take=take.number, false_number=take.false_number, at_s=at_s, gain_db=gain_db)


def _has_words(take: Take, wanted: str) -> bool:
    """Whether a take's number, names or notes have all of these words."""
    text = " ".join((str(take.number), take.name, take.notes, *(marker.name for marker in take.markers))).casefold()
    return all(word in text for word in wanted.casefold().split())


def _no_takes(picture: Picture) -> list[Line]:
    if picture.session.session is None:
        return [[("  No session is open: N makes one, O opens one.", "dim")]]
    return [[("  None yet: r records one. R looks into the trash.", "dim")]]
