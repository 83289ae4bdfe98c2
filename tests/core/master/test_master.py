"""What a musician may rely on when a mix is mastered."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.loudness import measure_file
from core.analysis.spectrum import SpectrumMeter
from core.desk.sources import file_sources
from core.dsp.dither import dither
from core.dsp.limiter import limit
from core.errors import OtoError
from core.master.engineer import propose_master
from core.master.render import render_master
from core.master.targets import TARGETS
from core.plans.document import MasterPlan, Setting
from core.plans.parameters import MASTER, by_name
from tests.core.analysis.meters import ffmpeg_reading, needs_ffmpeg
from tests.core.master.songs import RATE_HZ, ArraySource, song

STREAMING = TARGETS["streaming"]
MUSIC = Path(__file__).parents[4] / "shared" / "data" / "multitracks"


def mastered(audio, out, target=STREAMING, rate_hz=RATE_HZ, **options):
    source = ArraySource(audio, rate_hz)
    plan = propose_master(source, target, **options)
    return plan, render_master(plan, source, out)


def assert_delivers(result, target):
    assert result.loudness.integrated_lufs == pytest.approx(target.integrated_lufs, abs=0.2)
    assert result.loudness.true_peak_dbtp <= target.true_peak_dbtp + 0.1


@pytest.fixture(scope="module")
def mix():
    return song()


@pytest.fixture(scope="module")
def streaming(mix, tmp_path_factory):
    """The plan and result of an ordinary mix for streaming."""
    return mastered(mix, tmp_path_factory.mktemp("master") / "master.wav")


# ---------------------------------------------------------------- delivery


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "club"])
def test_an_ordinary_mix_meets_every_target_short_of_the_loudest(mix, target, tmp_path):
    plan, result = mastered(mix, tmp_path / "master.wav", TARGETS[target])
    assert_delivers(result, TARGETS[target])
    assert plan.target == TARGETS[target]


@needs_ffmpeg
def test_ffmpeg_reads_the_target_too_also_after_dither_to_16_bits(streaming, tmp_path):
    _, result = streaming
    audio, rate_hz = sf.read(result.out, dtype="float32")
    sf.write(tmp_path / "16.wav", dither(audio.T, bits=16).T, rate_hz, subtype="PCM_16")
    for path in (result.out, tmp_path / "16.wav"):
        integrated, _, peak = ffmpeg_reading(path)
        assert integrated == pytest.approx(STREAMING.integrated_lufs, abs=0.2)
        assert peak <= STREAMING.true_peak_dbtp + 0.1


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_other_rates_meet_the_target(rate_hz, tmp_path):
    _, result = mastered(song(6.0, rate_hz=rate_hz), tmp_path / "master.wav", rate_hz=rate_hz)
    assert_delivers(result, STREAMING)
    assert (result.rate_hz, result.frames) == (rate_hz, 6 * rate_hz)


@given(seed=st.integers(0, 100), peak_dbfs=st.floats(-40.0, 6.0), drums=st.floats(0.0, 1.5))
@settings(deadline=None, max_examples=8)
def test_whatever_the_level_and_drums_of_a_mix_it_is_delivered(tmp_path_factory, seed, peak_dbfs, drums):
    audio = song(4.0, seed=seed, peak_dbfs=peak_dbfs, drums=drums)
    _, result = mastered(audio, tmp_path_factory.mktemp("any") / "master.wav")
    assert_delivers(result, STREAMING)


@pytest.mark.skipif(not MUSIC.exists(), reason="no music beside the repository (../shared/data/multitracks)")
@pytest.mark.parametrize("name", ["fof_sectoid_war_of_freedom", "mod_heroes_heroes02"])
@pytest.mark.parametrize("target", ["streaming", "broadcast"])
def test_real_music_meets_the_target(name, target, tmp_path):
    stems = [
        sf.read(path, dtype="float32", always_2d=True)[0] for path in sorted((MUSIC / "test" / name).glob("*.ogg"))
    ]
    length = min(len(stem) for stem in stems)
    audio = np.ascontiguousarray(sum(stem[:length] for stem in stems)[: 15 * RATE_HZ].T)
    _, result = mastered(audio, tmp_path / "master.wav", TARGETS[target])
    assert_delivers(result, TARGETS[target])


def test_what_is_reported_is_what_is_in_the_file(streaming, mix):
    _, result = streaming
    assert result.frames == mix.shape[1]
    again = measure_file(result.out)
    assert again.integrated_lufs == pytest.approx(result.loudness.integrated_lufs, abs=1e-6)
    assert again.true_peak_dbtp == pytest.approx(result.loudness.true_peak_dbtp, abs=1e-6)


def test_the_master_lies_in_time_with_the_mix(streaming, mix):
    audio = sf.read(streaming[1].out, dtype="float32")[0].T
    stretch = slice(5 * RATE_HZ, 7 * RATE_HZ)
    spectra = np.fft.rfft(audio[0, stretch]) * np.conj(np.fft.rfft(mix[0, stretch]))
    assert np.argmax(np.fft.irfft(spectra)) == 0


def test_the_same_plan_gives_the_same_file(streaming, mix, tmp_path):
    plan, result = streaming
    again = render_master(plan, ArraySource(mix), tmp_path / "again.wav")
    assert again.out.read_bytes() == result.out.read_bytes()


# ---------------------------------------------------------------- the plan


def test_every_setting_says_who_set_it_why_and_how_sure(streaming):
    plan, _ = streaming
    knobs = by_name(MASTER)
    for name, setting in plan.settings.items():
        assert setting.by == "rules"
        assert len(setting.why) > 10
        assert 0.0 < setting.confidence <= 1.0
        assert setting.unit == knobs[name].unit
        if not isinstance(setting.value, bool):
            assert knobs[name].low <= setting.value <= knobs[name].high


def test_a_plan_survives_being_written_down(streaming):
    plan, _ = streaming
    assert msgspec.json.decode(msgspec.json.encode(plan), type=MasterPlan) == plan


def test_what_a_person_set_or_locked_is_kept_and_worked_around(mix, tmp_path):
    kept = {
        "eq2_gain_db": Setting(value=-4.0, unit="dB", by="person"),
        "eq2_freq_hz": Setting(value=300.0, unit="Hz", by="person"),
        "width": Setting(value=0.8, by="rules", why="narrower", locked=True),
    }
    previous = MasterPlan(oto_version="0", target=STREAMING, settings=kept)
    plan, result = mastered(mix, tmp_path / "master.wav", previous=previous)
    assert {name: plan.settings[name] for name in kept} == kept
    assert_delivers(result, STREAMING)


def test_what_rules_set_before_is_decided_anew(mix):
    stale = MasterPlan(
        oto_version="0", target=STREAMING, settings={"eq5_gain_db": Setting(value=9.0, by="rules", why="old")}
    )
    fresh = propose_master(ArraySource(mix), STREAMING)
    assert propose_master(ArraySource(mix), STREAMING, previous=stale) == fresh


def test_a_gain_set_by_hand_stays_and_the_note_says_where_it_ends(mix):
    by_hand = MasterPlan(
        oto_version="0", target=STREAMING, settings={"loudness_gain_db": Setting(value=2.0, by="person")}
    )
    plan = propose_master(ArraySource(mix), STREAMING, previous=by_hand)
    assert plan.settings["loudness_gain_db"].value == 2.0
    assert any("LUFS" in note for note in plan.notes)


# ---------------------------------------------------------------- judgement


def test_a_song_that_was_mastered_before_and_keeps_its_strokes_only_changes_level(mix, tmp_path):
    loud = limit(mix * np.float32(3.5), RATE_HZ, ceiling_dbtp=-0.5)
    plan, result = mastered(loud, tmp_path / "master.wav")
    shaped = [name for name in plan.settings if not name.startswith(("limiter_", "loudness_"))]
    assert not shaped
    assert any("mastered before" in note for note in plan.notes)
    gain = np.float32(10 ** (plan.settings["loudness_gain_db"].value / 20))
    np.testing.assert_allclose(sf.read(result.out, dtype="float32")[0].T, loud * gain, atol=1e-6)


def test_mastering_a_master_again_changes_next_to_nothing(streaming, tmp_path):
    _, first = streaming
    (source,) = file_sources([first.out])
    plan = propose_master(source, STREAMING)
    assert (
        abs(plan.settings["loudness_gain_db"].value + plan.settings.get("input_gain_db", Setting(value=0.0)).value)
        < 1.0
    )
    assert_delivers(render_master(plan, source, tmp_path / "again.wav"), STREAMING)


def test_a_balanced_mix_keeps_its_tone():
    random = np.random.default_rng(3)
    spectrum = np.fft.rfft(random.standard_normal((2, 10 * RATE_HZ)), axis=1)
    frequencies = np.fft.rfftfreq(10 * RATE_HZ, 1 / RATE_HZ)
    spectrum *= np.maximum(frequencies, 40.0) ** (-5 / 6.02)
    audio = np.fft.irfft(spectrum, axis=1)
    plan = propose_master(ArraySource((0.3 * audio / np.abs(audio).max()).astype(np.float32)), STREAMING)
    assert not [name for name in plan.settings if name.startswith("eq")]


def test_a_dull_mix_gets_some_treble_back_and_says_how_dull_it_was(mix):
    spectrum = np.fft.rfft(mix, axis=1)
    frequencies = np.fft.rfftfreq(mix.shape[1], 1 / RATE_HZ)
    dull = np.fft.irfft(spectrum / (1 + (frequencies / 1_500) ** 2), axis=1).astype(np.float32)
    plan = propose_master(ArraySource(dull), STREAMING)
    assert 0.4 <= plan.settings["eq6_gain_db"].value <= 4.0
    assert "below" in plan.settings["eq6_gain_db"].why


def test_bass_at_one_side_stays_there(mix):
    """Half of all finished songs have lows within 10 dB of that."""
    bass = 0.2 * np.sin(2 * np.pi * 45 * np.arange(mix.shape[1]) / RATE_HZ)
    plan = propose_master(ArraySource((mix + np.array([[1.0], [0.0]]) * bass).astype(np.float32)), STREAMING)
    assert not {"mono_below_hz", "width", "highpass_hz"} & set(plan.settings)


def test_bass_in_the_sides_is_brought_to_the_middle(mix, tmp_path):
    time_s = np.arange(mix.shape[1]) / RATE_HZ
    wide = mix + np.stack([1.0, -1.0])[:, None] * (0.2 * np.sin(2 * np.pi * 45 * time_s))
    plan, result = mastered(wide.astype(np.float32), tmp_path / "master.wav")
    assert plan.settings["mono_below_hz"].value > 100.0
    meters = [SpectrumMeter(RATE_HZ, 2) for _ in range(2)]
    meters[0].add(wide.astype(np.float32))
    meters[1].add(np.ascontiguousarray(sf.read(result.out, dtype="float32")[0].T))
    before, after = (meter.result().side_db(30.0, 60.0) for meter in meters)
    assert after < before - 10.0


def test_a_target_that_is_not_worth_it_is_refused_with_a_note_not_with_damage(tmp_path):
    clicks = 0.02 * np.random.default_rng(0).standard_normal((2, 8 * RATE_HZ)).astype(np.float32)
    clicks[:, :: RATE_HZ // 4] = 0.9
    clicks[:, 1 :: RATE_HZ // 4] = 0.8
    clicks[:, 2 :: RATE_HZ // 4] = -0.8
    kick = np.exp(-np.arange(4_000) / 600) * np.sin(np.arange(4_000) * 0.02)
    for start in range(0, clicks.shape[1] - 4_000, RATE_HZ // 2):
        clicks[:, start : start + 4_000] += kick.astype(np.float32)
    plan, result = mastered(clicks, tmp_path / "master.wav", TARGETS["club"])
    assert result.loudness.integrated_lufs < TARGETS["club"].integrated_lufs - 0.5
    assert result.loudness.true_peak_dbtp <= TARGETS["club"].true_peak_dbtp + 0.1
    assert any("would need more" in note for note in plan.notes)


def test_a_very_quiet_rehearsal_is_lifted_and_its_noise_is_mentioned(tmp_path):
    plan, result = mastered(song(8.0, peak_dbfs=-45.0), tmp_path / "master.wav")
    assert_delivers(result, STREAMING)
    assert any("noise" in note for note in plan.notes)


# ---------------------------------------------------------------- a reference


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Another song, brighter, narrower and louder."""
    other = song(10.0, seed=7, peak_dbfs=-1.0)
    frequencies = np.fft.rfftfreq(other.shape[1], 1 / RATE_HZ)
    tilted = np.fft.irfft(np.fft.rfft(other, axis=1) * (1 + frequencies / 800) / (1 + frequencies / 8_000), axis=1)
    middle = tilted.mean(axis=0)
    audio = limit((0.5 * (tilted + middle)).astype(np.float32), RATE_HZ, ceiling_dbtp=-1.0)
    path = tmp_path_factory.mktemp("reference") / "model.wav"
    sf.write(path, audio.T, RATE_HZ)
    return path


def band_levels(path):
    audio, rate_hz = sf.read(path, dtype="float32", always_2d=True)
    meter = SpectrumMeter(rate_hz, audio.shape[1])
    meter.add(np.ascontiguousarray(audio.T))
    return meter.result()


def test_a_master_comes_nearer_to_its_reference_in_tone_width_and_loudness(mix, reference, tmp_path):
    sf.write(tmp_path / "mix.wav", mix.T, RATE_HZ, subtype="FLOAT")
    plan, result = mastered(mix, tmp_path / "master.wav", reference=reference)
    model, before, after = (band_levels(path) for path in (reference, tmp_path / "mix.wav", result.out))
    heard = slice(4, 27)

    def apart(spectrum):
        return float(np.abs(spectrum.levels_db() - model.levels_db())[heard].mean())

    def width_apart(spectrum):
        return abs(spectrum.side_db(150.0, 14_000.0) - model.side_db(150.0, 14_000.0))

    assert apart(after) < 0.6 * apart(before)
    assert width_apart(after) < 0.6 * width_apart(before)
    wanted = measure_file(reference).integrated_lufs
    assert result.loudness.integrated_lufs == pytest.approx(wanted, abs=0.2)
    assert plan.reference == str(reference)
    assert plan.target.name == "reference"
    assert plan.references == ("model",)
    assert "model" in plan.curve.why


def test_a_silent_reference_is_refused(mix, tmp_path):
    sf.write(tmp_path / "silent.wav", np.zeros((RATE_HZ, 2)), RATE_HZ)
    with pytest.raises(OtoError, match="reference"):
        propose_master(ArraySource(mix), STREAMING, reference=tmp_path / "silent.wav")


def test_a_missing_reference_is_named(mix, tmp_path):
    with pytest.raises(OtoError, match=r"nowhere\.wav") as missing:
        propose_master(ArraySource(mix), STREAMING, reference=tmp_path / "nowhere.wav")
    assert missing.value.code == "not_found"


# ---------------------------------------------------------------- edges


@pytest.mark.parametrize("seconds", [0.01, 0.3, 2.0])
def test_silence_is_left_alone_and_the_note_says_so(seconds, tmp_path):
    plan, result = mastered(np.zeros((2, round(seconds * RATE_HZ)), np.float32), tmp_path / "master.wav")
    assert result.loudness.integrated_lufs is None
    assert not sf.read(result.out)[0].any()
    assert "nothing to measure" in plan.notes[0]


def test_what_is_too_short_to_measure_keeps_its_level_under_the_ceiling(tmp_path):
    _, result = mastered(song(0.3, peak_dbfs=3.0), tmp_path / "master.wav")
    assert -1.5 < result.loudness.true_peak_dbtp <= STREAMING.true_peak_dbtp


def test_mono_stays_mono_and_meets_the_target(mix, tmp_path):
    _, result = mastered(mix[:1], tmp_path / "master.wav")
    assert sf.info(result.out).channels == 1
    assert_delivers(result, STREAMING)


def test_a_mix_with_nothing_in_it_is_refused(tmp_path):
    with pytest.raises(OtoError) as refused:
        propose_master(ArraySource(np.zeros((2, 0), np.float32)), STREAMING)
    assert refused.value.code == "bad_input"


def test_nan_in_a_file_is_refused_and_leaves_no_master(mix, tmp_path):
    broken = mix[:, :RATE_HZ].copy()
    broken[0, 500] = np.nan
    sf.write(tmp_path / "broken.wav", broken.T, RATE_HZ, subtype="FLOAT")
    (source,) = file_sources([tmp_path / "broken.wav"])
    with pytest.raises(OtoError) as refused:
        propose_master(source, STREAMING)
    assert refused.value.code == "bad_input"
    with pytest.raises(OtoError):
        render_master(MasterPlan(oto_version="0", target=STREAMING), source, tmp_path / "master.wav")
    assert not (tmp_path / "master.wav").exists()


def test_a_knob_that_does_not_exist_is_refused_before_anything_is_written(mix, tmp_path):
    plan = MasterPlan(oto_version="0", target=STREAMING, settings={"magic": Setting(value=1.0)})
    with pytest.raises(OtoError, match="magic"):
        render_master(plan, ArraySource(mix), tmp_path / "master.wav")
    assert not list(tmp_path.iterdir())


def test_cancelling_leaves_nothing_behind(mix, tmp_path):
    with pytest.raises(OtoError) as stopped:
        mastered(mix, tmp_path / "master.wav", progress=lambda fraction, doing: fraction < 0.3)
    assert stopped.value.code == "cancelled"
    plan = MasterPlan(oto_version="0", target=STREAMING)
    with pytest.raises(OtoError):
        render_master(plan, ArraySource(mix), tmp_path / "master.wav", progress=lambda fraction, doing: False)
    assert not list(tmp_path.iterdir())


def test_progress_rises_to_the_end(mix, tmp_path):
    seen = []
    source = ArraySource(mix)
    plan = propose_master(source, STREAMING, progress=lambda fraction, doing: not seen.append(fraction))
    render_master(plan, source, tmp_path / "master.wav", progress=lambda fraction, doing: not seen.append(1 + fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 2.0


def test_an_empty_plan_passes_the_mix_to_the_bit(mix, tmp_path):
    result = render_master(MasterPlan(oto_version="0", target=STREAMING), ArraySource(mix), tmp_path / "master.wav")
    np.testing.assert_array_equal(sf.read(result.out, dtype="float32")[0].T, mix)
