"""The keys of comping on the Takes screen: a stretch is chosen, takes are put into it, a take is made of it all."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final

from core.protocol.requests import Play, SetComp, StartJob, StepComp
from core.protocol.topics import Bounce, Comp, CompTopic, Marker, Take
from tui import commands, composing, splice
from tui.composing import COMP, Composing, take_key
from tui.look import Look
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask
from tui.widgets.table import Table

SLIP_S: Final = 0.005
"""How far an arrow slips a part of the comp."""
MOST_FADE_MS: Final = 100.0
LEAD_S: Final = 2.0
"""How much of what comes before a seam is heard with it."""


class CompingScreen(StudioScreen):
    """Which take, marker or part is selected, what plays, and the comp that keys change."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.list = Table(look, id="take-list")
        self.markers = Table(look, id="markers")
        self._at_s = 0.0
        """Where the selected take is played from."""
        self._composing = Composing()
        self._laying = asyncio.Lock()
        """Held while the comp is changed: the next change begins from what this one left."""

    def _take(self) -> Take | None:
        return composing.shown(self.picture, self.list.cursor)

    def _finished(self) -> Take | None:
        """The selected take, or a word that it is not finished."""
        take = self._take()
        if take is None or take.status == "recording" or take.number == 0:
            why = "Select a finished take first." if take is None else "This take still runs."
            self.studio.say("warning", "The comp is no take yet: T makes one." if self.list.cursor == COMP else why)
            return None
        return take

    def _heard(self) -> str | None:
        """The key of what plays, if it is a take or the comp."""
        transport = self.picture.transport
        if not self.picture.playing or transport.bounce is not None:
            return None
        if transport.comp:
            return COMP
        place = transport.take, transport.false_number
        takes = self.picture.takes.takes
        return next((take_key(take) for take in takes if (take.number, take.false_number) == place), None)

    def _marker(self) -> Marker | None:
        """The selected marker, where markers have the focus; of the comp, where a part begins."""
        take = self._take()
        if take is None or self.focused is not self.markers:
            return None
        return next((marker for marker in take.markers if str(marker.at_samples) == self.markers.cursor), None)

    def _motifs(self) -> list[Bounce]:
        """What was proposed for the selected take."""
        take = self._take()
        if take is None or take.false_number or take.number == 0:
            return []
        return [one for one in self.picture.bounces.bounces if one.kind == "motif" and one.take == take.number]

    def _motif(self) -> Bounce | None:
        """The selected motif, where markers have the focus."""
        if self.focused is not self.markers:
            return None
        return next((motif for motif in self._motifs() if motif.id == self.markers.cursor), None)

    # Putting a comp together.

    def _here(self) -> tuple[str, int] | None:
        """What plays and where it is, else what is selected and the place under its waveform."""
        key, at_s = self._heard(), self.picture.position_s
        if key is None:
            key, at_s = self.list.cursor, self._at_s
        take = composing.shown(self.picture, key)
        if take is None or key is None or take.status == "recording":
            self._finished()
            return None
        return key, min(max(round(at_s * take.rate_hz), 0), take.frames)

    def do_part_start(self) -> None:
        """A stretch begins here."""
        if here := self._here():
            self._composing.begin(self.picture, *here)
            self.show_body(self.picture)

    def do_part_end(self) -> None:
        """The stretch ends here."""
        if here := self._here():
            self._composing.end(self.picture, *here)
            self.show_body(self.picture)

    async def do_put_part(self) -> None:
        """The selected take plays in the stretch, or from the selected marker to the next."""
        take = self._finished()
        if take is None:
            return
        async with self._laying:
            request = self._composing.put(self.picture, take, self._section(take))
            await self._lay(request, self._composing.stretch.start if self._composing.stretch else 0)

    def _section(self, take: Take) -> tuple[int, int] | None:
        """From the selected marker to the next one."""
        marker = self._marker()
        if marker is None:
            return None
        later = (one.at_samples for one in take.markers if one.at_samples > marker.at_samples)
        return marker.at_samples, next(later, take.frames)

    async def _lay(self, request: SetComp, seam: int) -> None:
        """Change the comp; while something plays, let the seam be heard."""
        was_playing = self.picture.playing
        self._laid(await self.studio.link.call(request, Comp))
        if was_playing and request.parts:
            await self.studio.call(Play(comp=True, at_s=before_seam(seam, self.picture.takes.takes[0])))

    def _laid(self, comp: Comp) -> None:
        """Know what the comp is now, before the next key is done; what is missing in it comes with the topic."""
        if comp != self.picture.comp.comp:
            self.studio.hear(CompTopic(comp=comp, notes=self.picture.comp.notes))

    def _part(self) -> tuple[splice.Tape, int] | None:
        """The comp and which part of it is selected."""
        tape, marker = composing.tape_of(self.picture), self._marker()
        if tape is None or self.list.cursor != COMP or marker is None:
            return None
        return tape, tape.index(marker.at_samples)

    async def _slip(self, by_s: float) -> None:
        """Pull the selected part's audio by so much."""
        async with self._laying:
            if (part := self._part()) is not None:
                tape, n = part
                parts = splice.slipped(tape, n, round(by_s * tape.takes[n].rate_hz))
                await self._lay(SetComp(parts=parts, fade_ms=self.picture.comp.comp.fade_ms), tape.starts[n])

    async def do_seam_fade(self) -> None:
        """Type how long one part goes over into the next."""
        now = self.picture.comp.comp.fade_ms
        hint = f"Milliseconds, {MOST_FADE_MS:g} at most; 0 cuts hard. Esc leaves."
        fade_ms = await self._number("How long a seam takes", f"{now:g}", hint, 0.0, MOST_FADE_MS)
        if fade_ms is not None:
            async with self._laying:
                await self._lay(SetComp(parts=self.picture.comp.comp.parts, fade_ms=fade_ms), self._seam())

    async def do_offset(self) -> None:
        """Type how much later in its own take the selected part begins than in the comp."""
        if (part := self._part()) is None:
            self.studio.say("warning", "Select a part of the comp first.", "Tab goes to the parts.")
            return
        tape, n = part
        rate_hz, selected = tape.takes[n].rate_hz, tape.parts[n]
        now_ms = (selected.start_samples - tape.starts[n]) / rate_hz * 1000.0
        hint = f"Milliseconds that take {selected.take} is later than the comp here, as 230 or -40. Esc leaves."
        wanted_ms = await self._number(f"Offset of take {selected.take}", f"{now_ms:.0f}", hint)
        if wanted_ms is not None:
            await self._slip((wanted_ms - now_ms) / 1000.0)

    async def _number(
        self, title: str, now: str, hint: str, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """A number that was typed; None when it was left or is none, which is said."""
        typed = await self.studio.ask(Ask(self.look, title, now, hint))
        if typed is None:
            return None
        try:
            number = float(typed.casefold().removesuffix("ms").strip().replace(",", "."))
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and low <= number <= high):
            self.studio.say("warning", f"'{typed}' does not do.", hint)
            return None
        return number

    def _seam(self) -> int:
        """Where the selected part begins, or the second one: the seam to listen to."""
        if (part := self._part()) is not None:
            return part[0].starts[part[1]]
        tape = composing.tape_of(self.picture)
        return 0 if tape is None else tape.starts[min(1, len(tape.starts) - 1)]

    async def do_make_take(self) -> None:
        """Let a worker make a take of the comp."""
        if problem := self.picture.comp.problem:
            self.studio.say("warning", problem.message, problem.hint)
            return
        name = await self.studio.ask(Ask(self.look, "Name of the new take", hint="May be empty. Esc leaves."))
        if name is not None:
            await self.studio.call(StartJob(kind="comp", options={"name": name}))
            self.studio.say("info", "The comp is being made.", "It comes into the list as a take of its own.")

    def do_edit_comp(self) -> None:
        """Take a comp up again as it was put together."""
        take = self._take()
        if take is None or take.comp is None:
            self.studio.say("warning", "Select a take that is a comp first.")
            return
        self.studio.send(SetComp(parts=take.comp.parts, fade_ms=take.comp.fade_ms))
        self.studio.say("info", f"The parts of take {take.number} are laid out again.", "T makes another take of them.")

    async def do_undo(self) -> None:
        """Take the last change of the comp back."""
        await self._walk(StepComp(), "Nothing to undo in the comp.")

    async def do_redo(self) -> None:
        """Put back what was undone."""
        await self._walk(StepComp(redo=True), "Nothing to redo in the comp.")

    async def _walk(self, request: StepComp, otherwise: str) -> None:
        answer: Any = Comp | None
        async with self._laying:
            comp = await self.studio.link.call(request, answer)
            if comp is None:
                self.studio.say("info", otherwise)
            else:
                self._laid(comp)

    def do_leave_place(self) -> None:
        """Let go of the stretch, then as everywhere."""
        said = self.picture.said is not None or self.picture.notice is not None
        if self._composing.stretch is None or said:
            commands.do_leave_place(self.studio)
            return
        self._composing.stretch = None
        self.show_body(self.picture)


def before_seam(seam: int, take: Take) -> float:
    """Where to listen from to hear a seam, in seconds."""
    return max(seam / take.rate_hz - LEAD_S, 0.0)
