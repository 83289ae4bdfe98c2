"""What a person does to a knob: nudge it, type a value, read it. Pure functions over the desk's parameters."""

from __future__ import annotations

import math
import re
from typing import Final

import msgspec

from core.plans.document import BusStrip, MixPlan, Setting, Settings, Strip
from core.plans.parameters import BUS, STRIP, Parameter, by_name, parameters_of

OFF_DB: Final = -90.0
OFF_BELOW_DB: Final = -60.0
"""A fader is turned off at once below this, and comes back from off to here."""

Value = float | bool | str

MASTER: Final = "master"


def section_names(plan: MixPlan) -> list[str]:
    """Keys of everything that has knobs, in the order of the signal: strips, buses, the master."""
    strips = [f"strip {strip.track}" for strip in plan.strips]
    return [*strips, *(f"bus {bus.name}" for bus in plan.buses), MASTER]


def strip_of(section: str) -> str | None:
    """What a request calls a section: the track's or bus's name, None for the master."""
    return None if section == MASTER else section.partition(" ")[2]


def find(plan: MixPlan, section: str) -> Strip | BusStrip | None:
    """The strip or bus of a section; None for the master."""
    kind, _, name = section.partition(" ")
    if kind == "strip":
        return next((strip for strip in plan.strips if strip.track == name), None)
    return next((bus for bus in plan.buses if bus.name == name), None) if kind == "bus" else None


def settings_of(plan: MixPlan, section: str) -> Settings:
    """What the plan decides about a section."""
    if section == MASTER:
        return plan.master
    found = find(plan, section)
    return found.settings if found else {}


def knobs_of(section: str) -> dict[str, Parameter]:
    """Every knob a section has, in the order of the signal."""
    kind, _, name = section.partition(" ")
    if kind == "strip":
        return by_name(STRIP)
    return parameters_of(name) if kind == "bus" else by_name(BUS)


def value_now(plan: MixPlan, section: str, knob: Parameter) -> Value:
    """What a knob stands at: the plan's value, or neutral."""
    setting = settings_of(plan, section).get(knob.name)
    return knob.neutral if setting is None else setting.value


def with_value(plan: MixPlan, section: str, name: str, value: Value) -> MixPlan:
    """The plan as it will be once the engine has taken the change."""

    def put(settings: Settings) -> Settings:
        old = settings.get(name, Setting(value=value))
        return {**settings, name: msgspec.structs.replace(old, value=value, by="person", why="", confidence=None)}

    target = find(plan, section)
    if target is None:
        return msgspec.structs.replace(plan, master=put(plan.master))
    changed = msgspec.structs.replace(target, settings=put(target.settings))
    return msgspec.structs.replace(
        plan,
        strips=tuple(changed if strip is target else strip for strip in plan.strips),
        buses=tuple(changed if bus is target else bus for bus in plan.buses),
    )


def nudge(knob: Parameter, value: Value, steps: int) -> Value:
    """The value `steps` further: half decibels, semitones, hundredths of the range; a switch and a choice go one on."""
    if knob.scale == "switch":
        return steps > 0
    if knob.scale == "choice":
        at = knob.choices.index(str(value)) if value in knob.choices else 0
        return knob.choices[min(max(at + (1 if steps > 0 else -1), 0), len(knob.choices) - 1)]
    number = float(value)
    if knob.low <= OFF_DB and knob.unit == "dB" and knob.high > 0.0:
        if number <= OFF_BELOW_DB:
            return OFF_BELOW_DB + 0.5 if steps > 0 else knob.low
        moved = number + 0.5 * steps
        return knob.low if moved <= OFF_BELOW_DB else min(round(moved * 2) / 2, knob.high)
    if knob.scale == "log":
        moved = number * 2 ** (steps / 12)
        moved = _three_figures(moved)
    elif knob.unit == "dB":
        moved = round((number + 0.5 * steps) * 2) / 2
    else:
        grid = (knob.high - knob.low) / 100
        moved = round((round((number - knob.low) / grid) + steps) * grid + knob.low, 6)
    return min(max(moved, knob.low), knob.high)


def _three_figures(number: float) -> float:
    return round(number, 2 - math.floor(math.log10(abs(number)))) if number else 0.0


_NUMBER: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(k?)\s*[a-z%:1]*", re.IGNORECASE)
_PAN: Final = re.compile(r"([lr])\s*(\d{1,3})|([lr]|c)", re.IGNORECASE)


def parse(knob: Parameter, text: str) -> Value:
    """What a person typed ("-3", "2.5k", "L30", "off"). Raises ValueError with a sentence that says what would do."""
    typed = text.strip()
    if knob.scale == "switch":
        if typed.casefold() in ("on", "yes", "1", "true"):
            return True
        if typed.casefold() in ("off", "no", "0", "false"):
            return False
        raise ValueError(f"{knob.label} is on or off.")
    if knob.scale == "choice":
        fitting = [choice for choice in knob.choices if typed and choice.startswith(typed.casefold())]
        if len(fitting) != 1:
            raise ValueError(f"{knob.label} is one of {', '.join(knob.choices)}.")
        return fitting[0]
    number = _typed_number(knob, typed)
    if not knob.low <= number <= knob.high:
        raise ValueError(f"{knob.label} goes from {knob.low:g} to {knob.high:g} {knob.unit}.".replace(" .", "."))
    return number


def _typed_number(knob: Parameter, typed: str) -> float:
    if typed.casefold() == "off":
        return knob.low if knob.low <= OFF_DB else float(knob.neutral)
    if knob.name == "pan" and (match := _PAN.fullmatch(typed)):
        side, percent, alone = match.groups()
        side = (side or alone).casefold()
        amount = 0.0 if side == "c" else int(percent or 100) / 100
        return -amount if side == "l" else amount
    match = _NUMBER.fullmatch(typed)
    if match is None:
        raise ValueError(f"{knob.label} is a number from {knob.low:g} to {knob.high:g} {knob.unit}.".replace(" .", "."))
    number = float(match[1].replace(",", "."))
    return number * 1000 if match[2] else number
