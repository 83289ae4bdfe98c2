import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import SpectrumMeter

RATE_HZ = 48_000


def measured(audio, cuts=(), rate_hz=RATE_HZ):
    meter = SpectrumMeter(rate_hz, len(audio))
    for piece in np.split(audio, sorted(cuts), axis=1):
        meter.add(piece)
    return meter.result()


def white(seconds=4.0, channels=2, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE_HZ)))).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("band", [6, 15, 25])
def test_a_tone_lies_in_its_band(rate_hz, band):
    tone = np.sin(2 * np.pi * BAND_HZ[band] * np.arange(2 * rate_hz) / rate_hz)
    levels = measured(np.tile(tone.astype(np.float32), (2, 1)), rate_hz=rate_hz).levels_db()
    assert levels[band] == pytest.approx(0.0, abs=0.2)
    assert np.delete(levels, band).max() < -20.0


def test_white_noise_rises_by_3_db_per_octave():
    levels = measured(white(20.0)).levels_db()
    slope_db = np.polyfit(np.log2(BAND_HZ[10:]), levels[10:], 1)[0]
    assert slope_db == pytest.approx(3.01, abs=0.1)


def test_levels_do_not_depend_on_gain():
    assert measured(white() * np.float32(0.01)).levels_db() == pytest.approx(measured(white()).levels_db(), abs=1e-3)


@given(st.lists(st.integers(0, 2 * RATE_HZ), max_size=10))
@settings(deadline=None, max_examples=12)
def test_how_a_stream_is_cut_into_blocks_changes_nothing(cuts):
    audio = white(2.0)
    assert measured(audio, cuts).levels_db() == pytest.approx(measured(audio).levels_db(), abs=1e-3)


def test_independent_sides_are_as_strong_as_the_middle():
    assert measured(white()).side_db(100.0, 10_000.0) == pytest.approx(0.0, abs=0.2)


def test_identical_sides_have_no_side_and_correlate_fully():
    found = measured(np.repeat(white(channels=1), 2, axis=0))
    assert found.side_db(100.0, 10_000.0) is None
    assert found.correlation == pytest.approx(1.0)


def test_opposed_sides_correlate_negatively():
    mono = white(channels=1)
    assert measured(np.concatenate((mono, -mono))).correlation == pytest.approx(-1.0)


def test_mono_has_no_side_and_no_correlation():
    found = measured(white(channels=1))
    assert found.correlation is None
    assert not any(found.side)


def test_silence_is_flat():
    assert not measured(np.zeros((2, RATE_HZ), np.float32)).levels_db().any()
