"""Which moments of a recording tell most about two tracks: chosen from their loudness curves, without reading audio."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.track import CURVE_S, TrackAnalysis

Floats = NDArray[np.float64]

PLAYING_DB: Final = -15.0
"""A track plays where it is not further below its loud moments."""
ENOUGH: Final = 8
QUIET_DB: Final = 6.0
"""What is this much louder than in the quietest moments has something to play itself."""
SILENCE_DB: Final = -60.0


def levels_db(analysis: TrackAnalysis, frame_s: float, frames: int) -> Floats:
    """Level of each of `frames` frames of `frame_s` against the track's loud moments, -60 at least."""
    if analysis.loud_lufs is None:
        return np.full(frames, SILENCE_DB)
    energy = 10.0 ** ((np.array(analysis.loudness_curve) - analysis.loud_lufs) / 10.0)
    sums = np.concatenate(([0.0], np.cumsum(energy)))
    edges = np.interp(np.arange(frames + 1) * (frame_s / CURVE_S), np.arange(sums.size), sums)
    mean = np.diff(edges) * (CURVE_S / frame_s)
    return np.asarray(np.maximum(10.0 * np.log10(np.maximum(mean, 1e-12)), SILENCE_DB))


def first_alone(first: Floats, second: Floats, count: int) -> list[int]:
    """Frames in which the first track plays and the second is at its quietest against it, at most `count`.

    Fewer where the second is not quiet that often.
    """
    chosen = np.array(_largest(np.flatnonzero(first > PLAYING_DB), first - second, count), dtype=np.intp)
    clear_db = (first - second)[chosen]
    quietest = np.sort(clear_db)[-ENOUGH:]
    return [int(at) for at in chosen[clear_db > np.median(quietest) - QUIET_DB]] if quietest.size else []


def both(first: Floats, second: Floats, count: int) -> list[int]:
    """Frames in which both play, the loudest, at most `count`."""
    least = np.minimum(first, second)
    return _largest(np.flatnonzero(least > PLAYING_DB), least, count)


def play_together(first: Floats, second: Floats) -> bool:
    """Whether each plays in nearly every moment in which the other is loud, as two microphones of one source do."""
    loud, other_loud = first > PLAYING_DB / 1.5, second > PLAYING_DB / 1.5
    if not loud.any() or not other_loud.any():
        return False
    return bool(
        np.percentile(second[loud], 20.0) > 1.5 * PLAYING_DB
        and np.percentile(first[other_loud], 20.0) > 1.5 * PLAYING_DB
    )


def _largest(frames: NDArray[np.intp], value: Floats, count: int) -> list[int]:
    """In the order of time."""
    return sorted(int(at) for at in frames[np.argsort(-value[frames], kind="stable")[:count]])
