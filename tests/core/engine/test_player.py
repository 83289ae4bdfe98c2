"""What is played goes out at the position it was asked for, to the sample, and never makes the capture thread wait."""

import time

import numpy as np
import pytest

from core.engine.player import FADE_FRAMES, Click, Player
from core.engine.tapes import ArrayTape

RATE = 48_000
BLOCK = 1_000


class Counting:
    """A tape whose every sample says where it is."""

    frames = 500_000

    def read(self, start, frames):
        return np.repeat(np.arange(start, start + frames, dtype=np.float32)[:, None] / self.frames, 2, axis=1)


@pytest.fixture
def player():
    made = Player(RATE, lambda: None)
    yield made
    made.close()


def run(player, blocks, position=0):
    inputs = np.zeros((BLOCK, 1), dtype=np.float32)
    out = []
    for number in range(blocks):
        out.append(player.fill(position + number * BLOCK, inputs, 2))
        time.sleep(0.002)
    return np.concatenate(out)


def test_a_tape_begins_at_exactly_the_position_it_was_told(player):
    player.play(Counting(), start=2_000, begins_at=3_456)
    time.sleep(0.3)
    out = run(player, 10)[:, 0]
    assert not out[:3_456].any()
    expected = np.arange(2_000, 2_000 + 10_000 - 3_456) / Counting.frames
    np.testing.assert_allclose(out[3_456 + FADE_FRAMES :], expected[FADE_FRAMES:], atol=1e-7)
    assert player.position_frames == 2_000 + 10_000 - 3_456
    assert not player.slipped


def test_a_tape_asked_for_too_late_starts_as_far_in_as_it_is_late(player):
    player.play(Counting(), start=0, begins_at=2_000)
    time.sleep(0.3)
    out = np.round(run(player, 3, position=7_000)[:, 0] * Counting.frames)
    np.testing.assert_array_equal(out[FADE_FRAMES:], np.arange(5_000, 8_000)[FADE_FRAMES:])
    assert player.slipped


def test_a_loop_repeats_without_a_missing_or_doubled_sample(player):
    player.play(Counting(), start=1_000, loop=(1_000, 3_500))
    time.sleep(0.3)
    out = np.round(run(player, 12)[FADE_FRAMES:, 0] * Counting.frames)
    expected = 1_000 + np.arange(12_000) % 2_500
    np.testing.assert_array_equal(out, expected[FADE_FRAMES:])
    assert 1_000 <= player.position_frames < 3_500


def test_a_tape_that_was_read_too_late_skips_instead_of_playing_late():
    class Slow(Counting):
        def read(self, start, frames):
            if start > 0:
                time.sleep(0.1)
            return super().read(start, frames)

    player = Player(RATE, lambda: None)
    player.play(Slow(), start=0)
    time.sleep(0.05)
    out = run(player, 400)[:, 0]
    player.close()
    positions = np.round(out * Counting.frames).astype(int)
    sounding = np.flatnonzero(positions[FADE_FRAMES:]) + FADE_FRAMES
    late_start = sounding[0] - positions[sounding[0]]
    assert player.slipped
    assert (positions[sounding] + late_start == sounding).all()


def test_the_end_is_told_once_and_silence_follows():
    ends = []
    player = Player(RATE, lambda: ends.append(True))
    player.play(ArrayTape(np.full((2_500, 2), 0.5, dtype=np.float32)), start=0)
    time.sleep(0.3)
    out = run(player, 6)
    player.close()
    assert not out[2_500:].any()
    assert out[2_499, 0] == 0.5
    assert ends == [True]


def test_gain_is_applied_in_decibels(player):
    player.play(ArrayTape(np.full((9_000, 2), 0.5, dtype=np.float32)), start=0, gain_db=-6.0)
    time.sleep(0.3)
    assert run(player, 3)[-1, 0] == pytest.approx(0.5 * 10 ** (-6 / 20))


def test_the_click_falls_on_every_beat_and_higher_on_the_bar(player):
    player.click = Click(RATE, tempo_bpm=120.0, beats_per_bar=4, start=1_234, beats=8)
    out = run(player, 250)[:, 0]
    loud = np.abs(out) > 0.05
    onsets = np.flatnonzero(loud & ~np.concatenate([[False], np.convolve(loud, np.ones(2_000))[: len(loud) - 1] > 0]))
    assert len(onsets) == 8
    assert (np.abs(np.diff(onsets) - 24_000) < 20).all()
    assert abs(onsets[0] - 1_234) < 20


def test_monitored_inputs_are_heard_in_the_middle(player):
    player.monitored = (1,)
    inputs = np.zeros((BLOCK, 2), dtype=np.float32)
    inputs[:, 1] = 0.5
    np.testing.assert_allclose(player.fill(0, inputs, 2), 0.25)


def test_one_output_gets_both_sides_and_a_wide_interface_only_the_first_two(player):
    player.play(ArrayTape(np.full((9_000, 2), 0.5, dtype=np.float32)), start=0)
    time.sleep(0.3)
    inputs = np.zeros((BLOCK, 1), dtype=np.float32)
    assert player.fill(0, inputs, 1).shape == (BLOCK, 1)
    wide = player.fill(BLOCK, inputs, 8)
    assert wide.shape == (BLOCK, 8)
    assert not wide[:, 2:].any()
