"""From a plan's settings to processors: what a strip, a bus, a return and the master are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import numpy as np

from core.desk.settings import Values, fader_gain, number
from core.dsp.audio import Chain, Floats, Memoryless, Processor
from core.dsp.deesser import Deesser
from core.dsp.delay import Delay
from core.dsp.dynamics import Compressor
from core.dsp.echo import Echo, echo_tail_s
from core.dsp.equaliser import Band, Shape, sections
from core.dsp.filters import Biquads, butterworth_highpass
from core.dsp.gain import place, stereo_matrix
from core.dsp.gate import OFF_DB, Gate
from core.dsp.hum import HumFilter
from core.dsp.saturation import Saturation
from core.dsp.transient import TransientShaper
from core.plans.parameters import BEATS, SENDS

if TYPE_CHECKING:
    from core.dsp.reverb import Space

HIGHPASS_OFF_HZ: Final = 10.0
EQ_SHAPES: Final[tuple[Shape, ...]] = ("low_shelf", "bell", "bell", "bell", "bell", "high_shelf")


def level(gain: float) -> list[Processor]:
    """A gain; nothing at unity."""
    return [] if gain == 1.0 else [Memoryless(lambda x: x * np.float32(gain))]


def highpass(values: Values, rate_hz: int) -> Floats:
    """Sections of the high-pass; none where it is off."""
    freq_hz = number(values, "highpass_hz")
    return butterworth_highpass(rate_hz, freq_hz=freq_hz) if freq_hz > HIGHPASS_OFF_HZ else np.empty((0, 6))


def bands(values: Values, rate_hz: int) -> Floats:
    """Sections of the equaliser."""
    wanted = [
        Band(shape, number(values, f"eq{i}_freq_hz"), number(values, f"eq{i}_gain_db"), number(values, f"eq{i}_q"))
        for i, shape in enumerate(EQ_SHAPES, start=1)
    ]
    return sections(wanted, rate_hz)


def filters(channels: int, *cascades: Floats) -> list[Processor]:
    """Neighbouring filters run as one cascade, which costs little more than one section."""
    joined = np.concatenate(cascades)
    return [Biquads(joined, channels)] if len(joined) else []


def compressor(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    """The compressor; nothing where it is neutral."""
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
            auto_release=bool(values["comp_auto_release"]),
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


def transients(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    """The transient shaper; nothing where it is neutral."""
    attack_db, sustain_db = number(values, "transient_attack_db"), number(values, "transient_sustain_db")
    if not attack_db and not sustain_db:
        return []
    return [TransientShaper(rate_hz, channels, attack_db=attack_db, sustain_db=sustain_db)]


def saturation(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    """The saturation; nothing where it is neutral."""
    drive_db = number(values, "saturation_drive_db")
    return [Saturation(rate_hz, channels, drive_db=drive_db)] if drive_db else []


def _declip(rate_hz: int, channels: int) -> list[Processor]:
    # Few tracks need it, and its linear algebra takes longer to load than all the rest of the desk.
    from core.dsp.declip import Declip

    return [Declip(rate_hz, channels)]


PLACING: Final = frozenset({"fader_db", "pan", "width", "mute", "bus", *(f"send_{name}_db" for name in SENDS)})
"""Knobs of a strip that its processors before the fader know nothing of."""


def strip_processors(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    """A channel strip up to its fader, in the order of `core.plans.parameters.STRIP`: (channels, n) in and out."""
    chain = _declip(rate_hz, channels) if values["declip"] else []
    chain += level(10.0 ** (number(values, "trim_db") / 20.0) * (-1.0 if values["polarity_invert"] else 1.0))
    if number(values, "delay_ms"):
        chain.append(Delay(rate_hz, channels, delay_ms=number(values, "delay_ms")))
    if values["hum_hz"] != "off":
        chain.append(HumFilter(rate_hz, channels, hum_hz=float(values["hum_hz"])))
    gate = _gate(values, rate_hz, channels)
    if gate:
        chain += filters(channels, highpass(values, rate_hz)) + gate + filters(channels, bands(values, rate_hz))
    else:
        chain += filters(channels, highpass(values, rate_hz), bands(values, rate_hz))
    chain += compressor(values, rate_hz, channels)
    if number(values, "deess_threshold_db") < 0.0:
        chain.append(
            Deesser(
                rate_hz,
                channels,
                threshold_db=number(values, "deess_threshold_db"),
                freq_hz=number(values, "deess_freq_hz"),
            )
        )
    return chain + transients(values, rate_hz, channels) + saturation(values, rate_hz, channels)


def placing(values: Values, channels: int) -> Floats:
    """Width, pan and fader of a strip: gains (2, channels)."""
    return stereo_matrix(channels, pan=number(values, "pan"), width=number(values, "width"), gain=fader_gain(values))


def bus_processors(values: Values, rate_hz: int) -> Chain:
    """A group bus or the mix's master strip, in the order of `core.plans.parameters.BUS`: stereo in and out."""
    chain = filters(2, bands(values, rate_hz)) + compressor(values, rate_hz, 2) + saturation(values, rate_hz, 2)
    matrix = stereo_matrix(2, width=number(values, "width"), gain=fader_gain(values))
    return Chain([*chain, Memoryless(lambda x: place(x, matrix))])


def effect(name: str, values: Values, rate_hz: int, tempo_bpm: float | None) -> tuple[Processor, int]:
    """An effect return, stereo in and out, post fader, and for how many samples it sounds on after its last input."""
    if name == "delay":
        processor, tail_seconds = _echo(values, rate_hz, tempo_bpm)
    else:
        processor, tail_seconds = _reverb(cast("Space", name), values, rate_hz)
    return Chain([processor, *level(fader_gain(values))]), round(tail_seconds * rate_hz)


def _reverb(space: Space, values: Values, rate_hz: int) -> tuple[Processor, float]:
    # A master has none, and its transforms take longer to load than a song takes to be measured.
    from core.dsp.reverb import Reverb, tail_s

    decay_s, predelay_ms = number(values, "decay_s"), number(values, "predelay_ms")
    processor = Reverb(
        rate_hz,
        space=space,
        decay_s=decay_s,
        predelay_ms=predelay_ms,
        damping_hz=number(values, "damping_hz"),
        lowcut_hz=number(values, "lowcut_hz"),
    )
    return processor, tail_s(space, decay_s=decay_s, predelay_ms=predelay_ms)


def _echo(values: Values, rate_hz: int, tempo_bpm: float | None) -> tuple[Processor, float]:
    beats = BEATS.get(str(values["sync"]))
    time_ms = beats * 60_000.0 / tempo_bpm if beats and tempo_bpm else number(values, "time_ms")
    feedback = number(values, "feedback")
    processor = Echo(rate_hz, 2, time_ms=time_ms, feedback=feedback, damping_hz=number(values, "damping_hz"))
    return processor, echo_tail_s(time_ms=time_ms, feedback=feedback)
