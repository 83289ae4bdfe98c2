"""Where the beats of a band fall that plays without a click, and which of them begin a bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS_PER_S: Final = 100
TIGHT: Final = 100.0
"""How much an even beat counts against strokes."""
EVENED_OVER: Final = 4
"""Beats on either side, a bar."""
FREE_BPM: Final = 100.0
"""The beat of what has none."""


def beats_of(strokes: Sequence[tuple[Sequence[float], float]], bpm: float, length_s: float) -> Floats:
    """Times in seconds of the beats, given each track's strokes (in seconds) with their weight, and the tempo.

    Dynamic programming after Ellis, "Beat Tracking by Dynamic Programming" (2007): beats fall where strokes are, and as
    evenly as the band plays. Before the first and after the last stroke the beat goes on as it was.
    """
    gap = 60.0 / bpm * STEPS_PER_S
    strength = _strength(strokes, length_s)
    span = np.arange(-round(2.0 * gap), -round(0.5 * gap) + 1)
    uneven = -TIGHT * np.square(np.log(-span / gap))
    total = strength.copy()
    came = np.full(strength.size, -1)
    for step in range(-int(span[-1]), strength.size):
        first = max(int(-span[0]) - step, 0)
        before = total[step + span[first:]] + uneven[first:]
        best = int(np.argmax(before))
        if before[best] > 0.0:
            total[step] += before[best]
            came[step] = step + span[first + best]
    at = int(np.argmax(total[-round(gap) :])) + max(total.size - round(gap), 0)
    found = [at]
    while came[at] >= 0:
        at = int(came[at])
        found.append(at)
    beats = _evened(np.array(found[::-1]) / STEPS_PER_S)
    return _continued(beats, 60.0 / bpm, length_s)


def even_beats(length_s: float, bpm: float, start_s: float = 0.0) -> Floats:
    """A click of this tempo, beginning at the first stroke."""
    return np.arange(start_s, length_s, 60.0 / bpm)


def first_of_bar(beats_s: Floats, strokes: Sequence[Sequence[float]], changes: Floats, beats_per_bar: int) -> int:
    """Which of the first beats begins a bar: where low strokes (kick, bass) fall and chords change.

    `changes` says for every beat how much the pitch classes after it differ from those before it.
    """
    if len(beats_s) < 2 * beats_per_bar:
        return 0
    half = float(np.median(np.diff(beats_s))) / 4.0
    low = np.zeros(len(beats_s))
    for times in strokes:
        where = np.searchsorted(beats_s, np.array(times) - half)
        near = where[where < len(beats_s)]
        close = np.abs(beats_s[near] - np.array(times)[where < len(beats_s)]) < half
        low += np.bincount(near[close], minlength=len(beats_s)) > 0
    worth = _standard(low) + _standard(changes)
    return int(np.argmax([worth[phase::beats_per_bar].mean() for phase in range(beats_per_bar)]))


def _standard(values: Floats) -> Floats:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values)


def _strength(strokes: Sequence[tuple[Sequence[float], float]], length_s: float) -> Floats:
    """How much is struck per step of 10 ms, blurred by 20 ms, with a standard deviation of 1."""
    steps = np.zeros(max(int(length_s * STEPS_PER_S), 1) + 2)
    for times, weight in strokes:
        where = np.round(np.array(times) * STEPS_PER_S).astype(np.int64)
        steps[where[where < steps.size]] += weight
    blur = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    steps = np.convolve(np.sqrt(steps), blur, mode="same")
    return np.asarray(steps / max(float(steps.std()), 1e-9))


def _evened(beats: Floats) -> Floats:
    """Each beat where the straight line through it and its neighbours passes: steps of 10 ms are no tempo."""
    around = min(EVENED_OVER, (len(beats) - 1) // 2)
    if around < 1:
        return beats
    padded = np.concatenate((2 * beats[0] - beats[around:0:-1], beats, 2 * beats[-1] - beats[-2 : -around - 2 : -1]))
    return np.convolve(padded, np.full(2 * around + 1, 1.0 / (2 * around + 1)), mode="valid")


def _continued(beats: Floats, gap_s: float, length_s: float) -> Floats:
    early = np.arange(beats[0] - gap_s, 0.0, -gap_s)[::-1]
    late = np.arange(beats[-1] + gap_s, length_s, gap_s)
    return np.concatenate((early, beats, late))
