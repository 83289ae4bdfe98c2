"""The ride: straight lines in decibels, to the sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dsp.ride import Ride, ride
from tests.core.dsp.signals import RATE_HZ, noise

times = st.lists(st.floats(0.0, 0.12), min_size=1, max_size=6, unique=True).map(sorted)


@settings(max_examples=40, deadline=None)
@given(at_s=times, data=st.data(), cuts=st.lists(st.integers(0, 4_800), max_size=6), start=st.integers(-900, 2_000))
def test_every_sample_has_the_gain_of_its_moment_however_the_stream_is_cut(at_s, data, cuts, start):
    points = [(at, data.draw(st.floats(-90.0, 12.0))) for at in at_s]
    x = noise(0.1, 2)
    fader = Ride(RATE_HZ, points, start_samples=start)
    heard = np.concatenate([fader.process(piece) for piece in np.split(x, sorted(cuts), axis=1)], axis=1)
    moments_s = (start + np.arange(x.shape[1])) / RATE_HZ
    gains_db = np.interp(moments_s, at_s, [gain_db for _, gain_db in points])
    wanted = np.where(gains_db > -90.0, 10 ** (gains_db / 20), 0.0)
    np.testing.assert_allclose(heard, x * wanted, rtol=1e-5, atol=1e-8)


def test_a_fade_to_minus_90_db_ends_in_silence():
    x = np.ones((1, 1_000), np.float32)
    y = ride(x, 1_000, points=[(0.2, 0.0), (0.7, -90.0)])
    assert np.array_equal(y[:, :201], x[:, :201])
    assert (np.diff(y[0, 200:701]) < 0).all()
    assert not y[:, 700:].any()


@pytest.mark.parametrize("points", [[], [(0.1, 0.0)], [(0.0, 0.0), (0.05, 0.0)]])
def test_a_fader_that_rests_at_unity_returns_the_same_samples(points):
    x = noise(0.1, 2)
    assert ride(x, RATE_HZ, points=points) is x
