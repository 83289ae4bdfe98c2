"""Beats of people who play without a click."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.beats import beats_of, even_beats, first_of_bar


def swaying(bpm: float, sway: float, beats: int, start_s: float, seed: int) -> tuple[np.ndarray, list[float]]:
    """Beats whose tempo goes up and down by a share, and strokes near them, some left out, some between."""
    chance = np.random.default_rng(seed)
    gaps = 60.0 / bpm * (1.0 + sway * np.sin(np.arange(beats) / 8.0))
    truth = start_s + np.concatenate(([0.0], np.cumsum(gaps)))
    strokes = truth + chance.normal(0.0, 0.008, truth.size)
    played = strokes[chance.random(truth.size) > 0.15]
    between = (truth[:-1] + truth[1:])[::3] / 2.0
    return truth, sorted(float(at) for at in np.concatenate((played, between)) if at >= 0.0)


@settings(max_examples=25, deadline=None)
@given(
    bpm=st.floats(70, 170), sway=st.floats(0, 0.02), start_s=st.floats(0, 2), seed=st.integers(0, 9999)
)  # fmt: skip
def test_the_beats_of_a_swaying_band_are_found(bpm: float, sway: float, start_s: float, seed: int) -> None:
    truth, strokes = swaying(bpm, sway, 96, start_s, seed)
    found = beats_of([(strokes, 1.0)], bpm, float(truth[-1]) + 0.5)
    apart = np.abs(found[:, None] - truth[None, 4:-4]).min(axis=0)
    assert np.quantile(apart, 0.9) < 0.05


def test_beats_are_a_tempo_and_no_staircase() -> None:
    found = beats_of([(list(np.arange(0.5, 60.0, 60.0 / 111.3)), 1.0)], 111.3, 60.0)
    assert np.abs(np.diff(found)[4:-4] - 60.0 / 111.3).max() < 0.003


def test_the_beat_goes_on_before_the_first_stroke_and_after_the_last() -> None:
    found = beats_of([(list(np.arange(4.0, 8.1, 0.5)), 1.0)], 120.0, 12.0)
    assert found[0] < 0.51
    assert found[-1] > 11.4
    assert np.all(np.diff(found) > 0.4)


def test_a_bar_begins_where_the_kick_is_and_the_chord_changes() -> None:
    beats = even_beats(32.0, 120.0)
    for first in range(4):
        changes = np.zeros(len(beats))
        changes[first::4] = 1.0
        assert first_of_bar(beats, [list(beats[first::4] + 0.01)], changes, 4) == first
        assert first_of_bar(beats, [], changes, 4) == first
