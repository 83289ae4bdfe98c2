"""The plan on the desk, and changes of it that the engine has not answered yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.plans.document import MixPlan
from tui.knobs import Value, with_value

Knob = tuple[str, str]
"""Section and parameter name."""


@dataclass(frozen=True)
class PlanBook:
    """Never changed in place."""

    plan: MixPlan | None = None
    """As the engine has it."""
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

    def heard(self, plan: MixPlan | None) -> PlanBook:
        """With the plan that the engine has now."""
        return self if plan == self.plan else replace(self, plan=plan)
