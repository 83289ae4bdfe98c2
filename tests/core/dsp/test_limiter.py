import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from core.dsp.limiter import TruePeakLimiter, limit
from core.errors import OtoError
from tests.core.analysis.meters import ffmpeg_reading, needs_ffmpeg
from tests.core.dsp.signals import RATE_HZ, db, in_blocks, noise, rms, sine

CEILING_DBTP = -1.0


def dark_noise(seconds, amplitude, seed=0, channels=2):
    white = noise(seconds, channels, 1.0, seed)
    dark = np.stack([np.convolve(row, np.hanning(7) / 3, mode="same") for row in white])
    return (amplitude * dark / np.abs(dark).max()).astype(np.float32)


def faded(x):
    fade = np.minimum(1.0, np.minimum(np.arange(x.shape[1]), np.arange(x.shape[1])[::-1]) / 500)
    return (x * fade).astype(np.float32)


def drums(seconds=2.0, amplitude=4.0):
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    beat = np.exp(-(time_s % 0.25) * 60.0) * np.sin(2 * np.pi * 180.0 * time_s)
    return (amplitude * np.tile(beat, (2, 1)) + dark_noise(seconds, 0.1)).astype(np.float32)


SIGNALS = {
    "drums": drums(),
    "dark noise 18 dB over": dark_noise(1.0, 8.0),
    "square at full scale": faded(np.sign(sine(441.0, amplitude=1.0)).repeat(2, axis=0)),
    "square 12 dB over": faded(4 * np.sign(sine(97.0)).repeat(2, axis=0)),
    "tone between samples": faded(sine(RATE_HZ / 4 - 1, amplitude=3.0).repeat(2, axis=0)),
    "bass": faded(sine(40.0, amplitude=2.5).repeat(2, axis=0)),
    "constant": faded(np.full((2, RATE_HZ), 1.5, np.float32)),
    "clicks": np.where(np.arange(RATE_HZ) % 4_801 == 100, 8.0, 0.0).astype(np.float32)[None].repeat(2, axis=0),
    "mono": drums()[:1],
}


def independent_peak_db(x):
    return db(np.abs(resample_poly(x.astype(np.float64), 4, 1, axis=1)).max())


@pytest.mark.parametrize("name", SIGNALS)
def test_nothing_exceeds_the_ceiling_between_the_samples(name):
    assert independent_peak_db(limit(SIGNALS[name], RATE_HZ, ceiling_dbtp=CEILING_DBTP)) <= CEILING_DBTP + 0.02


@given(st.integers(0, 10_000), st.floats(0.0, 24.0), st.floats(-6.0, 0.0), st.floats(10.0, 1_000.0))
@settings(deadline=None, max_examples=25)
def test_no_level_ceiling_or_release_lets_a_peak_through(seed, over_db, ceiling_dbtp, release_ms):
    random = np.random.default_rng(seed)
    x = dark_noise(0.3, 1.0, seed) * (random.random(29).repeat(500)[:14_400] ** 4).astype(np.float32)
    x = faded(x * np.float32(10 ** (over_db / 20) / np.abs(x).max()))
    y = limit(x, RATE_HZ, ceiling_dbtp=ceiling_dbtp, release_ms=release_ms)
    assert independent_peak_db(y) <= ceiling_dbtp + 0.02


@needs_ffmpeg
@pytest.mark.parametrize("name", ["drums", "dark noise 18 dB over", "tone between samples", "mono"])
def test_ffmpeg_reads_no_peak_above_the_ceiling_either(tmp_path, name):
    x = np.concatenate([SIGNALS[name]] * 3, axis=1)
    sf.write(tmp_path / "limited.wav", limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP).T, RATE_HZ, subtype="FLOAT")
    assert ffmpeg_reading(tmp_path / "limited.wav")[2] <= CEILING_DBTP


@pytest.mark.parametrize("rate_hz", [44_100, 96_000, 192_000])
def test_holds_at_other_rates(rate_hz):
    assert independent_peak_db(limit(drums(0.5), rate_hz, ceiling_dbtp=CEILING_DBTP)) <= CEILING_DBTP + 0.02


def test_what_is_below_the_ceiling_passes_to_the_bit():
    x = dark_noise(1.0, 0.8)
    np.testing.assert_array_equal(limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP), x)


def test_gives_back_what_a_burst_took():
    x = np.concatenate([dark_noise(0.5, 0.5), dark_noise(0.1, 4.0), dark_noise(1.5, 0.5)], axis=1)
    y = limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)
    np.testing.assert_array_equal(y[:, : RATE_HZ // 2 - 400], x[:, : RATE_HZ // 2 - 400])
    np.testing.assert_allclose(y[:, -RATE_HZ // 2 :], x[:, -RATE_HZ // 2 :], atol=2e-3)


def test_both_sides_are_turned_down_together():
    x = drums()
    x[1] *= 0.25
    y = limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)
    heard = np.abs(x[1]) > 1e-3
    np.testing.assert_allclose(y[0, heard] / y[1, heard], x[0, heard] / x[1, heard], rtol=1e-4)


def test_three_decibels_of_limiting_leave_a_tone_clean():
    x = faded(sine(997.0, 2.0, amplitude=10 ** (2.0 / 20)))
    y = limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)[:, RATE_HZ // 2 : -RATE_HZ // 2]
    reference = x[:, RATE_HZ // 2 : -RATE_HZ // 2]
    gain = float((y * reference).sum() / np.square(reference).sum())
    assert db(gain) == pytest.approx(-3.05, abs=0.05)
    assert db(rms(y - gain * reference) / rms(y)) < -80.0


@pytest.mark.parametrize("freq_hz", [55.0, 82.0, 110.0])
def test_the_gain_does_not_follow_the_wave_of_a_bass_that_reaches_further_to_one_side(freq_hz):
    angle = 2 * np.pi * freq_hz * np.arange(3 * RATE_HZ) / RATE_HZ
    x = faded((1.8 * (np.sin(angle) + 0.5 * np.cos(2 * angle)))[None].astype(np.float32))
    y = limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)[:, RATE_HZ : -RATE_HZ // 2]
    reference = x[:, RATE_HZ : -RATE_HZ // 2]
    gain = float((y * reference).sum() / np.square(reference).sum())
    assert db(rms(y - gain * reference) / rms(y)) < -100.0


def test_a_stroke_is_let_go_at_once_and_what_stays_loud_slowly():
    tone = sine(997.0, 2.0, amplitude=0.1)
    for loud_s, left_db in ((0.005, -3.5), (0.5, -6.0)):
        loud = (np.arange(tone.shape[1]) / RATE_HZ % 1.0) < loud_s
        x = (tone * np.where(loud, 40.0, 1.0)).astype(np.float32)
        y = limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)
        behind = slice(round((1.0 + loud_s + 0.055) * RATE_HZ), round((1.0 + loud_s + 0.065) * RATE_HZ))
        gain_db = db(rms(y[:, behind]) / rms(x[:, behind]))
        assert (gain_db > left_db) == (loud_s < 0.1), gain_db


def test_the_gain_has_no_steps():
    x = drums(1.0)
    y = limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)
    loud = np.abs(x[0]) > 0.05
    gain_db = db(np.where(loud, y[0], 1.0) / np.where(loud, x[0], 1.0))
    steps = np.abs(np.diff(gain_db))[loud[1:] & loud[:-1]]
    assert gain_db.min() < -9.0
    assert steps.max() < 0.25


@given(st.lists(st.integers(0, 48_000), max_size=12))
@settings(deadline=None, max_examples=20)
def test_how_the_stream_is_cut_into_blocks_changes_nothing(cuts):
    x = drums(1.0)
    streamed = in_blocks(TruePeakLimiter(RATE_HZ, 2, ceiling_dbtp=CEILING_DBTP), x, cuts)
    np.testing.assert_allclose(streamed, limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP), atol=1e-7)


@pytest.mark.parametrize("size", [1, 7, 63])
def test_tiny_blocks_come_back_whole(size):
    x = drums(0.03)
    cuts = range(size, x.shape[1] + 600, size)
    streamed = in_blocks(TruePeakLimiter(RATE_HZ, 2, ceiling_dbtp=CEILING_DBTP), x, cuts)
    np.testing.assert_allclose(streamed, limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP), atol=1e-7)


def test_says_how_far_it_had_to_go():
    limiter = TruePeakLimiter(RATE_HZ, 1, ceiling_dbtp=0.0)
    limiter.process(faded(sine(100.0, amplitude=2.0)))
    assert limiter.deepest_db == pytest.approx(6.02, abs=0.1)


def test_nan_is_refused():
    x = drums(0.1)
    x[0, 100] = np.nan
    with pytest.raises(OtoError):
        limit(x, RATE_HZ, ceiling_dbtp=CEILING_DBTP)


def test_silence_stays_silent():
    assert not limit(np.zeros((2, 5_000), np.float32), RATE_HZ, ceiling_dbtp=CEILING_DBTP).any()
