"""A motif's MIDI file, read back by mido: the same notes at the band's beats, and who wrote them."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.compose import compose
from core.muse.midifile import write_midi
from core.muse.motif import MARK, PARTS, Motif
from core.muse.stretch import Wish
from tests.core.muse.songs import song


def motif(part="melody", seed=1, home="A minor", beats_s=None) -> Motif:
    """A motif of two bars."""
    wish = Wish(part=part, bars=2, density=0.6, seed=seed)
    made = compose(song(home=home), 0, wish)
    return Motif(
        made_by="OTO test",
        part=part,
        density=0.6,
        seed=seed,
        bpm=120.0,
        beats_per_bar=4,
        bars=2,
        beats_s=tuple(np.arange(9) * 0.5) if beats_s is None else tuple(beats_s),
        key=home,
        chords=made.chords,
        notes=made.notes,
        why=made.why,
    )


@settings(max_examples=30, deadline=None)
@given(
    part=st.sampled_from(PARTS), seed=st.integers(1, 999), gaps=st.lists(st.floats(0.4, 0.7), min_size=8, max_size=8)
)
def test_its_notes_sound_when_the_band_is_there(tmp_path_factory, part, seed, gaps) -> None:
    beats_s = 3.0 + np.concatenate(([0.0], np.cumsum(gaps)))
    one = motif(part, seed, beats_s=beats_s)
    path = tmp_path_factory.mktemp("midi") / "motif.mid"
    write_midi(one, path)
    at_s, starts = 0.0, []
    for message in mido.MidiFile(path):
        at_s += message.time
        if message.type == "note_on":
            starts.append((round(at_s, 2), message.note, message.velocity))
            assert message.channel == (9 if part == "rhythm" else message.channel)
    expected = [
        (round(float(np.interp(note.at_beats, np.arange(9), beats_s)) - 3.0, 2), note.pitch, note.velocity)
        for note in one.notes
    ]
    assert len(starts) == len(expected)
    for got, want in zip(sorted(starts), sorted(expected), strict=True):
        assert abs(got[0] - want[0]) <= 0.011
        assert got[1:] == want[1:]


@pytest.mark.parametrize(
    "home", ["C major", "Ab major", "C# minor", "Eb minor", "Bb minor", "Ab minor", "F# major", "C# major"]
)
def test_it_says_key_chords_and_that_no_person_wrote_it(tmp_path: Path, home: str) -> None:
    write_midi(motif(home=home), tmp_path / "motif.mid")
    conductor, player = mido.MidiFile(tmp_path / "motif.mid").tracks
    said = [message.text for message in conductor if message.type == "text"]
    assert said == [f"{MARK}. OTO test"]
    assert "AI-generated" in player.name
    assert [message.text for message in conductor if message.type == "marker"][:2] == ["Am", "F"]
    assert sum(message.type == "key_signature" for message in conductor) == 1


@settings(max_examples=20, deadline=None)
@given(part=st.sampled_from(PARTS), seed=st.integers(1, 999))
def test_every_note_ends(tmp_path_factory, part, seed) -> None:
    path = tmp_path_factory.mktemp("midi") / "motif.mid"
    write_midi(motif(part, seed), path)
    held: list[int] = []
    for message in mido.MidiFile(path).tracks[1]:
        if message.type == "note_on":
            assert message.note not in held
            held.append(message.note)
        elif message.type == "note_off":
            held.remove(message.note)
    assert not held
