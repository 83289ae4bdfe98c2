import math
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter, sosfilt

from core.analysis.loudness import LoudnessMeter, k_weighting, measure_file
from core.errors import OtoError
from tests.core.analysis.meters import ffmpeg_reading, needs_ffmpeg

MUSIC = Path(__file__).parents[4] / "shared" / "data" / "multitracks"


def band_noise(seconds, rate_hz=48_000, channels=2, seed=1):
    """Noise that swells and stops, louder in the bass: something that gates and ranges have an opinion on."""
    random = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    white = lfilter([0.25, 0.5, 0.25], [1.0], random.standard_normal((channels, frames)), axis=1)
    brown = lfilter([1.0], [1.0, -0.995], white, axis=1)
    swell = 0.05 + 0.5 * np.square(np.sin(np.arange(frames) / rate_hz * 0.7))
    swell[frames // 2 : frames // 2 + rate_hz // 2] = 0.0
    swell *= np.minimum(1.0, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / 500)
    return ((0.02 * brown + 0.2 * white) * swell).astype(np.float32)


def measured(audio, rate_hz=48_000, cuts=()):
    meter = LoudnessMeter(rate_hz, len(audio))
    for piece in np.split(audio, sorted(cuts), axis=1):
        meter.add(piece)
    return meter.result()


def numbers(loudness):
    return [getattr(loudness, field) for field in loudness.__struct_fields__]


def test_k_weighting_at_48_khz_is_the_one_that_the_standard_tabulates():
    shelf, low_cut = k_weighting(48_000)
    expected = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    assert shelf == pytest.approx(expected, abs=1e-9)
    assert low_cut == pytest.approx([1, -2, 1, 1, -1.99004745483398, 0.99007225036621], abs=1e-9)


@pytest.mark.parametrize("rate_hz", [44_100, 47_900, 48_000, 96_000, 192_000])
def test_a_whole_stream_is_weighted_as_the_recursion_would(rate_hz):
    tone = np.sin(2 * np.pi * 100.0 * np.arange(rate_hz) / rate_hz).astype(np.float32)
    audio = np.stack([tone, band_noise(1.0, rate_hz, 1)[0]])
    weighted = sosfilt(k_weighting(rate_hz), audio.astype(np.float64), axis=1)[:, : round(0.4 * rate_hz)]
    expected = -0.691 + 10 * np.log10(np.square(weighted).mean(axis=1).sum())
    first = measured(audio[:, : round(0.4 * rate_hz) + rate_hz // 1_000], rate_hz)
    assert first.momentary_max_lufs == pytest.approx(expected, abs=0.01)


@given(st.lists(st.integers(0, 3 * 44_100), max_size=8))
@settings(deadline=None, max_examples=15)
def test_how_a_stream_is_cut_into_blocks_changes_nothing(cuts):
    audio = band_noise(3.5)
    assert numbers(measured(audio, cuts=cuts)) == pytest.approx(numbers(measured(audio)), abs=1e-5)


@given(st.floats(-30.0, 20.0))
@settings(deadline=None, max_examples=12)
def test_gain_moves_every_level_by_itself_and_leaves_the_range(gain_db):
    audio = band_noise(5)
    quiet, loud = measured(audio), measured(audio * np.float32(10 ** (gain_db / 20)))
    for level in ("integrated_lufs", "momentary_max_lufs", "short_term_max_lufs", "true_peak_dbtp", "sample_peak_dbfs"):
        assert getattr(loud, level) - getattr(quiet, level) == pytest.approx(gain_db, abs=0.01)
    assert loud.loudness_range_lu == pytest.approx(quiet.loudness_range_lu, abs=0.01)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 88_200, 96_000, 192_000])
def test_agrees_with_pyloudnorm_at_any_rate(rate_hz):
    audio = band_noise(6, rate_hz)
    oracle = pyloudnorm.Meter(rate_hz, filter_class="DeMan").integrated_loudness(audio.T.astype(np.float64))
    assert measured(audio, rate_hz).integrated_lufs == pytest.approx(oracle, abs=0.05)


@needs_ffmpeg
@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_agrees_with_ffmpeg_on_noise(tmp_path, rate_hz, channels):
    path = tmp_path / "noise.wav"
    sf.write(path, band_noise(20, rate_hz, channels).T, rate_hz, subtype="FLOAT")
    found = measure_file(path)
    integrated, spread, peak = ffmpeg_reading(path)
    assert found.integrated_lufs == pytest.approx(integrated, abs=0.1)
    assert found.loudness_range_lu == pytest.approx(spread, abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(peak, abs=0.1)


@needs_ffmpeg
@pytest.mark.skipif(not MUSIC.exists(), reason="no music beside the repository (../shared/data/multitracks)")
@pytest.mark.parametrize("song", ["fof_sectoid_metal_madness", "fof_muldjord_chaos_god", "mod_pingus_pingus-1"])
def test_agrees_with_ffmpeg_on_music(tmp_path, song):
    stems = [
        sf.read(path, dtype="float32", always_2d=True)[0] for path in sorted((MUSIC / "train" / song).glob("*.ogg"))
    ]
    length = min(len(stem) for stem in stems)
    sf.write(tmp_path / "mix.wav", sum(stem[:length] for stem in stems), 48_000, subtype="FLOAT")
    found = measure_file(tmp_path / "mix.wav")
    integrated, spread, peak = ffmpeg_reading(tmp_path / "mix.wav")
    assert found.integrated_lufs == pytest.approx(integrated, abs=0.1)
    assert found.loudness_range_lu == pytest.approx(spread, abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(peak, abs=0.1)


def test_silence_has_a_length_and_no_level():
    found = measured(np.zeros((2, 96_000), np.float32))
    assert found.duration_s == 2.0
    assert all(value is None for value in numbers(found)[:-1])


def test_what_is_shorter_than_a_window_has_no_reading_of_it():
    found = measured(band_noise(0.3))
    assert (found.integrated_lufs, found.momentary_max_lufs, found.short_term_max_lufs) == (None, None, None)
    assert found.true_peak_dbtp >= found.sample_peak_dbfs


def test_a_peak_at_the_very_end_is_seen():
    audio = np.zeros((2, 48_000), np.float32)
    audio[1, -1] = 0.5
    assert measured(audio).sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert measured(audio).true_peak_dbtp >= -6.03


def test_reading_in_between_does_not_disturb_the_measurement():
    audio = band_noise(4)
    meter = LoudnessMeter(48_000, 2)
    for piece in np.array_split(audio, 7, axis=1):
        meter.add(piece)
        meter.result()
    assert numbers(meter.result()) == pytest.approx(numbers(measured(audio)), abs=1e-5)


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf, 1e30, -3e38])
def test_what_is_not_a_number_or_beyond_all_levels_is_refused(poison):
    audio = band_noise(1)
    audio[0, 777] = poison
    with pytest.raises(OtoError) as refused:
        measured(audio)
    assert refused.value.code == "bad_input"


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 7), (48_000, 0), (4_000, 2)])
def test_what_the_standard_does_not_define_is_refused(rate_hz, channels):
    with pytest.raises(OtoError):
        LoudnessMeter(rate_hz, channels)


def test_a_file_that_is_not_audio_and_one_that_is_not_there_say_so(tmp_path):
    (tmp_path / "notes.wav").write_text("not audio")
    with pytest.raises(OtoError, match=r"notes\.wav") as refused:
        measure_file(tmp_path / "notes.wav")
    assert refused.value.code == "bad_input"
    with pytest.raises(OtoError) as missing:
        measure_file(tmp_path / "nothing.wav")
    assert missing.value.code == "not_found"


def test_measuring_a_file_can_be_cancelled(tmp_path):
    sf.write(tmp_path / "song.wav", band_noise(2).T, 48_000)
    with pytest.raises(OtoError) as stopped:
        measure_file(tmp_path / "song.wav", progress=lambda fraction, doing: fraction < 0.5)
    assert stopped.value.code == "cancelled"
