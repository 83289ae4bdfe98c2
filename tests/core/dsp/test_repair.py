"""Clipped peaks rebuilt, hum taken out: what was lost comes back, what was fine stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import freqz_sos, lfilter

from core.dsp.audio import run
from core.dsp.declip import Declip, declip
from core.dsp.hum import hum_notches, remove_hum
from tests.core.dsp.signals import RATE_HZ, db, in_blocks, noise, rms, sine


def voice(seconds=0.5, seed=0):
    """Harmonics that come and go under a little breath."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * 190 * k * time_s + random.uniform(0, 6)) / k for k in range(1, 12))
    breath = lfilter([1.0], [1.0, -0.9], random.standard_normal(len(time_s)))
    sung = (1.2 + np.sin(2 * np.pi * 3 * time_s)) * tone + 0.02 * breath
    return (sung / np.abs(sung).max()).astype(np.float32)[None]


def lost_db(wanted, heard, where):
    return float(db(rms(heard[where] - wanted[where]) / rms(wanted[where])))


@pytest.mark.parametrize("over_db", [1.0, 2.0])
def test_a_clipped_voice_comes_back(over_db):
    whole = voice() * np.float32(10 ** (over_db / 20))
    clipped = np.clip(whole, -1.0, 1.0)
    mended = declip(clipped, RATE_HZ)
    cut = np.abs(whole) > 1.0
    assert cut.sum() > 30
    assert lost_db(whole, mended, cut) < lost_db(whole, clipped, cut) - 10.0
    assert np.array_equal(mended[~cut], clipped[~cut])


def test_one_side_may_clip_lower_than_the_other_and_anywhere_above_the_floor():
    whole = voice(seed=1) * np.float32(0.8)
    clipped = np.clip(whole, -0.45, 0.5)
    cut = whole != clipped
    assert lost_db(whole, declip(clipped, RATE_HZ), cut) < lost_db(whole, clipped, cut) - 10.0


def test_a_rebuilt_peak_is_never_lower_than_the_clipped_one_nor_12_db_higher():
    clipped = np.repeat(np.clip(noise(0.01, 2, 0.4, seed=4), -0.5, 0.5), 3, axis=1)
    mended = declip(clipped, RATE_HZ)
    peaks = np.abs(clipped) == 0.5
    assert (np.abs(mended[peaks]) >= 0.5).all()
    assert np.abs(mended).max() <= 2.0


@pytest.mark.parametrize("x", [voice(), noise(0.3, 2), sine(5_000.0, 0.2, 0.999)], ids=["voice", "noise", "sine"])
def test_what_is_not_clipped_stays_to_the_bit(x):
    assert np.array_equal(declip(x, RATE_HZ), x)


def test_a_flat_stretch_that_is_no_summit_or_too_long_stays():
    time = np.arange(9_000)
    steps = np.where(time % 100 < 10, 0.5, np.where(time % 100 < 20, 0.9, 0.0))
    steps[3_000:] = 0.95
    x = np.concatenate([steps, np.zeros(1_000)]).astype(np.float32)[None]
    mended = declip(x, RATE_HZ)
    assert np.array_equal(mended[x < 0.9], x[x < 0.9])
    assert np.array_equal(mended[:, 3_000:], x[:, 3_000:])


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, 14_000), max_size=6), drive=st.floats(1.2, 2.5), seed=st.integers(0, 9))
def test_clipped_audio_cut_anywhere_is_mended_alike(cuts, drive, seed):
    clipped = np.clip(drive * voice(0.3, seed), -1.0, 1.0)
    assert np.array_equal(in_blocks(Declip(RATE_HZ, 1), clipped, cuts), run(Declip(RATE_HZ, 1), clipped))


@pytest.mark.parametrize("hum_hz", [50.0, 60.0])
@pytest.mark.parametrize(("wander", "left_db"), [(1.0, -40.0), (1.0004, -20.0)])
def test_a_hum_goes_and_the_singer_stays(hum_hz, wander, left_db):
    hum = sum(sine(hum_hz * wander * k, 4.0, 0.1 / k) for k in range(1, 11))
    assert rms(remove_hum(hum, RATE_HZ, hum_hz=hum_hz)[:, 2 * RATE_HZ :]) < rms(hum) * 10 ** (left_db / 20)
    sung = voice(4.0)
    assert abs(db(rms(remove_hum(sung, RATE_HZ, hum_hz=hum_hz)) / rms(sung))) < 0.2


def test_between_the_harmonics_nothing_is_heard_of_the_notches():
    def response_db(*freq_hz):
        return db(freqz_sos(hum_notches(RATE_HZ, hum_hz=50.0), freq_hz, fs=RATE_HZ)[1])

    assert (response_db(*(50.0 * k for k in range(1, 17))) < -100.0).all()
    notes = response_db(20.0, 41.2, 46.2, 55.0, 75.0, 110.0, 220.0, 440.0, 523.25, 659.26, 880.0, 2_000.0, 12_000.0)
    assert np.abs(notes).max() < 0.25
