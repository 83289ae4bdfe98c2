"""What happens to a plan when a person turns a knob. Pure functions."""

from __future__ import annotations

import msgspec

from core.errors import OtoError
from core.plans.document import BusStrip, MasterPlan, Plan, Setting, Settings, Strip
from core.plans.parameters import MASTER, STRIP, Parameter, by_name, parameters_of

Value = float | bool | str


class Turn(msgspec.Struct, frozen=True):
    """One knob as a person leaves it."""

    strip: str | None
    """Track name, bus name, or None for the master strip."""
    name: str
    value: Value | None = None
    """None, with `locked` None too, takes the setting out of the plan: neutral again."""
    locked: bool | None = None
    """None leaves the lock as it is."""


def with_turn(plan: Plan, turn: Turn) -> Plan:
    """The plan with one setting changed by a person. Raises OtoError for an unknown strip, name or value."""
    if isinstance(plan, MasterPlan):
        return msgspec.structs.replace(plan, settings=_with_setting(plan.settings, by_name(MASTER), turn))
    if turn.strip is None:
        return msgspec.structs.replace(plan, master=_with_setting(plan.master, parameters_of("master"), turn))
    strips: list[Strip] = [
        msgspec.structs.replace(one, settings=_with_setting(one.settings, by_name(STRIP), turn))
        if one.track == turn.strip
        else one
        for one in plan.strips
    ]
    if any(one.track == turn.strip for one in plan.strips):
        return msgspec.structs.replace(plan, strips=tuple(strips))
    buses: list[BusStrip] = [
        msgspec.structs.replace(one, settings=_with_setting(one.settings, parameters_of(one.name), turn))
        if one.name == turn.strip
        else one
        for one in plan.buses
    ]
    if any(one.name == turn.strip for one in plan.buses):
        return msgspec.structs.replace(plan, buses=tuple(buses))
    raise OtoError("not_found", f"The plan has no strip {turn.strip!r}.")


def _with_setting(settings: Settings, known: dict[str, Parameter], turn: Turn) -> Settings:
    parameter = known.get(turn.name)
    if parameter is None:
        raise OtoError("bad_input", f"There is no knob called {turn.name!r} here.", "Knobs: " + ", ".join(known))
    before = settings.get(turn.name)
    if turn.value is None and turn.locked is None:
        return {name: setting for name, setting in settings.items() if name != turn.name}
    if turn.value is None:
        value = before.value if before is not None else parameter.neutral
    else:
        value = _checked(parameter, turn.value)
    same = before is not None and before.value == value
    setting = Setting(
        value=value,
        unit=parameter.unit,
        by=before.by if same and before is not None else "person",
        why=before.why if same and before is not None else "",
        confidence=before.confidence if same and before is not None else None,
        taste=before.taste if same and before is not None else None,
        locked=turn.locked if turn.locked is not None else (before.locked if before is not None else False),
    )
    return {**settings, turn.name: setting}


def _checked(parameter: Parameter, value: Value) -> Value:
    if parameter.scale == "switch":
        if isinstance(value, bool):
            return value
        raise OtoError("bad_input", f"{parameter.label} is on or off.")
    if parameter.scale == "choice":
        if value in parameter.choices:
            return value
        raise OtoError("bad_input", f"{parameter.label} is one of: {', '.join(parameter.choices)}.")
    if isinstance(value, (bool, str)) or not parameter.low <= value <= parameter.high:
        raise OtoError(
            "bad_input",
            f"{parameter.label} goes from {parameter.low:g} to {parameter.high:g} {parameter.unit}.".strip(),
        )
    return float(value)
