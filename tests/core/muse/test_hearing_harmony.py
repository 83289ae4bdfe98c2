"""Keys of what bands play, and chords that last for half a bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.muse.harmony import TRIADS, Key, Mode, find_chords, find_key

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
CADENCES: dict[Mode, tuple[tuple[int, Mode], ...]] = {
    "major": ((0, "major"), (5, "major"), (7, "major"), (0, "major")),
    "minor": ((0, "minor"), (5, "minor"), (7, "major"), (0, "minor")),
}


def triad(root: int, mode: Mode) -> Floats:
    classes = np.zeros(12)
    classes[[(root + step) % 12 for step in TRIADS[mode]]] = 1.0 / 3.0
    return classes


def bass(root: int) -> Floats:
    return np.eye(12)[root % 12]


@given(tonic=st.integers(0, 11), mode=st.sampled_from(("major", "minor")))
def test_a_cadence_says_its_key(tonic: int, mode: Mode) -> None:
    key = find_key(np.mean([triad(tonic + root, of) for root, of in CADENCES[mode]], axis=0))

    assert key
    assert (key.tonic, key.mode) == (tonic, mode)


@pytest.mark.parametrize("tonic", range(12))
def test_power_chords_of_a_minor_scale_make_no_major_key(tonic: int) -> None:
    """The riff of much heavy music: tonic, third, fourth and seventh of a minor scale, each with its fifth."""
    classes = np.zeros(12)
    for root in (0, 0, 0, 3, 5, 10):
        classes[[(tonic + root) % 12, (tonic + root + 7) % 12]] += 1.0

    key = find_key(classes)

    assert key
    assert set(key.scale) in ({(tonic + step) % 12 for step in scale} for scale in MINOR_ENOUGH)


MINOR_ENOUGH = ((0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))
"""The natural minor scale and the Dorian one, between which such a riff leaves the choice."""


@given(tonic=st.integers(0, 11), passing=st.sampled_from((5, 7)))
def test_a_passing_chord_of_half_a_bar_is_heard(tonic: int, passing: int) -> None:
    roots = [tonic, tonic, tonic, tonic + passing, tonic, tonic]

    found = find_chords([(triad(root, "major"), bass(root)) for root in roots], Key(tonic=tonic, mode="major"))

    assert [chord.root for chord in found] == [root % 12 for root in roots]
