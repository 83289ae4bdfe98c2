"""Filters against the analogue responses they stand for, and against SoX."""

import math
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import freqz_sos

from core.dsp.equaliser import Band, equalise, sections
from core.dsp.filters import bell, high_shelf, highpass, low_shelf, remove_dc
from tests.core.dsp.signals import RATE_HZ, db, impulse, noise, response_db, rms, sine

FREQUENCIES = np.geomspace(20.0, 20_000.0, 120)
gains = st.floats(-18.0, 18.0).filter(lambda g: abs(g) > 0.1)


def analogue_db(shape, freq_hz, gain_db, q):
    """The prototypes of the audio EQ cookbook."""
    s = 1j * FREQUENCIES / freq_hz
    a = 10.0 ** (gain_db / 40.0)
    slope = math.sqrt(a) / q
    if shape == "bell":
        h = (s**2 + s * a / q + 1) / (s**2 + s / (a * q) + 1)
    elif shape == "low_shelf":
        h = a * (s**2 + slope * s + a) / (a * s**2 + slope * s + 1)
    else:
        h = a * (a * s**2 + slope * s + 1) / (s**2 + slope * s + a)
    return db(h)


def digital_db(section, rate_hz):
    return db(freqz_sos(section[None], worN=FREQUENCIES, fs=rate_hz)[1])


@settings(max_examples=50, deadline=None)
@given(
    freq=st.floats(20.0, 16_000.0), gain=gains, q=st.floats(0.3, 8.0), rate=st.sampled_from([44_100, 48_000, 96_000])
)
def test_a_bell_follows_its_analogue_prototype_up_to_the_top(freq, gain, q, rate):
    error = digital_db(bell(rate, freq_hz=freq, gain_db=gain, q=q), rate) - analogue_db("bell", freq, gain, q)
    # Searched over all of these settings the worst is 0.1695, of small gains at 15.4 kHz at 44.1 kHz.
    assert np.abs(error).max() < 0.175 * abs(gain)
    if freq < 8_000:
        assert np.abs(error).max() < 0.1 * abs(gain)


@settings(max_examples=40, deadline=None)
@given(freq=st.floats(30.0, 400.0), gain=gains, q=st.floats(0.3, 1.4), rate=st.sampled_from([44_100, 48_000, 96_000]))
def test_a_low_shelf_follows_its_analogue_prototype(freq, gain, q, rate):
    error = digital_db(low_shelf(rate, freq_hz=freq, gain_db=gain, q=q), rate) - analogue_db("low_shelf", freq, gain, q)
    assert np.abs(error).max() < 0.05


@settings(max_examples=40, deadline=None)
@given(freq=st.floats(1_500.0, 18_000.0), gain=gains, q=st.floats(0.3, 1.4), rate=st.sampled_from([44_100, 48_000]))
def test_a_high_shelf_follows_its_analogue_prototype(freq, gain, q, rate):
    error = digital_db(high_shelf(rate, freq_hz=freq, gain_db=gain, q=q), rate)
    assert np.abs(error - analogue_db("high_shelf", freq, gain, q)).max() < 0.1 * abs(gain)


@given(freq=st.floats(20.0, 18_000.0), gain=gains, q=st.floats(0.3, 8.0))
@settings(max_examples=40, deadline=None)
def test_a_cut_undoes_a_boost(freq, gain, q):
    both = np.stack([bell(RATE_HZ, freq_hz=freq, gain_db=g, q=q) for g in (gain, -gain)])
    assert np.abs(db(freqz_sos(both, worN=FREQUENCIES, fs=RATE_HZ)[1])).max() < 1e-6


@given(
    shape=st.sampled_from(["low_shelf", "bell", "high_shelf"]),
    freq=st.floats(20.0, 20_000.0),
    gain=gains,
    q=st.floats(0.3, 8.0),
    rate=st.sampled_from([8_000, 22_050, 44_100, 192_000]),
)
@settings(max_examples=60, deadline=None)
def test_every_band_is_stable_and_minimum_phase_at_any_rate(shape, freq, gain, q, rate):
    (section,) = sections([Band(shape, freq, gain, q)], rate)
    assert np.abs(np.roots(section[3:])).max() < 1.0
    assert np.abs(np.roots(section[:3])).max() < 1.0 + 1e-9


@pytest.mark.parametrize(("order", "slope_db"), [(1, 6.0), (2, 12.0), (3, 18.0), (4, 24.0)])
def test_a_high_pass_is_3_db_down_at_its_corner_and_falls_as_butterworth_does(order, slope_db):
    y = highpass(impulse(1 << 17), RATE_HZ, freq_hz=200.0, order=order)[0]
    at_corner, low, lower, passed = response_db(y, np.array([200.0, 25.0, 12.5, 5_000.0]))
    assert at_corner == pytest.approx(-3.01, abs=0.02)
    assert low - lower == pytest.approx(slope_db, abs=0.1)
    assert passed == pytest.approx(0.0, abs=0.01)


def test_a_constant_offset_is_taken_out_and_the_lowest_note_stays():
    x = 0.3 + sine(30.0, 3.0, 0.1)
    y = remove_dc(x, RATE_HZ)[:, RATE_HZ:]
    assert abs(y.mean()) < 1e-4
    assert rms(y) == pytest.approx(0.1 / math.sqrt(2.0), rel=0.01)


def test_a_very_low_filter_keeps_24_bit_precision():
    x = sine(1_000.0, 2.0, 0.5)
    y = highpass(x, RATE_HZ, freq_hz=10.0)[0, RATE_HZ:].astype(np.float64)
    time_s = np.arange(RATE_HZ) / RATE_HZ
    basis = np.stack([np.sin(2 * np.pi * 1_000 * time_s), np.cos(2 * np.pi * 1_000 * time_s)])
    rest = y - basis.T @ np.linalg.lstsq(basis.T, y, rcond=None)[0]
    assert db(rms(rest)) < -140.0


@pytest.mark.skipif(shutil.which("sox") is None, reason="sox is not installed")
def test_at_low_frequencies_a_bell_agrees_with_sox(tmp_path):
    x = noise(1.0, amplitude=0.05)
    soundfile.write(tmp_path / "in.wav", x[0], RATE_HZ, "FLOAT")
    subprocess.run(
        ["sox", "-D", tmp_path / "in.wav", tmp_path / "out.wav", "equalizer", "300", "1.5q", "6"],
        check=True,
        timeout=60,
    )
    theirs, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    ours = equalise(x, RATE_HZ, bands=[Band("bell", 300.0, 6.0, 1.5)])[0]
    assert db(rms(ours - theirs) / rms(theirs)) < -45.0


def test_bands_of_the_equaliser_add_up_in_decibels():
    bands = [Band("low_shelf", 100.0, 4.0, 0.7), Band("bell", 900.0, -6.0, 2.0), Band("high_shelf", 8_000.0, 3.0, 0.7)]
    y = equalise(impulse(1 << 13), RATE_HZ, bands=bands)[0]
    expected = sum(digital_db(section, RATE_HZ) for section in sections(bands, RATE_HZ))
    assert np.allclose(response_db(y, FREQUENCIES), expected, atol=0.05)
