"""The multiband of a master: set where only some sections have too much of something, and never otherwise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.master.bands import FEWEST_SECTIONS, even_out
from core.master.chain import master_chain
from core.master.draft import Draft
from core.master.styles import STYLES

BANDS = np.array(BAND_HZ)
STYLE = STYLES["any"]
LOWS, UPPER = BANDS <= 120.0, (BANDS >= 2_000.0) & (BANDS <= 6_000.0)


def sections(count=16, **gains_db):
    """An ordinary song, its sections' `lows` and `upper` moved by gains in dB that are repeated."""
    levels = np.repeat(STYLE.middle_db[None], count, axis=0)
    for name, chosen in (("lows", LOWS), ("upper", UPPER)):
        levels[:, chosen] += np.resize(gains_db.get(name, [0.0]), count)[:, None]
    if "level" in gains_db:
        levels += np.resize(gains_db["level"], count)[:, None]
    return 10 ** (levels / 10)


def settings_of(powers, strength=1.0):
    draft = Draft(None)
    even_out(draft, powers, -16.0, STYLE, 48_000, strength)
    return draft.settings


def test_lows_that_come_and_go_are_held_where_they_are_strong():
    found = settings_of(sections(lows=[-6.0, 5.5]))
    assert found["mb_low_ratio"].value == 2.0
    assert found["mb_low_hz"].value == 120.0
    assert "mb_high_ratio" not in found
    assert "11.5 dB" in found["mb_low_ratio"].why
    master_chain(found, 48_000, 2)


def test_a_top_that_bites_only_where_the_song_is_loud_gives_way_there():
    found = settings_of(sections(upper=[0, 0, 0, 12.0], level=[-6.0, -6.0, -6.0, 0.0]))
    assert found["mb_high_ratio"].value == 2.0
    assert found["mb_high_hz"].value == 2_000.0
    assert "mb_low_ratio" not in found
    master_chain(found, 48_000, 2)


def test_a_bright_song_is_no_reason():
    assert not settings_of(sections(upper=[12.0], level=[-6.0, -6.0, -6.0, 0.0]))


@given(st.lists(st.floats(-4.0, 4.0), min_size=1, max_size=8), st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=8))
def test_what_varies_as_in_finished_songs_stays(lows, upper):
    assert not settings_of(sections(lows=lows, upper=upper))


@pytest.mark.parametrize("count", [1, FEWEST_SECTIONS - 1])
def test_a_few_sections_prove_nothing(count):
    assert not settings_of(sections(count, lows=[-10.0, 10.0]))


def test_hands_off_means_off_and_halfway_half():
    uneven = sections(lows=[-6.0, 5.5])
    assert not settings_of(uneven, strength=0.0)
    assert settings_of(uneven, strength=0.5)["mb_low_ratio"].value == 1.5
