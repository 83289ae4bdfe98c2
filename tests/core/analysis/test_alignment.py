"""Microphones that hear one source are found, with their delay to a tenth of a sample; unrelated tracks are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.alignment import best_move, moves, sum_gain_db
from core.analysis.crossspectrum import Correlation, comparable, gather
from tests.core.analysis.microphones import later, strokes_at
from tests.core.analysis.sounds import RATE_HZ, Samples, noise, seconds

FRAMES = list(range(24))
DURATION_S = 4.2


def compared(first, second, *, onsets=False, rate_hz=RATE_HZ):
    sources = [Samples(first, "First", rate_hz), Samples(second, "Second", rate_hz)]
    return gather(sources, {(0, 1): FRAMES}, onsets=onsets)[0, 1]


@settings(max_examples=15, deadline=None)
@given(
    samples=st.floats(-500.0, 500.0),
    inverted=st.booleans(),
    gain_db=st.floats(-40.0, 20.0),
    snr_db=st.floats(0.0, 40.0),
    seed=st.integers(0, 1_000),
)
def test_any_delay_and_polarity_is_found_to_a_tenth_of_a_sample(samples, inverted, gain_db, snr_db, seed):
    source = noise(DURATION_S, -20.0, seed)
    moved = later(source, samples, -1.0 if inverted else 1.0) + noise(DURATION_S, -20.0 - snr_db, seed + 5_000)
    lag = Correlation(compared(source, moved * 10 ** (gain_db / 20))).lag(-0.015, 0.015)
    assert lag.samples == pytest.approx(samples, abs=0.1)
    assert lag.inverted == inverted
    assert lag.prominence > 20.0
    assert lag.spread_samples < 0.2


@settings(max_examples=6, deadline=None)
@given(samples=st.floats(8.0, 480.0), seed=st.integers(0, 1_000))
def test_strokes_in_a_room_are_found_by_their_direct_sound(samples, seed):
    source = strokes_at(np.arange(0.05, DURATION_S - 0.6, 0.171), DURATION_S, seed=seed)
    random = np.random.default_rng(seed + 1)
    echoing = later(source, samples)
    for reflection, gain in zip(random.integers(300, 9_000, 12), random.uniform(-0.4, 0.4, 12), strict=True):
        echoing = echoing + gain * np.roll(echoing, reflection)
    (delay,) = [
        move for move in moves(compared(source, echoing, onsets=True), earliest_s=0.0, latest_s=0.012) if move.delay_s
    ] or [None]
    assert delay.delay_s * RATE_HZ == pytest.approx(samples, abs=0.1)
    assert not delay.inverted


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100_000), strokes=st.booleans())
def test_unrelated_tracks_are_left_alone(seed, strokes):
    times = np.arange(0.05, DURATION_S - 0.6, 0.25)
    first = strokes_at(times, DURATION_S, seed=seed) if strokes else noise(DURATION_S, seed=seed)
    second = strokes_at(times + 0.004, DURATION_S, seed=seed + 1) if strokes else noise(DURATION_S, seed=seed + 1)
    spectrum = compared(first, second, onsets=True)
    assert best_move([spectrum], earliest_s=-0.015, latest_s=0.015) is None


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 100_000), pitch_hz=st.floats(60.0, 400.0))
def test_two_players_in_unison_are_not_one_source(seed, pitch_hz):
    random = np.random.default_rng(seed)
    t = seconds(DURATION_S)

    def player(drift):
        phases = random.uniform(0, 6.28, 12)
        tones = [np.sin(2 * np.pi * (pitch_hz + drift) * n * t + phases[n - 1]) / n for n in range(1, 13)]
        return 0.1 * sum(tones) + noise(DURATION_S, -60.0, int(random.integers(1_000)))

    # Over four seconds nobody could tell from one source what is nearer to it than that.
    flat, sharp = player(-random.uniform(0.2, 1.5)), player(random.uniform(0.2, 1.5))
    assert best_move([compared(flat, sharp, onsets=True)], earliest_s=-0.015, latest_s=0.015) is None


def test_a_microphone_under_the_drum_is_turned_over_and_not_moved():
    top = strokes_at(np.arange(0.05, DURATION_S - 0.6, 0.171), DURATION_S, low_hz=190.0)
    spectrum = compared(top, later(top, 4.0, -0.7) + noise(DURATION_S, -60.0), onsets=True)
    move = best_move([spectrum], earliest_s=-0.003, latest_s=0.003)
    assert (move.delay_s, move.inverted) == (0.0, True)
    assert sum_gain_db(spectrum, move) > 3.0


@settings(max_examples=6, deadline=None)
@given(samples=st.floats(10.0, 400.0), inverted=st.booleans())
def test_the_gain_that_is_told_is_the_gain_of_the_sum(samples, inverted):
    source = noise(DURATION_S, -20.0, 3)
    second = later(source, samples, -1.0 if inverted else 1.0) + noise(DURATION_S, -30.0, 4)
    move = best_move([compared(source, second)], earliest_s=-0.001, latest_s=0.012)
    moved = later(source, move.delay_s * RATE_HZ, -1.0 if move.inverted else 1.0)
    before, after = (np.square(x * second.std() / source.std() + second).mean() for x in (source, moved))
    spectrum = compared(source, second)
    assert sum_gain_db(spectrum, move) == pytest.approx(10 * np.log10(after / before), abs=0.6)


def test_a_move_has_to_suit_all_microphones_that_hear_the_drum():
    source = noise(DURATION_S, -20.0, 3)
    near, far = (compared(source, later(source, samples)) for samples in (150.0, 190.0))
    alone = best_move([near], earliest_s=0.0, latest_s=0.012)
    assert alone.delay_s * RATE_HZ == pytest.approx(150.0, abs=0.1)
    both = best_move([near, far], earliest_s=0.0, latest_s=0.012)
    assert both.delay_s * RATE_HZ == pytest.approx(150.0, abs=0.1) or both.delay_s * RATE_HZ == pytest.approx(
        190.0, abs=0.1
    )


def test_tracks_of_another_rate_than_most_can_not_be_compared():
    rates = [48_000, 44_100, 48_000]
    assert comparable([Samples(np.zeros(10), str(rate), rate) for rate in rates]) == [0, 2]


def test_every_frame_is_read_once_and_forwards():
    class Forwards(Samples):
        at = 0

        def read(self, start, frames):
            assert start >= self.at
            self.at = start + frames
            return super().read(start, frames)

    sources = [Forwards(noise(DURATION_S, seed=n), str(n)) for n in range(3)]
    wanted = {(0, 1): FRAMES, (1, 0): FRAMES[::-1][:12], (2, 0): FRAMES[3:15]}
    assert set(gather(sources, wanted)) == set(wanted)
