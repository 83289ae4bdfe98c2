"""The plan on the desk with its past and its future, and changes that the engine has not answered yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from core.plans.document import MixPlan
from tui.knobs import Value, with_value

STEPS: Final = 200
"""How many changes can be undone."""

Knob = tuple[str, str]
"""Section and parameter name."""


@dataclass(frozen=True)
class PlanBook:
    """Never changed in place. Undo puts a whole former plan back, whoever made the change since."""

    plan: MixPlan | None = None
    """As the engine has it."""
    past: tuple[MixPlan, ...] = ()
    future: tuple[MixPlan, ...] = ()
    touched: Knob | None = None
    """The knob of the last change: turning it further is the same step of undo."""
    wanted: dict[Knob, Value] = field(default_factory=dict)
    """Changes on their way to the engine, oldest first."""

    @property
    def shown(self) -> MixPlan | None:
        """The plan with what is on its way already in it, so that a key is seen at once."""
        plan = self.plan
        if plan is not None:
            for (section, name), value in self.wanted.items():
                plan = with_value(plan, section, name, value)
        return plan

    def wanting(self, knob: Knob, value: Value) -> PlanBook:
        """With a change under way. A later value for the same knob replaces one that has not been sent."""
        return replace(self, wanted={**self.wanted, knob: value})

    def answered(self, knob: Knob, value: Value) -> PlanBook:
        """With a change no longer under way, unless it was changed again meanwhile."""
        if self.wanted.get(knob) != value:
            return self
        return replace(self, wanted={key: kept for key, kept in self.wanted.items() if key != knob})

    def refused(self) -> PlanBook:
        """With nothing under way: the engine did not want it."""
        return replace(self, wanted={})

    def heard(self, plan: MixPlan | None, touched: Knob | None = None) -> PlanBook:
        """With the plan that the engine has now. A new one is a step that can be undone."""
        if plan == self.plan:
            return self
        if self.plan is None or plan is None:
            return PlanBook(plan, wanted=self.wanted)
        if touched is not None and touched == self.touched:
            return replace(self, plan=plan, future=())
        past = (*self.past, self.plan)[-STEPS:]
        return replace(self, plan=plan, past=past, future=(), touched=touched)

    def undone(self) -> PlanBook | None:
        """One step back; None at the beginning."""
        if not self.past or self.plan is None:
            return None
        return replace(
            self, plan=self.past[-1], past=self.past[:-1], future=(self.plan, *self.future), touched=None, wanted={}
        )

    def redone(self) -> PlanBook | None:
        """One step forward again; None at the end."""
        if not self.future or self.plan is None:
            return None
        return replace(
            self, plan=self.future[0], past=(*self.past, self.plan), future=self.future[1:], touched=None, wanted={}
        )
