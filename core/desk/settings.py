"""What a plan says, made sure of: every knob with a legal value, rides, spans, tempo and tone curves that can be."""

from __future__ import annotations

import math
from itertools import pairwise

from core.dsp.gain import db_to_gain
from core.errors import Exit, OtoError
from core.plans.document import MixPlan, Ride, Settings, ToneCurve
from core.plans.parameters import CURVE_GAIN, RIDE_GAIN, TEMPO, Parameter, by_name

Values = dict[str, float | bool | str]
"""Every knob of a strip with its value."""

LONGEST_S = 24 * 3_600.0
"""No take is longer than a day."""


def resolve(settings: Settings, parameters: tuple[Parameter, ...], where: str) -> Values:
    """All knobs of `parameters`, neutral where the plan is silent.

    Raises OtoError("bad_input") for a knob that isn't there or a value it can't take: a plan is never bent silently.
    """
    known = by_name(parameters)
    values: Values = {name: parameter.neutral for name, parameter in known.items()}
    for name, setting in settings.items():
        parameter = known.get(name)
        if parameter is None:
            raise _bad_plan(f"There is no knob called '{name}' on {where}.")
        values[name] = _legal(parameter, setting.value, where)
    return values


def _legal(parameter: Parameter, value: float | bool | str, where: str) -> float | bool | str:
    if parameter.scale == "switch":
        if isinstance(value, bool):
            return value
        raise _bad_plan(f"{parameter.label} of {where} is on (true) or off (false), not {value!r}.")
    if parameter.scale == "choice":
        if value in parameter.choices:
            return value
        raise _bad_plan(f"{parameter.label} of {where} is one of {', '.join(parameter.choices)}, not {value!r}.")
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or not parameter.low <= number <= parameter.high:
        limits = f"{parameter.low:g} to {parameter.high:g} {parameter.unit}".strip()
        raise _bad_plan(f"{parameter.label} of {where} goes from {limits}, not {value!r}.")
    return float(number)


def _bad_plan(message: str) -> OtoError:
    return OtoError("bad_input", message, "Change that setting in the plan; nothing was rendered.", Exit.BAD_INPUT)


def number(values: Values, name: str) -> float:
    """A numeric knob's value."""
    return float(values[name])


def fader_gain(values: Values) -> float:
    """Gain of the fader of a strip, bus or return; 0 when it is muted."""
    return 0.0 if values.get("mute", False) else db_to_gain(number(values, "fader_db"))


def ride_points(ride: Ride | None, where: str) -> tuple[tuple[float, float], ...]:
    """Seconds since the start of the take and gains in dB; none for a fader that stays.

    Raises OtoError("bad_input") for points that don't go forward in time within a day, or for a gain no fader has.
    """
    points = () if ride is None else tuple((point.at_s, point.gain_db) for point in ride.points)
    for at_s, gain_db in points:
        _within_a_day(at_s, f"The ride of {where}")
        _legal(RIDE_GAIN, gain_db, where)
    for (at_s, _), (next_s, _) in pairwise(points):
        if next_s <= at_s:
            raise _bad_plan(f"The ride of {where} goes forward in time, not from {at_s:g} s to {next_s:g} s.")
    return points


def _within_a_day(at_s: float, what: str) -> None:
    if not 0.0 <= at_s <= LONGEST_S:
        raise _bad_plan(f"{what} lies within the take, not at {at_s:g} s.")


def span_samples(plan: MixPlan, rate_hz: int) -> tuple[int, int] | None:
    """First sample of the take that is mixed and the first that no longer is; None for all of it.

    Raises OtoError("bad_input") for a span that ends before it starts or that no take can hold.
    """
    span = plan.span
    if span is None:
        return None
    for at_s in (span.start_s, span.end_s):
        _within_a_day(at_s, "The span that is mixed")
    start, end = round(span.start_s * rate_hz), round(span.end_s * rate_hz)
    if end <= start:
        raise _bad_plan(f"The span that is mixed ends after it starts, not at {span.end_s:g} from {span.start_s:g} s.")
    return start, end


def tempo_bpm(plan: MixPlan) -> float | None:
    """The plan's tempo. Raises OtoError("bad_input") for one that no music has."""
    if plan.tempo_bpm is not None:
        _legal(TEMPO, plan.tempo_bpm, "the song")
    return plan.tempo_bpm


def checked_curve(curve: ToneCurve | None) -> ToneCurve | None:
    """The curve itself, or None where it changes nothing.

    Raises OtoError("bad_input") for lists of unequal length, frequencies that don't rise, or gains out of range.
    """
    if curve is None:
        return None
    if not len(curve.freq_hz) == len(curve.mid_db) == len(curve.side_db):
        raise _bad_plan("The tone curve has as many gains for the middle and for the sides as frequencies.")
    if not all(math.isfinite(freq_hz) and freq_hz > 0.0 for freq_hz in curve.freq_hz):
        raise _bad_plan("The frequencies of the tone curve are above 0 Hz.")
    if any(second <= first for first, second in pairwise(curve.freq_hz)):
        raise _bad_plan("The frequencies of the tone curve rise.")
    for gain_db in (*curve.mid_db, *curve.side_db):
        _legal(CURVE_GAIN, gain_db, "the tone curve")
    return curve if any((*curve.mid_db, *curve.side_db)) else None
