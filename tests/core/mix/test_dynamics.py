"""Attack, release, de-esser and glue follow what was measured."""

import numpy as np
import pytest

from core.mix.draft import Draft
from core.mix.dynamics import set_compressor, set_deesser, set_glue
from core.mix.presets import STYLE
from core.plans.parameters import BUS, STRIP, by_name
from tests.core.mix.heard import level, player

NATURAL = STYLE["natural"]


def compressed(role, **measured):
    one = player("X", role, level((20, -20)), crest_db=18.0, **measured)
    draft = Draft(by_name(STRIP), {}, 1.0)
    set_compressor(draft, one, 0.0, NATURAL)
    return draft


def test_a_drum_that_rings_passes_longer_and_the_gain_is_back_before_the_next_stroke():
    short, long = (compressed("snare", fall_ms=fall_ms) for fall_ms in (40.0, 80.0))
    assert short.value("comp_attack_ms") < long.value("comp_attack_ms")
    assert "fall 10 dB in 80 ms" in long.settings["comp_attack_ms"].why
    fast, slow = (compressed("snare", onsets_s=np.arange(0.0, 20.0, gap_s)) for gap_s in (0.2, 0.5))
    assert fast.value("comp_release_ms") == pytest.approx(80.0)
    assert slow.value("comp_release_ms") == pytest.approx(200.0)
    assert "every 500 ms" in slow.settings["comp_release_ms"].why


@pytest.mark.parametrize(("role", "follows"), [("lead_vocal", True), ("bass", True), ("snare", False)])
def test_sung_and_bass_parts_are_let_go_as_the_programme_asks(role, follows):
    assert ("comp_auto_release" in compressed(role).settings) == follows


def deessed(sibilance_db, role="lead_vocal", hands=1.0):
    one = player("X", role, level((20, -20)), sibilance_db=sibilance_db, sibilance_hz=7_000.0)
    draft = Draft(by_name(STRIP), {}, hands)
    set_deesser(draft, one, 0.0)
    return draft


def test_a_de_esser_comes_where_consonants_are_sharp_and_works_harder_the_sharper_they_are():
    assert not deessed(-18.0).settings
    assert not deessed(-4.0, role="keys").settings
    assert not deessed(-4.0, hands=0.0).settings
    mild, sharp = deessed(-10.0), deessed(-7.0)
    assert 4_000.0 <= sharp.value("deess_freq_hz") <= 7_000.0
    peaks = {draft: -20.0 + level_db + 12.0 for draft, level_db in ((mild, -10.0), (sharp, -7.0))}
    below = [peaks[draft] - draft.value("deess_threshold_db") for draft in (mild, sharp)]
    assert 0.0 < below[0] < below[1]
    assert "7 dB below the voice, around 7.0 kHz" in sharp.settings["deess_threshold_db"].why


def test_glue_takes_what_it_says_where_the_bus_is_loud_and_nothing_without_hands():
    members = {player(name, "snare", level((20, -20))): 0.0 for name in "AB"}
    bus = Draft(by_name(BUS), {}, 1.0)
    set_glue(bus, members, 2.0, "Holds.")
    # Peaks of -10 dBFS in both add up to -7 dBFS; half of what is above the threshold is taken at 2:1.
    assert bus.value("comp_threshold_db") == pytest.approx(-7.0 - 4.0, abs=0.1)
    assert "2.0 dB" in bus.settings["comp_threshold_db"].why
    untouched = Draft(by_name(BUS), {}, 0.0)
    set_glue(untouched, members, 2.0, "Holds.")
    assert not untouched.settings
