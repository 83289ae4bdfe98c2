"""Plucked strings: a digital waveguide solved in closed form.

A plucked string is its excitation going round a loop of one period (Karplus & Strong 1983; Jaffe & Smith 1983):
Y(s) = E(s) / (1 - G(s) exp(-sT)). Here that fraction is evaluated for all frequencies at once and transformed back,
which leaves no fractional delay to approximate, so that strings are in tune, and costs one FFT a note. The line of
evaluation lies right of the imaginary axis, which lets the part that would wrap round in time die away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.simulated.filters import Signal, exponential, fade_out, fast_length

_WRAP = 200.0
"""By how much wrapped time is pressed down."""
_LEAD_S = 0.0015
"""Ahead of the pluck, for the ringing of the band limit."""


@dataclass(frozen=True)
class String:
    """What a string is made of and how it is heard."""

    t60_s: float
    """At 110 Hz; shorter higher up."""
    damping_hz: float
    """Corner above which the loop loses more."""
    pluck: float
    """Where it is plucked, as a share of its length."""
    pickup: float
    """Where it is heard, likewise."""
    pick_hz: float
    """How hard the pick is: corner of its spectrum."""
    scrape: float
    """Noise of finger or pick beside the tone."""


BASS = String(t60_s=5.0, damping_hz=2_200.0, pluck=0.21, pickup=0.13, pick_hz=2_600.0, scrape=0.006)
CLEAN = String(t60_s=4.2, damping_hz=6_500.0, pluck=0.17, pickup=0.09, pick_hz=7_000.0, scrape=0.012)
AMP = String(t60_s=5.0, damping_hz=6_000.0, pluck=0.12, pickup=0.07, pick_hz=6_500.0, scrape=0.012)
MUTED = String(t60_s=0.32, damping_hz=1_600.0, pluck=0.08, pickup=0.07, pick_hz=4_500.0, scrape=0.02)


def pluck(
    string: String, pitch_hz: float, force: float, seconds: float, rate_hz: int, chance: np.random.Generator
) -> Signal:
    """A note of `seconds` with the damping finger at its end; peaks near `force` (0..1)."""
    frames = int((seconds + _LEAD_S) * rate_hz)
    size = fast_length(int(frames * 1.05) + 64)
    # Nothing of the string reaches beyond 20 kHz, and the band's edge is soft at any rate.
    edge_hz = min(20_000.0, 0.47 * rate_hz)
    bins = int(edge_hz / rate_hz * size)
    sigma = float(np.log(_WRAP)) / size * rate_hz
    step = 2j * np.pi * rate_hz / size
    s = (sigma + step * np.arange(bins)).astype(np.complex64)

    def delayed(delay_s: float) -> NDArray[np.complex64]:
        return exponential(-step * delay_s, bins) * np.float32(np.exp(-sigma * delay_s))

    # The loop: loss per period from T60, more of it above the corner, whose own delay is taken off the line.
    t60_s = string.t60_s * (110.0 / pitch_hz) ** 0.4
    omega = 2 * np.pi * pitch_hz
    corner = 2 * np.pi * max(string.damping_hz, 3 * pitch_hz) * float(np.sqrt(1 + 0.2 * t60_s * pitch_hz))
    loss = 10 ** (-3 / (pitch_hz * t60_s)) * float(np.sqrt(1 + (omega / corner) ** 2))
    loop = delayed(1 / pitch_hz - float(np.arctan(omega / corner)) / omega) * np.float32(loss) / (1 + s / corner)
    where = float(np.clip(string.pluck * chance.normal(1, 0.08), 0.04, 0.5))
    pick = 2 * np.pi * string.pick_hz * (0.5 + 0.8 * force)
    # A pickup hears velocity, in which the k-th partial of a plucked string falls as 1/k.
    tone = (1 - delayed(where / pitch_hz)) / (1 + s / pick) ** 2 / (1 + s / omega)
    t = np.arange(int(0.02 * rate_hz)) / rate_hz
    burst = (chance.standard_normal(t.size) * np.exp(-(1 / 0.003 + sigma) * t)).astype(np.float32)
    scrape = np.fft.rfft(burst, size)[:bins] * np.float32(string.scrape / np.sqrt(0.003 * rate_hz)) * s / (s + 2_000)
    band = np.clip((edge_hz - np.arange(bins) * (rate_hz / size)) / (0.3 * edge_hz), 0, 1)
    edge = ((3 - 2 * band) * band**2).astype(np.float32)
    spectrum = (tone + scrape) * (1 - delayed(string.pickup / pitch_hz)) / (1 - loop) * edge * delayed(_LEAD_S)
    sound = np.asarray(np.fft.irfft(spectrum, size)[:frames] * exponential(sigma / rate_hz, frames).real, np.float32)
    sound *= np.float32(force) / np.abs(sound).max()
    return fade_out(sound, int(0.03 * rate_hz))
