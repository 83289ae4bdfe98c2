"""Hum from the mains, taken out without touching the music between its harmonics."""

from __future__ import annotations

import math

import numpy as np

from core.dsp.audio import Audio, Floats, run
from core.dsp.filters import Biquads

HARMONICS = 16
"""Up to 800 or 960 Hz; what a rectifier leaves above is buzz and lies under the music."""
WIDTH_HZ = 1.0
"""Of the first notch between its -3 dB points."""
WIDENING_HZ = 0.1
"""What each notch is wider than the one below: the mains wander, harmonics wander as many times as far."""


def hum_notches(rate_hz: int, *, hum_hz: float) -> Floats:
    """Sections (n, 6) of notches at the mains frequency and its harmonics.

    (S. Orfanidis, "Introduction to Signal Processing", 1996, section 11.3.)
    """
    sections = []
    for harmonic in range(1, HARMONICS + 1):
        middle = -2.0 * math.cos(2.0 * math.pi * harmonic * hum_hz / rate_hz)
        width_hz = WIDTH_HZ + WIDENING_HZ * (harmonic - 1)
        gain = 1.0 / (1.0 + math.tan(math.pi * width_hz / rate_hz))
        sections.append([gain, gain * middle, gain, 1.0, gain * middle, 2.0 * gain - 1.0])
    return np.array(sections)


def remove_hum(x: Audio, rate_hz: int, *, hum_hz: float) -> Audio:
    """Take a hum at `hum_hz` and 15 harmonics out of (channels, frames) audio.

    A steady hum is gone after the first second; notes pass, as they are seldom within half a hertz of a multiple
    of the mains. Raises OtoError("bad_input") for NaN.
    """
    return run(Biquads(hum_notches(rate_hz, hum_hz=hum_hz), len(x)), x)
