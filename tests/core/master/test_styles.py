"""What counts as finished, and what is done about the rest."""

import numpy as np
import pytest

from core.analysis.features import BAND_HZ
from core.errors import OtoError
from core.master import tone
from core.master.styles import MOST_TONE_DB, STYLES, style_named, tone_correction

HEARD = tone.heard_bands(48_000)
EVERY = pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))


@EVERY
def test_every_style_knows_a_spread_for_every_band(style):
    assert len(style.low_db) == len(style.middle_db) == len(style.high_db) == len(BAND_HZ)
    assert (style.low_db < style.middle_db).all()
    assert (style.middle_db < style.high_db).all()


@EVERY
def test_a_song_in_the_middle_of_its_style_is_left_alone(style):
    assert not tone_correction(style.middle_db, style, HEARD).any()


@EVERY
def test_what_is_far_outside_comes_back_but_not_without_limit(style):
    tilt = np.where(np.array(BAND_HZ) > 2_000.0, -40.0, 0.0)
    gains = tone_correction(style.middle_db + tilt, style, HEARD)
    assert gains.max() == pytest.approx(MOST_TONE_DB)
    assert gains[BAND_HZ.index(8_000.0)] > 0.0 > gains[BAND_HZ.index(125.0)]


def test_an_unknown_style_is_refused_with_those_there_are():
    with pytest.raises(OtoError) as refused:
        style_named("polka")
    assert "orchestral" in refused.value.hint
