"""What the recogniser learns from: sounds by arithmetic, effects and patterns, each the same for the same seed."""

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch", reason="training is an environment of its own")
pytest.importorskip("pyworld")

from hypothesis import given, settings
from hypothesis import strategies as st

from training.data import clips, effects, kits, machines, soundfonts, synths
from training.data.manifest import SPLITS, sources, stems
from training.data.phrases import PHRASE_S, Note, sequenced
from training.data.places import shared_data

pytestmark = pytest.mark.training

RATE_HZ = 48_000
EFFECTS = [
    effects.at_another_speed, effects.driven, effects.compressed, effects.chorused, effects.echoed, effects.in_a_space,
    effects.band_limited, effects.gated, effects.produced,
]  # fmt: skip


def brightness_hz(audio):
    """Centre of the power spectrum."""
    power = np.square(np.abs(np.fft.rfft(audio)))
    return float((power * np.fft.rfftfreq(audio.size, 1 / RATE_HZ)).sum() / power.sum())


@pytest.mark.parametrize("effect", EFFECTS)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_effect_keeps_length_and_type_and_is_the_same_for_the_same_seed(effect, seed):
    audio = np.random.default_rng(seed).normal(0.0, 0.1, RATE_HZ).astype(np.float32)
    heard = effect(audio, np.random.default_rng(seed))
    assert heard.shape == audio.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() > 0.001
    assert np.array_equal(heard, effect(audio, np.random.default_rng(seed)))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_machines_kick_lies_lowest_and_its_hi_hat_highest(seed):
    bank = machines.machine_bank(kits.PIECES, np.random.default_rng(seed))
    centres = {piece: brightness_hz(strokes[0]) for piece, strokes in bank.items()}
    assert centres["kick"] < centres["snare"] < centres["hihat"]
    assert centres["kick"] < 1_000 < 4_000 < centres["hihat"]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_sequenced_pattern_repeats_and_holds_every_piece(seed):
    hits = sequenced(np.random.default_rng(seed))
    assert {piece for piece, _ in hits} == set(kits.PIECES)
    starts = [note.start_s for _, note in hits]
    assert starts == sorted(starts)
    assert starts[-1] < PHRASE_S


@pytest.mark.parametrize("label", ["kick", "drums"])
def test_a_machine_plays_one_piece_or_all(label):
    wanted = kits.PIECES if label == "drums" else (label,)
    first, again = (
        kits.play_bank(machines.machine_bank(wanted, rng), label, "train", rng, machine=True)
        for rng in (np.random.default_rng(4), np.random.default_rng(4))
    )
    assert first.size == PHRASE_S * RATE_HZ
    assert np.array_equal(first, again)


@pytest.mark.parametrize("label", synths.SYNTHESISED)
def test_a_synthesised_instrument_plays_the_pitch_that_is_asked_for(label):
    note = Note(0.0, 2.0, 45, 100)
    audio = synths.play_synth(label, [note], np.random.default_rng(1))
    assert audio.size == PHRASE_S * RATE_HZ
    part = audio[RATE_HZ // 2 : RATE_HZ // 2 + 16_384] * np.hanning(16_384)
    power = np.square(np.abs(np.fft.rfft(part)))
    hz = np.fft.rfftfreq(part.size, 1 / RATE_HZ)
    harmonic = np.abs(hz / 55.0 - np.round(hz / 55.0)) < 0.15
    assert power[harmonic & (hz > 30)].sum() > 0.8 * power.sum()


@pytest.mark.parametrize(
    "named",
    [
        lambda split: {each.name for each in sources(split)},
        lambda split: {each.where for each in sources(split) if each.kind in {"soundfont", "drum_kit"}},
        lambda split: {each.song for each in stems(split)},
    ],
)
def test_no_source_and_no_song_lies_on_two_sides(named):
    sides = [named(split) for split in SPLITS]
    assert all(sides)
    assert len(set.union(*sides)) == sum(len(side) for side in sides)


@pytest.mark.skipif(not shared_data().exists(), reason="shared data is not beside the repository")
def test_a_soundfont_that_is_one_kit_is_asked_for_drums_alone_and_for_no_choked_cymbal():
    planned = soundfonts.kit_slots("train", 3, np.random.default_rng(5))
    assert Counter(slot.label for slot in planned) == dict.fromkeys((*kits.PIECES[:-1], "drums"), 3)
    assert {(slot.channel, slot.program) for slot in planned} == {(0, 0)}
    keys = {note.pitch for slot in planned for note in slot.phrase}
    assert keys <= {36, 37, 38, 40, 41, 42, 43, 44, 45, 46, 47, 49, 51, 53, 55, 57}


def test_what_was_produced_is_learned_from_and_never_measured_on():
    assert set(clips.PRODUCED) <= set(clips.collections("train"))
    for split in ("validation", "test"):
        assert not set(clips.PRODUCED) & set(clips.collections(split))
