"""What the engineer knows of the song as a whole: its sections, its tempo, where it ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.mix.balance import targets_lu, while_sung_lu
from core.mix.presets import STYLE
from core.mix.rides import fade_out
from core.mix.sections import find_sections, singing, sung_steps
from core.mix.tempo import tempo_of_onsets
from core.plans.document import Span
from tests.core.mix.heard import level, player


def verse_and_chorus():
    singer = player("Vox", "lead_vocal", level((16, -120), (24, -20), (20, -18)))
    guitar = player("Gtr", "electric_guitar", level((40, -26), (20, -20)))
    drums = player("Kit", "drums", level((40, -120), (20, -16)))
    return [singer, guitar, drums]


def test_sections_begin_where_somebody_joins_in():
    sections = find_sections(dict.fromkeys(verse_and_chorus(), 0.0))
    assert [section.start_s for section in sections] == [0.0, 16.0, 40.0]
    assert [section.playing for section in sections] == [("Gtr",), ("Vox", "Gtr"), ("Vox", "Gtr", "Kit")]
    assert [section.sung for section in sections] == [False, True, True]
    assert sections[0].loudness_lufs < sections[1].loudness_lufs < sections[2].loudness_lufs


def test_sections_cover_the_song_without_gaps_and_a_song_that_never_changes_is_one():
    found = find_sections({player("Pad", "synth_pad", level((90, -20))): 0.0})
    assert [(section.start_s, section.end_s) for section in found] == [(0.0, 90.0)]
    found = find_sections(dict.fromkeys(verse_and_chorus(), 0.0))
    assert [section.end_s for section in found] == [*[section.start_s for section in found[1:]], 60.0]


def test_bleed_and_single_clicks_are_not_singing():
    curve = level((5, -50), (5, -20), (0.3, -120), (4.7, -20), (5, -45), (0.2, -20), (5, -50))
    sung = singing(player("Vox", "lead_vocal", curve))
    assert not sung[:50].any()
    assert sung[50:150].all(), "a breath is part of its phrase"
    assert not sung[150:].any()
    loud_bleed = player("Vox", "lead_vocal", level((5, -20), (5, -30)))
    assert singing(loud_bleed)[50:].all()
    assert not singing(loud_bleed, bleed_db=-10.0)[50:].any()


def test_who_plays_louder_under_the_singer_is_placed_by_those_moments():
    singer = player("Vox", "lead_vocal", level((20, -120), (20, -20)))
    swelling = player("Org", "keys", level((20, -26), (20, -20)))
    steady = player("Pno", "keys", level((40, -22)))
    sung = sung_steps([singer, swelling, steady])
    assert while_sung_lu(swelling, sung) == pytest.approx(2.04, abs=0.05)
    assert while_sung_lu(steady, sung) == pytest.approx(0.0, abs=0.01)
    with_singer = targets_lu([singer, swelling, steady], STYLE["natural"])
    alone = targets_lu([swelling, steady], STYLE["natural"])
    moved = {one: with_singer[one] - alone[one] for one in (swelling, steady)}
    assert moved[swelling] - moved[steady] == pytest.approx(-2.04, abs=0.05)


def beat(bpm, seconds, seed, loose_s=0.008):
    """Kick on one and three, snare on two and four, eighths on the hat, as loose as a drummer."""
    random = np.random.default_rng(seed)
    eighths = np.arange(0.3, seconds, 30.0 / bpm)
    played = eighths + random.normal(0.0, loose_s, eighths.size)
    return [(played[0::4].tolist(), 1.0), (played[2::4].tolist(), 1.0), (played[played > 0].tolist(), 1.0)]


@settings(max_examples=25, deadline=None)
@given(bpm=st.floats(80.0, 150.0), seed=st.integers(0, 99))
def test_a_drummers_beat_gives_the_tempo_to_half_a_percent_or_its_double_or_half(bpm, seed):
    tempo = tempo_of_onsets(beat(bpm, 40.0, seed))
    assert tempo is not None
    assert min(abs(tempo.bpm / bpm / times - 1.0) for times in (0.5, 1.0, 2.0)) < 0.005
    assert 0.0 < tempo.confidence <= 1.0


def test_strokes_without_a_beat_and_too_few_strokes_have_no_tempo():
    random = np.random.default_rng(1)
    assert tempo_of_onsets([(np.sort(random.uniform(0.0, 120.0, 300)).tolist(), 1.0)]) is None
    assert tempo_of_onsets([([0.0, 0.5, 1.0], 1.0)]) is None
    assert tempo_of_onsets([]) is None


def test_a_take_that_ends_in_noise_is_faded_out_behind_its_last_sound():
    noisy = player("Amp", "electric_guitar", level((30, -20), (6, -60)))
    fade = fade_out({noisy: 0.0}, None, 1.0)
    assert fade is not None
    assert fade.by == "rules"
    first, *_, last = fade.points
    assert 30.0 <= first.at_s < 30.5
    assert first.gain_db == 0.0
    assert last.at_s <= 36.0
    assert last.gain_db == -90.0
    assert "40 dB below the music" in fade.why
    assert [point.gain_db for point in fade.points] == sorted((p.gain_db for p in fade.points), reverse=True)


@pytest.mark.parametrize(
    "ending", [(6, -22), (6, -120), (0.2, -60)], ids=["in music", "in silence", "right after the music"]
)
def test_a_take_that_ends_in_music_or_in_silence_is_not_faded(ending):
    assert fade_out({player("Amp", "electric_guitar", level((30, -20), ending)): 0.0}, None, 1.0) is None


def test_a_fade_ends_with_the_span_of_the_song_and_without_hands_there_is_none():
    noisy = player("Amp", "electric_guitar", level((30, -20), (20, -60)))
    fade = fade_out({noisy: 0.0}, Span(start_s=0.0, end_s=33.0), 1.0)
    assert fade is not None
    assert fade.points[-1].at_s <= 33.0
    assert fade_out({noisy: 0.0}, None, 0.0) is None
