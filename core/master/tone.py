"""Tonal balance: how far a song lies from a wanted spectrum, and the EQ that takes it nearer."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from core.analysis.features import BAND_HZ
from core.dsp.audio import Floats
from core.dsp.equaliser import Band, sections
from core.dsp.filters import frequency_response
from core.master.chain import EQ_SHAPES
from core.plans.parameters import MASTER, by_name

_KNOBS: Final = by_name(MASTER)
_CENTRES: Final = np.array(BAND_HZ)

HEARD_HZ: Final = (45.0, 14_000.0)
"""Below and above, songs differ too much to call anything a fault."""

LEAST_DB: Final = 0.4
"""A correction smaller than this is not worth a filter."""
_DAMPING: Final = 0.3


def heard_bands(rate_hz: int) -> Floats:
    """1 for each third octave that tone is judged by, 0 for the others."""
    return ((HEARD_HZ[0] <= _CENTRES) & (min(HEARD_HZ[1], 0.42 * rate_hz) >= _CENTRES)).astype(float)


def distance_db(levels_db: Floats, wanted_db: Floats, heard: Floats) -> Floats:
    """How much each band is above what is wanted, smoothed over an octave, the overall level set aside."""
    difference = levels_db - wanted_db
    difference = difference - np.average(difference, weights=heard)
    smooth = np.convolve(difference * heard, np.ones(3), mode="same")
    return np.asarray(smooth / np.maximum(np.convolve(heard, np.ones(3), mode="same"), 1.0) * heard)


def fit_equaliser(correction_db: Floats, heard: Floats, rate_hz: int) -> dict[int, float]:
    """Gains in dB of the EQ's bands (1 to 6, at their neutral frequencies) that come nearest to a correction.

    Least squares over the third octaves, held back a little so that neighbouring bands don't fight. Bands that would do
    next to nothing are left out.
    """
    if not np.any(np.abs(correction_db) >= LEAST_DB):
        return {}
    shapes = band_shapes(rate_hz) * heard
    gains = np.linalg.solve(shapes @ shapes.T + _DAMPING * np.eye(len(shapes)), shapes @ (correction_db * heard))
    largest = float(np.abs(correction_db).max())
    rounded = {i: round(float(np.clip(gain, -largest, largest)), 1) for i, gain in enumerate(gains, start=1)}
    return {i: gain for i, gain in rounded.items() if abs(gain) >= LEAST_DB}


def band_frequency_hz(band: int) -> float:
    """Where a band of the master EQ sits unless someone moves it."""
    return float(_KNOBS[f"eq{band}_freq_hz"].neutral)


@lru_cache
def band_shapes(rate_hz: int) -> Floats:
    """(6, bands): what each EQ band does to each third octave in dB when its gain is 1 dB."""
    responses = []
    for i, shape in enumerate(EQ_SHAPES, start=1):
        band = Band(shape, band_frequency_hz(i), 1.0, float(_KNOBS[f"eq{i}_q"].neutral))
        frequencies = np.minimum(_CENTRES, 0.49 * rate_hz)
        response = frequency_response(sections([band], rate_hz), frequencies, rate_hz)
        responses.append(20 * np.log10(np.abs(response)))
    return np.array(responses)
