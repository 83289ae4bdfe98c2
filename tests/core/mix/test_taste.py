"""What is learned from an owner's changes, and how proposals lean to it."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mix.draft import Draft
from core.mix.engineer import propose_mix
from core.mix.taste import OFF_DB, Change, Lean, changes_of, learn, of_role
from core.plans.document import MixPlan, Strip
from core.plans.editing import Turn, with_turn
from core.plans.parameters import STRIP, by_name

KNOBS = by_name(STRIP)
BAND = {"Vox": "lead_vocal", "Bass": "bass", "Kick": "kick", "Gtr": "electric_guitar", "Keys": "keys"}
DECIBELS = st.floats(-12.0, 12.0).map(lambda value: round(value, 1))


def proposal(faders=None, taste=None, hands=1.0):
    """A plan as an engineer makes it, with these faders before any lean."""
    strips = []
    for name, role in BAND.items():
        draft = Draft(KNOBS, {}, hands, of_role(taste or {}, role))
        draft.propose("fader_db", (faders or {}).get(name, -6.0), "Its place.", amount=True)
        draft.propose_send("send_plate_db", -15.0, "Air.")
        draft.lean_where_nothing_is_proposed()
        strips.append(Strip(track=name, role=role, settings=draft.settings))
    return MixPlan(oto_version="1", strips=tuple(strips))


def turned(plan, name, knob, value):
    return with_turn(plan, Turn(strip=name, name=knob, value=value))


def fader(plan, name):
    return next(strip for strip in plan.strips if strip.track == name).settings["fader_db"]


def changed(changes, role, knob="fader_db"):
    return [one.change_db for one in changes if (one.role, one.knob) == (role, knob)]


def mixes_of(count, change_db, role="lead_vocal", knob="fader_db"):
    return [[Change(role, knob, change_db)]] * count


def test_a_mix_in_which_nothing_was_turned_says_nothing():
    assert changes_of([]) == changes_of([proposal()]) == []
    locked = with_turn(proposal(), Turn(strip="Vox", name="fader_db", locked=True))
    assert changes_of([proposal(), locked]) == []


def test_what_was_turned_counts_and_so_does_what_was_left_beside_it():
    plan = proposal()
    changes = changes_of([plan, turned(plan, "Vox", "fader_db", -4.0)])
    assert changed(changes, "lead_vocal") == [2.0]
    assert changed(changes, "bass") == changed(changes, "lead_vocal", "send_plate_db") == [0.0]


def test_the_last_word_counts_against_the_last_proposal():
    first = proposal()
    again = proposal({"Vox": -3.0})
    versions = [first, turned(first, "Vox", "fader_db", 0.0), again, turned(again, "Vox", "fader_db", -4.0)]
    assert changed(changes_of(versions), "lead_vocal") == [-1.0]


def test_a_fader_that_was_kept_is_taken_against_what_was_proposed_around_it():
    """Whoever turns the voice up by 3 dB and has the others proposed anew around it, 3 dB up, has changed nothing."""
    first = proposal()
    higher = turned(first, "Vox", "fader_db", -3.0)
    around = proposal(dict.fromkeys(BAND, -3.0))
    kept = [
        msgspec.structs.replace(strip, settings={**strip.settings, "fader_db": fader(higher, "Vox")})
        if strip.track == "Vox"
        else strip
        for strip in around.strips
    ]
    again = msgspec.structs.replace(around, strips=tuple(kept))
    assert changed(changes_of([first, higher]), "lead_vocal") == [3.0]
    assert changed(changes_of([first, higher, again]), "lead_vocal") == [0.0]
    assert changed(changes_of([first, higher, again, turned(again, "Vox", "fader_db", -1.0)]), "lead_vocal") == [2.0]
    assert changed(changes_of([first, higher, again, higher]), "lead_vocal") == [3.0], "the proposal was undone"


@given(st.dictionaries(st.sampled_from(list(BAND)), DECIBELS), DECIBELS)
def test_all_faders_moved_alike_are_the_same_balance(moves, common_db):
    plan = proposal()
    one = other = plan
    for name in BAND:
        move_db = moves.get(name, 0.0)
        one = turned(one, name, "fader_db", -30.0 + move_db)
        other = turned(other, name, "fader_db", -30.0 + move_db + common_db)
    for here, there in zip(changes_of([plan, one]), changes_of([plan, other]), strict=True):
        assert here.change_db == pytest.approx(there.change_db, abs=1e-9)


def test_what_is_muted_or_shut_off_does_not_say_how_loud_it_is_liked():
    plan = proposal()
    shut = turned(turned(plan, "Vox", "send_plate_db", -90.0), "Bass", "fader_db", OFF_DB - 1.0)
    muted = turned(turned(shut, "Kick", "fader_db", 3.0), "Kick", "mute", True)
    changes = changes_of([plan, muted])
    assert not changed(changes, "lead_vocal", "send_plate_db")
    assert not changed(changes, "bass")
    assert not changed(changes, "kick")


def test_a_shelf_that_nobody_proposed_was_flat():
    plan = proposal()
    assert changed(changes_of([plan, turned(plan, "Vox", "eq6_gain_db", 2.0)]), "lead_vocal", "eq6_gain_db") == [2.0]


@given(st.lists(DECIBELS, min_size=1, max_size=12))
def test_a_lean_is_no_more_than_the_mean_and_to_its_side(values):
    lean = learn([[Change("bass", "fader_db", value)] for value in values])["bass", "fader_db"]
    assert abs(lean.shift_db) <= abs(lean.mean_db) + 1e-9
    assert lean.shift_db * lean.mean_db >= 0.0
    assert 0.5 <= lean.sure <= 1.0


def test_more_mixes_that_agree_are_followed_further():
    leans = [learn(mixes_of(count, 2.0))["lead_vocal", "fader_db"] for count in range(1, 9)]
    assert [lean.followed for lean in leans] == [False, False, *([True] * 6)]
    assert all(less.shift_db < more.shift_db < 2.0 for less, more in pairwise(leans))


def test_a_role_that_nobody_knows_and_tracks_of_one_mix_do_not_pile_up():
    twice = [[Change("bass", "fader_db", 1.0), Change("bass", "fader_db", 3.0), Change("other", "fader_db", 6.0)]]
    taste = learn(twice)
    assert set(taste) == {("bass", "fader_db")}
    assert (taste["bass", "fader_db"].mixes, taste["bass", "fader_db"].mean_db) == (1, 2.0)


def test_an_owner_with_a_taste_soon_finds_it_proposed():
    """Each song has a place of its own; this owner wants voices 2.5 dB higher, give or take 1 dB."""
    chance = np.random.default_rng(5)
    mixes, missed = [], []
    for _ in range(12):
        taste = learn(mixes)
        places = {name: float(chance.normal(-8.0, 3.0)) for name in BAND}
        plan = proposal(places, taste)
        wanted = round(places["Vox"] + 2.5 + chance.normal(0.0, 1.0), 1)
        missed.append(wanted - fader(plan, "Vox").value)
        mixes.append(changes_of([plan, turned(plan, "Vox", "fader_db", wanted)]))
    assert np.mean(missed[:3]) > 1.5
    assert abs(np.mean(missed[6:])) < 0.8


def test_an_owner_without_one_is_seldom_given_one():
    """Changes that differ from song to song, 2 dB about nothing: taken for taste in one knob of ten at most."""
    chance = np.random.default_rng(6)
    leans = [learn([[Change("bass", "fader_db", value)] for value in chance.normal(0.0, 2.0, 6)]) for _ in range(400)]
    assert np.mean([one["bass", "fader_db"].followed for one in leans]) < 0.1


LEAN = Lean("lead_vocal", "fader_db", mixes=5, mean_db=2.4, shift_db=2.0, sure=0.99)


def test_a_proposal_leans_and_says_so_and_by_how_much():
    setting = fader(proposal(taste={("lead_vocal", "fader_db"): LEAN}), "Vox")
    assert (setting.value, setting.taste, setting.by) == (-4.0, 2.0, "rules")
    assert (
        setting.why == "Its place. In 5 mixes you left it 2.4 dB higher than proposed, on the mean: +2.0 dB for that."
    )


def test_hands_scale_a_lean_and_a_persons_own_value_has_none():
    half = fader(proposal({"Vox": -6.0}, {("lead_vocal", "fader_db"): LEAN}, hands=0.5), "Vox")
    assert (half.value, half.taste) == (-2.0, 1.0)
    none = fader(proposal({"Vox": -6.0}, {("lead_vocal", "fader_db"): LEAN}, hands=0.0), "Vox")
    assert (none.value, none.taste) == (0.0, None)
    assert (
        fader(turned(proposal(taste={("lead_vocal", "fader_db"): LEAN}), "Vox", "fader_db", 1.0), "Vox").taste is None
    )


def test_a_lean_is_kept_apart_so_that_an_accepted_one_is_not_learned_away():
    taste = {("lead_vocal", "fader_db"): LEAN}
    plan = proposal(taste=taste)
    accepted = changes_of([plan, turned(plan, "Kick", "fader_db", -7.0)])
    assert changed(accepted, "lead_vocal") == [2.0]


def test_the_engineer_leans_and_notes_it(sources, analyses, plan):
    role = next(strip.role for strip in plan.strips if strip.track == "Bass")
    lean = Lean(role, "fader_db", 4, -3.0, -2.5, 0.99)
    leaning = propose_mix(sources, analyses=analyses, taste={(role, "fader_db"): lean})
    before, after = fader(plan, "Bass"), fader(leaning, "Bass")
    assert after.value == pytest.approx(before.value - 2.5, abs=0.05)
    assert any("oto taste" in note for note in leaning.notes)
    assert not any("oto taste" in note for note in plan.notes)
    unsure = Lean(role, "fader_db", 2, -3.0, -2.5, 0.99)
    assert propose_mix(sources, analyses=analyses, taste={(role, "fader_db"): unsure}) == plan


def test_a_plan_without_leans_reads_as_it_did():
    plan = proposal()
    assert b"taste" not in msgspec.json.encode(plan)
    assert b"taste" not in msgspec.json.encode(turned(plan, "Vox", "fader_db", 1.0))
