"""Filters as matrix products: the same samples as the recursion they stand for, however the stream is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, freqz_sos, sosfilt

from core.dsp.filters import bell, butterworth_highpass, butterworth_lowpass, frequency_response, low_shelf
from core.dsp.statespace import StateSpace, of_sections
from tests.core.dsp.signals import RATE_HZ, noise


def gains_db():
    return st.floats(-18.0, 18.0)


@st.composite
def cascades(draw):
    """Any bells and a shelf, equal and neighbouring ones too, behind a high-pass."""
    bells = draw(st.lists(st.tuples(st.floats(30.0, 18_000.0), gains_db(), st.floats(0.3, 8.0)), max_size=5))
    repeated = draw(st.booleans())
    parts = [bell(RATE_HZ, freq_hz=freq_hz, gain_db=gain_db, q=q)[None] for freq_hz, gain_db, q in bells]
    parts.append(low_shelf(RATE_HZ, freq_hz=draw(st.floats(30.0, 400.0)), gain_db=draw(gains_db()), q=0.7)[None])
    parts.append(butterworth_highpass(RATE_HZ, freq_hz=draw(st.floats(5.0, 1_000.0)), order=draw(st.integers(1, 4))))
    return np.concatenate(parts * 2 if repeated else parts)


@settings(max_examples=25, deadline=None)
@given(sections=cascades(), channels=st.integers(1, 2), cuts=st.lists(st.integers(0, 9_000), max_size=6))
def test_a_cascade_is_the_recursion_of_its_sections(sections, channels, cuts):
    x = noise(9_000 / RATE_HZ, channels).astype(np.float64)
    expected = sosfilt(sections, x)
    filtered = StateSpace(*of_sections(sections), channels)
    got = np.concatenate([filtered.process(piece) for piece in np.split(x, sorted(cuts), axis=1)], axis=1)
    # 160 dB down: with poles as near to the circle as these, either way of reckoning rounds.
    assert np.abs(got - expected).max() < 1e-8 * np.abs(expected).max()


@settings(max_examples=25, deadline=None)
@given(feedback=st.floats(0.0, 0.999_999), cuts=st.lists(st.integers(0, 5_000), max_size=6))
def test_one_pole_is_as_good_as_six_sections(feedback, cuts):
    x = noise(5_000 / RATE_HZ).astype(np.float64)
    expected, last = [], 0.0
    for value in x[0]:
        last = feedback * last + value
        expected.append(last)
    one = np.ones(1)
    filtered = StateSpace(feedback * one[None], feedback * one, one, 1.0, 1)
    got = np.concatenate([filtered.process(piece)[0] for piece in np.split(x, sorted(cuts), axis=1)])
    assert np.allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("freq_hz", [3.0, 200.0, 9_000.0, 30_000.0])
@pytest.mark.parametrize(("design", "kind"), [(butterworth_lowpass, "lowpass"), (butterworth_highpass, "highpass")])
def test_a_butterworth_filter_is_the_one_of_the_books(design, kind, order, freq_hz):
    frequencies = np.geomspace(1.0, 23_900.0, 200)
    sections = design(RATE_HZ, freq_hz=freq_hz, order=order)
    known = butter(order, min(freq_hz, 0.49 * RATE_HZ), btype=kind, fs=RATE_HZ, output="sos")
    _, expected = freqz_sos(known, frequencies, fs=RATE_HZ)
    assert np.allclose(frequency_response(sections, frequencies, RATE_HZ), expected, rtol=1e-6, atol=1e-9)
