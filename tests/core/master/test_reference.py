"""Going towards references: what is followed, by how much, and what stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import Spectrum, SpectrumMeter
from core.errors import OtoError
from core.master.reference import Strengths, matching_curve, middle_of, model_of, side_levels_db
from core.master.sections import SectionMeter
from tests.core.master.songs import RATE_HZ, song

BANDS = len(BAND_HZ)
HEARD = slice(3, 26)
levels = st.lists(st.floats(-25.0, 0.0), min_size=BANDS, max_size=BANDS)


def spectrum(middle_db, side_db):
    """A song by its levels: middle per band, and sides against it."""
    middle = 10 ** (np.array(middle_db) / 10)
    return Spectrum(middle=tuple(middle), side=tuple(middle * 10 ** (np.array(side_db) / 10)), correlation=0.5)


def shaped(own, curve):
    """The song behind the curve, as far as bands are what counts."""
    at = {round(frequency, 1): n for n, frequency in enumerate(BAND_HZ)}
    middle, side = np.array(own.middle), np.array(own.side)
    for frequency, middle_db, side_db in zip(curve.freq_hz, curve.mid_db, curve.side_db, strict=True):
        middle[at[frequency]] *= 10 ** (middle_db / 10)
        side[at[frequency]] *= 10 ** (side_db / 10)
    return Spectrum(middle=tuple(middle), side=tuple(side), correlation=0.5)


def apart(one, other):
    """Difference in dB of the heard bands, the level set aside."""
    difference = (one.levels_db() - other.levels_db())[HEARD]
    return difference - difference.mean()


@given(levels, levels)
@settings(deadline=None, max_examples=30)
def test_the_curve_ends_at_the_reference_as_far_as_its_limits_go(own_db, model_db):
    own, model = spectrum(own_db, [-10.0] * BANDS), spectrum(model_db, [-10.0] * BANDS)
    curve = matching_curve(own, model_of("hit", model, -10.0, -1.0), Strengths(), RATE_HZ)
    if curve is None:
        assert np.abs(apart(own, model)).max() < 1.5
        return
    within = np.abs(curve.mid_db)[1:-1].max() < 11.9
    if within:
        assert np.abs(apart(shaped(own, curve), model)).max() < 0.1
    assert np.abs(curve.mid_db).max() < 12.5


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_tone_is_followed_as_far_as_its_strength_says_and_width_stays(strength):
    own = spectrum(np.linspace(0, -20, BANDS), [-10.0] * BANDS)
    bright = spectrum(np.linspace(-5, -15, BANDS), [-4.0] * BANDS)
    curve = matching_curve(own, model_of("hit", bright, -10.0, -1.0), Strengths(tone=strength, width=0.0), RATE_HZ)
    if strength == 0.0:
        assert curve is None
        return
    left = np.abs(apart(shaped(own, curve), bright)).mean() / np.abs(apart(own, bright)).mean()
    assert left == pytest.approx(1.0 - strength, abs=0.05)
    assert curve.mid_db == curve.side_db


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_width_is_followed_as_far_as_its_strength_says_and_tone_stays(strength):
    own = spectrum(np.linspace(0, -20, BANDS), [-12.0] * BANDS)
    wide = spectrum(np.linspace(-5, -15, BANDS), [-6.0] * BANDS)
    curve = matching_curve(own, model_of("hit", wide, -10.0, -1.0), Strengths(tone=0.0, width=strength), RATE_HZ)
    after = shaped(own, curve)
    assert side_levels_db(after)[HEARD] == pytest.approx(-12.0 + strength * 6.0, abs=0.05)
    assert np.abs(apart(after, own)).max() < 0.05


def test_a_song_like_its_reference_needs_no_curve():
    own = spectrum(np.linspace(0, -20, BANDS), [-10.0] * BANDS)
    assert matching_curve(own, model_of("itself", own, -10.0, -1.0), Strengths(), RATE_HZ) is None


def test_mono_gets_no_sides_and_silence_no_gain():
    own = Spectrum(middle=(*[1.0] * 20, *[0.0] * 9), side=(0.0,) * BANDS, correlation=None)
    wide = spectrum(np.linspace(0, -20, BANDS), [-3.0] * BANDS)
    curve = matching_curve(own, model_of("wide", wide, -10.0, -1.0), Strengths(), RATE_HZ)
    assert curve.mid_db == curve.side_db
    assert not any(curve.mid_db[-6:])


def test_several_references_are_met_in_their_middle():
    low, high = (spectrum(np.linspace(0, -slope, BANDS), [-10.0] * BANDS) for slope in (10.0, 30.0))
    models = [model_of(name, each, lufs, -1.0) for name, each, lufs in (("a", low, -8.0), ("b", high, -12.0))]
    middle = middle_of(models)
    assert middle.names == ("a", "b")
    assert middle.integrated_lufs == pytest.approx(-10.0)
    assert (middle.levels_db >= np.minimum(models[0].levels_db, models[1].levels_db)).all()
    assert (middle.levels_db <= np.maximum(models[0].levels_db, models[1].levels_db)).all()


@pytest.mark.parametrize("strength", [-0.1, 1.01])
def test_a_strength_outside_0_to_100_percent_is_refused(strength):
    with pytest.raises(OtoError, match="width"):
        Strengths(width=strength)


def test_the_loudest_sections_are_what_is_matched():
    quiet = 0.1 * np.random.default_rng(0).standard_normal((2, 6 * RATE_HZ)).astype(np.float32)
    time_s = np.arange(6 * RATE_HZ) / RATE_HZ
    loud = np.tile(0.8 * np.sin(2 * np.pi * 1_000 * time_s), (2, 1)).astype(np.float32)
    meter = SectionMeter(RATE_HZ, 2)
    for block in np.array_split(np.concatenate([0.2 * quiet, loud], axis=1), 7, axis=1):
        meter.add(block)
    _, loudest = meter.spectra()
    assert loudest.levels_db()[BAND_HZ.index(1000.0)] > -0.1


def test_sections_add_up_to_the_whole():
    audio = song(8.0)
    sections, whole = SectionMeter(RATE_HZ, 2), SpectrumMeter(RATE_HZ, 2)
    for block in np.array_split(audio, 11, axis=1):
        sections.add(block)
    whole.add(audio)
    added, once = sections.spectra()[0], whole.result()
    assert added.levels_db()[HEARD] == pytest.approx(once.levels_db()[HEARD], abs=1e-3)
    assert (added.correlation > 0) == (once.correlation > 0)
