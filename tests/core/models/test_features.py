"""What the networks are fed: a picture of the sound, whatever its level, its sample rate and how it was read."""

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.features import BANDS, FRAMES, MOST_EXCERPTS, Listener, excerpts, mel_hz

RATE_HZ = 48_000


def sound(length_s, seed=0, rate_hz=RATE_HZ):
    """Noise bursts and moving tones, with no energy that 44.1 kHz could not hold."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(length_s * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) for hz in (55.0, 220.0, 1_310.0, 7_000.0))
    bursts = rng.standard_normal(t.size) * np.exp(-8.0 * (t % 0.5))
    return np.asarray(0.1 * tones * (1.1 + np.sin(t)) + 0.1 * bursts, dtype=np.float32)


@pytest.mark.parametrize(("length_s", "pictures"), [(0.01, 1), (3.0, 1), (5.0, 1), (7.4, 1), (7.6, 2), (10.0, 2)])
def test_there_is_a_picture_per_five_seconds_and_one_for_a_long_rest(length_s, pictures):
    heard = excerpts(sound(length_s), RATE_HZ)
    assert heard.shape == (pictures, FRAMES, BANDS)
    assert heard.dtype == np.float32


def test_a_picture_lies_between_its_floor_and_its_ceiling():
    heard = excerpts(sound(20.0), RATE_HZ)
    assert heard.min() >= -1.0
    assert 1.0 < heard.max() <= 1.5


@settings(max_examples=10, deadline=None)
@given(gain_db=st.floats(-60.0, 40.0), seed=st.integers(0, 99))
def test_gain_does_not_matter(gain_db, seed):
    audio = sound(6.0, seed)
    louder = audio * np.float32(10.0 ** (gain_db / 20.0))
    assert np.allclose(excerpts(audio, RATE_HZ), excerpts(louder, RATE_HZ), atol=1e-3)


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_the_sample_rate_does_not_matter(rate_hz):
    audio = sound(10.0)
    other = soxr.resample(audio, RATE_HZ, rate_hz, quality="VHQ").astype(np.float32)
    apart = np.abs(excerpts(audio, RATE_HZ) - excerpts(other, rate_hz))
    assert apart.mean() < 0.01, "0.4 dB"
    assert np.percentile(apart, 99) < 0.1


def test_bands_above_the_highest_frequency_are_the_floor():
    pictures = excerpts(sound(5.0, rate_hz=16_000), 16_000)
    above = mel_hz()[1:-1] >= 8_000.0
    assert above.any()
    assert (pictures[:, :, above] == -1.0).all()
    assert (pictures[:, :, ~above] > -1.0).any(axis=(0, 1)).all()


@pytest.mark.parametrize("freq_hz", [100.0, 440.0, 1_000.0, 5_000.0, 12_000.0])
def test_a_tone_is_brightest_in_the_band_it_lies_in(freq_hz):
    tone = np.sin(2 * np.pi * freq_hz * np.arange(5 * RATE_HZ) / RATE_HZ).astype(np.float32)
    brightest = int(excerpts(tone, RATE_HZ)[0, 100].argmax())
    edges = mel_hz()
    assert edges[brightest] < freq_hz < edges[brightest + 2]


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 23 * 16_000), max_size=8), seed=st.integers(0, 9))
def test_streaming_equals_one_shot_to_the_bit(cuts, seed):
    audio = np.stack([sound(23.0, seed, 16_000), sound(23.0, seed + 1, 16_000)])
    listener = Listener(16_000)
    for block in np.split(audio, sorted(cuts), axis=1):
        listener.add(block)
    assert np.array_equal(listener.pictures(), excerpts(audio, 16_000))


def test_a_long_track_is_heard_all_along_in_bounded_memory():
    rate_hz = 8_000
    listener = Listener(rate_hz)
    minute = sound(60.0, rate_hz=rate_hz)
    for _ in range(15):
        listener.add(minute[None, :])
        assert len(listener._stretches) <= 2 * MOST_EXCERPTS
    assert listener.pictures().shape == (MOST_EXCERPTS, FRAMES, BANDS)


def test_what_is_heard_is_where_the_track_plays_in_order_of_time():
    """Three tones, each five seconds in a minute of faint noise."""
    rate_hz = 16_000
    rng = np.random.default_rng(1)
    audio = (1e-4 * rng.standard_normal(180 * rate_hz)).astype(np.float32)
    t = np.arange(5 * rate_hz) / rate_hz
    for at_s, freq_hz in ((30, 200.0), (95, 800.0), (150, 3_000.0)):
        audio[at_s * rate_hz : (at_s + 5) * rate_hz] += np.sin(2 * np.pi * freq_hz * t).astype(np.float32)
    pictures = excerpts(audio, rate_hz)
    brightest = [int(picture[100].argmax()) for picture in pictures]
    edges = mel_hz()
    assert [round(np.log10(edges[band + 1]), 1) for band in brightest] == pytest.approx(
        np.log10([200, 800, 3_000]), abs=0.1
    )


def test_the_channels_of_a_pair_do_not_cancel():
    audio = sound(5.0)
    assert np.allclose(excerpts(np.stack([audio, -audio]), RATE_HZ), excerpts(audio, RATE_HZ), atol=1e-5)


@pytest.mark.parametrize("frames", [0, 1, 100, RATE_HZ, 12 * RATE_HZ])
def test_silence_has_no_picture(frames):
    assert excerpts(np.zeros(frames, np.float32), RATE_HZ).shape == (0, FRAMES, BANDS)
    assert excerpts(np.full((2, frames), 1e-7, np.float32), RATE_HZ).shape == (0, FRAMES, BANDS)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_not_a_number_leaves_numbers(wrong):
    audio = sound(6.0)
    audio[1_000::9_000] = wrong
    pictures = excerpts(audio, RATE_HZ)
    assert pictures.shape == (1, FRAMES, BANDS)
    assert np.isfinite(pictures).all()


def test_a_track_of_nothing_but_nan_is_silence():
    assert excerpts(np.full(RATE_HZ, np.nan, np.float32), RATE_HZ).shape == (0, FRAMES, BANDS)
