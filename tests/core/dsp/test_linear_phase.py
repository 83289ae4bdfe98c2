"""A curve of gains, and nothing moved in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dsp.linear_phase import linear_phase_taps, shape_tone
from tests.core.dsp.signals import RATE_HZ, db, impulse, noise, response_db

POINTS_HZ = (40.0, 100.0, 250.0, 630.0, 1_600.0, 4_000.0, 10_000.0)
curves = st.tuples(*(st.floats(-12.0, 12.0) for _ in POINTS_HZ))


@settings(max_examples=15, deadline=None)
@given(gain_db=curves, rate_hz=st.sampled_from([44_100, 48_000, 96_000, 192_000]))
def test_the_response_goes_through_the_points_and_is_held_beyond_them(gain_db, rate_hz):
    taps = linear_phase_taps(rate_hz, freq_hz=POINTS_HZ, gain_db=gain_db)
    assert response_db(taps, POINTS_HZ[1:], rate_hz) == pytest.approx(gain_db[1:], abs=0.7)
    assert response_db(taps, [20.0, 20_000.0], rate_hz) == pytest.approx((gain_db[0], gain_db[-1]), abs=1.5)
    between = response_db(taps, np.geomspace(100.0, 10_000.0, 60), rate_hz)
    assert between.min() > min(gain_db) - 0.5
    assert between.max() < max(gain_db) + 0.5


def test_the_response_is_symmetric_about_a_whole_sample():
    taps = linear_phase_taps(RATE_HZ, freq_hz=POINTS_HZ, gain_db=(6, -3, 2, 0, -8, 3, 1))
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)
    heard = shape_tone(impulse(at=20_000), RATE_HZ, freq_hz=POINTS_HZ, mid_db=(6.0,) * 7, side_db=(0.0,) * 7)
    assert np.abs(heard[0]).argmax() == 20_000
    assert heard[0, 20_000] == pytest.approx(10 ** (6 / 20), abs=1e-4)


def test_frames_are_a_convolution():
    x = noise(0.7, 1, seed=3)
    gain_db = (3.0, -4.0, 5.0, 0.0, -6.0, 2.0, 8.0)
    taps = linear_phase_taps(RATE_HZ, freq_hz=POINTS_HZ, gain_db=gain_db)
    whole = np.convolve(x[0].astype(np.float64), taps, "same")
    heard = shape_tone(x, RATE_HZ, freq_hz=POINTS_HZ, mid_db=gain_db, side_db=gain_db)[0]
    assert db(np.abs(heard - whole).max() / np.abs(whole).max()) < -120.0


def test_middle_and_sides_have_curves_of_their_own():
    x = noise(0.5, 2, seed=5)
    y = shape_tone(x, RATE_HZ, freq_hz=(100.0, 10_000.0), mid_db=(-6.0, -6.0), side_db=(3.0, 3.0))
    np.testing.assert_allclose(y[0] + y[1], (x[0] + x[1]) * 10 ** (-6 / 20), atol=1e-5)
    np.testing.assert_allclose(y[0] - y[1], (x[0] - x[1]) * 10 ** (3 / 20), atol=1e-5)


def test_a_single_point_is_a_gain():
    x = noise(0.2, 1)
    np.testing.assert_allclose(shape_tone(x, RATE_HZ, freq_hz=(1_000.0,), mid_db=(-6.0,), side_db=(0.0,)),
                               x * 10 ** (-6 / 20), atol=1e-5)  # fmt: skip


def test_a_flat_curve_returns_the_same_samples():
    x = noise(0.2, 2)
    assert np.array_equal(shape_tone(x, RATE_HZ, freq_hz=(50.0, 500.0), mid_db=(0.0, 0.0), side_db=(0.0, 0.0)), x)
