"""Stems of a mix that was made already: balanced, and otherwise left as their author made them."""

import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from core.desk.render import render_mix
from core.mix.engineer import propose_mix
from core.plans.document import value_of
from tests.core.analysis.sounds import RATE_HZ, Samples, noise, seconds
from tests.core.mix.band import SECONDS, bass, guitar, hihat, kick, singer, snare, tonal

USUAL = ("comp_", "highpass_", "send_", "eq4_", "eq6_")
"""What a role gets because it is usual: compressor, high-pass, reverb, presence and air."""


def stem(name, audio, right_db=0.0):
    """One sound on two channels, the right one louder by so much."""
    return Samples(np.stack([audio, audio * 10 ** (right_db / 20)]), name=name, rate_hz=RATE_HZ)


def wide(name, left, right):
    return Samples(np.stack([left, right]), name=name, rate_hz=RATE_HZ)


def mono(name, audio):
    return Samples(audio, name=name, rate_hz=RATE_HZ)


def song():
    """Five stems as a sequencer or a desk exports them."""
    return [
        stem("Kick", kick()),
        stem("Snare", snare()),
        stem("Bass", bass()),
        stem("Gtr", guitar(), right_db=4.0),
        wide("Keys", tonal(262.0, 8, -18.0, seed=8), tonal(262.0, 8, -18.0, seed=9)),
    ]


@pytest.fixture(scope="module")
def stems():
    return song()


@pytest.fixture(scope="module")
def plan(stems):
    return propose_mix(stems)


def settings_of(plan, name):
    return next(strip for strip in plan.strips if strip.track == name).settings


def usual(plan, name):
    return {knob for knob in settings_of(plan, name) if knob.startswith(USUAL)}


def is_told(plan):
    return any(note.startswith("Stems of a mix") for note in plan.notes)


def test_finished_stems_keep_their_place_their_tone_their_dynamics_and_their_space(stems, plan):
    for source in stems:
        assert usual(plan, source.name) == set(), source.name
        assert value_of(settings_of(plan, source.name), "pan", 0.0) == 0.0
        assert {"trim_db", "fader_db"} <= set(settings_of(plan, source.name))
    assert all(bus.settings == {} for bus in plan.buses)


def test_the_notes_tell_by_what_finished_stems_are_known(plan):
    assert (
        "Stems of a mix that was made already: 5 of 5 tracks have two channels, 1 wide and 1 panned. "
        "5 keep their place, tone, dynamics and space; only what stands out is corrected." in plan.notes
    )


def test_the_mix_of_finished_stems_that_do_not_compete_is_their_sum_at_other_levels(tmp_path):
    stems = [
        stem("Kick", kick()),
        stem("Hat", hihat(), right_db=4.0),
        wide("Keys", tonal(262.0, 8, -18.0, seed=8), tonal(262.0, 8, -18.0, seed=9)),
    ]
    plan = propose_mix(stems)
    render_mix(plan, stems, tmp_path / "mix.wav")
    mix, _ = soundfile.read(tmp_path / "mix.wav", dtype="float32", always_2d=True)
    expected = np.zeros((2, stems[0].frames))
    for source in stems:
        levels_db = [value_of(settings_of(plan, source.name), knob, 0.0) for knob in ("trim_db", "fader_db")]
        gain_db = sum(levels_db) + value_of(plan.master, "fader_db", 0.0)
        expected += source.read(0, source.frames) * 10 ** (gain_db / 20)
    assert np.abs(mix.T[:, : stems[0].frames] - expected).max() < 1e-5


@settings(max_examples=12, deadline=None)
@given(right_db=st.floats(0.6, 40.0), side=st.sampled_from(["left", "right"]), others=st.integers(0, 4))
def test_what_was_panned_stays_there_whatever_the_others_are(sources, analyses, right_db, side, others):
    panned = stem("Gtr", guitar(), right_db if side == "right" else -right_db)
    plan = propose_mix([panned, *sources[:others]], analyses=analyses)
    pan = settings_of(plan, "Gtr")["pan"]
    assert pan.value == 0.0
    told = re.fullmatch(rf"Panned already: ([\d.]+) dB more on the {side}.", pan.why)
    assert float(told.group(1)) == pytest.approx(right_db, abs=0.06)


def test_a_file_with_one_silent_side_stays_on_the_other():
    plan = propose_mix([wide("Gtr", guitar(), np.zeros_like(guitar())), mono("Bass", bass())])
    assert settings_of(plan, "Gtr")["pan"].value == 0.0
    assert "one side is silent" in settings_of(plan, "Gtr")["pan"].why


def test_noise_and_an_unusual_spectrum_are_corrected_in_finished_stems_too(stems):
    t = seconds(SECONDS)
    odd = singer() + 0.5 * np.sin(2 * np.pi * 2_000 * t) * (t % 2.5 < 2.0)
    amps = [guitar(-12.0, seed) * (t % 4.0 < 2.0) + noise(SECONDS, -50.0, seed) for seed in (6, 7)]
    plan = propose_mix([*stems, stem("Vox", odd), wide("Gtr Amp", *amps)])
    assert "2 kHz" in " ".join(setting.why for setting in settings_of(plan, "Vox").values())
    assert "gate_threshold_db" in settings_of(plan, "Gtr Amp")
    assert usual(plan, "Gtr Amp") == set()


def test_who_plays_along_with_finished_stems_is_treated_as_recorded(stems):
    plan = propose_mix([*stems, mono("Lead Vox", singer())])
    assert is_told(plan)
    assert {"comp_ratio", "highpass_hz", "send_plate_db", "eq6_gain_db"} <= usual(plan, "Lead Vox")
    assert usual(plan, "Bass") == set()


def test_steady_noise_in_the_pauses_tells_a_recording_that_nobody_has_worked_on(stems):
    amp = guitar(-12.0, seed=6) * (seconds(SECONDS) % 4.0 < 2.0) + noise(SECONDS, -60.0)
    plan = propose_mix([*stems, stem("Gtr Amp", amp)])
    assert is_told(plan)
    assert {"highpass_hz", "send_room_db"} <= usual(plan, "Gtr Amp")


def test_a_band_that_was_only_recorded_is_no_mix_even_with_two_channels_per_file(sources, analyses):
    overheads = wide("OH", hihat(seed=2), hihat(seed=3))
    tracks = [stem(source.name, source.read(0, source.frames)[0]) for source in sources]
    mixed, single = propose_mix([*tracks, overheads]), propose_mix([*sources, overheads], analyses=analyses)
    assert not is_told(mixed)
    for source in sources:
        assert usual(mixed, source.name) == usual(single, source.name), source.name
    assert settings_of(mixed, "Gtr 1")["pan"].value == -settings_of(mixed, "Gtr 2")["pan"].value != 0.0


def test_a_few_stereo_tracks_among_recordings_are_no_mix(sources, analyses):
    keys = wide("Organ", tonal(262.0, 8, -18.0, seed=8), tonal(262.0, 8, -18.0, seed=9))
    plan = propose_mix([*sources, keys, stem("Shaker", hihat(seed=5), right_db=6.0)], analyses=analyses)
    assert not is_told(plan)
    assert "highpass_hz" in settings_of(plan, "Organ")


def test_one_wide_file_alone_is_treated_as_recorded():
    plan = propose_mix([wide("Podcast host", singer(), tonal(330.0, 12, -16.0, seed=8))])
    assert not is_told(plan)
    assert {"comp_ratio", "highpass_hz"} <= usual(plan, "Podcast host")
