"""Keys and chords: read as people write them, found where they are played."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.harmony import CHORDS, NAMES, Chord, Key, find_chords, find_key, key_named, note_name, spelled
from core.muse.pitches import PitchListener
from tests.core.muse.songs import RATE_HZ, key, strummed


@pytest.mark.parametrize(
    ("written", "name"),
    [("A minor", "A minor"), ("Am", "A minor"), ("bb", "Bb major"), ("F# minor", "F# minor"), ("Gb major", "F# major"),
     ("C", "C major"), (" d  MINOR ", "D minor"), ("B♭ major", "Bb major"), ("Cb", "B major")],
)  # fmt: skip
def test_keys_are_read_as_people_write_them(written: str, name: str) -> None:
    assert key(written).name == name


@pytest.mark.parametrize("written", ["", "H", "A blues", "m", "A#b", "C major 7", "minor"])
def test_what_is_no_key_is_none(written: str) -> None:
    assert key_named(written) is None


@given(st.sampled_from(CHORDS))
def test_a_chord_has_a_root_a_third_and_a_fifth(place: tuple[int, str]) -> None:
    one = Chord(root=place[0], mode=place[1])
    third, fifth = ((tone - one.root) % 12 for tone in one.tones[1:])
    assert (third, fifth) == ((4 if one.mode == "major" else 3), 7)
    assert one.name.startswith(NAMES[one.root])


@settings(max_examples=12, deadline=None)
@given(up=st.integers(0, 11), minor=st.booleans(), cents=st.sampled_from([0.0, -30.0, 25.0]))
def test_four_chords_and_their_key_are_heard_in_every_key_and_tuning(up: int, minor: bool, cents: float) -> None:
    steps = ((9, "m"), (5, ""), (7, ""), (9, "m")) if minor else ((0, ""), (9, "m"), (5, ""), (7, ""), (0, ""))
    played = [NAMES[(step + up) % 12] + mode for step, mode in steps]
    listener = PitchListener(RATE_HZ)
    listener.add(strummed(played, 1.0, cents))
    pitches = listener.result()
    home = find_key(pitches.every.mean(axis=0))
    assert home is not None
    # A minor and C major share their tones: which of them is home is told by more than four chords.
    assert set(home.scale) == set(key(NAMES[up]).scale)
    found = find_chords([pitches.between(at + 0.1, at + 0.9) for at in range(len(played))], home)
    assert [one.name for one in found] == played


@pytest.mark.parametrize(
    ("home", "scale"),
    [("E major", "E F# G# A B C# D#"), ("F minor", "F G Ab Bb C Db Eb"), ("C major", "C D E F G A B"),
     ("Bb minor", "Bb C Db Eb F Gb Ab"), ("C# minor", "C# D# E F# G# A B"), ("G minor", "G A Bb C D Eb F"),
     ("Db major", "Db Eb F Gb Ab Bb C"), ("A minor", "A B C D E F G")],
)  # fmt: skip
def test_notes_are_written_as_their_key_writes_them(home: str, scale: str) -> None:
    one = key(home)
    assert one.name == home
    assert " ".join(spelled(tone, one) for tone in one.scale) == scale
    assert note_name(60, one) == "C4"


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_a_scale_has_each_letter_once_where_keys_have_at_most_five_signs(tonic: int, mode) -> None:
    one = Key(tonic=tonic, mode=mode)
    letters = {spelled(tone, one)[0] for tone in one.scale}
    assert len(letters) == (6 if one.name in ("F# major", "Eb minor") else 7)
    assert key(one.name) == one


def test_nothing_has_no_key_and_no_chords() -> None:
    assert find_key(np.zeros(12)) is None
    assert find_chords([], key("C")) == []
