"""The parametric equaliser: a low shelf, bells, a high shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.dsp.audio import Audio, Floats, checked, run
from core.dsp.filters import Biquads, bell, high_shelf, low_shelf

Shape = Literal["low_shelf", "bell", "high_shelf"]


@dataclass(frozen=True)
class Band:
    """One band."""

    shape: Shape
    freq_hz: float
    gain_db: float
    q: float = 1.0


_DESIGNS = {"low_shelf": low_shelf, "bell": bell, "high_shelf": high_shelf}


def sections(bands: Sequence[Band], rate_hz: int) -> Floats:
    """Sections (n, 6) of the bands that do something; n is 0 when none does."""
    designed = [
        _DESIGNS[band.shape](rate_hz, freq_hz=band.freq_hz, gain_db=band.gain_db, q=band.q)
        for band in bands
        if band.gain_db != 0.0
    ]
    return np.array(designed).reshape(-1, 6)


def equalise(x: Audio, rate_hz: int, *, bands: Sequence[Band]) -> Audio:
    """Shape the spectrum of (channels, frames) audio, minimum phase, no latency.

    Bands of 0 dB are left out; with none left the same samples come back. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    filters = sections(bands, rate_hz)
    return run(Biquads(filters, len(audio)), audio) if len(filters) else audio
