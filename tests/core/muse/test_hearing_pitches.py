"""What a note's overtones say about the notes that are played: nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.pitches import Pitches, PitchListener

RATE_HZ = 48_000


def bright(*midi: int, falls: float = 1.0, seconds: float = 1.5) -> Pitches:
    """Notes with twenty partials each, as of a bowed string; `falls` is the power with which they fall."""
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    audio = np.zeros(at_s.size)
    for note in midi:
        hz = 440.0 * 2.0 ** ((note - 69) / 12)
        audio += sum(np.sin(2 * np.pi * hz * n * at_s + n) / n**falls for n in range(1, 21))
    listener = PitchListener(RATE_HZ)
    listener.add((0.05 * audio).astype(np.float32))
    return listener.result()


@settings(deadline=None, max_examples=20)
@given(note=st.integers(40, 76), falls=st.floats(1.0, 2.0))
def test_one_bright_note_is_one_pitch_class(note: int, falls: float) -> None:
    # The worst of them, A2 whose partials fall slowest, keeps 0.897; with their overtones they had 0.32 to 0.69.
    assert bright(note, falls=falls).every.mean(axis=0)[note % 12] > 0.85


@settings(deadline=None, max_examples=20)
@given(root=st.integers(40, 64), third=st.sampled_from((3, 4)))
def test_a_bright_triad_keeps_its_third_and_has_no_other(root: int, third: int) -> None:
    classes = bright(root, root + third, root + 7).every.mean(axis=0)

    assert classes[(root + third) % 12] > 3.0 * classes[(root + 7 - third) % 12]


@pytest.mark.parametrize("root", range(40, 52))
def test_of_a_power_chord_root_and_fifth_are_heard(root: int) -> None:
    classes = bright(root, root + 7).every.mean(axis=0)

    assert set(np.argsort(classes)[-2:]) == {root % 12, (root + 7) % 12}


def test_silence_has_no_pitches() -> None:
    listener = PitchListener(RATE_HZ)
    listener.add(np.zeros(RATE_HZ, np.float32))

    assert not listener.result().every.any()
