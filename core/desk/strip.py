"""From a plan's settings to processors: what a strip, a bus, a return and the master are made of."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from core.dsp.audio import Chain, Floats, Memoryless, Processor
from core.dsp.deesser import Deesser
from core.dsp.delay import Delay
from core.dsp.dynamics import Compressor
from core.dsp.echo import Echo, echo_tail_s
from core.dsp.equaliser import Band, Shape, sections
from core.dsp.filters import Biquads, butterworth_highpass
from core.dsp.gain import db_to_gain, place, stereo_matrix
from core.dsp.gate import OFF_DB, Gate
from core.dsp.reverb import Reverb, Space, tail_s
from core.dsp.saturation import Saturation
from core.dsp.transient import TransientShaper
from core.errors import Exit, OtoError
from core.plans.document import Settings
from core.plans.parameters import Parameter, by_name

Values = dict[str, float | bool | str]
"""Every knob of a strip with its value."""

HIGHPASS_OFF_HZ: Final = 10.0
_SHAPES: Final[tuple[Shape, ...]] = ("low_shelf", "bell", "bell", "bell", "bell", "high_shelf")


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


def _level(gain: float) -> list[Processor]:
    return [] if gain == 1.0 else [Memoryless(lambda x: x * np.float32(gain))]


def _highpass(values: Values, rate_hz: int) -> Floats:
    freq_hz = number(values, "highpass_hz")
    return butterworth_highpass(rate_hz, freq_hz=freq_hz) if freq_hz > HIGHPASS_OFF_HZ else np.empty((0, 6))


def _bands(values: Values, rate_hz: int) -> Floats:
    bands = [
        Band(shape, number(values, f"eq{i}_freq_hz"), number(values, f"eq{i}_gain_db"), number(values, f"eq{i}_q"))
        for i, shape in enumerate(_SHAPES, start=1)
    ]
    return sections(bands, rate_hz)


def _filters(channels: int, *cascades: Floats) -> list[Processor]:
    """Neighbouring filters run as one cascade, which costs little more than one section."""
    joined = np.concatenate(cascades)
    return [Biquads(joined, channels)] if len(joined) else []


def _compressor(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    mix, ratio = number(values, "comp_mix"), number(values, "comp_ratio")
    makeup_db = number(values, "comp_makeup_db")
    if mix == 0.0 or (ratio == 1.0 and makeup_db == 0.0):
        return []
    return [
        Compressor(
            rate_hz,
            channels,
            threshold_db=number(values, "comp_threshold_db"),
            ratio=ratio,
            attack_ms=number(values, "comp_attack_ms"),
            release_ms=number(values, "comp_release_ms"),
            knee_db=number(values, "comp_knee_db"),
            makeup_db=makeup_db,
            sidechain_hz=number(values, "comp_sidechain_hz"),
            mix=mix,
        )
    ]


def _gate(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    threshold_db, range_db = number(values, "gate_threshold_db"), number(values, "gate_range_db")
    if threshold_db <= OFF_DB or range_db == 0.0:
        return []
    return [
        Gate(
            rate_hz,
            channels,
            threshold_db=threshold_db,
            range_db=range_db,
            attack_ms=number(values, "gate_attack_ms"),
            hold_ms=number(values, "gate_hold_ms"),
            release_ms=number(values, "gate_release_ms"),
        )
    ]


def _saturation(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    drive_db = number(values, "saturation_drive_db")
    return [Saturation(rate_hz, channels, drive_db=drive_db)] if drive_db else []


def strip_processors(values: Values, rate_hz: int, channels: int) -> Chain:
    """A channel strip, in the order of `core.plans.parameters.STRIP`: (channels, n) in, (2, n) post fader out."""
    chain = _level(10.0 ** (number(values, "trim_db") / 20.0) * (-1.0 if values["polarity_invert"] else 1.0))
    if number(values, "delay_ms"):
        chain.append(Delay(rate_hz, channels, delay_ms=number(values, "delay_ms")))
    gate = _gate(values, rate_hz, channels)
    highpass, bands = _highpass(values, rate_hz), _bands(values, rate_hz)
    if gate:
        chain += _filters(channels, highpass) + gate + _filters(channels, bands)
    else:
        chain += _filters(channels, highpass, bands)
    chain += _compressor(values, rate_hz, channels)
    if number(values, "deess_threshold_db") < 0.0:
        chain.append(
            Deesser(
                rate_hz,
                channels,
                threshold_db=number(values, "deess_threshold_db"),
                freq_hz=number(values, "deess_freq_hz"),
            )
        )
    attack_db, sustain_db = number(values, "transient_attack_db"), number(values, "transient_sustain_db")
    if attack_db or sustain_db:
        chain.append(TransientShaper(rate_hz, channels, attack_db=attack_db, sustain_db=sustain_db))
    chain += _saturation(values, rate_hz, channels)
    matrix = stereo_matrix(channels, pan=number(values, "pan"), width=number(values, "width"), gain=fader_gain(values))
    return Chain([*chain, Memoryless(lambda x: place(x, matrix))])


def bus_processors(values: Values, rate_hz: int) -> Chain:
    """A group bus or the mix's master strip, in the order of `core.plans.parameters.BUS`: stereo in and out."""
    chain = _filters(2, _bands(values, rate_hz)) + _compressor(values, rate_hz, 2) + _saturation(values, rate_hz, 2)
    matrix = stereo_matrix(2, width=number(values, "width"), gain=fader_gain(values))
    return Chain([*chain, Memoryless(lambda x: place(x, matrix))])


def effect(name: str, values: Values, rate_hz: int) -> tuple[Processor, int]:
    """An effect return, stereo in and out, post fader, and for how many samples it sounds on after its last input."""
    processor, tail_seconds = (_echo if name == "delay" else _reverb)(name, values, rate_hz)
    return Chain([processor, *_level(fader_gain(values))]), round(tail_seconds * rate_hz)


def _reverb(space: str, values: Values, rate_hz: int) -> tuple[Processor, float]:
    decay_s, predelay_ms = number(values, "decay_s"), number(values, "predelay_ms")
    processor = Reverb(
        rate_hz,
        space=cast("Space", space),
        decay_s=decay_s,
        predelay_ms=predelay_ms,
        damping_hz=number(values, "damping_hz"),
        lowcut_hz=number(values, "lowcut_hz"),
    )
    return processor, tail_s(cast("Space", space), decay_s=decay_s, predelay_ms=predelay_ms)


def _echo(_: str, values: Values, rate_hz: int) -> tuple[Processor, float]:
    time_ms, feedback = number(values, "time_ms"), number(values, "feedback")
    processor = Echo(rate_hz, 2, time_ms=time_ms, feedback=feedback, damping_hz=number(values, "damping_hz"))
    return processor, echo_tail_s(time_ms=time_ms, feedback=feedback)


def fader_gain(values: Values) -> float:
    """Gain of the fader of a strip, bus or return; 0 when it is muted."""
    return 0.0 if values.get("mute", False) else db_to_gain(number(values, "fader_db"))
