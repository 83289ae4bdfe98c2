"""A plan's decisions as rows to read: what was set, by whom, how sure, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Final

from core.plans.document import BusStrip, MasterPlan, MixPlan, Ride, Setting, Settings, Strip, ToneCurve
from core.plans.parameters import BUS, MASTER, SENDS, STRIP, Parameter, by_name, parameters_of
from core.report.text import minus

_OFF_DB: Final = -90.0
"""A fader or send this low is shut."""


@dataclass(frozen=True)
class Row:
    """Neighbouring settings that were decided together."""

    title: str
    values: tuple[tuple[str, str], ...]
    """Label and value of each; a label is empty where the title says it all."""
    by: str
    confidence: float | None
    locked: bool
    why: str


@dataclass(frozen=True)
class Section:
    """One strip's decisions."""

    title: str
    about: str
    rows: tuple[Row, ...]


def sections(plan: MixPlan | MasterPlan) -> list[Section]:
    """Every strip with its decisions in signal order; buses and a master without decisions are left out."""
    if isinstance(plan, MasterPlan):
        curve = [_curve(plan.curve)] if plan.curve else []
        return [Section("Master", f"for {plan.target.name}", (*curve, *_rows(plan.settings, by_name(MASTER))))]
    made = [_strip(strip) for strip in plan.strips]
    made += [_bus(bus) for bus in plan.buses if bus.settings or bus.ride]
    if plan.master or plan.master_ride or plan.span:
        made.append(Section("Mix", "the sum of everything", (*_master_extras(plan), *_rows(plan.master, by_name(BUS)))))
    return made


@dataclass(frozen=True)
class Channel:
    """A strip at a glance."""

    track: str
    role: str
    bus: str
    fader: str
    """"muted" for one that is not heard."""
    pan: str
    sends: str
    """The effects that it feeds, by name."""


def channels(plan: MixPlan) -> list[Channel]:
    """What an engineer looks at first: who is where, and how loud."""
    return [_channel(strip) for strip in plan.strips]


def decided(plan: MixPlan | MasterPlan) -> dict[str, int]:
    """How many settings were made by whom, in the words of `core.plans.document.By`."""
    counts: dict[str, int] = {}
    for section in sections(plan):
        for row in section.rows:
            counts[row.by] = counts.get(row.by, 0) + len(row.values)
    return counts


def reading(parameter: Parameter | None, setting: Setting) -> str:
    """A value with its unit, as an engineer writes it."""
    value = setting.value
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value
    name, unit = (parameter.name, parameter.unit) if parameter else ("", setting.unit)
    if name == "pan":
        return "centre" if value == 0 else f"{abs(value):.0%} {'left' if value < 0 else 'right'}"
    if name in ("width", "comp_mix", "feedback"):
        return f"{value:.0%}"
    if unit == "dB" and value <= _OFF_DB and name.startswith(("send_", "fader_")):
        return "off"
    if unit in ("dB", "dBTP"):
        return minus(f"{value:+.1f} {unit}")
    if unit == "Hz" and value >= 1000:
        return f"{value / 1000:.3g} kHz"
    return f"{value:.4g}{'' if unit == ':1' else ' '}{unit}".rstrip()


def _channel(strip: Strip) -> Channel:
    knobs = by_name(STRIP)

    def read(name: str) -> str:
        return reading(knobs[name], strip.settings.get(name) or Setting(value=knobs[name].neutral))

    return Channel(
        track=strip.track,
        role=strip.role.replace("_", " "),
        bus=read("bus"),
        fader="muted" if read("mute") == "on" else read("fader_db"),
        pan=read("pan"),
        sends=", ".join(name for name in SENDS if read(f"send_{name}_db") != "off"),
    )


def _strip(strip: Strip) -> Section:
    sure = f" ({strip.role_confidence:.0%} sure)" if strip.role_confidence is not None else ""
    role = strip.role.replace("_", " ") + (sure if strip.role_by != "person" else " (you said so)")
    about = role if strip.priority == "normal" else f"{role}, {strip.priority}"
    return Section(strip.track, about, (*_ride(strip.ride), *_rows(strip.settings, by_name(STRIP))))


def _bus(bus: BusStrip) -> Section:
    kind = "effect" if "decay_s" in parameters_of(bus.name) or bus.name == "delay" else "bus"
    return Section(bus.name.capitalize(), kind, (*_ride(bus.ride), *_rows(bus.settings, parameters_of(bus.name))))


def _master_extras(plan: MixPlan) -> Iterator[Row]:
    if span := plan.span:
        value = (("", f"{span.start_s:.1f} s to {span.end_s:.1f} s of the take"),)
        yield Row("Part that is mixed", value, span.by, span.confidence, span.locked, span.why)
    yield from _ride(plan.master_ride)


def _ride(ride: Ride | None) -> Iterator[Row]:
    if ride and ride.points:
        gains = [point.gain_db for point in ride.points]
        value = f"{len(gains)} points, {_span(gains)}"
        yield Row("Fader ride", (("", value),), ride.by, ride.confidence, ride.locked, ride.why)


def _curve(curve: ToneCurve) -> Row:
    values = (("middle", _span(curve.mid_db)), ("sides", _span(curve.side_db)))
    return Row("Linear-phase EQ", values, curve.by, curve.confidence, curve.locked, curve.why)


def _span(gains_db: Sequence[float]) -> str:
    return minus(f"{min(gains_db, default=0.0):+.1f} to {max(gains_db, default=0.0):+.1f} dB")


def _rows(settings: Settings, parameters: dict[str, Parameter]) -> Iterator[Row]:
    """In signal order; what belongs to one processor and has one reason becomes one row."""
    names = [name for name in parameters if name in settings] + [name for name in settings if name not in parameters]

    def together(name: str) -> tuple[object, ...]:
        setting = settings[name]
        processor = name if name.startswith("send_") else name.split("_")[0]
        return processor, setting.by, setting.why, setting.confidence, setting.locked

    for _, group in groupby(names, together):
        members = list(group)
        labels = [parameters[name].label if name in parameters else name for name in members]
        title = labels[0] if len(labels) == 1 else _shared_words(labels)
        values = tuple(
            (label.removeprefix(title).strip(), reading(parameters.get(name), settings[name]))
            for name, label in zip(members, labels, strict=True)
        )
        first = settings[members[0]]
        yield Row(title, values, first.by, first.confidence, first.locked, first.why)


def _shared_words(labels: list[str]) -> str:
    """What all labels begin with, in whole words."""
    columns = zip(*(label.split() for label in labels), strict=False)
    return " ".join(words[0] for words in takewhile(lambda words: len(set(words)) == 1, columns))
