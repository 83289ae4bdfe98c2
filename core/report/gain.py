"""What a chain did to the level over time, found by comparing what went in with what came out."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from core.analysis.loudness import HOP_S, MOMENTARY_HOPS
from core.dsp.audio import Floats
from core.report.columns import fold
from core.report.portrait import COLUMNS, Heard

_SOUNDING: Final = 10 ** (-60 / 20)
"""Peak of a moment that has enough in it to be compared."""
_QUIET_SHARE: Final = 1 / 3
"""Compressors and limiters leave the quietest third of a song alone, so its gain is what everything got."""


class GainCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Gain over time against the gain that quiet moments get; negative is turned down, None is silence."""

    step_s: float
    matched_db: float
    """What quiet moments got: this is 0 dB in the curves."""
    level_db: tuple[float | None, ...]
    """Momentary loudness, as compressors and rides move it."""
    peak_db: tuple[float | None, ...]
    """The deepest change of a tenth of a second's highest sample, as a limiter makes it."""


def gain_over_time(before: Heard, after: Heard) -> GainCurve | None:
    """Compare two recordings of the same moments; None where nothing sounds in both."""
    hops = min(len(before.energy), len(after.energy))
    energy_in, energy_out = before.energy[:hops], after.energy[:hops]
    peaks_in, peaks_out = before.peaks[:hops], after.peaks[:hops]
    sounding = (peaks_in > _SOUNDING) & (peaks_out > _SOUNDING) & (energy_in > 0.0) & (energy_out > 0.0)
    if not sounding.any():
        return None
    quiet = sounding & (peaks_in <= np.quantile(peaks_in[sounding], _QUIET_SHARE))
    momentary_in, momentary_out = (_smooth(np.where(sounding, each, 0.0)) for each in (energy_in, energy_out))
    level_db = _ratio_db(momentary_in, momentary_out, 10.0)
    matched_db = float(np.median(level_db[quiet]))
    peak_db = _ratio_db(peaks_in, peaks_out, 20.0)
    peak_db = np.where(sounding, peak_db - np.median(peak_db[quiet]), np.inf)
    columns = min(hops, COLUMNS)
    return GainCurve(
        step_s=hops * HOP_S / columns,
        matched_db=round(matched_db, 2),
        level_db=_known(fold(np.where(sounding, level_db - matched_db, np.inf), columns, np.minimum)),
        peak_db=_known(fold(peak_db, columns, np.minimum)),
    )


def _smooth(energy: Floats) -> Floats:
    """The mean over a momentary window around each hop."""
    return np.convolve(energy, np.full(MOMENTARY_HOPS, 1 / MOMENTARY_HOPS))[1 : len(energy) + 1]


def _ratio_db(before: Floats, after: Floats, factor: float) -> Floats:
    """10 or 20 log10 of after against before; infinite or not a number where one is silent."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = factor * np.log10(after / before)
    return ratio


def _known(values_db: Floats) -> tuple[float | None, ...]:
    return tuple(round(float(value), 2) if np.isfinite(value) else None for value in values_db)
