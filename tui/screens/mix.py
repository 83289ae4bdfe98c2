"""Mix: every decision with its reason; change it, render it, hear it beside the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, get_args

import msgspec
from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.plans.document import MixPlan, Strip
from core.protocol.requests import GetOverview, GetPlan, KeepPlan, Play, ReplacePlan, SetPriority, StartJob, Stop
from core.protocol.topics import Bounce, KeptPlan, Overview, Priority
from tui import kept, knobs, words
from tui.actions import ScreenName
from tui.listening import bounce_of, matched_gain_db
from tui.look import Look
from tui.picture import Picture
from tui.planbook import Knob
from tui.screens import desk_rows, keeping, mix_rows
from tui.screens.dialogs import Ask, Choice, Pick
from tui.screens.mastering import master
from tui.screens.planning import PlanScreen
from tui.widgets.columns import Columns
from tui.widgets.paper import Line
from tui.widgets.table import Table

STYLES: Final = {
    "natural": "as it was played",
    "punchy": "drums and bass in front, tight",
    "warm": "rounder on top, fuller below",
    "big": "wide, deep, with long rooms",
    "vintage": "narrower and coloured, as on tape",
}
"""Names of the mixing engineer's styles."""

HANDS: Final = {
    1.0: "the proposal whole",
    0.75: "most of it",
    0.5: "half way between untouched and proposed",
    0.25: "a hint of it",
    0.0: "faders at unity, nothing else",
}

PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)


class MixScreen(PlanScreen):
    """Strips, the selected strip's settings, bounces."""

    SCREEN: ClassVar[ScreenName] = "mix"

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.strips = Table(look, id="strips")
        self.console = Columns(look, id="console", width=desk_rows.COLUMN)
        self.curve_papers = [
            self.paper("tone", self._tone),
            self.paper("dynamics", self._dynamics),
            self.paper("sends", self._sends),
        ]
        self.settings = Table(look, id="settings")
        self.bounces = Table(look, id="bounces")
        self.reason_paper = self.paper("reason", self._reason)
        self.work_paper = self.paper("work", self._work)
        self._alone: frozenset[str] = frozenset()
        """Strips that are heard alone."""
        self._left_out: frozenset[str] = frozenset()
        self._chosen_take: int | None = None
        self._every_knob = False

    def body(self) -> Sequence[Widget]:
        """From the whole to the detail to the result."""
        return [
            self.strips,
            self.console,
            Horizontal(*self.curve_papers, id="curves"),
            self.settings,
            self.reason_paper,
            self.bounces,
            self.work_paper,
        ]

    @property
    def take(self) -> int | None:
        """The take that is mixed: the one that was chosen, else the newest."""
        numbers = [take.number for take in self.picture.finished_takes]
        if self._chosen_take in numbers:
            return self._chosen_take
        return max(numbers, default=None)

    @property
    def section(self) -> str:
        """Key of the selected strip, bus or master."""
        return self.strips.cursor or knobs.MASTER

    @property
    def side_by_side(self) -> bool:
        """Whether the strips stand as on a console."""
        return self.has_class("-console")

    def show_body(self, picture: Picture) -> None:
        """Tables from the plan; another take's plan is fetched."""
        session = picture.session.session
        subject = (session.id, self.take) if session is not None and self.take is not None else None
        if subject != self._subject:
            self._turn_to(subject)
            self._alone = self._left_out = frozenset()
        self._look_again()
        plan = self.book.shown
        if plan is None:
            self.strips.show([], head=mix_rows.STRIP_HEAD, empty=_no_plan(picture, self.take))
            self.console.stand([], empty=_no_plan(picture, self.take))
            self.settings.show([], head=[])
        else:
            rows = mix_rows.strip_rows(plan, self.look, self._alone, self._left_out)
            self.strips.show(rows, head=mix_rows.STRIP_HEAD)
            self._show_console(plan)
            self._show_settings(plan)
        head = kept.head(picture, self.take) + mix_rows.bounce_head(self.take, self._alone, self._left_out)
        letters = kept.letters(picture, self.take) or mix_rows.ab(self.studio.listening.heard)
        rows = mix_rows.bounce_rows(picture, self.look, letters)
        self.bounces.show(rows, head=[(head, "title")], empty=[[("None yet: b renders the mix.", "dim")]])
        for paper in (self.reason_paper, self.work_paper, *self.curve_papers):
            paper.repaint()

    def show_meters(self) -> None:
        """Time, and while a mix plays the console's meters."""
        super().show_meters()
        plan = self.book.shown
        if self.side_by_side and plan is not None and self._playing_mix() is not None:
            self._show_console(plan)

    def _show_console(self, plan: MixPlan) -> None:
        if not self.side_by_side:
            return
        playing = self._playing_mix()
        bounce = playing or next(iter(self._mixes()), None)
        position_s = self.picture.position_s if playing is not None else None
        peaks = desk_rows.peaks_now(self._overview(bounce), bounce, position_s)
        self.console.stand(
            desk_rows.strips(
                plan,
                self.look,
                self.console.size.height,
                peaks,
                live=playing is not None,
                alone=self._alone,
                left_out=self._left_out,
            )
        )
        if self.strips.cursor is not None:
            self.console.select(self.strips.cursor)

    def _mixes(self) -> list[Bounce]:
        """Mixes of this take, newest first."""
        return [b for b in self.picture.bounces.bounces if b.kind == "mix" and b.take == self.take]

    def _playing_mix(self) -> Bounce | None:
        """The mix of this take that is heard, if one is."""
        return next((b for b in self._mixes() if self.picture.playing and b.id == self.picture.transport.bounce), None)

    def _overview(self, bounce: Bounce | None) -> Overview | None:
        if bounce is None:
            return None
        return self.studio.overviews.look(self.picture, GetOverview(bounce=bounce.id), bounce.frames)

    def _tone(self, width: int, height: int) -> list[Line]:
        plan = self.book.shown
        take = next((take for take in self.picture.finished_takes if take.number == self.take), None)
        if plan is None or take is None:
            return []
        return desk_rows.tone(plan, self.section, take.rate_hz, self.look, width, height)

    def _dynamics(self, width: int, height: int) -> list[Line]:
        plan = self.book.shown
        return desk_rows.dynamics(plan, self.section, self.look, width, height) if plan else []

    def _sends(self, width: int, height: int) -> list[Line]:
        plan = self.book.shown
        return desk_rows.sends(plan, self.section, self.look, width, height) if plan else []

    def _show_settings(self, plan: MixPlan) -> None:
        rows = mix_rows.setting_rows(plan, self.section, self.look, every=self._every_knob)
        empty: list[Line] = [[("  All neutral. z shows every knob.", "dim")]]
        head = mix_rows.setting_head(plan, self.section)
        self.settings.show(rows, head=head, empty=empty)

    def _reason(self, width: int, height: int) -> list[Line]:
        plan = self.book.shown
        return mix_rows.reason(plan, self.section, self.settings.cursor, width, height) if plan else []

    def _work(self, width: int, _: int) -> list[Line]:
        return [mix_rows.work_line(self.picture, self.look, width, ("analyse", "mix", "master"))]

    @on(Table.Moved)
    def _moved(self, event: Table.Moved) -> None:
        if event.table is self.console and self.console.cursor is not None:
            self.strips.select(self.console.cursor)
        if (plan := self.book.shown) is not None:
            self._show_settings(plan)
        for paper in (self.reason_paper, *self.curve_papers):
            paper.repaint()

    def _no_plan_yet(self) -> None:
        self.studio.say("warning", "There is no plan yet.", "p lets OTO propose one.")

    def _knob(self) -> Knob | None:
        """Section and knob that keys act on: the selected setting, or, among the strips, the fader."""
        if self.book.plan is None:
            self._no_plan_yet()
            return None
        if self.focused is self.settings and self.settings.cursor is not None:
            return self.section, self.settings.cursor
        if "fader_db" in knobs.knobs_of(self.section):
            return self.section, "fader_db"
        self.studio.say("warning", "This strip has no fader.", "Tab goes to its settings.")
        return None

    async def do_choose(self) -> None:
        """Play a bounce, or type a value."""
        if self.focused is self.bounces:
            self.studio.perform("play", self)
            return
        plan, at = self.book.shown, self._knob()
        if plan is None or at is None:
            return
        knob = knobs.knobs_of(at[0])[at[1]]
        now = mix_rows.shown_value(at[1], knobs.value_now(plan, at[0], knob), knob.unit)
        hint = (
            f"From {knob.low:g} to {knob.high:g} {knob.unit}".strip() if not knob.choices else ", ".join(knob.choices)
        )
        typed = await self.studio.ask(Ask(self.look, f"{knobs.strip_of(at[0]) or 'master'}: {knob.label}", now, hint))
        if typed:
            try:
                self._change(at, knobs.parse(knob, typed))
            except ValueError as error:
                self.studio.say("warning", str(error))

    async def do_priority(self) -> None:
        """Say how much the selected track matters."""
        plan = self.book.plan
        strip = knobs.find(plan, self.section) if plan is not None else None
        if not isinstance(strip, Strip) or self._subject is None:
            self.studio.say("warning", "Select the strip of a track first.")
            return
        priority = PRIORITIES[(PRIORITIES.index(strip.priority) + 1) % len(PRIORITIES)]
        session, take = self._subject
        request = SetPriority(take=take, strip=strip.track, priority=priority, session=session)
        self._put(self.book.heard(await self.studio.link.call(request, MixPlan)))
        self.studio.say("info", f"{words.clean(strip.track)} is {priority} now.", "p proposes again with it.")

    def do_console(self) -> None:
        """Side by side, or as a table."""
        among_strips = self.focused in (self.strips, self.console)
        self.set_class(not self.side_by_side, "-console")
        if among_strips:
            (self.console if self.side_by_side else self.strips).focus()
        self.call_after_refresh(self.show)

    def do_knobs(self) -> None:
        """Every knob, or those that are set."""
        if self.book.plan is None:
            self._no_plan_yet()
            return
        self._every_knob = not self._every_knob
        self.show()

    def do_take_before(self) -> None:
        """Mix the take before."""
        self._step_take(-1)

    def do_take_after(self) -> None:
        """Mix the take after."""
        self._step_take(1)

    def _step_take(self, step: int) -> None:
        numbers = sorted(take.number for take in self.picture.finished_takes)
        if self.take in numbers:
            chosen = numbers[min(max(numbers.index(self.take) + step, 0), len(numbers) - 1)]
            if chosen == self.take:
                self.studio.say(
                    "info", f"Take {chosen} is the {'first' if step < 0 else 'last'} one that can be mixed."
                )
            self._chosen_take = chosen
            self.show()

    # Work and listening.

    def do_propose(self) -> None:
        """Propose and render."""
        self._start_mix(propose=True)

    async def do_hands(self) -> None:
        """Choose how much of the proposal is applied, and propose again."""
        now = self.book.plan.hands if self.book.plan else 1.0
        choices = [Choice(str(amount), f"{amount:.0%}", detail) for amount, detail in HANDS.items()]
        start = str(min(HANDS, key=lambda amount: abs(amount - now)))
        answer = await self.studio.ask(Pick(self.look, "How much of the proposal?", choices, start=start))
        if answer is not None:
            self._start_mix(propose=True, hands=float(answer))

    async def do_style(self) -> None:
        """Choose a style, and propose again."""
        choices = [Choice(name, name, detail) for name, detail in STYLES.items()]
        start = self.book.plan.style if self.book.plan else "natural"
        answer = await self.studio.ask(Pick(self.look, "Propose in the style", choices, start=start))
        if answer is not None:
            self._start_mix(propose=True, style=answer)

    def do_bounce(self) -> None:
        """Render what stands; with no plan yet, it is proposed first."""
        self._start_mix(propose=self.book.plan is None)

    def do_bounce_stems(self) -> None:
        """Render what stands, and every strip by itself."""
        self._start_mix(propose=self.book.plan is None, stems=True)

    def _start_mix(
        self, *, propose: bool, stems: bool = False, hands: float | None = None, style: str | None = None
    ) -> None:
        options: dict[str, str | float | bool | list[str] | None] = {"propose": propose, "stems": stems}
        if hands is not None:
            options["hands"] = hands
        if style is not None:
            options["style"] = style
        self.studio.send(StartJob(kind="mix", take=self.take, options=options))

    async def do_master(self) -> None:
        """Choose a target, master the newest mix of this take."""
        if mixes := self._mixes():
            await master(self, mixes[0])
        else:
            self.studio.say("warning", f"Take {self.take} has no mix to master.", "b renders one.")

    def playable(self) -> Play | None:
        """The selected bounce, as loud as all the others."""
        bounce = bounce_of(self.picture, self.bounces.cursor)
        return self.as_heard(self.studio.listening.play(self.picture, bounce)) if bounce is not None else None

    def as_heard(self, request: Play) -> Play:
        """With the strips that are chosen; a bounce that has no stems is heard whole, and the choice ends."""
        bounce = bounce_of(self.picture, request.bounce)
        if bounce is None or not (self._alone or self._left_out):
            return request
        stems = mix_rows.heard_stems(bounce, self._alone, self._left_out)
        if stems is None:
            self._alone = self._left_out = frozenset()
            self.studio.say("info", "All of it is heard: nothing was left, or it has no stems.", "t renders stems.")
        return msgspec.structs.replace(request, stems=stems or ())

    def do_compare(self) -> None:
        """Hear the other bounce from the same place on."""
        self.compare(self.bounces)

    async def do_keep_plan(self) -> None:
        """Keep the plan as A, B or C, or make a kept one the plan."""
        if self._subject is None or self.book.plan is None:
            self.studio.say("warning", "There is no plan to keep yet.", "p lets OTO propose one.")
            return
        answer = await self.studio.ask(Pick(self.look, "Plans", keeping.choices(self.picture, self.take)))
        if answer is None:
            return
        session, take = self._subject
        letter = keeping.letter_of(answer)
        if answer.startswith(keeping.TAKE_UP):
            request = GetPlan(kind="mix", take=take, session=session, kept=letter)
            mix_plan = await self.studio.link.call(request, MixPlan)
            await self.studio.call(ReplacePlan(take=take, plan=mix_plan, session=session))
            self.studio.say("info", f"Plan {letter} is the plan now.", "u goes back.")
            return
        plan = await self.studio.link.call(KeepPlan(take=take, letter=letter, session=session), KeptPlan)
        if kept.bounce_of(self.picture, plan) is None:
            await self.studio.call(StartJob(kind="mix", session=session, take=take, options={"kept": letter}))
        self.studio.say("info", f"This is plan {letter} now.", "X hears the kept plans one after the other.")

    def do_next_plan(self) -> None:
        """The next kept plan that is rendered; those that are not are queued."""
        missing = kept.missing(self.picture, self.take)
        for plan in missing:
            self.studio.send(StartJob(kind="mix", take=plan.take, options={"kept": plan.letter}))
        chosen = kept.next_rendered(self.picture, self.take)
        if chosen is None:
            self.studio.say(*kept.nothing_to_hear(self.picture, self.take))
            return
        plan, bounce = chosen
        now = bounce_of(self.picture, self.picture.transport.bounce) if self.picture.playing else None
        request = self.as_heard(self.studio.listening.play(self.picture, bounce, now))
        self.studio.send(request)
        self.bounces.select(bounce.id)
        self.studio.say("info", kept.announced(plan, request.gain_db, missing))

    def do_solo(self) -> None:
        """Hear the selected strip alone, or with the others that are heard alone."""
        self._choose_heard(alone=True)

    def do_mute(self) -> None:
        """Leave the selected strip out of what is heard."""
        self._choose_heard(alone=False)

    def _choose_heard(self, *, alone: bool) -> None:
        """Hear another choice of stems at once; the plan is not changed."""
        strip = knobs.strip_of(self.section)
        mixes = [mix for mix in self._mixes() if mix.stems]
        playing = next((mix for mix in mixes if mix == self._playing_mix()), None)
        bounce = playing or next(iter(mixes), None)
        if bounce is None:
            self.studio.say("warning", "This take has no mix with stems yet.", "t renders one; then solo is instant.")
            return
        if strip not in bounce.stems and strip not in bounce.returns:
            self.studio.say("warning", "Only tracks and effects can be heard alone or left out: select one.")
            return
        if alone:
            self._alone = self._alone ^ {strip}
        else:
            self._left_out = self._left_out ^ {strip}
        stems = mix_rows.heard_stems(bounce, self._alone, self._left_out)
        if stems is None:
            self.studio.say("info", "Everything is left out now: nothing is heard.")
            if playing is not None:
                self.studio.send(Stop())
        else:
            gain_db = matched_gain_db(bounce, self.picture.songs)
            at_s = self.picture.position_s if playing is None and self.picture.playing else None
            self.studio.send(Play(bounce=bounce.id, stems=stems, at_s=at_s, gain_db=gain_db))
        self.show()


def _no_plan(picture: Picture, take: int | None) -> list[Line]:
    if take is None:
        return [[("  There is no finished take yet. 1 goes to Record.", "dim")]]
    if any(job.kind == "mix" for job in picture.running_jobs):
        return [[(f"  OTO is listening to take {take}.", "dim")]]
    return [[(f"  Take {take} has no mix yet. p lets OTO propose one.", "text")]]
