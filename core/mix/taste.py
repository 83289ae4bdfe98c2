"""What the owner of a studio makes of proposals, and how later proposals lean to it.

All of it is read from plans that lie in the library, where each setting says who made it: there is no other record to
keep, to lose or to explain, and the same plans always say the same. A lean is the mean of a normal distribution
known up to its spread: few mixes, or mixes that disagree, give a small one (A. Gelman et al., Bayesian Data Analysis,
3rd edition, 2.5 and 3.3; the spread within a person has a prior worth two mixes).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, median
from typing import Final

from core.plans.document import MixPlan, Setting, Settings, Strip
from core.plans.parameters import SENDS

SHELVES: Final = ("eq1_gain_db", "eq6_gain_db")
"""A band that a plan does not name is flat, so a person who turns it changes a proposal of 0 dB."""
LEARNED: Final = ("fader_db", *SHELVES, "comp_threshold_db", *(f"send_{name}_db" for name in SENDS))
"""Knobs in decibels that mean the same on every song."""
OFF_DB: Final = -60.0
"""A fader or a send below is shut: to open or shut one does not say how loud somebody likes it."""

PERSON_DB: Final = 2.0
"""How far a person's taste may well lie from the engineer's."""
SONG_DB: Final = 2.0
"""How far one song may well lie from what the person likes on the mean, before any is known."""
SONG_WEIGHT: Final = 2.0
FEWEST_MIXES: Final = 3
SURE: Final = 0.95
"""Probability that the lean has the right sign, from which proposals follow it."""
LEAST_DB: Final = 0.1


@dataclass(frozen=True)
class Change:
    """How far a person moved a knob from where it was proposed; 0 where the proposal was kept."""

    role: str
    knob: str
    change_db: float


@dataclass(frozen=True)
class Lean:
    """What is known of one knob on one role."""

    role: str
    knob: str
    mixes: int
    mean_db: float
    """Of what was changed, over the mixes."""
    shift_db: float
    """What of that is taste rather than chance, to the best of what these mixes tell."""
    sure: float
    """Probability that the taste lies to this side."""

    @property
    def followed(self) -> bool:
        """Whether proposals lean to it."""
        return self.mixes >= FEWEST_MIXES and self.sure >= SURE and abs(self.shift_db) >= LEAST_DB

    def words(self, done_db: float) -> str:
        """Why a proposal is `done_db` off from what it would be."""
        way = "higher" if self.mean_db > 0.0 else "lower"
        left = f"In {self.mixes} mixes you left it {abs(self.mean_db):.1f} dB {way} than proposed, on the mean"
        return f"{left}: {done_db:+.1f} dB for that."


Taste = Mapping[tuple[str, str], Lean]
"""Leans by role and knob."""


def changes_of(versions: Sequence[MixPlan]) -> list[Change]:
    """What a person made of the proposals in a plan's `versions`, oldest first.

    A mix in which nobody turned one of these knobs says nothing: perhaps nobody listened. Faders are taken against the
    middle one, since all of them 2 dB down is the same balance.
    """
    if not versions or not any(_touched(strip.settings) for strip in versions[-1].strips):
        return []
    proposed: dict[tuple[str, str], float] = {}
    for plan in versions:
        again = _proposals(plan)
        # Faders are proposed around those that a person set, so what a kept one was proposed at moves with the others.
        moved = [value - proposed[place] for place, value in again.items() if _is_fader(place) and place in proposed]
        moved_db = median(moved or [0.0])
        proposed = {place: value + (moved_db if _is_fader(place) else 0.0) for place, value in proposed.items()} | again
        for strip in plan.strips:
            for knob in SHELVES:
                if knob not in strip.settings:
                    proposed.setdefault((strip.track, knob), 0.0)
    changes = [
        Change(strip.role, knob, value - before)
        for strip in versions[-1].strips
        if not _muted(strip)
        for knob in LEARNED
        if (before := proposed.get((strip.track, knob))) is not None
        and (value := _value(strip.settings.get(knob), knob)) is not None
        and min(before, value) > OFF_DB
    ]
    middle_db = median([one.change_db for one in changes if one.knob == "fader_db"] or [0.0])
    return [
        Change(one.role, one.knob, one.change_db - (middle_db if one.knob == "fader_db" else 0.0)) for one in changes
    ]


def learn(mixes: Sequence[Sequence[Change]]) -> Taste:
    """What so many mixes say together; a role that is there more than once in a mix counts by its mean."""
    seen: dict[tuple[str, str], list[float]] = {}
    for changes in mixes:
        here: dict[tuple[str, str], list[float]] = {}
        for one in changes:
            if one.role != "other":
                here.setdefault((one.role, one.knob), []).append(one.change_db)
        for place, values in here.items():
            seen.setdefault(place, []).append(fmean(values))
    return {place: _lean(*place, values) for place, values in sorted(seen.items())}


def of_role(taste: Taste, role: str) -> dict[str, Lean]:
    """The leans that proposals for a role follow, by knob."""
    return {lean.knob: lean for lean in taste.values() if lean.role == role and lean.followed}


def note(settings: Sequence[Settings]) -> tuple[str, ...]:
    """What a person should know of it beside a plan."""
    leaning = sum(bool(setting.taste) for strip in settings for setting in strip.values())
    if not leaning:
        return ()
    return (
        f"{leaning} setting{'s lean' if leaning > 1 else ' leans'} to what you changed in earlier mixes: "
        "'oto taste' tells it, 'oto taste forget' ends it.",
    )


def _lean(role: str, knob: str, values: Sequence[float]) -> Lean:
    count, mean_db = len(values), fmean(values)
    scatter = sum((value - mean_db) ** 2 for value in values)
    song_variance = (SONG_WEIGHT * SONG_DB**2 + scatter) / (SONG_WEIGHT + count - 1)
    variance = 1.0 / (1.0 / PERSON_DB**2 + count / song_variance)
    shift_db = variance * count * mean_db / song_variance
    sure = NormalDist().cdf(abs(shift_db) / math.sqrt(variance))
    return Lean(role, knob, count, mean_db, shift_db, sure)


def _proposals(plan: MixPlan) -> dict[tuple[str, str], float]:
    """What the engineer put each knob of each track to, before any lean."""
    return {
        (strip.track, knob): value - (setting.taste or 0.0)
        for strip in plan.strips
        for knob in LEARNED
        if (setting := strip.settings.get(knob)) is not None
        and setting.by in ("rules", "model")
        and (value := _value(setting, knob)) is not None
    }


def _is_fader(place: tuple[str, str]) -> bool:
    return place[1] == "fader_db"


def _touched(settings: Settings) -> bool:
    return any(knob in settings and settings[knob].by == "person" for knob in LEARNED)


def _muted(strip: Strip) -> bool:
    return "mute" in strip.settings and strip.settings["mute"].value is True


def _value(setting: Setting | None, knob: str) -> float | None:
    """In dB; None where there is nothing to compare, as in a plan by another hand that no desk would take."""
    if setting is not None:
        value = setting.value
        return float(value) if isinstance(value, float | int) and not isinstance(value, bool) else None
    return 0.0 if knob in SHELVES else None
