"""What a strip's filters and dynamics do, as curves in dB: magnitudes alone, in plain Python, of a plan's settings.

The desk's bells and shelves follow the analogue prototypes of R. Bristow-Johnson's "Cookbook formulae for audio EQ
biquad filter coefficients", matched up to the Nyquist frequency (M. Vicanek, "Matched Second Order Digital Filters",
2016). A second-order section's |H|² is a quotient of two sums over the same three functions of frequency, which is all
that a curve needs: no coefficient of a filter is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from core.plans.document import Settings, value_of
from core.plans.parameters import Parameter

Quadratic = tuple[float, float, float]
"""Coefficients of s², s and 1, normalised to a corner of 1 rad/s."""
Weights = tuple[float, float, float]
"""Of the three functions that make up a section's squared magnitude, see `_basis`."""
Magnitude = Callable[[float], float]
"""A squared gain by frequency in Hz."""
Shape = Literal["low_shelf", "bell", "high_shelf"]

SHAPES: Final[tuple[Shape, ...]] = ("low_shelf", "bell", "bell", "bell", "bell", "high_shelf")
HIGHPASS_OFF_HZ: Final = 10.0
GATE_OFF_DB: Final = -100.0
LOWEST_GAIN: Final = 1e-6
"""-120 dB: deeper is not drawn."""


def spread_hz(count: int, low_hz: float = 20.0, high_hz: float = 20_000.0) -> list[float]:
    """Frequencies from low to high at equal intervals."""
    return [low_hz * (high_hz / low_hz) ** (x / max(count - 1, 1)) for x in range(count)]


def tone_db(
    settings: Settings, knobs: Mapping[str, Parameter], rate_hz: int, frequencies_hz: Sequence[float]
) -> list[float]:
    """Gain in dB of a strip's high-pass and equaliser at each frequency, one value per frequency."""
    filters = _filters(settings, knobs, rate_hz)
    return [10.0 * math.log10(max(math.prod(one(hz) for one in filters), LOWEST_GAIN**2)) for hz in frequencies_hz]


def level_db(settings: Settings, knobs: Mapping[str, Parameter], input_db: float) -> float:
    """The level in dB at which a steady tone leaves gate and compressor.

    Soft knee after D. Giannoulis, M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012,
    eq. 4; `comp_mix` blends the untouched signal in.
    """

    def value(name: str) -> float:
        return value_of(settings, name, float(knobs[name].neutral)) if name in knobs else 0.0

    gated_db = input_db
    if "gate_threshold_db" in knobs and GATE_OFF_DB < value("gate_threshold_db") > input_db:
        gated_db += value("gate_range_db")
    if "comp_ratio" not in knobs:
        return gated_db
    knee_db, over_db = value("comp_knee_db"), gated_db - value("comp_threshold_db")
    bent_db = max(over_db - knee_db / 2.0, 0.0)
    if knee_db > 0.0:
        bent_db += min(max(over_db + knee_db / 2.0, 0.0), knee_db) ** 2 / (2.0 * knee_db)
    wet_db = value("comp_makeup_db") - (1.0 - 1.0 / value("comp_ratio")) * bent_db
    mix = value("comp_mix")
    return gated_db + 20.0 * math.log10(1.0 - mix + mix * 10.0 ** (wet_db / 20.0))


def _filters(settings: Settings, knobs: Mapping[str, Parameter], rate_hz: int) -> list[Magnitude]:
    filters: list[Magnitude] = []
    if "highpass_hz" in knobs and (hz := value_of(settings, "highpass_hz", HIGHPASS_OFF_HZ)) > HIGHPASS_OFF_HZ:
        filters.append(_highpass(hz, rate_hz))
    for number, shape in enumerate(SHAPES, start=1):
        gain_db = value_of(settings, f"eq{number}_gain_db", 0.0)
        if gain_db and f"eq{number}_gain_db" in knobs:
            freq_hz, q = (
                value_of(settings, name, float(knobs[name].neutral))
                for name in (f"eq{number}_freq_hz", f"eq{number}_q")
            )
            filters.append(_band(shape, freq_hz, gain_db, q, rate_hz))
    return filters


def _highpass(freq_hz: float, rate_hz: int) -> Magnitude:
    """A second-order Butterworth by the bilinear transform."""

    def tangent(hz: float) -> float:
        return math.tan(math.pi * min(hz, 0.49 * rate_hz) / rate_hz)

    corner = tangent(freq_hz)
    return lambda hz: 1.0 / (1.0 + (corner / tangent(hz)) ** 4)


def _band(shape: Shape, freq_hz: float, gain_db: float, q: float, rate_hz: int) -> Magnitude:
    """A bell or a shelf; of each pair of mirror images one is designed, the other is one over it."""
    corner = 2.0 * math.pi * min(freq_hz, 0.49 * rate_hz) / rate_hz
    amplitude = 10.0 ** (abs(gain_db) / 40.0)
    slope = math.sqrt(amplitude) / q
    inverted = gain_db < 0.0
    if shape == "bell":
        poles, zeros = (1.0, 1.0 / (amplitude * q), 1.0), (1.0, amplitude / q, 1.0)
    elif shape == "low_shelf":
        amplitude = 10.0 ** (gain_db / 40.0)
        slope, inverted = math.sqrt(amplitude) / q, False
        poles, zeros = (amplitude, slope, 1.0), (amplitude, slope * amplitude, amplitude**2)
    else:
        amplitude = 1.0 / amplitude
        slope, inverted = math.sqrt(amplitude) / q, gain_db > 0.0
        poles, zeros = (1.0, slope, amplitude), (amplitude**2, slope * amplitude, amplitude)
    above, below = _matched(poles, zeros, corner)

    def squared(hz: float) -> float:
        basis = _basis(2.0 * math.pi * min(hz, 0.5 * rate_hz) / rate_hz)
        gain = max(_sum(above, basis), 0.0) / _sum(below, basis)
        return 1.0 / max(gain, LOWEST_GAIN**2) if inverted else gain

    return squared


def _basis(w: float) -> Weights:
    """The three functions at w radians per sample: cos²(w/2), sin²(w/2) and four times their product."""
    p1 = math.sin(w / 2.0) ** 2
    return 1.0 - p1, p1, 4.0 * p1 * (1.0 - p1)


def _sum(weights: Weights, basis: Weights) -> float:
    return sum(weight * value for weight, value in zip(weights, basis, strict=True))


def _matched(poles: Quadratic, zeros: Quadratic, corner: float) -> tuple[Weights, Weights]:
    """Numerator and denominator of the section that has the prototype's gain at DC, near its corner and at Nyquist."""

    def target(w: float) -> float:
        return _prototype(zeros, w / corner) / _prototype(poles, w / corner)

    below = _mapped(poles, corner)
    match = min(corner, 0.7 * math.pi)
    basis = _basis(match)
    at_dc, at_nyquist = below[0] * target(0.0), below[1] * target(math.pi)
    bent = (_sum(below, basis) * target(match) - at_dc * basis[0] - at_nyquist * basis[1]) / basis[2]
    middle = (math.sqrt(at_dc) + math.sqrt(at_nyquist)) / 2.0
    if middle**2 + bent > 0.0:
        return (at_dc, at_nyquist, bent), below
    # No real zeros do that (only far outside the audio range): they are mapped as the poles are.
    above = _mapped(zeros, corner)
    level = at_dc / above[0]
    return (at_dc, above[1] * level, above[2] * level), below


def _prototype(quadratic: Quadratic, w: float) -> float:
    square, linear, constant = quadratic
    return (constant - square * w**2) ** 2 + (linear * w) ** 2


def _mapped(quadratic: Quadratic, corner: float) -> Weights:
    """The squared magnitude of analogue roots moved to the digital plane by z = exp(s)."""
    square, linear, constant = quadratic
    own_corner = min(corner * math.sqrt(constant / square), 0.98 * math.pi)
    damping = linear / (2.0 * math.sqrt(square * constant))
    decay = math.exp(-damping * own_corner)
    if damping <= 1.0:
        first = -2.0 * decay * math.cos(math.sqrt(1.0 - damping**2) * own_corner)
    else:
        first = -2.0 * decay * math.cosh(math.sqrt(damping**2 - 1.0) * own_corner)
    second = decay**2
    return (1.0 + first + second) ** 2, (1.0 - first + second) ** 2, -4.0 * second
