"""Which track is heard on which: the bleed of a band that plays in one room."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import numpy as np

from core.analysis.crossspectrum import GROUPS, CrossSpectrum, Pair, find_lag, frame_samples, gather
from core.analysis.moments import first_alone, levels_db
from core.analysis.track import Source, TrackAnalysis
from core.progress import Progress

EXCERPTS: Final = 24
FEWEST_EXCERPTS: Final = 2 * GROUPS
PROMINENT: Final = 10.0
"""The correlation's peak that shows a sound on its way from one place to another."""
LATEST_S: Final = 0.045
"""15 m of air."""
EARLIEST_S: Final = -0.0005
DIRECT_SHARE: Final = 0.7
"""A correlation that is this much stronger before than after belongs to something else that both tracks hear."""
FAINT_DB: Final = -50.0
ONE_SOURCE_DB: Final = -12.0
"""Two tracks that hear each other with less loss than this, there and back, are microphones of one source."""
FAINT_DBFS: Final = -60.0


class Bleed(msgspec.Struct, frozen=True, kw_only=True):
    """One track's sound on another track."""

    source: str
    """Who is heard."""
    onto: str
    """On whose track."""
    level_db: float
    """How loud that is against the playing that the track is there for."""
    level_dbfs: float
    """How loud that is on the recording, RMS."""
    peak_dbfs: float
    """Where its loud moments peak on the recording."""


class BleedMap(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was heard where it does not belong, the loudest first."""

    bleeds: tuple[Bleed, ...] = ()

    def heard_on(self, source: str, onto: str) -> float:
        """Level in dB of `source` on the track `onto`, against that track's own playing; -inf where it isn't heard."""
        found = (bleed.level_db for bleed in self.bleeds if (bleed.source, bleed.onto) == (source, onto))
        return max(found, default=-math.inf)

    def on(self, onto: str) -> tuple[Bleed, ...]:
        """Who is heard on the track `onto`, the loudest first."""
        return tuple(bleed for bleed in self.bleeds if bleed.onto == onto)


def measure_bleed(
    sources: Sequence[Source],
    analyses: Sequence[TrackAnalysis],
    *,
    apart: Collection[Pair] = (),
    progress: Progress | None = None,
) -> BleedMap:
    """Who is heard on whose track, from moments in which the one plays and the other is quiet.

    What comes with a track's sound on another track is its coherent output power (Bendat and Piersol, Random Data,
    ch. 6): it takes no account of what else is going on there. `analyses` belong to `sources`, which all have one
    rate; pairs in `apart` are not looked at, and two microphones of one source are not bleed. Raises
    OtoError("cancelled").
    """
    if not sources:
        return BleedMap()
    rate_hz = sources[0].rate_hz
    frame = frame_samples(rate_hz)
    frames = min(source.frames for source in sources) // frame
    levels = [levels_db(analysis, frame / rate_hz, frames) for analysis in analyses]
    peaks_dbfs = [-math.inf if heard.sample_peak_dbfs is None else heard.sample_peak_dbfs for heard in analyses]
    sounding = [at for at, peak_dbfs in enumerate(peaks_dbfs) if peak_dbfs > FAINT_DBFS]
    wanted: dict[Pair, list[int]] = {}
    for first in sounding:
        for second in sounding:
            if first != second and (first, second) not in apart and (second, first) not in apart:
                chosen = first_alone(levels[first], levels[second], EXCERPTS)
                if len(chosen) >= FEWEST_EXCERPTS:
                    wanted[first, second] = chosen
    spectra = gather(sources, wanted, progress=progress)
    heard_db = {pair: _heard_db(spectrum) for pair, spectrum in spectra.items()}
    bleeds = []
    for (first, second), loss_db in heard_db.items():
        if loss_db is None or loss_db + (heard_db.get((second, first)) or -math.inf) > ONE_SOURCE_DB:
            continue
        one, other = analyses[first], analyses[second]
        assert one.rms_dbfs is not None
        assert other.rms_dbfs is not None
        bleed = Bleed(
            source=sources[first].name,
            onto=sources[second].name,
            level_db=round(one.rms_dbfs + loss_db - other.rms_dbfs, 1),
            level_dbfs=round(one.rms_dbfs + loss_db, 1),
            peak_dbfs=round(loud_peak_dbfs(one) + loss_db, 1),
        )
        if bleed.level_db > FAINT_DB:
            bleeds.append(bleed)
    return BleedMap(bleeds=tuple(sorted(bleeds, key=lambda bleed: (-bleed.level_db, bleed.onto, bleed.source))))


def _heard_db(spectrum: CrossSpectrum) -> float | None:
    """How much of the first track's level is heard on the second, in dB, or None where nothing comes from there."""
    power = float(spectrum.common_power().sum())
    whole = float(spectrum.first.sum())
    if power <= 0.0 or whole <= 0.0:
        return None
    lag = find_lag(spectrum, earliest_s=-LATEST_S, latest_s=LATEST_S)
    if lag.prominence < PROMINENT:
        return None
    if lag.samples < EARLIEST_S * spectrum.rate_hz:
        later = find_lag(spectrum, earliest_s=EARLIEST_S, latest_s=LATEST_S)
        if later.prominence < DIRECT_SHARE * lag.prominence:
            return None
    return 10.0 * math.log10(power / whole)


def loud_peak_dbfs(analysis: TrackAnalysis) -> float:
    """Peak level of the loud moments: the 95th percentile of the peaks while the track sounds."""
    return float(np.percentile(np.array(analysis.peak_curve_dbfs)[analysis.active_steps()], 95.0))
