"""Which track is heard on which: the bleed of a band that plays in one room."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import permutations
from typing import Final

import msgspec

from core.analysis.crossspectrum import GROUPS, Correlation, CrossSpectrum, Pair, comparable, frame_samples, gather
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
FEWEST_SHARE: Final = 0.01
"""Of a track in its quiet moments: what comes with another sound must be this much of it."""
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
    """How high its loudest stroke or note peaks on the recording, at most."""


class BleedMap(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was heard where it does not belong, the loudest first."""

    bleeds: tuple[Bleed, ...] = ()

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
    ch. 6): it takes no account of what else is going on there. `analyses` belong to `sources`; those of another rate
    than most are left out. Pairs in `apart` are not looked at, and two microphones of one source are not bleed.
    Raises OtoError("cancelled").
    """
    tracks = [at for at in comparable(sources) if _sounds(analyses[at])]
    if not tracks:
        return BleedMap()
    rate_hz = sources[tracks[0]].rate_hz
    frame = frame_samples(rate_hz)
    frames = min(sources[at].frames for at in tracks) // frame
    levels = {at: levels_db(analyses[at], frame / rate_hz, frames) for at in tracks}
    wanted: dict[Pair, list[int]] = {}
    for first, second in permutations(tracks, 2):
        chosen = first_alone(levels[first], levels[second], EXCERPTS)
        if len(chosen) >= FEWEST_EXCERPTS and not {(first, second), (second, first)} & set(apart):
            wanted[first, second] = chosen
    spectra = gather(sources, wanted, progress=progress)
    heard_db = {pair: _heard_db(spectrum) for pair, spectrum in spectra.items()}
    bleeds = []
    for (first, second), loss_db in heard_db.items():
        if loss_db is None or loss_db + (heard_db.get((second, first)) or -math.inf) > ONE_SOURCE_DB:
            continue
        one, other = analyses[first], analyses[second]
        assert one.rms_dbfs is not None
        assert one.sample_peak_dbfs is not None
        assert other.rms_dbfs is not None
        bleed = Bleed(
            source=sources[first].name,
            onto=sources[second].name,
            level_db=round(one.rms_dbfs + loss_db - other.rms_dbfs, 1),
            level_dbfs=round(one.rms_dbfs + loss_db, 1),
            peak_dbfs=round(one.sample_peak_dbfs + loss_db, 1),
        )
        if bleed.level_db > FAINT_DB:
            bleeds.append(bleed)
    return BleedMap(bleeds=tuple(sorted(bleeds, key=lambda bleed: (-bleed.level_db, bleed.onto, bleed.source))))


def _sounds(analysis: TrackAnalysis) -> bool:
    return analysis.sample_peak_dbfs is not None and analysis.sample_peak_dbfs > FAINT_DBFS


def _heard_db(spectrum: CrossSpectrum) -> float | None:
    """How much of the first track's level is heard on the second, in dB, or None where nothing comes from there."""
    power = float(spectrum.common_power().sum())
    if power < FEWEST_SHARE * float(spectrum.second.sum()):
        return None
    correlation = Correlation(spectrum)
    later = correlation.prominence(EARLIEST_S, LATEST_S)
    if later < PROMINENT or later < DIRECT_SHARE * correlation.prominence(-LATEST_S, LATEST_S):
        return None
    return 10.0 * math.log10(power / float(spectrum.first.sum()))
