"""Hum from the mains, taken out without touching the music between its harmonics."""

from __future__ import annotations

import numpy as np

from core.dsp.audio import Audio, Chain, Floats, run
from core.dsp.filters import Biquads

HARMONICS = 16
"""Up to 800 or 960 Hz; what a rectifier leaves above is buzz and lies under the music."""
WIDTH_HZ = 1.0
"""Of the first notch between its -3 dB points."""
WIDENING_HZ = 0.1
"""What each notch is wider than the one below: the mains wander, harmonics wander as many times as far."""
_TOGETHER = 8


def hum_notches(rate_hz: int, *, hum_hz: float) -> Floats:
    """Sections (n, 6) of notches at the mains frequency and its harmonics.

    (S. Orfanidis, "Introduction to Signal Processing", 1996, eq. 11.3.5.)
    """
    harmonic = np.arange(1, HARMONICS + 1)
    width = 2.0 * np.pi * (WIDTH_HZ + WIDENING_HZ * (harmonic - 1)) / rate_hz
    gain = 1.0 / (1.0 + np.tan(width / 2.0))
    turn = -2.0 * np.cos(2.0 * np.pi * harmonic * hum_hz / rate_hz)
    one = np.ones(HARMONICS)
    sections: Floats = np.stack([gain, gain * turn, gain, one, gain * turn, 2.0 * gain - 1.0], axis=1)
    return sections


class HumFilter(Chain):
    """Streaming form of `remove_hum`."""

    def __init__(self, rate_hz: int, channels: int, *, hum_hz: float) -> None:
        # Long cascades cost more than their parts.
        parts = np.split(hum_notches(rate_hz, hum_hz=hum_hz), HARMONICS // _TOGETHER)
        super().__init__([Biquads(sections, channels) for sections in parts])


def remove_hum(x: Audio, rate_hz: int, *, hum_hz: float) -> Audio:
    """Take a hum at `hum_hz` and 15 harmonics out of (channels, frames) audio.

    A steady hum is gone after the first second; notes pass, as they are seldom within half a hertz of a multiple
    of the mains. Raises OtoError("bad_input") for NaN.
    """
    return run(HumFilter(rate_hz, len(x), hum_hz=hum_hz), x)
