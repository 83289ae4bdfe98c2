"""The clock tells of lost input that the driver kept quiet about, and of nothing else."""

import random

from core.engine.capture import ClockWatch

RATE = 48_000
BLOCK = 2_000


def run(seconds, *, drift=0.0, jitter_s=0.0, lose_at_s=None, lost_s=0.0):
    """Frames that the watch reports lost while blocks arrive with this drift, jitter and loss."""
    watch, chance, reported = ClockWatch(RATE), random.Random(4), 0
    for number in range(1, round(seconds * RATE / BLOCK)):
        frames = number * BLOCK
        due_s = frames / RATE * (1.0 + drift)
        if lose_at_s is not None and due_s >= lose_at_s:
            due_s += lost_s
        reported += watch.lost_frames(due_s + chance.uniform(0.0, jitter_s), frames)
    return reported


def test_blocks_that_come_late_and_catch_up_are_no_loss():
    assert run(120, jitter_s=0.4) == 0


def test_two_clocks_that_drift_apart_are_no_loss():
    assert run(3_600, drift=100e-6, jitter_s=0.02) == 0
    assert run(3_600, drift=-100e-6, jitter_s=0.02) == 0


def test_half_a_second_that_never_came_is_reported_once_to_a_few_milliseconds():
    reported = run(60, jitter_s=0.02, lose_at_s=30.0, lost_s=0.5)
    assert abs(reported - 0.5 * RATE) < 0.02 * RATE
