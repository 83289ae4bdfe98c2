"""How fast the song is: the beat that the drums' strokes agree on.

A bar repeats itself, and so do its halves: the autocorrelation of all strokes is read at half a beat, one, two, four
and eight beats of each candidate, with a preference for walking pace (Parncutt, 1994, found 100 to 120 beats a minute
to be felt most). It is summed over stretches of a take, so that a band that speeds up a little still has a tempo.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.mix.ensemble import Player

Floats = NDArray[np.float64]

STEPS_PER_S: Final = 100
SLOWEST_BPM: Final = 55.0
FASTEST_BPM: Final = 210.0
PREFERRED_BPM: Final = 112.0
PREFERENCE_OCTAVES: Final = 0.7
METRE: Final[Floats] = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
WEIGHTS: Final[Floats] = np.array([0.1, 0.2, 0.25, 0.3, 0.15])
STRETCH_S: Final = 30.0
LONGEST_LAG_S: Final = 60.0 / SLOWEST_BPM * 8.5
FEWEST_STROKES: Final = 24
SURE: Final = 0.25
"""Likeness below which there is no tempo to speak of."""


class Tempo(msgspec.Struct, frozen=True, kw_only=True):
    """Beats per minute, and how sure OTO is (0..1)."""

    bpm: float
    confidence: float


def find_tempo(players: Sequence[Player]) -> Tempo | None:
    """The song's tempo from its drums, or from all tracks where there are none; None when they don't tell."""
    audible = [player for player in players if player.audible]
    kit = [player for player in audible if player.is_drum] or audible
    # Several microphones of one drum tell one story.
    return tempo_of_onsets([(player.heard.onsets_s, 1.0 / (1 + len(player.together))) for player in kit])


def tempo_of_onsets(tracks: Sequence[tuple[Sequence[float], float]]) -> Tempo | None:
    """The tempo that strokes at these seconds have, each track with its weight; None when unsure."""
    strokes = sum(len(onsets) for onsets, _ in tracks)
    if strokes < FEWEST_STROKES:
        return None
    similarity = _autocorrelation(tracks)
    bpm = np.exp(np.arange(math.log(SLOWEST_BPM), math.log(FASTEST_BPM), 0.002))
    likeness = np.array([_likeness(similarity, 60.0 / one) for one in bpm])
    preference = np.exp(-0.5 * (np.log2(bpm / PREFERRED_BPM) / PREFERENCE_OCTAVES) ** 2)
    best = int(np.argmax(likeness * preference))
    if likeness[best] < SURE:
        return None
    confidence = min(float(likeness[best]) + 0.1, 0.95)
    return Tempo(bpm=round(_refined(similarity, float(bpm[best])), 1), confidence=round(confidence, 2))


def _autocorrelation(tracks: Sequence[tuple[Sequence[float], float]]) -> Floats:
    """How often strokes are each lag apart, per step of 10 ms, blurred as much as players are loose (20 ms)."""
    end_s = max(onsets[-1] for onsets, _ in tracks if onsets)
    strokes = np.zeros(int(end_s * STEPS_PER_S) + 2)
    for onsets, weight in tracks:
        strokes[np.round(np.array(onsets) * STEPS_PER_S).astype(np.int64)] += weight
    blur = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    strokes = np.convolve(np.sqrt(strokes), blur, mode="same")
    lags = int(LONGEST_LAG_S * STEPS_PER_S) + 2
    size = 2 ** math.ceil(math.log2(STRETCH_S * STEPS_PER_S + lags))
    total = np.zeros(lags)
    stretch = int(STRETCH_S * STEPS_PER_S)
    for start in range(0, max(strokes.size - stretch // 2, 1), stretch):
        here = strokes[start : start + stretch]
        here = here - here.mean()
        spectrum = np.fft.rfft(here, size)
        total += np.fft.irfft(np.square(np.abs(spectrum)))[:lags] / np.maximum(here.size - np.arange(lags), 1) * stretch
    return np.asarray(total / max(total[0], 1e-12))


def _likeness(similarity: Floats, beat_s: float) -> float:
    """How alike the strokes are a beat, half a beat, and two, four and eight beats later."""
    return float(np.interp(beat_s * STEPS_PER_S * METRE, np.arange(similarity.size), similarity) @ WEIGHTS)


def _refined(similarity: Floats, bpm: float) -> float:
    """The same beat to a fraction of a percent: where the furthest multiples line up best."""
    near = bpm * np.exp(np.linspace(-0.02, 0.02, 161))
    lags = 60.0 / near[:, None] * STEPS_PER_S * METRE
    heights = np.interp(lags, np.arange(similarity.size), similarity).mean(axis=1)
    return float(near[int(np.argmax(heights))])
