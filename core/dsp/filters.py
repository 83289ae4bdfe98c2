"""Biquad cascades: their design and the way to run them.

Designs are matched to their analogue prototypes up to the Nyquist frequency instead of being warped by the bilinear
transform, so a bell at 16 kHz is as wide as one at 1 kHz: poles by impulse invariance, zeros so that the magnitude
agrees at DC, near the corner and at the Nyquist frequency (after M. Vicanek, "Matched Second Order Digital Filters",
2016; the prototypes are those of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients").
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Audio, Floats, run
from core.dsp.statespace import StateSpace, of_sections


class Biquads:
    """A cascade of second-order sections, streaming, in float64 inside."""

    latency_samples = 0

    def __init__(self, sections: Floats, channels: int) -> None:
        self._cascade = StateSpace(*of_sections(np.atleast_2d(np.asarray(sections, np.float64))), channels)

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        # Tracks are silent for long stretches: then, and only when it has rung out, the cascade rests.
        if not block.shape[1] or not (self._cascade.state.any() or block.any()):
            return block
        return self._cascade.process(block)


Quadratic = tuple[float, float, float]
"""Coefficients of s², s and 1, normalised to a corner of 1 rad/s."""


def _mapped(analogue: Quadratic, corner: float) -> tuple[float, float]:
    """Roots moved to the digital plane by z = exp(s): coefficients of 1/z and 1/z², `corner` in radians per sample."""
    square, linear, constant = analogue
    # A root beyond the Nyquist frequency would fold back, so it stays just below.
    own_corner = min(corner * math.sqrt(constant / square), 0.98 * math.pi)
    damping = linear / (2.0 * math.sqrt(square * constant))
    decay = math.exp(-damping * own_corner)
    if damping <= 1.0:
        return -2.0 * decay * math.cos(math.sqrt(1.0 - damping**2) * own_corner), decay**2
    apart = math.sqrt(damping**2 - 1.0) * own_corner
    return -decay * (math.exp(apart) + math.exp(-apart)), decay**2


def _magnitude_squared(analogue: Quadratic, w: float) -> float:
    square, linear, constant = analogue
    return (constant - square * w**2) ** 2 + (linear * w) ** 2


def _section(poles: Quadratic, zeros: Quadratic, corner: float) -> Floats:
    """One matched section (6,) from an analogue denominator and numerator.

    Source: Vicanek 2016; the value at one frequency replaces his condition at the peak, which fits shelves too.
    """
    a1, a2 = _mapped(poles, corner)

    def target(w: float) -> float:
        return _magnitude_squared(zeros, w / corner) / _magnitude_squared(poles, w / corner)

    # |D|² = A0 p0 + A1 p1 + A2 p2 with p1 = sin²(w/2), p0 = 1 - p1, p2 = 4 p0 p1, and the same for the numerator.
    at_dc, at_nyquist = 1.0 + a1 + a2, 1.0 - a1 + a2
    root0 = at_dc * math.sqrt(target(0.0))
    root1 = at_nyquist * math.sqrt(target(math.pi))
    match = min(corner, 0.7 * math.pi)
    p1 = math.sin(match / 2.0) ** 2
    p0 = 1.0 - p1
    p2 = 4.0 * p0 * p1
    wanted = (at_dc**2 * p0 + at_nyquist**2 * p1 - 4.0 * a2 * p2) * target(match)
    middle = (root0 + root1) / 2.0
    rest = middle**2 + (wanted - root0**2 * p0 - root1**2 * p1) / p2
    if rest <= 0.0:
        # No real zeros do that (only far outside the audio range): map them as the poles are.
        b1, b2 = _mapped(zeros, corner)
        level = root0 / (1.0 + b1 + b2)
        return np.array([level, level * b1, level * b2, 1.0, a1, a2])
    b0 = (middle + math.sqrt(rest)) / 2.0
    return np.array([b0, (root0 - root1) / 2.0, (middle**2 - rest) / (4.0 * b0), 1.0, a1, a2])


def _corner(freq_hz: float, rate_hz: int) -> float:
    return 2.0 * math.pi * min(freq_hz, 0.49 * rate_hz) / rate_hz


def _inverse(section: Floats) -> Floats:
    b0 = section[0]
    inverse: Floats = np.array([1.0, section[4], section[5], b0, section[1], section[2]]) / b0
    return inverse


def bell(rate_hz: int, *, freq_hz: float, gain_db: float, q: float) -> Floats:
    """Section (6,) of a peak or dip whose half-gain bandwidth is freq_hz / q; a cut is the exact inverse of a boost."""
    amplitude = 10.0 ** (abs(gain_db) / 40.0)
    corner = _corner(freq_hz, rate_hz)
    boost = _section((1.0, 1.0 / (amplitude * q), 1.0), (1.0, amplitude / q, 1.0), corner)
    return boost if gain_db >= 0.0 else _inverse(boost)


def low_shelf(rate_hz: int, *, freq_hz: float, gain_db: float, q: float) -> Floats:
    """Section (6,) that lifts or lowers what is below `freq_hz`, where half of `gain_db` is reached."""
    amplitude = 10.0 ** (gain_db / 40.0)
    slope = math.sqrt(amplitude) / q
    return _section((amplitude, slope, 1.0), (amplitude, slope * amplitude, amplitude**2), _corner(freq_hz, rate_hz))


def high_shelf(rate_hz: int, *, freq_hz: float, gain_db: float, q: float) -> Floats:
    """Section (6,) that lifts or lowers what is above `freq_hz`, where half of `gain_db` is reached."""
    # A boost is the inverse of a cut: the cut's poles lie below the corner, far from the Nyquist frequency.
    amplitude = 10.0 ** (-abs(gain_db) / 40.0)
    slope = math.sqrt(amplitude) / q
    cut = _section((1.0, slope, amplitude), (amplitude**2, slope * amplitude, amplitude), _corner(freq_hz, rate_hz))
    return _inverse(cut) if gain_db > 0.0 else cut


def _butterworth(rate_hz: int, freq_hz: float, order: int, *, high: bool) -> Floats:
    """Sections by the bilinear transform, its corner put right: the poles lie on a circle of radius `corner`."""
    corner = math.tan(math.pi * min(freq_hz, 0.49 * rate_hz) / rate_hz)
    sections = []
    for pair in range(order // 2):
        damping = 2.0 * math.sin(math.pi * (2 * pair + 1) / (2 * order))
        whole = 1.0 + damping * corner + corner**2
        gain = 1.0 if high else corner**2
        zeros = [gain, -2.0 * gain if high else 2.0 * gain, gain]
        sections.append([*zeros, whole, 2.0 * (corner**2 - 1.0), 1.0 - damping * corner + corner**2])
    if order % 2:
        zeros = [1.0, -1.0, 0.0] if high else [corner, corner, 0.0]
        sections.append([*zeros, 1.0 + corner, corner - 1.0, 0.0])
    designed: Floats = np.array([np.array(section) / section[3] for section in sections])
    return designed


def butterworth_highpass(rate_hz: int, *, freq_hz: float, order: int = 2) -> Floats:
    """Sections (n, 6) of a Butterworth high-pass, 6 dB per octave and order, -3 dB at `freq_hz`."""
    return _butterworth(rate_hz, freq_hz, order, high=True)


def butterworth_lowpass(rate_hz: int, *, freq_hz: float, order: int = 2) -> Floats:
    """Sections (n, 6) of a Butterworth low-pass, 6 dB per octave and order, -3 dB at `freq_hz`."""
    return _butterworth(rate_hz, freq_hz, order, high=False)


def first_order_lowpass(rate_hz: int, *, freq_hz: float) -> Floats:
    """Section (1, 6) of a low-pass of 6 dB per octave, -3 dB at `freq_hz`."""
    return butterworth_lowpass(rate_hz, freq_hz=freq_hz, order=1)


def frequency_response(sections: Floats, frequencies_hz: NDArray[np.floating], rate_hz: int) -> NDArray[np.complex128]:
    """What a cascade of sections (n, 6) makes of sines, shape (frequencies,)."""
    delay = np.exp(-2j * np.pi * frequencies_hz / rate_hz)
    response = np.ones(len(frequencies_hz), np.complex128)
    for b0, b1, b2, a0, a1, a2 in sections:
        response *= (b0 + delay * (b1 + delay * b2)) / (a0 + delay * (a1 + delay * a2))
    return response


def highpass(x: Audio, rate_hz: int, *, freq_hz: float, order: int = 2) -> Audio:
    """Take what lies below `freq_hz` out of (channels, frames) audio. Raises OtoError("bad_input") for NaN."""
    return run(Biquads(butterworth_highpass(rate_hz, freq_hz=freq_hz, order=order), len(x)), x)


def dc_blocker(rate_hz: int) -> Floats:
    """Section (1, 6) of a first-order high-pass at 3 Hz, below anything musical, that takes a constant offset out."""
    return butterworth_highpass(rate_hz, freq_hz=3.0, order=1)


def remove_dc(x: Audio, rate_hz: int) -> Audio:
    """Take a constant offset out of (channels, frames) audio. Raises OtoError("bad_input") for NaN."""
    return run(Biquads(dc_blocker(rate_hz), len(x)), x)


def cascade(x: Audio, sections: Sequence[Floats]) -> Audio:
    """Send (channels, frames) audio through sections of shape (6,). Raises OtoError("bad_input") for NaN."""
    return run(Biquads(np.stack(sections), len(x)), x)
