"""Where the song lies in a take: after the dead time, the talk and the count-in, until its last sound has died away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.features import STEPS_PER_S, onset_times_s
from core.analysis.track import CURVE_S, Source, TrackAnalysis

Floats = NDArray[np.float64]

APART_S: Final = 2.0
"""Silence that parts the song from what is none of it."""
VOICE_APART_S: Final = 4.0
"""Silence that parts talk from a song; a singer alone may rest for less."""
LONGEST_ASIDE_S: Final = 15.0
MUSIC_DB: Final = -20.0
"""A second of music is not further below the song's usual level."""
ENTRY_DB: Final = -12.0
"""Nor are its first 300 ms, when the band comes in."""
DEAD_DB: Final = -60.0
OVER_NOISE_DB: Final = 3.0
HIGHEST_FLOOR_DB: Final = -30.0
"""Where even the quietest second is not this far below the song nobody can say when a sound has died away."""
LEAD_IN_S: Final = 0.3
LEAD_OUT_S: Final = 0.5
PRE_ATTACK_S: Final = 0.05
CLICK_BELOW_PLAYING_DB: Final = -8.0
"""Sticks are this much softer on every microphone than what it is there for; a drummer's fill is not."""
COUNT_IN_S: Final = 9.0
SHORTEST_SONG_S: Final = 10.0
BEATS: Final = (4, 8)
BEAT_S: Final = (0.25, 1.2)
EVEN: Final = 0.07
"""How far a beat of a count may be off, as a share of it."""


@dataclass(frozen=True)
class Extent:
    """The song within the take."""

    start_s: float
    end_s: float
    counted_in: int
    """Beats of the count before it, 0 for none."""
    voiced: bool
    """Whether somebody counted aloud, rather than with sticks."""
    asides: int
    """Stretches of talk or noodling, parted by silence, that are left out before and after."""


def find_extent(
    sources: Sequence[Source], analyses: Sequence[TrackAnalysis], *, voices: Collection[int] = ()
) -> Extent | None:
    """Where the song begins and ends, or None where that can't be told with certainty.

    `analyses` belong to `sources`, `voices` are the numbers of those on which somebody sings or speaks. What is left
    out before and after is shorter than 15 s and far softer than the song, two seconds of silence away, or a voice
    alone, four seconds away; or it is an even count of four or eight into the first beat.
    """
    sounding = [at for at, heard in enumerate(analyses) if heard.loud_lufs is not None]
    if not sounding:
        return None
    levels = _levels(analyses, sounding)
    together = 10.0 * np.log10(np.power(10.0, levels / 10.0).sum(axis=0))
    song_db = float(np.median(together[together >= np.median(together)]))
    level = together - song_db
    second = round(1.0 / CURVE_S)
    floor_db = float(_mean_db(level, second).min()) if level.size > second else 0.0
    if floor_db > HIGHEST_FLOOR_DB:
        return None
    heard = level > max(floor_db + OVER_NOISE_DB, DEAD_DB)
    islands = _islands(heard, round(APART_S / CURVE_S))
    voiced = np.array([at in voices for at in sounding])
    songs = [islands[at] for at in range(len(islands)) if not _is_aside(level, levels, voiced, islands, at)]
    if not songs or (songs[-1][1] - songs[0][0]) * CURVE_S < SHORTEST_SONG_S:
        return None
    first, last = songs[0][0], songs[-1][1]
    start_s, beats, aloud = max(first * CURVE_S - LEAD_IN_S, 0.0), 0, False
    counted = _count_in([sources[at] for at in sounding], [analyses[at] for at in sounding], start_s, song_db)
    if counted is not None:
        before = levels[:, first : int((counted[0] - PRE_ATTACK_S) / CURVE_S)]
        softly = before.max(axis=1, initial=-120.0) < CLICK_BELOW_PLAYING_DB
        if (softly | voiced).all():
            start_s, beats, aloud = counted[0] - PRE_ATTACK_S, counted[1], not softly.all()
    return Extent(
        start_s=round(start_s, 2),
        end_s=round(min(last * CURVE_S + LEAD_OUT_S, level.size * CURVE_S), 2),
        counted_in=beats,
        voiced=aloud,
        asides=len(islands) - 1 - islands.index(songs[-1]) + islands.index(songs[0]),
    )


def _levels(analyses: Sequence[TrackAnalysis], sounding: Sequence[int]) -> Floats:
    """Level per 100 ms against each track's loud moments, shape (tracks, steps)."""
    steps = max(len(analyses[at].loudness_curve) for at in sounding)
    levels = np.full((len(sounding), steps), -120.0)
    for row, at in enumerate(sounding):
        curve = np.array(analyses[at].loudness_curve)
        levels[row, : curve.size] = np.maximum(curve - (analyses[at].loud_lufs or 0.0), -120.0)
    return levels


def _mean_db(level: Floats, steps: int) -> Floats:
    """Mean power of every `steps` neighbours."""
    power = np.power(10.0, level / 10.0)
    return np.asarray(10.0 * np.log10(np.convolve(power, np.full(min(steps, power.size), 1.0 / steps), "valid")))


def _islands(heard: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """Stretches (first, after the last) with silence of at least `gap` steps between them."""
    at = np.flatnonzero(heard)
    if not at.size:
        return []
    breaks = np.flatnonzero(np.diff(at) > gap)
    starts = np.concatenate((at[:1], at[breaks + 1]))
    ends = np.concatenate((at[breaks], at[-1:])) + 1
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _is_aside(
    level: Floats, levels: Floats, voiced: NDArray[np.bool_], islands: Sequence[tuple[int, int]], at: int
) -> bool:
    """Whether a stretch is none of the song: short, and soft throughout or a voice alone, far from the rest."""
    start, end = islands[at]
    if (end - start) * CURVE_S > LONGEST_ASIDE_S:
        return False
    if _mean_db(level[start:end], round(1.0 / CURVE_S)).max() < MUSIC_DB:
        return True
    gaps = [start - before[1] for before in islands[:at]] + [after[0] - end for after in islands[at + 1 :]]
    here = levels[:, start:end].max(axis=1)
    alone = (
        not voiced.all() and (here[~voiced] < CLICK_BELOW_PLAYING_DB).all() and (here > CLICK_BELOW_PLAYING_DB).any()
    )
    return bool(alone and min(gaps, default=0) * CURVE_S >= VOICE_APART_S)


def _count_in(
    sources: Sequence[Source], analyses: Sequence[TrackAnalysis], start_s: float, song_db: float
) -> tuple[float, int] | None:
    """When the band comes in and how many even beats led there, looked for in the first seconds after `start_s`."""
    energy = np.zeros(round(COUNT_IN_S * STEPS_PER_S))
    for source, heard in zip(sources, analyses, strict=True):
        step = source.rate_hz // STEPS_PER_S
        audio = source.read(round(start_s * source.rate_hz), energy.size * step)
        by_step = np.square(audio, dtype=np.float64).sum(axis=0).reshape(-1, step).mean(axis=1)
        energy += by_step * 10.0 ** (-((heard.loud_lufs or 0.0) + song_db) / 10.0)
    # What was before counts as quiet, so that a first stroke is an onset and the noise of the input is none.
    before = np.full(8, energy[:STEPS_PER_S].min())
    stroked = np.arange(before.size + energy.size) >= before.size
    onsets = onset_times_s(np.concatenate((before, energy)), stroked) - before.size / STEPS_PER_S
    window = round(0.3 * STEPS_PER_S)
    for number, at_s in enumerate(onsets):
        at = round(at_s * STEPS_PER_S)
        if 10.0 * np.log10(energy[at : at + window].mean() + 1e-12) > ENTRY_DB:
            return _even_beats(onsets[: number + 1], start_s)
    return None


def _even_beats(onsets: Floats, start_s: float) -> tuple[float, int] | None:
    """The last of the onsets, if four or eight even beats and nothing else lead to it."""
    beats = onsets.size - 1
    if beats not in BEATS:
        return None
    intervals = np.diff(onsets)
    beat_s = float(np.median(intervals))
    even = np.abs(intervals - beat_s).max() <= EVEN * beat_s + 1.5 / STEPS_PER_S
    if not even or not BEAT_S[0] <= beat_s <= BEAT_S[1]:
        return None
    return start_s + float(onsets[-1]), beats
