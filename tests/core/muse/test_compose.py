"""Motifs go with their song: its key, its chords, its groove, its singer; and say so truthfully."""

from __future__ import annotations

import dataclasses
import re

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.bassline import LOWEST as BASS_LOWEST
from core.muse.compose import best_bar, compose
from core.muse.harmony import NAMES, note_name
from core.muse.melody import course_of
from core.muse.motif import MOODS, PARTS
from core.muse.percussion import SHAKER
from core.muse.stretch import METRE, STRONG, Wish, slot_name
from tests.core.muse.songs import chord, song

PROGRESSIONS = (("Am", "F", "C", "G"), ("C", "G", "Am", "F"), ("Em", "Am", "Dm", "G"))
WISHES = st.builds(
    Wish,
    part=st.sampled_from(PARTS),
    bars=st.integers(1, 8),
    density=st.floats(0, 1),
    mood=st.sampled_from(MOODS),
    seed=st.integers(1, 10_000),
)
SONGS = st.builds(song, st.sampled_from(PROGRESSIONS), st.sampled_from(("A minor", "C major")))


def sounding(chords, at_beats):
    return [one for one in chords if one.at_beats <= at_beats][-1]


@settings(max_examples=150, deadline=None)
@given(heard=SONGS, wish=WISHES)
def test_every_motif_is_playable_and_the_same_again(heard, wish: Wish) -> None:
    made = compose(heard, 0, wish)
    assert made == compose(heard, 0, wish)
    assert made.notes
    for note in made.notes:
        assert 0.0 <= note.at_beats < wish.bars * 4
        assert note.at_beats + note.beats <= wish.bars * 4 + 1e-9
        assert note.beats > 0.0
        assert 1 <= note.velocity <= 127
        assert 0 <= note.pitch <= 127


@settings(max_examples=100, deadline=None)
@given(heard=SONGS, wish=WISHES.map(lambda one: Wish("melody", one.bars, one.density, one.mood, one.seed)))
def test_a_melody_stands_in_the_key_and_its_strong_notes_in_the_chord(heard, wish: Wish) -> None:
    made = compose(heard, 0, wish)
    for note in made.notes:
        under = chord(sounding(made.chords, note.at_beats).name)
        assert note.pitch % 12 in {*heard.key.scale, *under.tones}
        if METRE[round(note.at_beats * 4) % 16] >= STRONG:
            assert note.pitch % 12 in under.tones
    assert max(abs(a.pitch - b.pitch) for a, b in zip(made.notes, (*made.notes[1:], made.notes[-1]), strict=True)) <= 14


@settings(max_examples=60, deadline=None)
@given(heard=SONGS, wish=WISHES.map(lambda one: Wish("bass", one.bars, one.density, one.mood, one.seed)))
def test_a_bass_line_begins_every_chord_with_its_root_and_stays_low(heard, wish: Wish) -> None:
    made = compose(heard, 0, wish)
    assert {note.at_beats for note in made.notes if note.at_beats % 4 == 0} == {4.0 * bar for bar in range(wish.bars)}
    for note in made.notes:
        assert BASS_LOWEST <= note.pitch <= BASS_LOWEST + 24
        if note.at_beats % 4 == 0:
            assert NAMES[note.pitch % 12] == NAMES[sounding(made.chords, note.at_beats).root]


@settings(max_examples=60, deadline=None)
@given(heard=SONGS, wish=WISHES.map(lambda one: Wish("chords", one.bars, one.density, one.mood, one.seed)))
def test_other_chords_share_two_tones_and_lead_home(heard, wish: Wish) -> None:
    made = compose(heard, 0, wish)
    for note in made.notes:
        assert note.pitch % 12 in chord(sounding(made.chords, note.at_beats).name).tones
    for one in made.chords:
        if one.heard:
            assert len(set(chord(one.name).tones) & set(chord(one.heard).tones)) == 2
            assert one.heard != one.name
    assert not made.chords[-1].heard


def test_a_rhythm_plays_most_where_the_band_leaves_room() -> None:
    heard = song()
    congas = np.zeros(16)
    for seed in range(1, 200):
        for note in compose(heard, 0, Wish("rhythm", bars=1, seed=seed)).notes:
            if note.pitch in (63, 64):
                congas[round(note.at_beats * 4)] += 1
    # The band of this song strikes every eighth.
    assert congas[1::2].mean() > congas[::2].mean()


def test_a_singer_is_kept_clear_of() -> None:
    def middle(singer_midi):
        heard = song(singer_midi=singer_midi)
        return np.mean([note.pitch for seed in range(1, 20) for note in compose(heard, 0, Wish(seed=seed)).notes])

    assert middle(72.0) > middle(None) + 4.0
    assert abs(middle(50.0) - middle(None)) < 1e-9
    assert any(
        "above the voice, which sings around C5" in why for why in compose(song(singer_midi=72.0), 0, Wish()).why
    )


@settings(max_examples=60, deadline=None)
@given(wish=WISHES.filter(lambda one: one.part != "chords"))
def test_the_share_of_strokes_that_a_reason_names_is_the_share_there_is(wish: Wish) -> None:
    heard = song()
    made = compose(heard, 0, wish)
    found = re.fullmatch(
        r".+ on (.+), where (\d+)% of the strokes .+ fall in these bars; most fall on (\S+)\.", made.why[0]
    )
    assert found
    slots = [n for n in range(16) if slot_name(n) in found[1].split(", ")]
    groove = (heard.low_groove if wish.part == "bass" else heard.groove).sum(axis=0)
    assert int(found[2]) == round(100 * groove[slots].sum() / groove.sum())
    assert slot_name(int(np.argmax(groove))) == found[3]
    first_bar = {round(note.at_beats * 4) for note in made.notes if note.at_beats < 4 and note.pitch != SHAKER}
    assert first_bar == set(slots)


@settings(max_examples=100, deadline=None)
@given(
    chords=st.lists(st.sampled_from([name + mode for name in NAMES for mode in ("", "m")]), min_size=4, max_size=4),
    home=st.sampled_from([f"{name} {mode}" for name in NAMES for mode in ("major", "minor")]),
    wish=WISHES.map(lambda one: dataclasses.replace(one, part="melody")),
)
def test_a_melody_keeps_its_word_over_chords_that_the_key_has_not(chords, home, wish: Wish) -> None:
    heard = song(chords, home)
    made = compose(heard, 0, wish)
    for note in made.notes:
        strong = METRE[round(note.at_beats * 4) % 16] >= STRONG
        tones = chord(sounding(made.chords, note.at_beats).name).tones
        assert note.pitch % 12 in (tones if strong else heard.key.scale)


@settings(max_examples=100, deadline=None)
@given(heard=SONGS, wish=WISHES.map(lambda one: dataclasses.replace(one, part="melody")))
def test_what_a_melody_says_of_its_course_is_so(heard, wish: Wish) -> None:
    made = compose(heard, 0, wish)
    pitches = [note.pitch for note in made.notes]
    form, register = made.why[2:]
    assert form.startswith(f"The idea {course_of([note.pitch for note in made.notes if note.at_beats < 4])}")
    assert f"between {note_name(min(pitches))} and {note_name(max(pitches))}." in register
    bars = [[note.at_beats % 4 for note in made.notes if note.at_beats // 4 == n] for n in range(wish.bars)]
    assert ("comes back" in form) == (wish.bars > 2)
    if "comes back" in form:
        assert bars[1] == bars[0]
    assert ("answers" in form) == (wish.bars > 3)
    assert ("rests" in form) == (wish.bars > 1)
    assert len(bars[0]) >= 2


@pytest.mark.parametrize(
    ("pitches", "words"),
    [
        ((60, 64, 67), "rises"),
        ((67, 64, 60), "falls"),
        ((60, 67, 62), "rises and falls"),
        ((67, 60, 65), "falls and rises"),
        ((60, 60), "stays on its note"),
    ],
)
def test_the_course_of_a_line_is_told_by_its_ends_and_its_furthest_turn(pitches, words: str) -> None:
    assert course_of(pitches) == words


@settings(max_examples=100, deadline=None)
@given(heard=SONGS, wish=WISHES.map(lambda one: dataclasses.replace(one, part="bass")))
def test_a_bass_leads_to_the_next_root_by_a_step_where_it_says_so(heard, wish: Wish) -> None:
    made = compose(heard, 0, wish)
    for before, note, after in zip(made.notes, made.notes[1:], made.notes[2:], strict=False):
        old, here, new = (sounding(made.chords, one.at_beats) for one in (before, note, after))
        if old.name == here.name and here.root != new.root:
            assert 1 <= abs(after.pitch - note.pitch) <= 2
    assert ("by a step" in made.why[1]) == (len([note for note in made.notes if note.at_beats < 4]) > 1)


def test_only_a_rhythm_of_four_bars_or_more_promises_a_fill() -> None:
    for bars in (1, 3, 4, 8):
        assert ("fill" in compose(song(), 0, Wish("rhythm", bars=bars)).why[1]) == (bars > 3)


def test_another_seed_is_another_idea() -> None:
    assert len({compose(song(), 0, Wish(seed=seed)).notes for seed in range(1, 13)}) > 8


def test_the_bars_are_where_the_chords_are_clearest() -> None:
    heard = song(times=3)
    clear = [0.5] * 24
    clear[8:12] = [0.9] * 4
    chords = tuple(msgspec.structs.replace(one, likeness=clear[n]) for n, one in enumerate(heard.chords))
    assert best_bar(dataclasses.replace(heard, chords=chords), 2) == 4
    silent = np.zeros_like(heard.groove)
    assert best_bar(dataclasses.replace(heard, chords=chords, groove=silent), 2) == 4


def test_one_clear_guitar_after_the_end_is_not_the_band() -> None:
    heard = song(times=3)
    groove = heard.groove.copy()
    groove[10:] = 0.0
    chords = tuple(
        msgspec.structs.replace(one, likeness=0.95 if n >= 20 else 0.8) for n, one in enumerate(heard.chords)
    )
    assert best_bar(dataclasses.replace(heard, chords=chords, groove=groove), 2) <= 8
