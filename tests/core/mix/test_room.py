"""Room for each other: in the spectrum, from left to right, near and far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.hearing import ERB_HZ, erb_number, excitation, frequency_hz, specific_loudness
from core.mix.draft import Draft
from core.mix.ensemble import find_companions
from core.mix.placement import set_pans
from core.mix.presets import STYLE, STYLES
from core.mix.space import set_return, set_sends
from core.mix.tempo import Tempo
from core.mix.unmasking import DEEPEST_CUT_DB, unmask
from core.plans.parameters import STRIP, by_name, parameters_of
from tests.core.mix.heard import bands, level, player

NATURAL = STYLE["natural"]
LONG = level((20, -20))


def drafts_of(players, hands=1.0):
    return {one: Draft(by_name(STRIP), {}, hands) for one in players}


def cuts(draft):
    """(frequency, gain) of every bell that was set."""
    found = [
        (draft.value(f"eq{band}_freq_hz"), draft.value(f"eq{band}_gain_db"))
        for band in range(2, 6)
        if f"eq{band}_gain_db" in draft.settings
    ]
    return sorted(found)


def kick_and_bass():
    kick = player("Kick", "kick", LONG, ear_dbfs=bands(45, 100, -30.0))
    bass = player("Bass", "bass", LONG, ear_dbfs=bands(45, 300, -28.0))
    return kick, bass


# ---------------------------------------------------------------- hearing


@given(number=st.floats(1.0, 40.0))
def test_the_ears_scale_goes_both_ways(number):
    assert float(erb_number(frequency_hz(number))) == pytest.approx(number)


def test_masking_reaches_further_up_than_down_and_a_sound_beside_nothing_keeps_its_loudness():
    tone = np.zeros(len(ERB_HZ))
    tone[15] = 1.0
    spread = excitation(tone)
    assert spread[15] == pytest.approx(1.0)
    assert spread[17] > spread[13] > 0.0
    assert specific_loudness(spread) == pytest.approx(spread**0.2)
    assert (specific_loudness(spread, spread) < 0.2 * specific_loudness(spread)).all()


# ---------------------------------------------------------------- unmasking


def test_the_bass_makes_room_where_the_kick_lives_and_says_so_in_numbers():
    kick, bass = kick_and_bass()
    drafts = drafts_of([kick, bass])
    notes = unmask(drafts, {kick: 0.0, bass: 0.0})
    ((frequency_hz_, gain_db),) = cuts(drafts[bass])
    assert 40.0 <= frequency_hz_ <= 160.0
    assert -DEEPEST_CUT_DB <= gain_db <= -0.7
    assert not cuts(drafts[kick])
    (setting,) = [s for name, s in drafts[bass].settings.items() if name.endswith("_gain_db")]
    assert setting.why.startswith("Bass and Kick compete at 5")
    assert f"Bass {gain_db:.1f} dB at {frequency_hz_:.0f} Hz" in setting.why
    assert notes == [f"Room for Kick: Bass {gain_db:.1f} dB at {frequency_hz_:.0f} Hz."]


def test_nobody_makes_room_for_what_is_heard_anyway_or_never_sounds_meanwhile():
    kick, bass = kick_and_bass()
    soft = drafts_of([kick, bass])
    assert unmask(soft, {kick: 0.0, bass: -15.0}) == []
    elsewhere = player("Pad", "synth_pad", LONG, ear_dbfs=bands(3_000, 8_000, -28.0))
    assert unmask(drafts_of([kick, elsewhere]), {kick: 0.0, elsewhere: 0.0}) == []


def test_the_lead_comes_first_whoever_it_is():
    guitar = player("Gtr", "electric_guitar", LONG, ear_dbfs=bands(400, 3_000, -30.0))
    singer = player("Vox", "lead_vocal", LONG, ear_dbfs=bands(400, 3_000, -30.0))
    drafts = drafts_of([guitar, singer])
    unmask(drafts, {guitar: 0.0, singer: 0.0})
    assert cuts(drafts[guitar])
    assert not cuts(drafts[singer])
    guitar.priority = "lead"
    drafts = drafts_of([guitar, singer])
    unmask(drafts, {guitar: 0.0, singer: 0.0})
    assert cuts(drafts[singer])
    assert not cuts(drafts[guitar])


@settings(max_examples=30, deadline=None)
@given(levels=st.lists(st.floats(-60.0, -20.0), min_size=3, max_size=3), hands=st.floats(0.0, 1.0))
def test_cuts_are_never_deep_nor_many_nor_boosts(levels, hands):
    singer = player("Vox", "lead_vocal", LONG, ear_dbfs=bands(300, 4_000, levels[0]))
    bass = player("Bass", "bass", LONG, ear_dbfs=bands(50, 900, levels[1]))
    keys = player("Keys", "keys", LONG, ear_dbfs=bands(80, 5_000, levels[2]))
    drafts = drafts_of([singer, bass, keys], hands)
    unmask(drafts, dict.fromkeys(drafts, 0.0))
    for draft in drafts.values():
        assert len(cuts(draft)) <= 2
        assert all(-DEEPEST_CUT_DB * hands - 0.06 <= gain_db <= 0.0 for _, gain_db in cuts(draft))


# ---------------------------------------------------------------- panning


def pans(players, style=NATURAL, levels_db=None):
    find_companions(players)
    drafts = drafts_of(players)
    set_pans(drafts, levels_db or dict.fromkeys(players, 0.0), style)
    return {one.name: draft.value("pan") for one, draft in drafts.items()}


def test_toms_that_hear_each_other_stand_apart_from_high_to_low():
    moving = level((1, -20), (1, -40), (1, -25), (1, -45)).repeat(3)
    found = pans([player(name, "toms", moving) for name in ("Floor Tom", "Rack Tom")])
    assert found["Rack Tom"] > 0.2
    assert found["Floor Tom"] < -0.2
    found = pans([player(f"Tom {n}", "toms", moving) for n in (1, 2, 3)])
    assert found["Tom 1"] > found["Tom 2"] == 0.0 > found["Tom 3"]


def test_two_takes_of_one_part_stand_wide_apart_and_two_microphones_of_one_take_together():
    part = level((1, -20), (1, -32), (1, -24), (1, -40)).repeat(3)
    doubled = pans([player("Gtr 1", "electric_guitar", part), player("Gtr 2", "electric_guitar", part)])
    assert doubled["Gtr 1"] == -doubled["Gtr 2"] >= 0.8
    one = pans([player("Gtr DI", "electric_guitar", part), player("Gtr mic", "electric_guitar", part)])
    assert one["Gtr DI"] == one["Gtr mic"]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_several_backing_voices_leave_the_middle_to_the_lead(count):
    random = np.random.default_rng(count)
    voices = [player(f"BV {n + 1}", "backing_vocal", random.uniform(-30, -20, 200)) for n in range(count)]
    found = pans(voices)
    assert min(abs(pan) for pan in found.values()) > 0.1
    assert len({round(pan, 2) for pan in found.values()}) == count
    assert abs(sum(found.values())) <= max(found.values()) + 1e-9


def test_low_tracks_stay_nearer_to_the_middle_and_a_lead_in_it():
    def alone(hz, **more):
        return pans([player("A", "keys", LONG, centroid_hz=hz, **more), player("Kick", "kick", LONG)])["A"]

    assert abs(alone(120.0)) < abs(alone(900.0))
    assert alone(900.0, priority="lead") == 0.0


def test_a_single_track_goes_to_the_side_with_less_in_its_register():
    guitars = [player("Gtr 1", "electric_guitar", LONG), player("Gtr 2", "electric_guitar", level((20, -40)))]
    organ = player("Organ", "keys", level((20, -22)))
    found = pans([*guitars, organ])
    assert found["Organ"] * found["Gtr 2"] > 0.0


def test_two_overheads_are_a_pair_even_when_they_are_only_counted():
    found = pans([player("OH 1", "overheads", LONG), player("OH 2", "overheads", level((20, -21)))])
    assert found == {"OH 1": -1.0, "OH 2": 1.0}


# ---------------------------------------------------------------- near and far


def the_return(name, style, tempo):
    draft = Draft(parameters_of(name), {}, 1.0)
    set_return(draft, name, style, tempo)
    return draft


@given(bpm=st.floats(60.0, 200.0))
def test_pre_delays_are_note_values_near_the_usual_and_slow_songs_ring_longer(bpm):
    plate = the_return("plate", NATURAL, Tempo(bpm=bpm, confidence=0.8))
    notes = 240_000.0 / bpm / plate.value("predelay_ms")
    assert np.log2(notes) == pytest.approx(round(np.log2(notes)), abs=0.01)
    assert 15.0 <= plate.value("predelay_ms") <= 40.0
    usual = the_return("plate", NATURAL, None).value("decay_s")
    assert (plate.value("decay_s") >= usual) == (bpm <= 111.0) or abs(bpm - 110.0) < 3.0


def test_the_delay_counts_beats_only_when_the_tempo_is_sure():
    big = STYLE["big"]
    assert the_return("delay", big, Tempo(bpm=120.0, confidence=0.8)).settings["sync"].value == "1/8 dotted"
    assert "sync" not in the_return("delay", big, Tempo(bpm=120.0, confidence=0.2)).settings
    assert "sync" not in the_return("delay", STYLE["vintage"], Tempo(bpm=120.0, confidence=0.9)).settings


def test_who_leads_stands_nearer_and_who_is_background_further():
    def send(priority):
        draft = Draft(by_name(STRIP), {}, 1.0)
        set_sends(draft, player("Gtr", "electric_guitar", LONG, priority=priority), NATURAL, ensemble=True, roomy=False)
        return draft.value("send_room_db")

    assert send("lead") < send("normal") < send("background")


@pytest.mark.parametrize("style", STYLES)
def test_only_lead_vocals_get_a_delay_and_only_where_the_style_has_one(style):
    for role in ("lead_vocal", "backing_vocal", "keys"):
        draft = Draft(by_name(STRIP), {}, 1.0)
        set_sends(draft, player("X", role, LONG), STYLE[style], ensemble=True, roomy=False)
        assert ("send_delay_db" in draft.settings) == (role == "lead_vocal" and style in {"big", "vintage"})
