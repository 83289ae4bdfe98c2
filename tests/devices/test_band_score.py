"""The song and how it is arranged: whole bars, people's timing, a bass that goes with the kick."""

import itertools

import pytest

from devices.simulated.arrangement import DRUMS, arrange, parse_chord, parse_pitch, pitch_hz
from devices.simulated.song import BEATS_PER_BAR, SONG, STEPS_PER_BAR, STYLES


def test_the_form_is_a_song() -> None:
    kinds = [section.name.split()[0] for section in SONG]
    assert kinds == ["count-in", "intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro", "last"]


def test_every_pattern_fills_a_bar() -> None:
    patterns = itertools.chain(*(style.values() for style in STYLES.values()), *(s.last_bar.values() for s in SONG))
    assert {len(pattern) for pattern in patterns} <= {0, STEPS_PER_BAR}


@pytest.mark.parametrize("section", [s for s in SONG if s.tune], ids=lambda s: s.name)
def test_every_bar_of_the_tune_has_four_beats(section) -> None:
    bars = [bar.split() for bar in section.tune.strip(" |\n").split("|")]
    assert len(bars) == len(section.chords)
    for bar in bars:
        assert sum(float(word.partition(":")[0].partition("/")[2]) for word in bar) == BEATS_PER_BAR, bar


def test_chords_and_pitches_are_read_as_musicians_write_them() -> None:
    assert parse_pitch("A4") == 69
    assert parse_pitch("C4") == 60
    assert pitch_hz(parse_pitch("A3")) == 220
    assert parse_chord("A/C#").bass == 1
    assert set(parse_chord("Bm7").tones) == {11, 2, 6, 9}
    with pytest.raises(ValueError, match="H7"):
        parse_chord("H7")


def test_the_same_seed_plays_the_same_and_another_differs_by_a_human_amount() -> None:
    first, other = arrange(1), arrange(2)
    assert arrange(1) == first
    assert first != other
    assert len(first.bass) == len(other.bass)
    for a, b in zip(first.bass, other.bass, strict=True):
        assert a.pitch == b.pitch
        assert abs(a.at_s - b.at_s) < 0.04


def test_events_are_in_order_within_the_song_and_played_with_a_sane_touch() -> None:
    score = arrange()
    for part in (score.bass, score.clean, score.amp, score.keys, score.lead, score.low_backing, score.high_backing):
        assert [note.at_s for note in part] == sorted(note.at_s for note in part)
        assert all(0 < note.velocity <= 1 and note.duration_s > 0 for note in part)
        assert part[-1].at_s + part[-1].duration_s < score.duration_s
    assert {hit.piece for hit in score.hits} <= set(DRUMS)
    assert all(hit.at_s >= 0 and 0 < hit.velocity <= 1 for hit in score.hits)


def test_the_bass_locks_with_the_kick() -> None:
    score = arrange()
    first_s = score.bass[0].at_s
    kicks = [hit.at_s for hit in score.hits if hit.piece == "kick" and hit.at_s > first_s]
    together = [min(abs(kick - note.at_s) for note in score.bass) < 0.03 for kick in kicks]
    assert sum(together) > 0.8 * len(together)


def test_one_voice_sings_at_a_time_and_breathes() -> None:
    score = arrange()
    gaps = [later.at_s - (note.at_s + note.duration_s) for note, later in itertools.pairwise(score.lead)]
    assert min(gaps) > -0.05
    assert sum(gap > 0.25 for gap in gaps) >= 20


def test_the_backing_singers_stay_off_the_lead_and_in_the_chord() -> None:
    score = arrange()
    lead = {round(note.at_s, 1): note.pitch for note in score.lead}
    for low, high in zip(score.low_backing, score.high_backing, strict=True):
        assert 3 <= high.pitch - low.pitch <= 24
    assert len(score.low_backing) < len(lead)


def test_the_keys_lead_their_voices_instead_of_jumping() -> None:
    score = arrange()
    # Every chord is one bass note and four voices, listed by time; a chord's notes lie milliseconds apart.
    chords: list[list[int]] = []
    last_s = -1.0
    for note in score.keys:
        if note.at_s - last_s > 0.1:
            chords.append([])
        chords[-1].append(note.pitch)
        last_s = note.at_s
    voicings = [sorted(chord)[1:] for chord in chords]
    assert {len(voicing) for voicing in voicings} == {4}
    moves = [
        sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 4 for one, other in itertools.pairwise(voicings)
    ]
    assert max(moves) <= 4
    assert sum(moves) / len(moves) < 2
