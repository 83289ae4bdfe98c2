"""A screen with a plan on it: read when the engine has another, changed knob by knob, undone and redone."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from core.errors import OtoError
from core.plans.document import MixPlan
from core.protocol.requests import GetPlan, SetPlanValue, StepPlan
from tui import knobs
from tui.look import Look
from tui.planbook import Knob, PlanBook
from tui.screens.base import StudioScreen

MUCH: Final = 10


class PlanScreen(StudioScreen):
    """Keeps the book of one take's mix plan."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.book = PlanBook()
        self._subject: tuple[str, int] | None = None
        """Session and take of the plan in the book."""
        self._version: str | None = None
        """Of the plan in the book; None when it is to be read."""
        self._sending = False

    @abstractmethod
    def _knob(self) -> Knob | None:
        """What keys act on; says why when it is nothing."""

    def _turn_to(self, subject: tuple[str, int] | None) -> None:
        """Another session's or take's plan."""
        self._subject, self._version, self.book = subject, None, PlanBook()

    def _look_again(self) -> None:
        """Read the plan if the engine has another one than the book."""
        if self._subject is None or self._sending:
            return
        take = self._subject[1]
        plans = self.picture.plans.plans
        now = next((plan.version for plan in plans if plan.kind == "mix" and plan.take == take), "")
        if now != self._version and self.picture.link == "up":
            self._version = now
            self.run_worker(self._fetch(), group="plan", exclusive=True)

    async def _fetch(self) -> None:
        subject = self._subject
        if subject is None:
            return
        try:
            plan = await self.studio.link.call(GetPlan(kind="mix", take=subject[1], session=subject[0]), MixPlan)
        except OtoError as error:
            if error.code != "not_found":
                self._version = None  # the link says by itself that it is down
                return
            plan = None
        if subject == self._subject and not self._sending:
            self._put(self.book.heard(plan))

    def _put(self, book: PlanBook) -> None:
        if book != self.book:
            self.book = book
            self.show()

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
                self._put(self.book.answered(at, value).heard(plan))
        except OtoError as error:
            self._put(self.book.refused())
            self.studio.say_error(error)
        finally:
            self._sending = False
            self._look_again()

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

    async def do_undo(self) -> None:
        """One step back."""
        await self._step("Nothing to undo.")

    async def do_redo(self) -> None:
        """One step forward again."""
        await self._step("Nothing to redo.", redo=True)

    async def _step(self, otherwise: str, *, redo: bool = False) -> None:
        plan: MixPlan | None = None
        if self._subject is not None:
            session, take = self._subject
            request = StepPlan(kind="mix", take=take, redo=redo, session=session)
            plan = await self.studio.link.call(request, MixPlan | None)  # type: ignore[arg-type]
        if plan is None:
            self.studio.say("info", otherwise)
        else:
            self._put(self.book.refused().heard(plan))
