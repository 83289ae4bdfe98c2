"""Whole strips, buses, masters and mixes: the twin of `core.desk` and `core.master.chain`.

What is not named in the values of a strip is neutral and costs nothing. Not here: what is repaired before a mix is
thought of (clipped peaks, hum, delay), gate, de-esser and transient shaper, which no controller turns, rides and spans,
and the limiter, whose search for peaks between the samples has no useful gradient. `console` refuses a plan that uses
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from core.desk.settings import Values as Resolved
from core.desk.settings import number, resolve
from core.desk.wiring import GROUPS
from core.errors import Exit, OtoError
from core.plans.document import MixPlan, Settings
from core.plans.parameters import BEATS, BUS, DELAY, MASTER, REVERB, SENDS, STRIP, Parameter, by_name
from training.desk import dynamics, filters, levels, saturation, spaces
from training.desk.knobs import Knob, Values, per_item

ABSENT: Final = ("declip", "delay_ms", "hum_hz", "gate_threshold_db", "deess_threshold_db", "transient_attack_db",
                 "transient_sustain_db")  # fmt: skip
"""Knobs of a strip that have no twin."""

_MONO_OFF_HZ: Final = by_name(MASTER)["mono_below_hz"].low


@dataclass(frozen=True)
class Console:
    """The knobs of a mix. Every Tensor has a batch of songs first."""

    strips: Values
    """STRIP knobs, (batch, tracks), sends too."""
    routing: Tensor
    """How much of each track each group gets: (batch, tracks, groups)."""
    groups: Values
    """BUS knobs, (batch, groups)."""
    returns: Mapping[str, Values]
    """REVERB or DELAY knobs by effect: numbers; the fader, a delay's feedback and damping may be (batch,)."""
    master: Values
    """BUS knobs, (batch,)."""


def mix(tracks: Tensor, rate_hz: int, console: Console, *, mono: bool | Tensor = False) -> Tensor:
    """Mix (batch, tracks, 1 or 2, frames) to (batch, 2, frames); what sounds on behind the end is cut off.

    `mono` (batch, tracks) says which tracks of a stereo tensor hold one channel twice.
    """
    batch, count = tracks.shape[:2]
    single = mono.flatten() if isinstance(mono, Tensor) else mono
    parts = strip(tracks.flatten(0, 1), rate_hz, _flat(console.strips), mono=single).unflatten(0, (batch, count))
    sums = torch.einsum("btcf,btg->bgcf", parts, console.routing.to(parts))
    total = bus(sums.flatten(0, 1), rate_hz, _flat(console.groups)).unflatten(0, (batch, -1)).sum(1)
    for name, knobs in console.returns.items():
        sends = levels.db_to_gain(per_item(console.strips[f"send_{name}_db"], parts)).expand(batch, count)
        total = total + effect(name, torch.einsum("btcf,bt->bcf", parts, sends.to(parts)), rate_hz, knobs)
    return bus(total, rate_hz, console.master)


def strip(audio: Tensor, rate_hz: int, values: Values, *, mono: bool | Tensor = False) -> Tensor:
    """A channel strip, sends apart: (batch, 1 or 2, frames) in, (batch, 2, frames) behind the fader out."""
    audio = levels.gain(audio, gain_db=values["trim_db"]) if "trim_db" in values else audio
    audio = levels.polarity(audio, invert=values["polarity_invert"]) if "polarity_invert" in values else audio
    audio = _coloured(audio, rate_hz, values)
    placed = levels.place(audio, pan=values.get("pan", 0.0), width=values.get("width", 1.0), mono=mono)
    return _faded(placed, values)


def bus(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    """A group bus or the mix's master strip: (batch, 2, frames) in and out."""
    audio = _coloured(audio, rate_hz, values)
    audio = levels.width(audio, width=values["width"]) if "width" in values else audio
    return _faded(audio, values)


def effect(name: str, audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    """An effect return: (batch, 2, frames) in and out, behind its fader."""
    knobs = {knob: value for knob, value in values.items() if knob != "fader_db"}
    if name == "delay":
        return _faded(spaces.echo(audio, rate_hz, **knobs), values)
    return _faded(spaces.reverb(audio, rate_hz, space=name, **knobs), values)


def master(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    """The strip of a master plan up to its limiter: (batch, 1 or 2, frames) in and out."""
    audio = levels.gain(audio, gain_db=values["input_gain_db"]) if "input_gain_db" in values else audio
    audio = _toned(audio, rate_hz, values)
    if any(name.startswith("mb_") for name in values):
        audio = multiband(audio, rate_hz, values)
    audio = _bent(_compressed(audio, rate_hz, values), rate_hz, values)
    audio = levels.width(audio, width=values["width"]) if "width" in values else audio
    if "mono_below_hz" in values and audio.shape[1] == 2:
        audio = mono_lows(audio, rate_hz, freq_hz=values["mono_below_hz"])
    return levels.gain(audio, gain_db=values["loudness_gain_db"]) if "loudness_gain_db" in values else audio


def multiband(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    """The three-band compressor by its knobs, mb_*; what is not named is neutral."""

    def three(knob: str, neutral: float) -> tuple[Knob, Knob, Knob]:
        low, mid, high = (values.get(f"mb_{band}_{knob}", neutral) for band in ("low", "mid", "high"))
        return low, mid, high

    shared = {
        knob: values[f"mb_{knob}"]
        for knob in ("low_hz", "high_hz", "attack_ms", "release_ms")
        if f"mb_{knob}" in values
    }
    return dynamics.compress_bands(
        audio,
        rate_hz,
        threshold_db=three("threshold_db", 0.0),
        ratio=three("ratio", 1.0),
        gain_db=three("gain_db", 0.0),
        **shared,
    )


def mono_lows(audio: Tensor, rate_hz: int, *, freq_hz: Knob) -> Tensor:
    """Take the side signal of (batch, 2, frames) audio out below a frequency; the lowest is off."""
    corner_hz = per_item(freq_hz, audio)
    side = (audio[:, :1] - audio[:, 1:]) * 0.5
    removed = filters.highpass(side, rate_hz, freq_hz=corner_hz) - side
    removed = torch.where((corner_hz > _MONO_OFF_HZ).reshape(-1, 1, 1), removed, 0.0)
    return audio + torch.cat([removed, -removed], dim=1)


def _coloured(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    return _bent(_compressed(_toned(audio, rate_hz, values), rate_hz, values), rate_hz, values)


def _toned(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    bands = filters.equaliser(audio, rate_hz, values)
    if "highpass_hz" in values:
        bands = filters.joined(filters.switched_highpass(rate_hz, per_item(values["highpass_hz"], audio)), bands)
    return filters.filtered(audio, bands)


def _compressed(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    knobs = {name.removeprefix("comp_"): value for name, value in values.items() if name.startswith("comp_")}
    if not knobs:
        return audio
    return dynamics.compress(audio, rate_hz, **{"threshold_db": 0.0, "ratio": 1.0, **knobs})


def _bent(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    drive_db = values.get("saturation_drive_db")
    return audio if drive_db is None else saturation.saturate(audio, rate_hz, drive_db=drive_db)


def _faded(audio: Tensor, values: Values) -> Tensor:
    audio = levels.gain(audio, gain_db=values["fader_db"]) if "fader_db" in values else audio
    muted = values.get("mute")
    return audio if muted is None else audio * (1.0 - per_item(muted, audio)).to(audio.dtype).reshape(-1, 1, 1)


def _flat(values: Values) -> Values:
    """Knobs (batch, tracks) as (batch * tracks,)."""
    return {name: value.flatten() if isinstance(value, Tensor) else value for name, value in values.items()}


# --- plans -----------------------------------------------------------------------------------------------------


def console(plan: MixPlan) -> Console:
    """The knobs of a plan, a batch of one, tracks in the plan's order.

    Raises OtoError("bad_input") for what the plan can't say, and for what has no twin.
    """
    if plan.span or plan.master_ride or any(strip.ride for strip in plan.strips) or any(bus.ride for bus in plan.buses):
        raise _no_twin("rides and spans")
    resolved = [resolve(each.settings, STRIP, f"the strip of '{each.track}'") for each in plan.strips]
    neutral = by_name(STRIP)
    for values in resolved:
        for name in ABSENT:
            if values[name] != neutral[name].neutral:
                raise _no_twin(neutral[name].label)
    buses = {each.name: each.settings for each in plan.buses}
    groups = [resolve({} if name == "master" else buses.get(name, {}), BUS, f"the {name} bus") for name in GROUPS]
    routing = torch.tensor([[float(values["bus"] == name) for name in GROUPS] for values in resolved])
    strips = stacked(resolved, STRIP)
    returns = {
        name: _return(name, buses.get(name, {}), plan.tempo_bpm) for name in SENDS if f"send_{name}_db" in strips
    }
    return Console(
        strips={name: value[None] for name, value in strips.items()},
        routing=routing[None],
        groups={name: value[None] for name, value in stacked(groups, BUS).items()},
        returns=returns,
        master=stacked([resolve(plan.master, BUS, "the master strip")], BUS),
    )


def stacked(resolved: Sequence[Resolved], parameters: Sequence[Parameter]) -> dict[str, Tensor]:
    """Values (strips,) of every processor that at least one of the strips uses."""
    used = {
        parameter.name
        for parameter in parameters
        if any(values[parameter.name] != parameter.neutral for values in resolved)
    }
    wanted = {name for name in used if not name.startswith(("eq", "comp_"))}
    for gain in (name for name in used if name.endswith("_gain_db") and name.startswith("eq")):
        band = gain.removesuffix("gain_db")
        wanted |= {f"{band}freq_hz", gain, f"{band}q"}
    if used & {"comp_ratio", "comp_makeup_db"}:
        wanted |= {parameter.name for parameter in parameters if parameter.name.startswith("comp_")}
    known = by_name(tuple(parameters))
    return {
        name: torch.from_numpy(np.array([values[name] for values in resolved]))
        for name in sorted(wanted)
        if known[name].scale != "choice" and name not in ABSENT
    }


def _return(name: str, settings: Settings, tempo_bpm: float | None) -> Values:
    values = resolve(settings, DELAY if name == "delay" else REVERB, f"the {name}")
    knobs: dict[str, Knob] = {knob: number(values, knob) for knob, value in values.items() if knob != "sync"}
    beats = BEATS.get(str(values.get("sync")))
    if beats and tempo_bpm:
        knobs["time_ms"] = beats * 60_000.0 / tempo_bpm
    return knobs


def _no_twin(what: str) -> OtoError:
    return OtoError(
        "bad_input",
        f"The differentiable desk has no {what}.",
        "Leave it out of the plan, or render it with the desk itself first.",
        Exit.BAD_INPUT,
    )
