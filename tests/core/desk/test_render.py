"""Rendering a plan: what comes out, where it lies, that it is always the same."""

import hashlib
import resource

import numpy as np
import pytest
import soundfile

from core.desk.render import render_mix
from core.desk.wavfile import FloatWav
from core.errors import OtoError
from core.plans.document import BusStrip, MixPlan, Setting, Strip
from core.plans.parameters import BUS, DELAY, REVERB, STRIP
from sessions.wavread import read_info
from tests.core.desk.test_sources import Memory, noise

RATE_HZ = 48_000


def to_settings(**values):
    return {name: Setting(value=value) for name, value in values.items()}


def plan_of(strips, buses=None, **master):
    return MixPlan(
        oto_version="test",
        strips=tuple(Strip(track=name, settings=to_settings(**values)) for name, values in strips.items()),
        buses=tuple(BusStrip(name=name, settings=to_settings(**values)) for name, values in (buses or {}).items()),
        master=to_settings(**master),
        tempo_bpm=240.0,
    )


def named(name, channels=1, frames=30_000, seed=0, rate_hz=RATE_HZ):
    return Memory(noise(channels, frames, seed), rate_hz, name)


def mixed(tmp_path, plan, sources, **more):
    result = render_mix(plan, sources, tmp_path / "mix.wav", **more)
    audio, rate_hz = soundfile.read(result.out, dtype="float32", always_2d=True)
    assert rate_hz == result.rate_hz
    assert len(audio) == result.frames
    return audio.T


BUSY = {
    "Kick": {"trim_db": 3.0, "eq2_gain_db": 4.0, "comp_ratio": 4.0, "comp_threshold_db": -30.0, "bus": "drums"},
    "Vocal": {"highpass_hz": 90.0, "saturation_drive_db": 6.0, "gate_threshold_db": -45.0, "gate_attack_ms": 4.0,
              "deess_threshold_db": -30.0, "delay_ms": 0.31, "send_plate_db": -12.0, "bus": "vocals"},
    "Keys": {"pan": -0.4, "width": 1.4, "transient_attack_db": 3.0, "send_room_db": -9.0, "send_delay_db": -20.0},
}  # fmt: skip
BUSES = {"drums": {"comp_ratio": 2.0, "comp_threshold_db": -25.0}, "plate": {"decay_s": 0.4}, "room": {"decay_s": 0.3}}


def busy_sources():
    return [named("Kick", 1, seed=1), named("Vocal", 1, seed=2), named("Keys", 2, seed=3)]


def test_a_neutral_stereo_strip_passes_its_samples_unchanged(tmp_path):
    source = named("Keys", 2)
    assert np.array_equal(mixed(tmp_path, plan_of({"Keys": {}}), [source]), source.audio)


def test_a_neutral_mono_strip_sits_in_the_middle_with_its_power(tmp_path):
    source = named("Vocal")
    y = mixed(tmp_path, plan_of({}), [source])
    assert np.array_equal(y[0], y[1])
    assert np.allclose(y[0] * np.sqrt(2.0), source.audio[0], atol=1e-7)


def test_a_render_repeats_bit_for_bit_with_any_number_of_threads(tmp_path):
    digests = set()
    for index, threads in enumerate((1, 2, 5)):
        out = tmp_path / f"{index}.wav"
        render_mix(plan_of(BUSY, BUSES), busy_sources(), out, threads=threads)
        digests.add(hashlib.sha256(out.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_size_of_the_blocks_is_not_heard(tmp_path):
    whole = mixed(tmp_path, plan_of(BUSY, BUSES), busy_sources())
    for block_frames in (1_000, 7_919):
        cut = mixed(tmp_path, plan_of(BUSY, BUSES), busy_sources(), block_frames=block_frames)
        assert np.abs(cut - whole).max() < 1e-7


def test_stems_and_returns_add_up_to_the_mix_when_buses_only_fade(tmp_path):
    buses = {"plate": {"decay_s": 0.4, "fader_db": -3.0}, "drums": {"fader_db": -4.0}, "vocals": {"mute": True}}
    plan = plan_of(BUSY, buses, fader_db=-2.0)
    result = render_mix(plan, busy_sources(), tmp_path / "mix.wav", stems=tmp_path / "stems")
    assert list(result.stems) == ["Kick", "Vocal", "Keys"]
    assert set(result.returns) == {"room", "plate", "delay"}
    parts = [soundfile.read(path)[0] for path in [*result.stems.values(), *result.returns.values()]]
    mix, _ = soundfile.read(result.out)
    assert {len(part) for part in parts} == {len(mix)}
    assert np.abs(sum(parts) - mix).max() < 1e-6
    assert not parts[1].any()


@pytest.mark.parametrize(
    "late",
    [
        {"delay_ms": 0.0},
        {"comp_ratio": 1.001, "comp_threshold_db": 0.0},
        {"gate_threshold_db": -99.0, "gate_attack_ms": 5.0, "gate_range_db": -1e-6},
        {"saturation_drive_db": 0.001},
        {"transient_attack_db": 0.001},
        {"deess_threshold_db": -0.001},
    ],
)
def test_latency_is_taken_out_wherever_it_arises(tmp_path, late):
    click = Memory(np.zeros((1, 9_000), np.float32), RATE_HZ, "Click")
    click.audio[0, 4_000] = 0.5
    other = Memory(click.audio.copy(), RATE_HZ, "Other")
    plan = plan_of({"Click": {**late, "bus": "drums"}}, {"music": {"comp_ratio": 1.001}})
    y = mixed(tmp_path, plan, [click, other])
    assert y.shape[1] == 9_000
    assert y[0, 4_000] == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert np.abs(np.delete(y[0], 4_000)).max() < 1e-3


def test_latency_of_bus_and_master_is_taken_out(tmp_path):
    click = Memory(np.zeros((1, 9_000), np.float32), RATE_HZ, "Click")
    click.audio[0, 8_990] = 0.5
    plan = plan_of({"Click": {"bus": "drums"}}, {"drums": {"saturation_drive_db": 0.001}}, comp_ratio=1.001)
    y = mixed(tmp_path, plan, [click], block_frames=500)
    assert y[0, 8_990] == pytest.approx(0.5 * np.sqrt(0.5), abs=1e-3)


def test_a_reverb_sounds_on_after_the_last_note(tmp_path):
    plan = plan_of({"Vocal": {"send_hall_db": -6.0}}, {"hall": {"decay_s": 0.5}})
    y = mixed(tmp_path, plan, [named("Vocal")])
    assert y.shape[1] > 30_000 + 0.5 * RATE_HZ
    assert np.abs(y[:, 30_000:34_000]).max() > 1e-3
    assert np.abs(y[:, -100:]).max() < 1e-4


def test_a_send_is_heard_only_as_far_as_the_fader_lets_it(tmp_path):
    loud = mixed(tmp_path, plan_of({"Vocal": {"send_room_db": 0.0}}), [named("Vocal")])
    for shut in ({"mute": True}, {"fader_db": -90.0}):
        silent = mixed(tmp_path, plan_of({"Vocal": {"send_room_db": 0.0, **shut}}), [named("Vocal")])
        assert loud.any()
        assert not silent.any()


def test_sources_of_other_rates_are_converted_to_the_rate_most_have(tmp_path):
    sources = [named("A"), named("B"), Memory(noise(1, 27_563), 44_100, "C")]
    result = render_mix(plan_of({}), sources, tmp_path / "mix.wav")
    assert result.rate_hz == 48_000
    assert result.frames == pytest.approx(30_000, abs=2)
    assert render_mix(plan_of({}), sources, tmp_path / "mix.wav", rate_hz=44_100).rate_hz == 44_100


def test_the_loudness_that_is_reported_is_that_of_the_file(tmp_path):
    from core.analysis.loudness import measure_file

    result = render_mix(plan_of({}), [named("A", 2, 3 * RATE_HZ)], tmp_path / "mix.wav")
    measured = measure_file(result.out)
    assert result.loudness.integrated_lufs == pytest.approx(measured.integrated_lufs, abs=1e-6)
    assert result.loudness.true_peak_dbtp == pytest.approx(measured.true_peak_dbtp, abs=1e-6)


def example_value(parameter):
    if parameter.scale == "switch":
        return True
    if parameter.scale == "choice":
        return parameter.choices[-1]
    at = 0.75 if parameter.neutral != parameter.from_normalised(0.75) else 0.6
    return parameter.from_normalised(at)


# What must be on for a knob to have something to act on.
COMPANY = {
    "gate_": {"gate_threshold_db": -30.0},
    "comp_": {"comp_threshold_db": -12.0, "comp_ratio": 4.0},
    "deess_": {"deess_threshold_db": -40.0},
    "eq": {f"eq{band}_gain_db": 6.0 for band in range(1, 7)},
}


def company(name):
    settings = next((values for prefix, values in COMPANY.items() if name.startswith(prefix)), {})
    return {knob: value for knob, value in settings.items() if knob != name}


def changed(tmp_path, before, after):
    source = [named("T", 2, 36_000)]
    source[0].audio[:, 4_000:18_000] *= 0.03
    source[0].audio[:, 20_000:22_000] = np.clip(np.sin(np.arange(2_000) / 20), -0.7, 0.7)
    a, b = mixed(tmp_path, before, source), mixed(tmp_path, after, source)
    frames = min(a.shape[1], b.shape[1])
    return bool(np.abs(a[:, :frames] - b[:, :frames]).max() > 1e-4)


@pytest.mark.parametrize("parameter", [p for p in STRIP if p.name != "bus"], ids=lambda p: p.name)
def test_every_knob_of_a_strip_is_heard(tmp_path, parameter):
    settings = company(parameter.name)
    turned = {**settings, parameter.name: example_value(parameter)}
    assert changed(tmp_path, plan_of({"T": settings}), plan_of({"T": turned}))


@pytest.mark.parametrize("parameter", BUS, ids=lambda p: p.name)
@pytest.mark.parametrize("where", ["drums", "master"])
def test_every_knob_of_a_bus_is_heard(tmp_path, where, parameter):
    settings = company(parameter.name)
    turned = {**settings, parameter.name: example_value(parameter)}
    strip = {"T": {"bus": "drums"}}

    def plan(values):
        return plan_of(strip, {"drums": values}) if where == "drums" else plan_of(strip, **values)

    assert changed(tmp_path, plan(settings), plan(turned))


@pytest.mark.parametrize(
    ("space", "parameter"),
    [(space, p) for space in ("room", "plate", "hall") for p in REVERB] + [("delay", p) for p in DELAY],
    ids=lambda v: getattr(v, "name", v),
)
def test_every_knob_of_an_effect_is_heard(tmp_path, space, parameter):
    strip = {"T": {f"send_{space}_db": 0.0}}
    company = {"time_ms": 40.0} if space == "delay" and parameter.name != "time_ms" else {}
    value = 0.9 if parameter.name == "feedback" else 60.0 if parameter.name == "time_ms" else example_value(parameter)
    turned = plan_of(strip, {space: {**company, parameter.name: value}})
    assert changed(tmp_path, plan_of(strip, {space: company}), turned)


def test_neutral_values_written_out_change_nothing(tmp_path):
    neutral = {p.name: p.neutral for p in STRIP}
    bus = {p.name: p.neutral for p in BUS}
    source = named("Keys", 2)
    plan = plan_of({"Keys": neutral}, {"drums": bus, "room": {p.name: p.neutral for p in REVERB}}, **bus)
    assert np.array_equal(mixed(tmp_path, plan, [source]), source.audio)


@pytest.mark.parametrize(
    "plan",
    [
        plan_of({"T": {"sparkle": 3.0}}),
        plan_of({"T": {"pan": 1.5}}),
        plan_of({"T": {"mute": 1.0}}),
        plan_of({"T": {"bus": "attic"}}),
        plan_of({"T": {"fader_db": "loud"}}),
        plan_of({"T": {"comp_ratio": float("nan")}}),
        plan_of({}, {"drums": {"decay_s": 1.0}}),
        plan_of({}, {"hall": {"mute": True}}),
        plan_of({}, pan=0.5),
    ],
)
def test_a_plan_that_can_not_be_is_refused_and_nothing_is_written(tmp_path, plan):
    with pytest.raises(OtoError) as refused:
        render_mix(plan, [named("T")], tmp_path / "mix.wav", stems=tmp_path / "stems")
    assert refused.value.code == "bad_input"
    assert not list(tmp_path.iterdir())


def test_a_strip_without_a_recording_is_refused(tmp_path):
    with pytest.raises(OtoError) as refused:
        render_mix(plan_of({"Ghost": {}}), [named("T")], tmp_path / "mix.wav")
    assert refused.value.code == "not_found"
    assert "Ghost" in refused.value.message


def test_a_cancelled_render_leaves_what_was_there(tmp_path):
    out = tmp_path / "mix.wav"
    render_mix(plan_of({}), [named("T")], out)
    before = out.read_bytes()
    seen = []

    def progress(fraction, doing):
        seen.append(fraction)
        return fraction < 0.5

    with pytest.raises(OtoError) as cancelled:
        render_mix(plan_of({"T": {"fader_db": -6.0}}), [named("T")], out, stems=tmp_path / "stems",
                   block_frames=2_000, progress=progress)  # fmt: skip
    assert cancelled.value.code == "cancelled"
    assert seen == sorted(seen)
    assert out.read_bytes() == before
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mix.wav"]


def test_a_source_that_breaks_on_the_way_leaves_nothing_behind(tmp_path):
    broken = named("T")
    broken.audio[0, 20_000] = np.inf

    class Checked(Memory):
        def read(self, start, frames):
            from core.dsp.audio import checked

            return checked(super().read(start, frames))

    with pytest.raises(OtoError):
        render_mix(plan_of({}), [Checked(broken.audio, RATE_HZ, "T")], tmp_path / "mix.wav", block_frames=1_000)
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_the_length(tmp_path):
    import tracemalloc

    peaks = []
    short, long = 4, 40
    for blocks in (short, long):
        source = Silence(frames=blocks * 65_536)
        tracemalloc.start()
        render_mix(plan_of({"S": BUSY["Vocal"]}, {"plate": {"decay_s": 0.3}}), [source], tmp_path / "mix.wav")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    more = (long - short) * 65_536 * 4
    # Which blocks meet in memory is a matter of how threads run: it differs by a few, never by what was rendered.
    assert peaks[1] - peaks[0] < more / 3, peaks


class Silence:
    """As long as wanted, at no cost; a click now and then keeps the desk busy."""

    name = "S"
    channels = 1
    rate_hz = RATE_HZ

    def __init__(self, frames):
        self.frames = frames

    def read(self, start, frames):
        out = np.zeros((1, frames), np.float32)
        out[:, ::10_000] = 0.5
        return out


# ---------------------------------------------------------------- the file


def test_the_file_is_plain_wav_that_everyone_reads(tmp_path):
    audio = noise(2, 1_000)
    path = tmp_path / "deep" / "x.wav"
    with FloatWav(path, rate_hz=RATE_HZ, channels=2) as file:
        file.append(audio[:, :300])
        assert not path.exists()
        file.append(audio[:, 300:])
    assert np.array_equal(soundfile.read(path, dtype="float32")[0].T, audio)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.frames) == ("WAV", "FLOAT", 1_000)


def test_a_file_of_a_span_says_where_it_begins(tmp_path):
    audio = noise(2, 1_000)
    for name, start in (("whole.wav", 0), ("span.wav", 96_000)):
        with FloatWav(tmp_path / name, rate_hz=RATE_HZ, channels=2, start_samples=start) as file:
            file.append(audio)
        assert np.array_equal(soundfile.read(tmp_path / name, dtype="float32")[0].T, audio)
    assert read_info(tmp_path / "span.wav").bext.time_reference_samples == 96_000
    assert read_info(tmp_path / "whole.wav").bext is None


def test_nothing_is_written_before_a_signal_would_have_it_taken_away(tmp_path):
    file = FloatWav(tmp_path / "stem.wav", rate_hz=RATE_HZ, channels=2)
    assert list(tmp_path.iterdir()) == []
    with file:
        pass
    assert soundfile.info(tmp_path / "stem.wav").frames == 0


def test_a_file_whose_end_can_t_be_written_disappears(tmp_path):
    (tmp_path / "mix.wav").write_bytes(b"what was there")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_up():
        with FloatWav(tmp_path / "mix.wav", rate_hz=RATE_HZ, channels=2) as file:
            file.append(noise(2, 100))
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))

    try:
        with pytest.raises(OSError, match="too large"):
            fill_up()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["mix.wav"]
    assert (tmp_path / "mix.wav").read_bytes() == b"what was there"


def test_beyond_4_gib_the_header_is_rf64(tmp_path):
    path = tmp_path / "big.wav"
    frames = (1 << 32) // 8 + 1_000
    with FloatWav(path, rate_hz=RATE_HZ, channels=2) as file:
        file.append(noise(2, 100))
        # A hole instead of hours of audio.
        file._file.truncate(file._file.tell() + (frames - 100) * 8)
        file.frames = frames
    info = soundfile.info(path)
    assert (info.format, info.frames) == ("RF64", frames)
