"""A master plan as it comes together: what a person decided is never overruled."""

from __future__ import annotations

import math
from typing import Final

from core.master.forecast import Forecast, LimiterForecast
from core.plans.document import By, MasterPlan, Setting, Settings, ToneCurve, value_of
from core.plans.parameters import MASTER, by_name

KNOBS: Final = by_name(MASTER)


class Draft:
    """Settings, curve and notes in the making; what is kept of the previous plan stays as it is."""

    def __init__(self, previous: MasterPlan | None) -> None:
        old = previous.settings if previous else {}
        self._kept = {name for name, setting in old.items() if setting.by == "person" or setting.locked}
        self.settings: Settings = {name: old[name] for name in old if name in self._kept}
        curve = previous.curve if previous else None
        self._keeps_curve = curve is not None and (curve.by == "person" or curve.locked)
        self.curve: ToneCurve | None = curve if self._keeps_curve else None
        self.notes: list[str] = []

    def set(self, name: str, value: float | bool, why: str, confidence: float, by: By = "rules") -> None:
        """Set a knob within its range, unless a person has."""
        if name in self._kept:
            return
        knob = KNOBS[name]
        if not isinstance(value, bool):
            value = round(min(max(value, knob.low), knob.high), 2)
        self.settings[name] = Setting(value=value, unit=knob.unit, by=by, why=why, confidence=confidence)

    def set_curve(self, curve: ToneCurve | None) -> None:
        """Put a tone curve in, unless a person has one there."""
        if not self._keeps_curve:
            self.curve = curve

    def keeps(self, *names: str) -> bool:
        """Whether a person (or a lock) decides any of these knobs."""
        return any(name in self._kept for name in names)

    def shapes(self) -> bool:
        """Whether anything happens before the loudness gain."""
        return self.curve is not None or any(not name.startswith(("limiter_", "loudness_")) for name in self.settings)

    def value(self, name: str, default: float) -> float:
        """A number as it stands."""
        return value_of(self.settings, name, default)

    def foretell(self, forecast: LimiterForecast, gain_db: float) -> Forecast:
        """What comes out at a gain, with the plan's limiter; one that is off has its ceiling out of reach."""
        limiter = self.settings.get("limiter_on")
        ceiling_dbtp = self.value("limiter_ceiling_dbtp", 0.0) if limiter and limiter.value else math.inf
        release_ms = self.value("limiter_release_ms", 100.0)
        return forecast.at(gain_db, ceiling_dbtp=ceiling_dbtp, release_ms=release_ms)
