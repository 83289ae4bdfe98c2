"""Transforms without scipy, with scipy as the judge."""

import numpy as np
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

from core.dsp.windows import fast_length, spectra


@given(least=st.integers(1, 2_000_000))
def test_the_length_of_a_fast_transform_is_the_one_that_scipy_finds(least):
    assert fast_length(least) == scipy.fft.next_fast_len(least, real=True)


def test_a_spectrum_has_the_precision_that_it_says():
    x = np.random.default_rng(1).standard_normal((3, 8_192)).astype(np.float32)
    exact = scipy.fft.rfft(x.astype(np.float64)) / 8_192
    off = np.sqrt(np.mean(np.square(np.abs(spectra(x) - exact)))) / np.sqrt(np.mean(np.square(np.abs(exact))))
    assert 20 * np.log10(off) < -137.5
