"""A ride evens the words, slowly, and lifts nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.mix.rides import FURTHEST_DB, vocal_ride
from core.mix.sections import padded, runs, singing
from tests.core.mix.heard import STEPS_PER_S, level, player

PAUSE = (2, -70)
STEEPEST_DB_PER_S = 6.0
"""Within a phrase: far slower than a syllable."""


def ridden(singer, band=None, hands=1.0):
    curve = np.array(singer.heard.loudness_curve)
    return vocal_ride(singer, curve, level((curve.size / STEPS_PER_S, -30)) if band is None else band, hands)


def gain_at(ride, seconds):
    return np.interp(seconds, [point.at_s for point in ride.points], [point.gain_db for point in ride.points])


def loud_and_soft():
    return player("Vox", "lead_vocal", level(PAUSE, (4, -18), PAUSE, (4, -26), PAUSE, (4, -18), PAUSE))


def test_soft_phrases_come_up_and_loud_ones_down_and_the_reason_says_by_how_much():
    ride = ridden(loud_and_soft())
    assert gain_at(ride, 10.0) > 1.0
    assert gain_at(ride, 4.0) < -0.2
    assert "3 phrases" in ride.why
    assert f"{max(point.gain_db for point in ride.points):+.1f} dB" in ride.why
    assert ride.by == "rules"


def test_a_singer_who_is_even_is_not_ridden_and_nobody_is_without_hands():
    even = player("Vox", "lead_vocal", level(PAUSE, (4, -18), PAUSE, (4, -18.5), PAUSE))
    assert ridden(even) is None
    assert ridden(loud_and_soft(), hands=0.0) is None
    silent = player("Vox", "lead_vocal", level((20, -120)), loud_lufs=None)
    assert ridden(silent) is None


def test_hands_scale_a_ride():
    whole, half = ridden(loud_and_soft()), ridden(loud_and_soft(), hands=0.5)
    at = np.linspace(0.0, 20.0, 200)
    assert gain_at(half, at) == pytest.approx(0.5 * gain_at(whole, at), abs=0.35)


def test_a_chorus_that_grows_takes_the_singer_along():
    steady = player("Vox", "lead_vocal", level(PAUSE, (8, -20), PAUSE, (8, -20), PAUSE))
    grown = level((12, -34), (10, -26))
    ride = ridden(steady, band=grown)
    assert "Where the others grow by 3.3 dB, the singer follows by half of that." in ride.why
    assert ride is not None
    assert gain_at(ride, 17.0) > gain_at(ride, 6.0) + 0.75


phrase = st.tuples(st.floats(0.5, 9.0), st.floats(-32.0, -12.0))


@settings(max_examples=60, deadline=None)
@given(phrases=st.lists(phrase, min_size=1, max_size=8), pauses=st.floats(0.7, 3.0), seed=st.integers(0, 999))
def test_whatever_is_sung_a_ride_is_small_slow_and_at_rest_in_the_pauses(phrases, pauses, seed):
    curve = level((pauses, -75), *[part for one in phrases for part in (one, (pauses, -75))])
    curve[curve > -70] += np.random.default_rng(seed).normal(0.0, 3.0, (curve > -70).sum())
    singer = player("Vox", "lead_vocal", curve)
    ride = ridden(singer)
    if ride is None:
        return
    times = [point.at_s for point in ride.points]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert max(abs(point.gain_db) for point in ride.points) <= FURTHEST_DB
    sung = padded(singing(singer).astype(float), curve.size, 0.0) > 0
    gains = gain_at(ride, np.arange(curve.size) / STEPS_PER_S)
    for start, end in runs(sung):
        assert np.abs(np.diff(gains[start:end])).max(initial=0.0) * STEPS_PER_S <= STEEPEST_DB_PER_S
    resting = np.flatnonzero(~sung)
    resting = resting[[not sung[max(step - 3, 0) : step + 4].any() for step in resting]]
    assert (gains[resting] <= 0.01).all(), "nothing is lifted in a pause"
