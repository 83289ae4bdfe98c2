"""What is likely wrong with a tone: what finished songs do anyway is taste, what none of them does is a fault."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.master import tone
from core.master.faults import FAULTS, behind, likely_db, probabilities
from core.master.finished import FACTORS_DB
from core.master.styles import STYLES

HEARD = tone.heard_bands(48_000)
USUAL = STYLES["any"].middle_db
BANDS = np.array(BAND_HZ)
EVERY = pytest.mark.parametrize("fault", FAULTS, ids=[fault.words for fault in FAULTS])


def even(curve_db):
    return (curve_db - np.average(curve_db, weights=HEARD)) * HEARD


def test_the_middle_of_finished_songs_is_most_likely_fine():
    assert probabilities(USUAL, USUAL, HEARD).sum() < 0.35
    assert np.abs(likely_db(USUAL, USUAL, HEARD)).max() < 1.5


@EVERY
def test_a_fault_is_likelier_where_it_is(fault):
    at = FAULTS.index(fault)
    before, after = (probabilities(levels, USUAL, HEARD)[at] for levels in (USUAL, USUAL + fault.curve_db))
    assert after > before


# What is a little bright or harsh can't be told from songs that are: it is left alone.
@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if not one.words.startswith(("bright", "harsh"))], ids=lambda one: one.words
)
def test_taking_back_what_is_likely_brings_an_ordinary_song_nearer(fault):
    left = even(fault.curve_db) - likely_db(USUAL + fault.curve_db, USUAL, HEARD)
    assert np.abs(left).mean() < np.abs(even(fault.curve_db)).mean()


@pytest.mark.parametrize("words", ["dark, by 2.25 dB per octave", "dull above 1.8 kHz"])
def test_what_is_plain_is_called_by_its_name(words):
    fault = next(one for one in FAULTS if one.words == words)
    found = probabilities(USUAL + fault.curve_db, USUAL, HEARD)
    said, probability = behind(found, BANDS.size - 4, gain_db=3.0)
    assert said.words.split()[0] in ("dark,", "dull")
    assert probability == found[FAULTS.index(said)]


@given(st.lists(st.floats(0.0, 0.08), min_size=len(FAULTS), max_size=len(FAULTS)), st.integers(0, len(BAND_HZ) - 1))
def test_what_is_said_of_a_band_is_a_fault_that_did_the_opposite_of_the_correction(shares, band):
    found = np.array(shares)
    for gain_db in (-1.0, 1.0):
        fault, _ = behind(found, band, gain_db)
        did = [gain_db * share * one.curve_db[band] for share, one in zip(found, FAULTS, strict=True)]
        assert gain_db * found[FAULTS.index(fault)] * fault.curve_db[band] == pytest.approx(min(did))


@given(st.integers(0, len(FACTORS_DB) - 1), st.floats(-1.0, 1.0))
def test_songs_that_differ_as_finished_ones_do_are_hardly_touched(factor, deviations):
    levels = USUAL + deviations * np.array(FACTORS_DB[factor])
    assert np.abs(likely_db(levels, USUAL, HEARD)).max() < 4.0


@given(st.lists(st.floats(-60.0, 20.0), min_size=len(BAND_HZ), max_size=len(BAND_HZ)), st.floats(-40.0, 40.0))
def test_probabilities_are_such_and_the_overall_level_does_not_count(levels, gain_db):
    found = probabilities(np.array(levels), USUAL, HEARD)
    assert (found >= 0.0).all()
    assert found.sum() <= 1.0 + 1e-9
    np.testing.assert_allclose(found, probabilities(np.array(levels) + gain_db, USUAL, HEARD), atol=1e-6)
    assert not likely_db(np.array(levels), USUAL, HEARD)[HEARD == 0.0].any()
