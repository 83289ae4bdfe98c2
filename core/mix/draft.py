"""A strip being proposed: what a person set stays, the rest is scaled by how much the engineer may do."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.mix.taste import OFF_DB, SHELVES, Lean
from core.plans.document import By, Setting, Settings
from core.plans.parameters import Parameter


class Draft:
    """Settings of one strip, bus or master in the making."""

    def __init__(
        self,
        parameters: dict[str, Parameter],
        kept: Settings,
        hands: float,
        leans: Mapping[str, Lean] | None = None,
    ) -> None:
        """`kept` stays; `leans`, by knob, are what the studio's owner makes of such proposals."""
        self._parameters = parameters
        self.settings: Settings = dict(kept)
        self._kept = frozenset(kept)
        self.hands = hands
        self._leans = leans or {}

    def is_kept(self, name: str) -> bool:
        """Whether a person decided this one."""
        return name in self._kept

    def value(self, name: str) -> float:
        """What will be in force."""
        setting = self.settings.get(name)
        return float(self._parameters[name].neutral if setting is None else setting.value)

    def propose(
        self,
        name: str,
        value: float,
        why: str,
        confidence: float = 0.7,
        *,
        amount: bool = False,
        digits: int | None = None,
        by: By = "rules",
    ) -> float:
        """Set a knob unless a person did, clamped to its range, and return what is in force.

        An `amount` (a gain, a pan) is scaled towards neutral by the hands; a place (a frequency, a time) is not.
        Rounded to `digits` after the point, None for as many as a person would set.
        """
        if self.is_kept(name):
            return self.value(name)
        knob = self._parameters[name]
        if amount:
            neutral = float(knob.neutral)
            if knob.scale == "log":
                value = neutral * (value / neutral) ** self.hands
            else:
                value = neutral + (value - neutral) * self.hands
        if digits is None:
            digits = 2 if knob.high - knob.low <= 10.0 else 1
        value = _rounded(knob, value, digits)
        taste: float | None = None
        lean = self._leans.get(name)
        if lean is not None and value > OFF_DB:
            leaning = _rounded(knob, value + lean.shift_db * self.hands, digits)
            if leaning != value:
                taste = round(leaning - value, digits)
                value, why = leaning, f"{why} {lean.words(taste)}"
        self.settings[name] = Setting(
            value=value, unit=knob.unit, by=by, why=why, confidence=round(confidence, 2), taste=taste
        )
        return value

    def lean_where_nothing_is_proposed(self) -> None:
        """Turn the shelves that stand flat, where the owner likes them otherwise."""
        for name in SHELVES:
            if name in self._leans and name not in self.settings:
                self.propose(name, 0.0, "Nothing here asks for it.", self._leans[name].sure)

    def propose_send(self, name: str, level_db: float, why: str, confidence: float = 0.6) -> None:
        """Open a send; hands at zero leave it shut."""
        if self.hands > 0.0:
            self.propose(name, level_db + 20.0 * math.log10(self.hands), why, confidence)

    def choose(self, name: str, value: str | bool, why: str, confidence: float = 0.8) -> None:
        """Set a switch or a choice unless a person did."""
        if not self.is_kept(name):
            self.settings[name] = Setting(value=value, by="rules", why=why, confidence=round(confidence, 2))


def _rounded(knob: Parameter, value: float, digits: int) -> float:
    return float(round(min(max(value, knob.low), knob.high), digits))


def kept_settings(settings: Settings) -> Settings:
    """The settings of an earlier plan that must stay: a person's, and locked ones."""
    return {name: setting for name, setting in settings.items() if setting.by == "person" or setting.locked}
