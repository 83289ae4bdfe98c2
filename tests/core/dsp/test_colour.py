"""Gain, pan, width, delays, saturation and dither."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from core.dsp.delay import delay
from core.dsp.dither import dither
from core.dsp.echo import echo, echo_tail_s
from core.dsp.gain import db_to_gain, gain, pan, pan_gains, place, polarity, stereo_matrix, width
from core.dsp.saturation import REFERENCE, saturate
from tests.core.dsp.signals import RATE_HZ, db, impulse, noise, response_db, rms, sine


def test_polarity_is_exact_and_minus_90_db_is_off():
    x = noise(0.1)
    assert np.array_equal(polarity(x), -x)
    assert not gain(x, gain_db=-90.0).any()
    assert db_to_gain(-89.9) > 0.0


@given(position=st.floats(-1.0, 1.0))
def test_the_pan_law_keeps_the_power(position):
    left, right = pan_gains(position)
    assert left**2 + right**2 == pytest.approx(1.0)
    assert left >= 0.0
    assert right >= 0.0


def test_the_ends_of_the_pan_are_silent_on_the_other_side():
    x = noise(0.1)
    assert not pan(x, pan=-1.0)[1].any()
    assert not pan(x, pan=1.0)[0].any()
    assert np.array_equal(pan(x, pan=1.0)[1], x[0])
    assert db(pan_gains(0.0)[0]) == pytest.approx(-3.01, abs=0.01)


@given(position=st.floats(-1.0, 1.0))
@settings(max_examples=20)
def test_a_wide_stereo_source_keeps_its_power_when_it_is_balanced(position):
    x = noise(0.5, 2)
    assert db(rms(pan(x, pan=position)) / rms(x)) == pytest.approx(0.0, abs=0.1)


@given(amount=st.floats(0.0, 2.0))
@settings(max_examples=20)
def test_width_scales_the_side_and_keeps_the_middle(amount):
    x = noise(0.05, 2)
    y = width(x, width=amount)
    assert np.allclose(y[0] + y[1], x[0] + x[1], atol=1e-6)
    assert np.allclose(y[0] - y[1], amount * (x[0] - x[1]), atol=1e-6)


def test_one_matrix_does_what_width_pan_and_fader_do_one_after_another():
    x = noise(0.05, 2)
    expected = pan(width(x, width=0.4), pan=-0.6) * np.float32(0.5)
    assert np.allclose(place(x, stereo_matrix(2, pan=-0.6, width=0.4, gain=0.5)), expected, atol=1e-7)


@given(samples=st.floats(0.05, 60.0))
@settings(max_examples=30, deadline=None)
def test_a_delay_moves_audio_by_a_fraction_of_a_sample(samples):
    y = delay(impulse(4_096, at=100), RATE_HZ, delay_ms=samples / RATE_HZ * 1000.0)[0].astype(np.float64)
    spectrum = np.fft.rfft(y)[1:1_700]  # up to 20 kHz
    turn = -2 * np.pi * np.arange(1, 1_700) / 4_096 * (100 + samples)
    assert np.abs(db(np.abs(spectrum))).max() < 0.02
    assert np.abs(np.angle(spectrum * np.exp(-1j * turn))).max() < 0.005


def test_a_delay_of_whole_samples_is_bit_exact():
    x = noise(0.1)
    y = delay(x, RATE_HZ, delay_ms=1.0)
    assert not y[:, :48].any()
    assert np.array_equal(y[:, 48:], x[:, :-48])


def test_an_echo_repeats_at_its_time_and_fades_by_its_feedback():
    y = echo(impulse(RATE_HZ * 2), RATE_HZ, time_ms=300.0, feedback=0.5, damping_hz=20_000.0)[0]
    energy = [float(np.sum(y[k : k + 200].astype(np.float64))) for k in (0, 14_400, 28_800, 43_200)]
    assert energy == pytest.approx([0.0, 1.0, 0.5, 0.25], abs=0.01)


def test_an_echo_grows_darker_and_its_tail_is_as_long_as_it_says():
    y = echo(impulse(RATE_HZ * 4), RATE_HZ, time_ms=100.0, feedback=0.6, damping_hz=3_000.0)[0]
    early, late = y[4_800:9_600], y[24_000:28_800]
    highs = [
        response_db(part, np.array([6_000.0]))[0] - response_db(part, np.array([100.0]))[0] for part in (early, late)
    ]
    assert highs[1] < highs[0] - 20.0
    tail = round(echo_tail_s(time_ms=100.0, feedback=0.6) * RATE_HZ)
    assert db(rms(y[tail:]) / rms(y)) < -50.0


@pytest.mark.parametrize("drive_db", [3.0, 12.0, 24.0])
def test_saturation_keeps_the_level_of_its_reference_and_rounds_what_is_louder(drive_db):
    at_reference = saturate(sine(200.0, 0.5, REFERENCE), RATE_HZ, drive_db=drive_db)
    assert db(np.abs(at_reference[:, 4_800:]).max() / REFERENCE) == pytest.approx(0.0, abs=0.1)
    full = saturate(sine(200.0, 0.5), RATE_HZ, drive_db=drive_db)
    assert np.abs(full[:, 4_800:]).max() < 0.96


def test_more_drive_means_more_odd_harmonics_and_no_even_ones():
    thirds = []
    for drive_db in (3.0, 9.0, 18.0):
        y = saturate(sine(1_000.0, 1.0, 0.5), RATE_HZ, drive_db=drive_db)[0, 4_800:43_200]
        first, second, third = response_db(y * np.hanning(len(y)), np.array([1_000.0, 2_000.0, 3_000.0]))
        thirds.append(third - first)
        assert second - first < -110.0
    assert thirds == sorted(thirds)
    assert -40.0 < thirds[1] < -15.0


@pytest.mark.parametrize("freq_hz", [997.0, 4_999.0, 9_001.0, 12_007.0])
def test_saturation_folds_nothing_audible_back(freq_hz):
    y = saturate(sine(freq_hz, 1.0, 0.9), RATE_HZ, drive_db=12.0)[0, 4_800:43_200].astype(np.float64)
    spectrum = db(np.abs(np.fft.rfft(y * np.kaiser(len(y), 24.0))))
    frequencies = np.fft.rfftfreq(len(y), 1.0 / RATE_HZ)
    harmonic = np.zeros(len(frequencies), bool)
    for k in range(1, 30):
        harmonic |= np.abs(frequencies - k * freq_hz) < 20.0
    assert spectrum[~harmonic & (frequencies < 20_000.0)].max() - spectrum.max() < -100.0


def test_a_quiet_signal_passes_saturation_untouched():
    x = noise(0.2, amplitude=1e-4)
    y = saturate(x, RATE_HZ, drive_db=1.0)
    steepness = 10.0 ** (1.0 / 20.0) - 1.0
    straight = steepness * REFERENCE / np.tanh(steepness * REFERENCE)
    assert db(rms(y - straight * x) / rms(x)) < -60.0


def test_dither_makes_the_error_white_and_independent_of_the_signal():
    step = 2.0**-15
    for level in (0.0, 0.3 * step, 1.7 * step):
        x = np.full((1, RATE_HZ * 4), level, np.float32)
        error = (dither(x, bits=16) - x).astype(np.float64)
        assert error.mean() == pytest.approx(0.0, abs=0.01 * step)
        # A quarter of a squared step: one twelfth of rounding, one sixth of triangular noise.
        assert error.var() == pytest.approx(0.25 * step**2, rel=0.02)


def test_dither_resolves_a_tone_below_the_last_bit():
    tone = sine(1_000.0, 4.0, 0.4 * 2.0**-15)
    y = dither(tone, bits=16)[0]
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    peaks, _ = find_peaks(spectrum, height=spectrum.max() * 0.5)
    assert list(peaks) == [4_000]


def test_shaped_dither_is_quieter_where_the_ear_is_keen_and_follows_its_transfer_function():
    x = noise(6.0, amplitude=0.01)
    frequencies = np.array([1_000.0, 3_500.0, 18_000.0])
    spectra = {}
    for shaped in (False, True):
        error = (dither(x, bits=16, shaped=shaped) - x)[0].astype(np.float64)
        blocks = error[: len(error) // 4_096 * 4_096].reshape(-1, 4_096) * np.hanning(4_096)
        power = np.square(np.abs(np.fft.rfft(blocks))).mean(axis=0)
        spectra[shaped] = np.array([power[round(f * 4_096 / RATE_HZ) + np.arange(-8, 9)].mean() for f in frequencies])
    gained_db = 10 * np.log10(spectra[True] / spectra[False])
    weights = np.array([2.033, -2.165, 1.959, -1.590, 0.6149])
    turn = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(1, 6)) / RATE_HZ)
    assert np.allclose(gained_db, db(1.0 - turn @ weights), atol=1.5)
    assert gained_db[1] < -12.0


@pytest.mark.parametrize("shaped", [False, True])
def test_dithered_samples_lie_on_the_grid_and_full_scale_does_not_wrap(shaped):
    y = dither(sine(100.0, 0.1, 1.2), bits=16, shaped=shaped) * 2**15
    assert np.array_equal(y, np.rint(y))
    assert y.max() == 2**15 - 1
    assert y.min() == -(2**15)
