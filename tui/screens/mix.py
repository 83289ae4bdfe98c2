"""Mix: every decision with its reason; change it, render it, hear it beside the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.widget import Widget

from core.errors import OtoError
from core.plans.document import MixPlan
from core.protocol import Bounce, GetPlan, Play, ReplacePlan, SetPlanValue, StartJob
from tui import knobs
from tui.actions import ScreenName
from tui.look import Look
from tui.picture import Picture
from tui.planbook import Knob, PlanBook
from tui.screens import mix_rows
from tui.screens.base import StudioScreen, bindings_of
from tui.screens.dialogs import Ask, Choice, Pick
from tui.widgets.paper import Line
from tui.widgets.table import Table

LOOK_AGAIN_S: Final = 1.0
"""How often the plan is read while the screen is open: another studio may be changing it."""

MUCH: Final = 10

TARGETS: Final = {
    "streaming": "for the services that turn everything to one loudness",
    "cd": "for discs and downloads",
    "club": "for loud rooms",
    "broadcast": "for radio and television",
}
"""Names of the mastering engineer's targets."""


class MixScreen(StudioScreen):
    """Strips, the selected strip's settings, bounces."""

    SCREEN: ClassVar[ScreenName] = "mix"
    BINDINGS = bindings_of("mix")

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.strips = Table(look, id="strips")
        self.settings = Table(look, id="settings")
        self.bounces = Table(look, id="bounces")
        self.reason_paper = self.paper("reason", self._reason)
        self.work_paper = self.paper("work", self._work)
        self.book = PlanBook()
        self._subject: tuple[str, int] | None = None
        """Session and take of the plan in the book."""
        self._chosen_take: int | None = None
        self._every_knob = False
        self._sending = False
        self._heard: list[str] = []
        """The bounces that are compared: A and B."""

    def body(self) -> Sequence[Widget]:
        """From the whole to the detail to the result."""
        return [
            self.strips,
            self.settings,
            self.reason_paper,
            self.bounces,
            self.work_paper,
        ]

    def on_mount(self) -> None:
        """Read the plan now and then while the screen is open."""
        super().on_mount()
        self.set_interval(LOOK_AGAIN_S, self._look_again)

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

    def show_body(self, picture: Picture) -> None:
        """Tables from the plan; another take's plan is fetched."""
        session = picture.session.session
        subject = (session.id, self.take) if session is not None and self.take is not None else None
        if subject != self._subject:
            self._subject, self.book = subject, PlanBook()
            self._look_again()
        plan = self.book.shown
        if plan is None:
            self.strips.show([], head=mix_rows.STRIP_HEAD, empty=_no_plan(picture, self.take))
            self.settings.show([], head=[])
        else:
            self.strips.show(mix_rows.strip_rows(plan, self.look), head=mix_rows.STRIP_HEAD)
            self._show_settings(plan)
        head = "Bounces, heard equally loud" + ("" if self.take is None else f"   (mixing take {self.take})")
        rows = mix_rows.bounce_rows(picture, self.look, self._heard)
        self.bounces.show(rows, head=[(head, "title")], empty=[[("None yet: b renders the mix.", "dim")]])
        self.reason_paper.repaint()
        self.work_paper.repaint()

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
    def _moved(self) -> None:
        if (plan := self.book.shown) is not None:
            self._show_settings(plan)
        self.reason_paper.repaint()

    # The plan: read, change, undo.

    def _look_again(self) -> None:
        if self.is_current and self._subject is not None and self.picture.link == "up" and not self._sending:
            self.run_worker(self._fetch(), group="plan", exclusive=True)

    async def _fetch(self) -> None:
        subject = self._subject
        if subject is None:
            return
        try:
            plan = await self.studio.link.call(GetPlan(kind="mix", take=subject[1], session=subject[0]), MixPlan)
        except OtoError:
            plan = None  # none was proposed, or the link says by itself that it is down
        if subject == self._subject and not self._sending and (plan is not None or self.picture.link == "up"):
            self._put(self.book.heard(plan))

    def _put(self, book: PlanBook) -> None:
        if book != self.book:
            self.book = book
            self.show()

    def _knob(self) -> Knob | None:
        """Section and knob that keys act on: the selected setting, or, among the strips, the fader."""
        if self.book.plan is None:
            self.studio.say("warning", "There is no plan yet.", "p lets OTO propose one.")
            return None
        if self.focused is self.settings and self.settings.cursor is not None:
            return self.section, self.settings.cursor
        if "fader_db" in knobs.knobs_of(self.section):
            return self.section, "fader_db"
        return None

    def _turn(self, steps: int) -> None:
        plan, at = self.book.shown, self._knob()
        if plan is None or at is None:
            return
        section, name = at
        knob = knobs.knobs_of(section)[name]
        self._change(at, knobs.nudge(knob, knobs.value_now(plan, section, knob), steps))

    def _change(self, at: Knob, value: knobs.Value) -> None:
        self._put(self.book.wanting(at, value))
        if not self._sending:
            self._sending = True
            self.run_worker(self._send(), group="send")

    async def _send(self) -> None:
        """Send changes one after the other; what was turned further meanwhile is sent once, with its last value."""
        try:
            while self.book.wanted and self._subject is not None:
                at, value = next(iter(self.book.wanted.items()))
                plan = await self._set(at, value)
                self._put(self.book.answered(at, value).heard(plan, at))
        except OtoError as error:
            self._put(self.book.refused())
            self.studio.say_error(error)
        finally:
            self._sending = False

    async def _set(self, at: Knob, value: knobs.Value | None, locked: bool | None = None) -> MixPlan:
        assert self._subject is not None
        session, take = self._subject
        request = SetPlanValue(
            kind="mix", take=take, session=session, strip=knobs.strip_of(at[0]), name=at[1], value=value, locked=locked
        )
        return await self.studio.link.call(request, MixPlan)

    def do_less(self) -> None:
        """Down a little."""
        self._turn(-1)

    def do_more(self) -> None:
        """Up a little."""
        self._turn(1)

    def do_less_much(self) -> None:
        """Down a lot."""
        self._turn(-MUCH)

    def do_more_much(self) -> None:
        """Up a lot."""
        self._turn(MUCH)

    async def do_neutral(self) -> None:
        """Take the setting out of the plan."""
        if (at := self._knob()) is not None:
            self._put(self.book.heard(await self._set(at, None)))

    async def do_lock(self) -> None:
        """Lock or unlock the setting at the value it has."""
        at, plan = self._knob(), self.book.plan
        if at is None or plan is None:
            return
        knob = knobs.knobs_of(at[0])[at[1]]
        setting = knobs.settings_of(plan, at[0]).get(at[1])
        locked = setting is None or not setting.locked
        self._put(self.book.heard(await self._set(at, knobs.value_now(plan, at[0], knob), locked)))

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

    async def do_undo(self) -> None:
        """One step back."""
        await self._replace(self.book.undone(), "Nothing to undo.")

    async def do_redo(self) -> None:
        """One step forward again."""
        await self._replace(self.book.redone(), "Nothing to redo.")

    async def _replace(self, book: PlanBook | None, otherwise: str) -> None:
        if book is None or book.plan is None or self._subject is None:
            self.studio.say("info", otherwise)
            return
        session, take = self._subject
        await self.studio.call(ReplacePlan(take=take, plan=book.plan, session=session))
        self._put(book)

    def do_knobs(self) -> None:
        """Every knob, or those that are set."""
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
            self._chosen_take = numbers[min(max(numbers.index(self.take) + step, 0), len(numbers) - 1)]
            self.show()

    # Work and listening.

    def do_propose(self) -> None:
        """Propose and render."""
        self._start_mix(propose=True)

    def do_bounce(self) -> None:
        """Render what stands; with no plan yet, it is proposed first."""
        self._start_mix(propose=self.book.plan is None)

    def do_bounce_stems(self) -> None:
        """Render what stands, and every strip by itself."""
        self._start_mix(propose=self.book.plan is None, stems=True)

    def _start_mix(self, *, propose: bool, stems: bool = False) -> None:
        self.studio.send(StartJob(kind="mix", take=self.take, options={"propose": propose, "stems": stems}))

    async def do_master(self) -> None:
        """Choose a target, master the newest mix of this take."""
        choices = [Choice(name, name, detail) for name, detail in TARGETS.items()]
        mixes = [b for b in self.picture.bounces.bounces if b.kind == "mix" and b.take == self.take]
        if not mixes:
            self.studio.say("warning", f"Take {self.take} has no mix to master.", "b renders one.")
            return
        target = await self.studio.ask(Pick(self.look, f"Master {mixes[0].id} for", choices))
        if target is not None:
            options: dict[str, str | float | bool | list[str] | None] = {"target": target, "bounce": mixes[0].id}
            await self.studio.call(StartJob(kind="master", take=self.take, options=options))

    def playable(self) -> Play | None:
        """The selected bounce, as loud as all the others."""
        bounce = self._bounce(self.bounces.cursor)
        return self._listen(bounce) if bounce is not None else None

    def do_compare(self) -> None:
        """Hear the other bounce from the same place on."""
        if len(self.picture.bounces.bounces) < 2:
            self.studio.say("warning", "Comparing needs two bounces.", "b renders the mix.")
            return
        now = self._bounce(self.picture.transport.bounce) if self.picture.playing else None
        candidates = [self.bounces.cursor, *self._heard, *(b.id for b in self.picture.bounces.bounces)]
        other = self._bounce(next((id for id in candidates if id and (now is None or id != now.id)), None))
        if other is not None:
            if now is not None:
                self._hear(now.id)
            self.studio.send(self._listen(other, now))
            self.bounces.select(other.id)

    def _listen(self, bounce: Bounce, now: Bounce | None = None) -> Play:
        """Equal lengths keep their place in the engine, to the sample; for others we name it."""
        self._hear(bounce.id)
        length_s = bounce.frames / bounce.rate_hz
        equal = now is None or now.frames / now.rate_hz == length_s
        at_s = None if equal else min(self.picture.position_s, length_s)
        gain_db = mix_rows.matched_gain_db(bounce, self.picture.bounces.bounces)
        return Play(bounce=bounce.id, at_s=at_s, gain_db=gain_db)

    def _hear(self, id: str) -> None:
        """Keep A and B: a third bounce takes the place of the one that is not playing."""
        if id in self._heard:
            return
        if len(self._heard) == 2:
            kept = 1 if self.picture.transport.bounce == self._heard[1] else 0
            self._heard[1 - kept] = id
        else:
            self._heard.append(id)

    def _bounce(self, id: str | None) -> Bounce | None:
        return next((bounce for bounce in self.picture.bounces.bounces if bounce.id == id), None)


def _no_plan(picture: Picture, take: int | None) -> list[Line]:
    if take is None:
        return [[("  There is no finished take yet. 1 goes to Record.", "dim")]]
    if any(job.kind == "mix" for job in picture.running_jobs):
        return [[(f"  OTO is listening to take {take}.", "dim")]]
    return [[(f"  Take {take} has no mix yet. p lets OTO propose one.", "text")]]
