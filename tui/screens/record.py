"""Record: what comes in, what the tape does, and the takes there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.containers import Horizontal
from textual.widget import Widget

from core.plans.roles import ROLES
from core.protocol.requests import EditTake, EditTrack, Play, Record, TrashTake
from core.protocol.topics import Take, Track
from tui import words
from tui.actions import ScreenName
from tui.composing import take_key
from tui.look import Look
from tui.picture import Picture
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask, Choice, Pick
from tui.screens.takes_rows import gaps_of, take_state
from tui.widgets import banner
from tui.widgets.bridge import Bridge, track_at
from tui.widgets.paper import Span
from tui.widgets.table import Row, Table


class RecordScreen(StudioScreen):
    """Meters, takes, and the big state."""

    SCREEN: ClassVar[ScreenName] = "record"
    BANNER_ROWS = banner.ROWS

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.bridge = Bridge(look, id="bridge")
        self.takes = Table(look, id="takes")
        self._newest: str | None = None

    def body(self) -> Sequence[Widget]:
        """Meters on the left, takes on the right."""
        return [Horizontal(self.bridge, self.takes, id="record-body")]

    def show_body(self, picture: Picture) -> None:
        """Meters and takes; a new take gets the cursor."""
        self.bridge.show(picture)
        rows = take_rows(picture, self.look)
        keys = [row.key for row in rows if row.key]
        self.takes.show(rows, head=[("Takes", "title")], empty=_no_takes(picture))
        if keys and keys[0] != self._newest:
            self._newest = keys[0]
            self.takes.select(keys[0])

    def show_meters(self) -> None:
        """The banner's time and the bridge."""
        super().show_meters()
        self.bridge.show(self.picture)

    def playable(self) -> Play | None:
        """The selected take."""
        take = self._take()
        return Play(take=take.number, false_number=take.false_number) if take else None

    def _take(self) -> Take | None:
        return next((take for take in self.picture.takes.takes if take_key(take) == self.takes.cursor), None)

    def _listed(self) -> Take | None:
        """The selected take, or a word that there is none."""
        if (take := self._take()) is None:
            self.studio.say("warning", "There is no take in the list yet: r records one.")
        return take

    def _track(self) -> Track | None:
        track = track_at(self.picture, self.bridge.cursor)
        if track is None:
            self.studio.say("warning", f"Input {self.bridge.cursor} has no track in this session.")
        return track

    def do_choose(self) -> None:
        """Play the selected take, or arm the selected track."""
        self.studio.perform("play" if self.focused is self.takes else "arm", self)

    def do_arm(self) -> None:
        """Arm or disarm the selected track."""
        if track := self._track():
            self.studio.send(EditTrack(track=track.id, armed=not track.armed))

    async def do_rename(self) -> None:
        """Name the selected take where takes have the focus, else the selected track."""
        if self.focused is self.takes and (take := self._take()):
            name = await self.studio.ask(Ask(self.look, f"Name of take {take.number}", take.name))
            if name is not None:
                await self.studio.call(EditTake(take=take.number, false_number=take.false_number, name=name))
        elif track := self._track():
            name = await self.studio.ask(Ask(self.look, f"Name of input {track.input}", track.name))
            if name:
                await self.studio.call(EditTrack(track=track.id, name=name))

    async def do_role(self) -> None:
        """Say what the selected track is."""
        if track := self._track():
            choices = [Choice("", "let OTO listen"), *(Choice(role, role.replace("_", " ")) for role in ROLES)]
            role = await self.studio.ask(
                Pick(self.look, f"What is {words.clean(track.name)}?", choices, start=track.role)
            )
            if role is not None:
                await self.studio.call(EditTrack(track=track.id, role=role))

    def do_overdub(self) -> None:
        """Record while the selected take plays; on an overdub that was called false, over the same take once more."""
        take = self._take()
        if take is not None and take.false_take and take.overdub_of is not None:
            self.studio.send(Record(overdub_of=take.overdub_of))
        elif take is None or take.status == "recording" or take.false_take:
            self.studio.say("warning", "Overdubbing needs a finished take that counts: select one in the list.")
        else:
            self.studio.send(Record(overdub_of=take.number))

    def do_star(self) -> None:
        """Mark the selected take as a good one."""
        if take := self._listed():
            request = EditTake(take=take.number, false_number=take.false_number, starred=not take.starred)
            self.studio.send(request)

    async def do_trash(self) -> None:
        """Move the selected take to the trash."""
        if take := self._listed():
            await self.studio.call(TrashTake(take=take.number, false_number=take.false_number))
            self.studio.say("info", f"Take {take.number} is in the trash.", "R on Takes brings it back.")


def take_rows(picture: Picture, look: Look) -> list[Row]:
    """Takes, newest first, each with its markers under it."""
    rows: list[Row] = []
    for take in reversed(picture.takes.takes):
        running = take.status == "recording"
        length = "" if running else words.short_clock(take.frames / take.rate_hz)
        lost = bool(take.gaps)
        note, role = take_state(take)
        role = "bad" if lost else role
        star = look.glyphs.star if take.starred else " "
        name = " ".join(part for part in (note, words.clean(take.name)) if part)
        text = f"{take.number:3d}{star} {length:>5} {' '.join(part for part in (name, gaps_of(take)) if part)}"
        rows.append(Row([(text, role)], take_key(take)))
        for marker in take.markers:
            at = words.short_clock(marker.at_samples / take.rate_hz)
            spans: list[Span] = [(f"     {at:>5} ", "accent"), (words.clean(marker.name) or "mark", "dim")]
            rows.append(Row(spans))
    return rows


def _no_takes(picture: Picture) -> list[list[Span]]:
    if picture.session.session is None:
        return [[("No session is open.", "dim")], [("N makes one.", "dim")], [("O opens one.", "dim")]]
    return [[("None yet.", "dim")], [("r records.", "dim")]]
