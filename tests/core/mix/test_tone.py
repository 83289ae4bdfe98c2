"""Presence and air: as much as a track lacks, and no more than its role usually gets."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.mix.draft import Draft
from core.mix.presets import PRESETS, TYPICAL_OCTAVES_DB
from core.mix.tone import PLENTY_DB, set_tone
from core.plans.parameters import STRIP, by_name
from tests.core.mix.heard import level, player

LIFTED = sorted(role for role, preset in PRESETS.items() if preset.presence and role in TYPICAL_OCTAVES_DB)
AIRY = sorted(role for role, preset in PRESETS.items() if preset.air and role in TYPICAL_OCTAVES_DB)
LONG = level((20, -20))


def usual_bands(role, change_db=0.0, above_hz=0.0):
    """Third octaves of a track that sounds as its role usually does, changed above a frequency."""
    thirds = np.repeat(TYPICAL_OCTAVES_DB[role], 3)[: len(BAND_HZ)] - 10.0 * np.log10(3.0)
    return np.where(np.array(BAND_HZ) > above_hz, thirds + change_db, thirds)


def lifts(role, bands_db):
    draft = Draft(by_name(STRIP), {}, 1.0)
    set_tone(draft, player("X", role, LONG, bands_db=tuple(bands_db)))
    return draft


def gains_db(draft):
    return draft.value("eq4_gain_db"), draft.value("eq6_gain_db")


@pytest.mark.parametrize("role", sorted({*LIFTED, *AIRY}))
def test_a_usual_track_gets_half_a_dark_one_all_and_a_bright_one_nothing(role):
    preset = PRESETS[role]
    whole = np.array([preset.presence.gain_db if preset.presence else 0.0, preset.air.gain_db if preset.air else 0.0])
    for more_db, share in ((0.0, 0.5), (-PLENTY_DB, 1.0), (-3.0 * PLENTY_DB, 1.0), (PLENTY_DB, 0.0), (20.0, 0.0)):
        got = gains_db(lifts(role, usual_bands(role, more_db, above_hz=350.0)))
        assert got == pytest.approx(share * whole, abs=0.06)


@given(role=st.sampled_from(LIFTED), first_db=st.floats(-12.0, 12.0), second_db=st.floats(-12.0, 12.0))
def test_the_brighter_a_track_is_the_less_it_is_lifted(role, first_db, second_db):
    darker, brighter = sorted((first_db, second_db))
    less, more = (gains_db(lifts(role, usual_bands(role, change, 350.0))) for change in (brighter, darker))
    assert less[0] <= more[0] <= PRESETS[role].presence.gain_db
    assert less[1] <= more[1]


def test_the_reason_says_how_much_it_has():
    draft = lifts("lead_vocal", usual_bands("lead_vocal", -3.0, above_hz=350.0))
    why = draft.settings["eq4_gain_db"].why
    assert re.search(r"from 2 kHz up to 4 kHz it has 3 dB less than usual", why), why
    hissing = usual_bands("lead_vocal", 25.0, above_hz=6_000.0)
    assert "eq6_gain_db" not in lifts("lead_vocal", hissing).settings


@pytest.mark.parametrize(("rate_hz", "lifted"), [(8_000, False), (11_025, False), (44_100, True), (96_000, True)])
def test_no_air_is_wanted_where_a_recording_has_none(rate_hz, lifted):
    draft = Draft(by_name(STRIP), {}, 1.0)
    set_tone(draft, player("X", "lead_vocal", LONG, bands_db=tuple(usual_bands("lead_vocal")), rate_hz=rate_hz))
    assert ("eq6_gain_db" in draft.settings) == lifted
