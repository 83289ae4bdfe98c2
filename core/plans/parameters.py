"""Every knob of the desk as data: name, unit, range, neutral value and how it maps to 0..1.

This is the only place where physical values and normalised ones meet: plans, the renderer, the screens and the
models all read it. A parameter's neutral value leaves audio untouched.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec

Scale = Literal["linear", "log", "switch", "choice"]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One knob."""

    name: str
    label: str
    """What a person reads on a screen."""
    unit: str
    low: float = 0.0
    high: float = 1.0
    neutral: float | bool | str = 0.0
    scale: Scale = "linear"
    choices: tuple[str, ...] = ()

    def to_normalised(self, value: float) -> float:
        """Map a physical value to 0..1 along the parameter's scale, clamped to its range."""
        clamped = min(max(float(value), self.low), self.high)
        if self.scale == "log":
            return math.log(clamped / self.low) / math.log(self.high / self.low)
        return (clamped - self.low) / (self.high - self.low)

    def from_normalised(self, position: float) -> float:
        """Map 0..1 to the physical value, the inverse of `to_normalised`."""
        position = min(max(position, 0.0), 1.0)
        if self.scale == "log":
            return float(self.low * (self.high / self.low) ** position)
        return self.low + position * (self.high - self.low)


def _knob(
    name: str, label: str, unit: str, low: float, high: float, neutral: float, scale: Scale = "linear"
) -> Parameter:
    return Parameter(name=name, label=label, unit=unit, low=low, high=high, neutral=neutral, scale=scale)


def _switch(name: str, label: str) -> Parameter:
    return Parameter(name=name, label=label, unit="", neutral=False, scale="switch")


def _equaliser(gain_range_db: float) -> tuple[Parameter, ...]:
    """Six bands: a low shelf, four bells, a high shelf. A shelf's Q stays below the resonance that makes it a peak."""
    shapes = (
        ("low shelf", 30.0, 400.0, 90.0, 0.7),
        ("bell 1", 40.0, 1_000.0, 200.0, 1.0),
        ("bell 2", 100.0, 4_000.0, 500.0, 1.0),
        ("bell 3", 300.0, 10_000.0, 2_000.0, 1.0),
        ("bell 4", 1_000.0, 16_000.0, 5_000.0, 1.0),
        ("high shelf", 1_500.0, 18_000.0, 9_000.0, 0.7),
    )
    knobs: list[Parameter] = []
    for band, (label, low_hz, high_hz, neutral_hz, neutral_q) in enumerate(shapes, start=1):
        knobs += [
            _knob(f"eq{band}_freq_hz", f"EQ {label} frequency", "Hz", low_hz, high_hz, neutral_hz, "log"),
            _knob(f"eq{band}_gain_db", f"EQ {label} gain", "dB", -gain_range_db, gain_range_db, 0.0),
            _knob(f"eq{band}_q", f"EQ {label} Q", "", 0.3, 1.4 if "shelf" in label else 8.0, neutral_q, "log"),
        ]
    return tuple(knobs)


def _compressor() -> tuple[Parameter, ...]:
    """Neutral at ratio 1; see `core.dsp.dynamics` for the curve."""
    return (
        _knob("comp_threshold_db", "Compressor threshold", "dB", -60.0, 0.0, 0.0),
        _knob("comp_ratio", "Compressor ratio", ":1", 1.0, 20.0, 1.0, "log"),
        _knob("comp_attack_ms", "Compressor attack", "ms", 0.1, 200.0, 10.0, "log"),
        _knob("comp_release_ms", "Compressor release", "ms", 10.0, 2_000.0, 120.0, "log"),
        _knob("comp_knee_db", "Compressor knee", "dB", 0.0, 24.0, 6.0),
        _knob("comp_makeup_db", "Compressor make-up", "dB", -12.0, 24.0, 0.0),
        _knob("comp_sidechain_hz", "Compressor side-chain high-pass", "Hz", 10.0, 500.0, 10.0, "log"),
        _knob("comp_mix", "Compressor mix", "", 0.0, 1.0, 1.0),
        _switch("comp_auto_release", "Compressor release follows the programme"),
    )


def _multiband() -> tuple[Parameter, ...]:
    """Three bands; a band at ratio 1 passes, and with all three there the crossover is out."""
    knobs = [
        _knob("mb_low_hz", "Multiband low crossover", "Hz", 60.0, 500.0, 150.0, "log"),
        _knob("mb_high_hz", "Multiband high crossover", "Hz", 1_000.0, 10_000.0, 4_000.0, "log"),
    ]
    for band in ("low", "mid", "high"):
        knobs += [
            _knob(f"mb_{band}_threshold_db", f"Multiband {band} threshold", "dB", -60.0, 0.0, 0.0),
            _knob(f"mb_{band}_ratio", f"Multiband {band} ratio", ":1", 1.0, 10.0, 1.0, "log"),
            _knob(f"mb_{band}_gain_db", f"Multiband {band} gain", "dB", -12.0, 12.0, 0.0),
        ]
    return (
        *knobs,
        _knob("mb_attack_ms", "Multiband attack", "ms", 0.5, 200.0, 20.0, "log"),
        _knob("mb_release_ms", "Multiband release", "ms", 20.0, 2_000.0, 150.0, "log"),
    )


def _transients() -> tuple[Parameter, ...]:
    return (
        _knob("transient_attack_db", "Transient attack", "dB", -12.0, 12.0, 0.0),
        _knob("transient_sustain_db", "Transient sustain", "dB", -12.0, 12.0, 0.0),
    )


SENDS: Final[tuple[str, ...]] = ("room", "plate", "hall", "delay")

STRIP: Final[tuple[Parameter, ...]] = (
    _switch("declip", "Clipped peaks rebuilt"),
    _knob("trim_db", "Trim", "dB", -40.0, 60.0, 0.0),
    _switch("polarity_invert", "Polarity inverted"),
    _knob("delay_ms", "Delay", "ms", 0.0, 50.0, 0.0),
    Parameter(name="hum_hz", label="Hum removed", unit="", neutral="off", scale="choice", choices=("off", "50", "60")),
    _knob("highpass_hz", "High-pass", "Hz", 10.0, 1_000.0, 10.0, "log"),
    _knob("gate_threshold_db", "Gate threshold", "dB", -100.0, 0.0, -100.0),
    _knob("gate_range_db", "Gate range", "dB", -80.0, 0.0, -20.0),
    _knob("gate_attack_ms", "Gate attack", "ms", 0.05, 50.0, 1.0, "log"),
    _knob("gate_hold_ms", "Gate hold", "ms", 1.0, 1_000.0, 60.0, "log"),
    _knob("gate_release_ms", "Gate release", "ms", 5.0, 2_000.0, 150.0, "log"),
    *_equaliser(18.0),
    *_compressor(),
    _knob("deess_threshold_db", "De-esser threshold", "dB", -60.0, 0.0, 0.0),
    _knob("deess_freq_hz", "De-esser frequency", "Hz", 3_000.0, 12_000.0, 6_500.0, "log"),
    *_transients(),
    _knob("saturation_drive_db", "Saturation drive", "dB", 0.0, 24.0, 0.0),
    _knob("pan", "Pan", "", -1.0, 1.0, 0.0),
    _knob("width", "Width", "", 0.0, 2.0, 1.0),
    _knob("fader_db", "Fader", "dB", -90.0, 12.0, 0.0),
    *(_knob(f"send_{name}_db", f"Send to {name}", "dB", -90.0, 6.0, -90.0) for name in SENDS),
    _switch("mute", "Mute"),
    Parameter(
        name="bus",
        label="Bus",
        unit="",
        neutral="master",
        scale="choice",
        choices=("drums", "music", "vocals", "master"),
    ),
)
"""A channel strip, in signal order. A gain of -90 dB is off; a high-pass at 10 Hz is off; a gate at -100 dB is off."""

BUS: Final[tuple[Parameter, ...]] = (
    *_equaliser(12.0),
    *_compressor(),
    _knob("saturation_drive_db", "Saturation drive", "dB", 0.0, 24.0, 0.0),
    _knob("width", "Width", "", 0.0, 2.0, 1.0),
    _knob("fader_db", "Fader", "dB", -90.0, 12.0, 0.0),
    _switch("mute", "Mute"),
)
"""A group bus (drums, music, vocals) and the mix's master strip."""

REVERB: Final[tuple[Parameter, ...]] = (
    _knob("decay_s", "Decay", "s", 0.1, 10.0, 1.2, "log"),
    _knob("predelay_ms", "Pre-delay", "ms", 0.0, 200.0, 10.0),
    _knob("damping_hz", "Damping", "Hz", 1_000.0, 20_000.0, 7_000.0, "log"),
    _knob("lowcut_hz", "Low cut", "Hz", 20.0, 1_000.0, 200.0, "log"),
    _knob("fader_db", "Return", "dB", -90.0, 12.0, 0.0),
)
"""A reverb return (room, plate, hall)."""

BEATS: Final[dict[str, float]] = {
    "1/2": 2.0,
    "1/4": 1.0,
    "1/4 dotted": 1.5,
    "1/8": 0.5,
    "1/8 dotted": 0.75,
    "1/8 triplet": 1 / 3,
    "1/16": 0.25,
}
"""How many beats a note value lasts, the beat being a quarter."""

DELAY: Final[tuple[Parameter, ...]] = (
    _knob("time_ms", "Time", "ms", 20.0, 2_000.0, 375.0, "log"),
    Parameter(
        name="sync",
        label="Time in beats",
        unit="",
        neutral="off",
        scale="choice",
        choices=("off", *BEATS),
    ),
    _knob("feedback", "Feedback", "", 0.0, 0.9, 0.3),
    _knob("damping_hz", "Damping", "Hz", 500.0, 20_000.0, 4_000.0, "log"),
    _knob("fader_db", "Return", "dB", -90.0, 12.0, 0.0),
)
"""The delay return."""

MASTER: Final[tuple[Parameter, ...]] = (
    _knob("input_gain_db", "Input gain", "dB", -40.0, 60.0, 0.0),
    _knob("highpass_hz", "High-pass", "Hz", 10.0, 60.0, 10.0, "log"),
    *_equaliser(12.0),
    *_transients(),
    *_multiband(),
    *_compressor(),
    _knob("saturation_drive_db", "Saturation drive", "dB", 0.0, 24.0, 0.0),
    _knob("width", "Width", "", 0.0, 2.0, 1.0),
    _knob("mono_below_hz", "Mono below", "Hz", 20.0, 300.0, 20.0, "log"),
    _knob("loudness_gain_db", "Loudness gain", "dB", -40.0, 40.0, 0.0),
    _knob("limiter_ceiling_dbtp", "Limiter ceiling", "dBTP", -12.0, 0.0, 0.0),
    _knob("limiter_release_ms", "Limiter release", "ms", 10.0, 1_000.0, 100.0, "log"),
    _switch("limiter_on", "Limiter"),
)
"""The master strip of a master plan, in signal order."""

RIDE_GAIN: Final = _knob("gain_db", "The ride", "dB", -90.0, 12.0, 0.0)
"""A point of a ride; -90 dB is silence, as on a fader."""

TEMPO: Final = _knob("tempo_bpm", "The tempo", "BPM", 20.0, 400.0, 120.0, "log")

CURVE_GAIN: Final = _knob("gain_db", "A gain", "dB", -24.0, 24.0, 0.0)
"""A point of a master's tone curve."""


def parameters_of(bus_name: str) -> dict[str, Parameter]:
    """The knobs of a bus strip by the bus's name; an unknown name is a group bus."""
    if bus_name == "delay":
        return by_name(DELAY)
    return by_name(REVERB if bus_name in SENDS else BUS)


def by_name(parameters: tuple[Parameter, ...]) -> dict[str, Parameter]:
    """Index knobs by their names."""
    return {parameter.name: parameter for parameter in parameters}
