"""Three bands: they sum flat, and each is compressed by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, freqz_sos

from core.dsp.audio import run
from core.dsp.dynamics import compress
from core.dsp.multiband import BandDynamics, Multiband, compress_bands, linkwitz_riley
from core.plans.parameters import MASTER, by_name
from tests.core.dsp.signals import RATE_HZ, db, impulse, noise, response_db, rms, sine

KNOBS = by_name(MASTER)
FREQUENCIES = np.geomspace(20.0, 20_000.0, 200)
EDGES = {
    "low_hz": st.floats(0.0, 1.0).map(KNOBS["mb_low_hz"].from_normalised),
    "high_hz": st.floats(0.0, 1.0).map(KNOBS["mb_high_hz"].from_normalised),
}
IDLE = BandDynamics()


@settings(max_examples=15, deadline=None)
@given(**EDGES, rate_hz=st.sampled_from([44_100, 48_000, 96_000]))
def test_three_idle_bands_sum_flat_wherever_they_meet(low_hz, high_hz, rate_hz):
    split = Multiband(rate_hz, 1, bands=[IDLE] * 3, low_hz=low_hz, high_hz=high_hz)
    spectrum = np.fft.rfft(run(split, impulse(1 << 15))[0].astype(np.float64))
    assert np.abs(db(spectrum)).max() < 0.001


@pytest.mark.parametrize("freq_hz", [60.0, 500.0, 10_000.0])
def test_a_crossover_is_a_butterworth_filter_twice(freq_hz):
    low, high, turned = (
        freqz_sos(part, FREQUENCIES, fs=RATE_HZ)[1] for part in linkwitz_riley(RATE_HZ, freq_hz=freq_hz)
    )
    for kind, part in (("lowpass", low), ("highpass", high)):
        once = freqz_sos(butter(2, freq_hz, kind, fs=RATE_HZ, output="sos"), FREQUENCIES, fs=RATE_HZ)[1]
        np.testing.assert_allclose(part, once**2, atol=1e-9)
    np.testing.assert_allclose(low + high, turned, atol=1e-6)
    np.testing.assert_allclose(np.abs(turned), 1.0, atol=1e-9)


@pytest.mark.parametrize(("band", "freq_hz"), [(0, 40.0), (1, 800.0), (2, 14_000.0)])
def test_a_band_answers_to_its_own_level_and_leaves_the_others(band, freq_hz):
    pressed = [IDLE] * 3
    pressed[band] = BandDynamics(threshold_db=-30.0, ratio=4.0)
    loud = slice(RATE_HZ // 2, None)
    for other_hz in (40.0, 800.0, 14_000.0):
        tone = sine(other_hz, 1.0, 0.5)
        change_db = db(rms(compress_bands(tone, RATE_HZ, bands=pressed)[:, loud]) / rms(tone[:, loud]))
        if other_hz == freq_hz:
            alone = compress(tone, RATE_HZ, threshold_db=-30.0, ratio=4.0, attack_ms=20.0, release_ms=150.0)
            assert change_db == pytest.approx(db(rms(alone[:, loud]) / rms(tone[:, loud])), abs=0.5)
            assert change_db < -12.0
        else:
            assert abs(change_db) < 0.3


def test_gains_of_bands_are_shelves():
    gains = [BandDynamics(gain_db=6.0), IDLE, BandDynamics(gain_db=-6.0)]
    response = compress_bands(impulse(), RATE_HZ, bands=gains)[0]
    assert response_db(response, [30.0, 800.0, 16_000.0]) == pytest.approx([6.0, 0.0, -6.0], abs=0.2)


def test_bands_that_do_nothing_return_the_same_samples():
    x = noise(0.1, 2)
    assert np.array_equal(compress_bands(x, RATE_HZ, bands=[BandDynamics(threshold_db=-40.0)] * 3), x)
