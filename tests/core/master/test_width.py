"""Width: what the meter reads, and what is taken for a fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.master.finished_width import SPREAD_DB, USUAL_DB, WEIGHTS
from core.master.width import (
    CHANGES_DB,
    MOST_WIDTH_DB,
    NARROWEST_DB,
    SHARES,
    WidthMeter,
    correction_db,
    turned,
)

RATE_HZ = 48_000
READINGS = len(WEIGHTS) - 1


def band(seconds: float = 6.0) -> np.ndarray:
    """Noise bursts at different places between the loudspeakers, and a room that is different in both."""
    random = np.random.default_rng(4)
    frames = round(seconds * RATE_HZ)
    song = 0.02 * random.standard_normal((2, frames))
    for place in np.linspace(-1.0, 1.0, 7):
        bursts = np.repeat(random.random(frames // 4_800) < 0.3, 4_800)
        angle = (place + 1) * np.pi / 4
        song += np.outer([np.cos(angle), np.sin(angle)], bursts * random.standard_normal(frames))
    return (0.1 * song).astype(np.float32)


def read(song: np.ndarray, blocks: int | None = None) -> np.ndarray | None:
    meter = WidthMeter(RATE_HZ, len(song))
    step = blocks or song.shape[1]
    for start in range(0, song.shape[1], step):
        meter.add(song[:, start : start + step])
    return meter.result()


def like(off_db: float) -> tuple[np.ndarray, float]:
    """Readings of a song whose every point lies `off_db` from the usual, and its sides as a whole."""
    return np.full(READINGS, USUAL_DB + off_db), USUAL_DB + off_db


def sides_by(song: np.ndarray, gain_db: float) -> np.ndarray:
    middle, side = song.mean(axis=0), 0.5 * (song[0] - song[1]) * 10 ** (gain_db / 20)
    return np.stack([middle + side, middle - side]).astype(np.float32)


def test_there_is_a_weight_for_every_reading_and_they_follow_a_gain_decibel_by_decibel():
    assert len(read(band(1.0))) == READINGS
    assert sum(WEIGHTS) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("gain_db", [-9.0, -6.0, 3.0])
def test_a_gain_of_the_sides_moves_every_reading_by_itself(gain_db):
    song = band()
    assert read(sides_by(song, gain_db)) == pytest.approx(read(song) + gain_db, abs=0.3)


@given(blocks=st.integers(1_000, 200_000))
@settings(max_examples=5, deadline=None)
def test_blocks_of_any_size_read_the_same(blocks):
    song = band(3.0)
    np.testing.assert_array_equal(read(song, blocks), read(song))


def test_level_does_not_count():
    song = band(2.0)
    assert read(np.float32(0.01) * song) == pytest.approx(read(song), abs=0.05)


def test_of_two_independent_channels_half_of_the_points_lie_on_either_side_of_0_db():
    noise = np.random.default_rng(1).standard_normal((2, 8 * RATE_HZ)).astype(np.float32)
    halves, edges = read(noise).reshape(2, -1, len(SHARES)).transpose(2, 0, 1)
    assert halves == pytest.approx(0.0, abs=0.6)
    assert (edges > 5.0).all()


@pytest.mark.parametrize("song", [np.zeros((2, RATE_HZ), np.float32), np.ones((1, RATE_HZ), np.float32)])
def test_silence_and_mono_say_nothing(song):
    assert read(song) is None
    assert correction_db(turned(None, None)) == 0.0


@given(st.floats(-0.5 * SPREAD_DB, 0.5 * SPREAD_DB))
@settings(deadline=None)
def test_a_song_like_the_finished_ones_stays(off_db):
    assert correction_db(turned(*like(off_db))) == 0.0


@given(st.floats(-15.0, 15.0))
@settings(deadline=None)
def test_what_is_done_is_no_more_than_is_as_likely_as_not(off_db):
    found = turned(*like(off_db))
    assert found.change_db in CHANGES_DB
    assert found.change_db * off_db >= 0.0
    assert abs(correction_db(found)) <= min(abs(off_db), MOST_WIDTH_DB)
    if found.change_db:
        assert found.probability >= 0.5


def test_what_was_narrowed_much_comes_back():
    assert 3.0 <= correction_db(turned(*like(-8.0))) <= MOST_WIDTH_DB


def test_what_is_like_no_finished_song_is_left_alone():
    shares_db, _ = like(-150.0)
    assert correction_db(turned(shares_db, -10.0)) == 0.0


def test_a_song_that_is_nearly_mono_is_so_by_choice():
    shares_db, _ = like(-8.0)
    assert correction_db(turned(shares_db, NARROWEST_DB - 1.0)) == 0.0
