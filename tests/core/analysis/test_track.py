"""What a track's measurements promise: they follow the standards, and what describes the sound ignores its level."""

import math

import msgspec
import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.analysis.hearing import ERB_HZ
from core.analysis.track import TrackAnalysis, analyse_source
from core.errors import OtoError
from tests.core.analysis.sounds import RATE_HZ, Samples, noise, seconds, sine, strokes


def analyse(audio, **kwargs):
    return analyse_source(Samples(audio, **kwargs))


@settings(max_examples=15, deadline=None)
@given(gain_db=st.floats(-40.0, 6.0))
def test_gain_moves_levels_by_itself_and_leaves_the_description_of_the_sound_alone(gain_db):
    x = strokes() + sine(220.0, 4.0, gain_db=-40)
    one, other = analyse(x), analyse(x * 10 ** (gain_db / 20))
    for level in ("sample_peak_dbfs", "rms_dbfs", "active_lufs", "loud_lufs"):
        assert getattr(other, level) - getattr(one, level) == pytest.approx(gain_db, abs=0.02), level
    for feature in ("crest_db", "activity", "onsets_per_s", "flatness", "pitched"):
        assert getattr(other, feature) == pytest.approx(getattr(one, feature), abs=0.02), feature
    assert other.centroid_hz == pytest.approx(one.centroid_hz, rel=1e-3)
    assert np.allclose(one.bands_db, other.bands_db, atol=0.11)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_integrated_loudness_agrees_with_pyloudnorm(rate_hz):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 12 * rate_hz)) * 0.1 * (1 + np.sin(2 * np.pi * 0.2 * seconds(12, rate_hz)))
    expected = pyloudnorm.Meter(rate_hz).integrated_loudness(x.T)
    assert analyse(x, rate_hz=rate_hz).integrated_lufs == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("frames", [0, 1, 100, 48_000])
def test_silence_has_no_levels(frames):
    analysis = analyse(np.zeros((1, frames)))
    assert analysis.silent
    assert analysis.rms_dbfs is analysis.integrated_lufs is analysis.centroid_hz is None
    assert not analysis.active_steps().any()


@pytest.mark.parametrize("frames", [1, 7, 479, 481, 4_799])
def test_a_track_may_be_shorter_than_any_window(frames):
    analysis = analyse(np.full((1, frames), 0.5))
    assert analysis.sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert analysis.activity == 1.0
    assert all(math.isfinite(value) for value in analysis.bands_db)


def test_rms_and_crest_of_a_sine_are_what_a_textbook_says():
    analysis = analyse(sine(1_000.0, 3.0, gain_db=-6.0))
    assert analysis.rms_dbfs == pytest.approx(-9.01, abs=0.02)
    assert analysis.crest_db == pytest.approx(3.01, abs=0.02)


def test_activity_is_the_share_of_the_time_that_sounds():
    x = sine(300.0, 10.0, gain_db=-12.0)
    x[3 * RATE_HZ : 7 * RATE_HZ] = 0.0
    assert analyse(x).activity == pytest.approx(0.6, abs=0.03)


@settings(max_examples=10, deadline=None)
@given(floor_dbfs=st.floats(-80.0, -50.0))
def test_the_noise_floor_is_the_level_of_the_pauses(floor_dbfs):
    x = sine(300.0, 8.0, gain_db=-12.0) * (seconds(8.0) % 4.0 < 2.0) + noise(8.0, floor_dbfs)
    analysis = analyse(x)
    assert analysis.noise_floor_dbfs == pytest.approx(floor_dbfs, abs=0.5)
    assert analysis.noise_spread_db < 1.0


def test_digital_silence_between_notes_is_no_noise_floor():
    assert analyse(sine(300.0, 8.0) * (seconds(8.0) % 4.0 < 2.0)).noise_floor_dbfs is None


@pytest.mark.parametrize("band", range(2, len(BAND_HZ), 3))
def test_a_sine_shows_in_its_own_third_octave(band):
    bands = analyse(sine(BAND_HZ[band], 2.0, gain_db=-10.0)).bands_db
    assert int(np.argmax(bands)) == band
    assert bands[band] > -1.5


@settings(max_examples=15, deadline=None)
@given(frequency_hz=st.floats(45.0, 900.0))
def test_the_pitch_of_a_harmonic_tone_is_its_fundamental(frequency_hz):
    x = sum(sine(frequency_hz * n, 2.0) / n for n in range(1, 8)) * 0.2
    analysis = analyse(x)
    assert analysis.pitch_hz == pytest.approx(frequency_hz, rel=0.02)
    assert analysis.pitched > 0.8


def test_noise_is_flat_and_has_no_pitch_and_a_tone_is_neither():
    hiss, tone = analyse(noise(3.0)), analyse(sine(440.0, 3.0))
    assert hiss.flatness > 0.4 > 0.05 > tone.flatness
    assert hiss.pitched < 0.1


@pytest.mark.parametrize("every_s", [0.25, 0.5, 1.0])
def test_strokes_are_counted(every_s):
    analysis = analyse(strokes(8.0, every_s))
    expected = 8.0 / every_s
    assert analysis.onsets_per_s * analysis.activity * 8.0 == pytest.approx(expected, abs=1.5)


@settings(max_examples=15, deadline=None)
@given(peak=st.floats(1.02, 3.0))
def test_clipped_samples_are_those_that_lie_flat_at_full_scale(peak):
    x = np.clip(sine(100.0, 1.0) * peak, -1.0, 1.0).astype(np.float32)
    flat = np.abs(x) >= 1.0
    assert analyse(x).clipped_samples == np.count_nonzero(flat)


def test_a_loud_track_that_only_touches_full_scale_is_not_clipped():
    assert analyse(sine(997.0, 1.0)).clipped_samples == 0


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_under_playing_is_found_with_its_frequency_and_level(mains_hz):
    playing = noise(10.0, -20.0) * (seconds(10.0) % 2.0 < 1.0)
    hum = sum(sine(mains_hz * n, 10.0, gain_db=-50.0) for n in (1, 2, 3))
    analysis = analyse(playing + hum + noise(10.0, -90.0, seed=4))
    assert analysis.hum_hz == mains_hz
    assert analysis.hum_dbfs == pytest.approx(-50.0 - 3.01 + 4.77, abs=1.0)


@pytest.mark.parametrize("note_hz", [48.999, 55.0, 58.27, 61.735, 65.406])
def test_a_held_bass_note_is_not_hum(note_hz):
    x = sum(sine(note_hz * n, 10.0, gain_db=-30.0) for n in range(1, 7))
    assert analyse(x + noise(10.0, -80.0)).hum_hz is None


def test_stereo_says_how_alike_its_sides_are():
    one, other = noise(2.0, seed=5), noise(2.0, seed=6)
    assert analyse(np.stack([one, one])).correlation == pytest.approx(1.0, abs=1e-4)
    assert analyse(np.stack([one, -one])).correlation == pytest.approx(-1.0, abs=1e-4)
    assert abs(analyse(np.stack([one, other])).correlation) < 0.05
    assert analyse(np.stack([one, one * 2])).balance_db == pytest.approx(6.02, abs=0.01)
    assert analyse(one).correlation is None


def test_an_analysis_survives_being_kept_as_a_file():
    analysis = analyse(strokes())
    again = msgspec.json.decode(msgspec.json.encode(analysis), type=TrackAnalysis)
    assert again == analysis


def test_an_analysis_that_nobody_wants_any_more_ends():
    with pytest.raises(OtoError) as error:
        analyse_source(Samples(noise(1.0)), progress=lambda fraction, doing: False)
    assert error.value.code == "cancelled"


def test_strokes_are_kept_with_their_times_and_how_fast_they_fall():
    t = seconds(4.0) % 0.5
    heard = analyse(np.sin(2 * np.pi * 200 * t) * np.exp(-t / 0.05))
    assert np.diff(heard.onsets_s) == pytest.approx(0.5, abs=0.02)
    # exp(-t / 0.05 s) has fallen 10 dB after 58 ms.
    assert heard.fall_ms == pytest.approx(58.0, abs=12.0)


def test_levels_in_the_ears_bands_add_up_to_the_tracks_power_second_by_second():
    t = seconds(4.0)
    tone = np.sin(2 * np.pi * 1_000 * t) * np.where(t < 2.0, 0.5, 0.05)
    powers = analyse(tone).ear_powers()
    assert powers.shape == (4, len(ERB_HZ))
    levels = 10 * np.log10(powers.sum(axis=1))
    assert levels[[0, 3]] == pytest.approx([-9.0, -29.0], abs=0.8)
    assert ERB_HZ[np.argmax(powers[0])] == pytest.approx(1_000.0, rel=0.1)


def test_sharp_consonants_are_measured_against_the_voice():
    t = seconds(6.0)
    voice = np.sin(2 * np.pi * 300 * t) * 0.2
    hiss = np.sin(2 * np.pi * 7_000 * t) * 0.2 * (t % 1.0 < 0.3)
    plain, sharp = analyse(voice), analyse(voice + hiss)
    assert plain.sibilance_db is None or plain.sibilance_db < -60.0
    assert sharp.sibilance_db == pytest.approx(-1.2, abs=1.0)
    assert sharp.sibilance_hz == pytest.approx(7_000.0, rel=0.1)
