"""What a track is: by the recogniser's numbers, told in words that hold the same numbers, behind names and people."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.analysis.roles import guess_role
from core.analysis.track import TrackAnalysis
from core.models import runtime
from core.models.features import excerpts
from core.models.roles import HINT, Recognition, alike, decide_role, load_recogniser, pooled, recognise
from core.models.runtime import Model, Unusable
from core.plans.roles import ROLES

LABELS = ("kick", "snare", "bass", "piano", "lead_vocal", "noise")
RATE_HZ = 16_000
SILENT = TrackAnalysis(rate_hz=RATE_HZ, channels=1, duration_s=1.0)
STEADY = TrackAnalysis(
    rate_hz=RATE_HZ, channels=1, duration_s=9.0, sample_peak_dbfs=-6.0, loud_lufs=-20.0, centroid_hz=900.0, crest_db=9.0
)

opinions = st.builds(
    lambda seed, excerpts, spread: spread * np.random.default_rng(seed).standard_normal((excerpts, 6)),
    seed=st.integers(0, 2**32),
    excerpts=st.integers(1, 6),
    spread=st.floats(0.1, 8.0),
)
"""Logits of a few excerpts, without ties."""
few = settings(max_examples=40, deadline=None)


def recognition(role="piano", confidence=0.9, *, sure=True, second="bass"):
    return Recognition(
        role=role if sure else "other",
        confidence=confidence,
        guesses=((role, confidence), (second, (1.0 - confidence) / 2.0)),
        excerpts=4,
        agreed=3,
    )


def tone(*freqs_hz, length_s=12.0):
    t = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    return (0.1 * sum(np.sin(2 * np.pi * hz * t) for hz in freqs_hz)).astype(np.float32)


@pytest.fixture
def model(toy, monkeypatch):
    monkeypatch.setattr(runtime, "FILES", toy)
    found = load_recogniser()
    assert isinstance(found, Model)
    return found


# --- one answer of several excerpts -------------------------------------------------------------------------


@few
@given(logits=opinions, temperature=st.floats(0.5, 4.0))
def test_pooling_is_the_geometric_mean_of_what_each_excerpt_says(logits, temperature):
    each = np.exp(logits / temperature)
    each /= each.sum(axis=1, keepdims=True)
    pool = np.prod(each ** (1.0 / len(each)), axis=0)
    pool /= pool.sum()
    said = pooled(logits, LABELS, temperature, unsure=0.0)
    assert said.confidence == pytest.approx(pool.max(), abs=1e-6)
    assert [share for _, share in said.guesses] == pytest.approx(sorted(pool, reverse=True)[:2], abs=1e-6)


@few
@given(logits=opinions, order=st.randoms())
def test_the_order_of_the_excerpts_does_not_matter(logits, order):
    shuffled = list(logits)
    order.shuffle(shuffled)
    one, other = pooled(logits, LABELS, 1.0, 0.4), pooled(np.array(shuffled), LABELS, 1.0, 0.4)
    assert one.confidence == pytest.approx(other.confidence)
    assert one.excerpts == other.excerpts


@few
@given(logits=opinions, unsure=st.floats(0.0, 1.0))
def test_below_its_threshold_the_answer_is_other(logits, unsure):
    said = pooled(logits, LABELS, 1.0, unsure)
    best = said.guesses[0][0]
    assert said.role == (best if said.confidence >= unsure else "other")


@few
@given(logits=opinions, unsure=st.floats(0.0, 1.0))
def test_the_reason_holds_the_numbers_that_decided(logits, unsure):
    said = pooled(logits, LABELS, 1.0, unsure)
    percents = [int(percent) for percent in re.findall(r"\((\d+)%\)", said.why)]
    named = [(role, share) for role, share in said.guesses if share >= 0.005]
    assert percents == pytest.approx([100.0 * share for _, share in named], abs=0.5001)
    for role, _ in named:
        assert role.replace("_", " ") in said.why
    agreeing = sum(LABELS[int(opinion.argmax())] == best_label(logits) for opinion in logits)
    if len(logits) > 1:
        assert re.search(r"(\d+) of (\d+) excerpts agree", said.why).groups() == (str(agreeing), str(len(logits)))
    else:
        assert "1 excerpt was listened to" in said.why
    assert ("too unsure" in said.why) == (said.role == "other")


def best_label(logits):
    """The label of the highest mean log-probability, whose normalisation is the same for every label."""
    return LABELS[int(logits.mean(axis=0).argmax())]


# --- the whole way, with a model whose answers can be foreseen ------------------------------------------------


@pytest.mark.parametrize(
    ("freqs_hz", "role"), [((80.0, 160.0), "bass"), ((700.0, 1_800.0), "lead_vocal"), ((5_000.0, 7_000.0), "hihat")]
)
def test_a_sound_is_recognised(model, freqs_hz, role):
    said = recognise(model, excerpts(tone(*freqs_hz), RATE_HZ))
    assert said.role == role
    assert said.agreed == said.excerpts == 2


def test_gain_does_not_change_what_is_recognised(model):
    loud, soft = (recognise(model, excerpts(tone(80.0) * gain, RATE_HZ)) for gain in (1.0, 0.01))
    assert loud.role == soft.role
    assert loud.confidence == pytest.approx(soft.confidence, abs=1e-3)


def test_silence_is_not_recognised_as_anything(model):
    assert recognise(model, excerpts(np.zeros(RATE_HZ, np.float32), RATE_HZ)) is None


def test_a_card_without_a_threshold_is_no_recogniser(toy, monkeypatch):
    monkeypatch.setattr(runtime, "FILES", toy)
    card = toy / "roles.json"
    card.write_text(card.read_text().replace('"unsure"', '"sure"'))
    found = load_recogniser()
    assert isinstance(found, Unusable)
    assert "threshold" in found.why


# --- names, sounds and rules ----------------------------------------------------------------------------------


def test_a_name_that_says_nothing_leaves_it_to_the_recogniser():
    said = decide_role("Audio 7", STEADY, recognition("piano", 0.9))
    assert (said.role, said.confidence, said.by, said.note) == ("piano", 0.9, "model", "")
    assert said.why == recognition("piano", 0.9).why


def test_a_name_wins_and_a_sure_sound_of_another_kind_is_told():
    said = decide_role("Snare", STEADY, recognition("lead_vocal", 0.95))
    assert (said.role, said.by) == ("snare", "rules")
    assert "Snare was taken for snare, as its name says" in said.note
    assert "lead vocal (95%)" in said.note


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("Snare", recognition("lead_vocal", 0.7)),
        ("Snare", recognition("lead_vocal", 0.99, sure=False)),
        ("Snare", recognition("snare", 0.99)),
        ("Room", recognition("snare", 0.99)),
        ("Backing Vox", recognition("lead_vocal", 0.99)),
        ("Synth Bass", recognition("bass", 0.99)),
        ("Playback", recognition("lead_vocal", 0.99)),
        ("Snare", None),
    ],
)
def test_a_name_is_not_called_wrong_by_doubt_or_by_what_sounds_alike(name, heard):
    said = decide_role(name, STEADY, heard)
    assert (said.role, said.note) == (guess_role(name).role, "")


def test_a_name_that_only_hints_gives_way_with_a_note():
    hinted = guess_role("Lead 2")
    assert hinted.confidence < HINT
    said = decide_role("Lead 2", STEADY, recognition("electric_guitar", 0.9))
    assert (said.role, said.by) == ("electric_guitar", "model")
    assert "only hints at lead vocal" in said.note


def test_an_unsure_recogniser_names_its_two_guesses():
    said = decide_role("Audio 7", STEADY, recognition("piano", 0.3, sure=False))
    assert (said.role, said.confidence) == ("other", 0.0)
    assert "piano (30%) or bass (35%)" in said.why


def test_a_rule_counts_only_if_an_unsure_recogniser_thinks_of_it_too():
    low = TrackAnalysis(
        rate_hz=RATE_HZ, channels=1, duration_s=9.0, sample_peak_dbfs=-6.0, loud_lufs=-20.0, centroid_hz=90.0,
        crest_db=9.0, pitched=0.9, pitch_hz=60.0, bands_db=tuple(-3.0 if hz < 120.0 else -60.0 for hz in BAND_HZ),
    )  # fmt: skip
    assert guess_role("Audio 7", low).role == "bass"
    agreed = decide_role("Audio 7", low, recognition("piano", 0.3, sure=False, second="bass"))
    assert (agreed.role, agreed.by) == ("bass", "rules")
    assert decide_role("Audio 7", low, recognition("piano", 0.3, sure=False, second="kick")).role == "other"
    assert decide_role("Audio 7", low, None).role == "bass"


@settings(max_examples=50)
@given(name=st.sampled_from(["Audio 1", "Snare", "Lead", "Playback", ""]), analysis=st.sampled_from([SILENT, STEADY]))
def test_without_a_recogniser_everything_is_as_the_rules_say(name, analysis):
    assert decide_role(name, analysis) == guess_role(name, analysis)


@given(one=st.sampled_from(ROLES), other=st.sampled_from(ROLES))
def test_being_alike_works_both_ways(one, other):
    assert alike(one, other) == alike(other, one)
    assert alike(one, one)
