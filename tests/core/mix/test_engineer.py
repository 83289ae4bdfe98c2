"""What the rule-based engineer promises: legal, explained, audibly balanced, and never against a person's word."""

import re

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.loudness import measure_file
from core.analysis.track import analyse_source
from core.desk.render import render_mix
from core.errors import OtoError
from core.mix.balance import level_lufs, targets_lu
from core.mix.dynamics import loud_peak_dbfs
from core.mix.engineer import propose_mix
from core.mix.ensemble import Player, find_companions
from core.mix.presets import PRESETS, STYLE, STYLES
from core.plans.document import MixPlan, Setting, value_of
from core.plans.parameters import BUS, STRIP, by_name, parameters_of
from core.plans.roles import ROLES
from tests.core.analysis.sounds import RATE_HZ, noise, seconds
from tests.core.mix.band import SECONDS, band, bass, guitar, hihat, kick, singer, snare, tonal, track

KNOBS = by_name(STRIP)


def strip(plan, name):
    return next(strip for strip in plan.strips if strip.track == name)


def settings_of(plan, name):
    return strip(plan, name).settings


def knob(plan, name, parameter):
    return value_of(settings_of(plan, name), parameter, float(KNOBS[parameter].neutral))


def level_in_mix(plan, name, analysis):
    return level_lufs(analysis) + knob(plan, name, "trim_db") + knob(plan, name, "fader_db")


def assert_legal(plan):
    everything = [(strip.settings, KNOBS) for strip in plan.strips]
    everything += [(bus.settings, parameters_of(bus.name)) for bus in plan.buses] + [(plan.master, by_name(BUS))]
    for chosen, knobs in everything:
        for name, setting in chosen.items():
            parameter = knobs[name]
            assert setting.unit == parameter.unit
            if parameter.scale == "choice":
                assert setting.value in parameter.choices
            elif parameter.scale == "switch":
                assert isinstance(setting.value, bool)
            else:
                assert parameter.low <= setting.value <= parameter.high, name


def test_every_setting_is_the_rules_own_with_a_reason_a_unit_and_a_confidence(plan):
    assert_legal(plan)
    for one in plan.strips:
        for name, setting in one.settings.items():
            assert setting.by == "rules"
            assert len(setting.why) > 5, name
            assert 0.0 < setting.confidence <= 1.0


def test_the_same_tracks_get_the_same_plan_and_a_plan_is_a_document(sources, analyses, plan):
    assert propose_mix(sources, analyses=analyses) == plan
    assert msgspec.json.decode(msgspec.json.encode(plan), type=MixPlan) == plan


def test_the_numbers_in_a_trims_reason_are_those_of_the_analysis(plan, analyses):
    for name, analysis in analyses.items():
        trim = settings_of(plan, name)["trim_db"]
        peak, gain = map(float, re.match(r"Loud moments peak at (-?[\d.]+) dBFS: ([+-][\d.]+) dB", trim.why).groups())
        assert peak == pytest.approx(loud_peak_dbfs(analysis), abs=0.05)
        assert gain == trim.value
        assert peak + gain == pytest.approx(-12.0, abs=0.3)


def test_the_numbers_in_a_faders_reason_are_those_of_the_analysis(plan, analyses):
    for name, analysis in analyses.items():
        why = settings_of(plan, name)["fader_db"].why
        assert float(re.match(r"(-?[\d.]+) LUFS", why).group(1)) == pytest.approx(level_lufs(analysis), abs=0.05)
        weight = re.search(r"weight lies at (\d+) Hz", why)
        if weight:
            assert float(weight.group(1)) == pytest.approx(analysis.centroid_hz, abs=0.5)


def test_the_numbers_in_a_compressors_reason_are_those_of_the_analysis_and_its_settings(plan, analyses):
    compressed = [name for name in analyses if "comp_ratio" in settings_of(plan, name)]
    assert {"Kick", "Snare", "Bass", "Lead Vox"} <= set(compressed)
    for name in compressed:
        threshold = settings_of(plan, name)["comp_threshold_db"]
        crest, reduction, level = map(
            float,
            re.match(
                r"Crest ([\d.]+) dB .* about ([\d.]+) dB of gain reduction .* reach (-?[\d.]+) dBFS", threshold.why
            ).groups(),
        )
        assert crest == pytest.approx(analyses[name].crest_db, abs=0.05)
        slope = 1.0 - 1.0 / knob(plan, name, "comp_ratio")
        assert slope * (level - threshold.value) == pytest.approx(reduction, abs=0.15)


@settings(max_examples=8, deadline=None)
@given(peak_dbfs=st.floats(-45.0, -1.0))
def test_a_quiet_singer_is_brought_up_to_the_same_place_as_a_loud_one(sources, analyses, plan, peak_dbfs):
    quiet = [*sources[:-1], track("Lead Vox", singer(peak_dbfs))]
    heard = {**analyses, "Lead Vox": analyse_source(quiet[-1])}
    other = propose_mix(quiet, analyses=heard)
    for name in ("Lead Vox", "Bass"):
        assert level_in_mix(other, name, heard[name]) == pytest.approx(
            level_in_mix(plan, name, analyses[name]), abs=0.4
        )


def test_rendered_strips_sit_where_the_balance_wants_them_with_headroom_left(tmp_path, sources, plan, analyses):
    result = render_mix(plan, sources, tmp_path / "mix.wav", stems=tmp_path / "stems")
    players = [
        Player(name=s.track, role=s.role, role_confidence=1.0, role_by="rules", heard=analyses[s.track])
        for s in plan.strips
    ]
    find_companions(players)
    targets = targets_lu(players, STYLE["natural"])
    offsets = []
    for player in players:
        out = measure_file(result.stems[player.name]).integrated_lufs
        offsets.append(out - targets[player])
    errors = np.abs(np.array(offsets) - np.median(offsets))
    assert errors.max() < 2.5, dict(zip(analyses, np.round(offsets, 1), strict=True))
    assert errors.mean() < 1.0
    assert -20.0 < result.loudness.sample_peak_dbfs < -6.0


def test_the_lead_vocal_stands_above_the_band(plan, analyses):
    levels = {name: level_in_mix(plan, name, heard) for name, heard in analyses.items() if name != "Bass"}
    assert max(levels, key=levels.get) == "Lead Vox"


def test_the_spine_stands_in_the_middle_pairs_hard_apart_and_guitars_to_both_sides(plan):
    assert {knob(plan, name, "pan") for name in ("Kick", "Snare", "Bass", "Lead Vox")} == {0.0}
    assert (knob(plan, "Keys L", "pan"), knob(plan, "Keys R", "pan")) == (-1.0, 1.0)
    assert knob(plan, "Gtr 1", "pan") == -knob(plan, "Gtr 2", "pan") != 0.0


def test_a_pair_shares_the_level_of_one_instrument(sources, analyses, plan):
    alone = [source for source in sources if source.name != "Keys R"]
    single = propose_mix(alone, analyses=analyses)

    def against_the_singer(one):
        return level_in_mix(one, "Keys L", analyses["Keys L"]) - level_in_mix(one, "Lead Vox", analyses["Lead Vox"])

    assert against_the_singer(single) - against_the_singer(plan) == pytest.approx(3.01, abs=0.3)


def test_buses_follow_roles_and_reverbs_that_are_used_are_there(plan):
    assert settings_of(plan, "Snare")["bus"].value == "drums"
    assert settings_of(plan, "Lead Vox")["bus"].value == "vocals"
    names = {bus.name for bus in plan.buses}
    sends = {name[5:-3] for one in plan.strips for name in one.settings if name.startswith("send_")}
    assert names == {"drums", "music", "vocals"} | sends
    assert "send_plate_db" in settings_of(plan, "Lead Vox")
    assert not any(name.startswith("send_") for name in settings_of(plan, "Kick"))


@settings(max_examples=12, deadline=None)
@given(hands=st.floats(0.0, 1.0), style=st.sampled_from(STYLES))
def test_hands_scale_levels_between_untouched_and_whole(sources, analyses, hands, style):
    whole = propose_mix(sources, analyses=analyses, style=style)
    part = propose_mix(sources, analyses=analyses, style=style, hands=hands)
    assert_legal(part)
    for name in analyses:
        for knob_name in ("trim_db", "pan", "eq4_gain_db", "eq6_gain_db"):
            assert knob(part, name, knob_name) == pytest.approx(hands * knob(whole, name, knob_name), abs=0.11)
        moved, full = (knob(one, name, "trim_db") + knob(one, name, "fader_db") for one in (part, whole))
        assert moved == pytest.approx(hands * full, abs=1.0)


def test_without_hands_every_knob_is_neutral(sources, analyses):
    untouched = propose_mix(sources, analyses=analyses, hands=0.0)
    for one in untouched.strips:
        for name, setting in one.settings.items():
            if name not in {"bus"} and not name.endswith(("_freq_hz", "_q")):
                assert setting.value == KNOBS[name].neutral, name
    assert untouched.master == {} or untouched.master["fader_db"].value == 0.0


@settings(max_examples=15, deadline=None)
@given(
    data=st.data(),
    name=st.sampled_from([source.name for source in band()]),
    chosen=st.dictionaries(st.sampled_from([p.name for p in STRIP if p.scale in {"linear", "log"}]), st.floats(0, 1)),
)
def test_what_a_person_set_or_locked_stays_to_the_letter(sources, analyses, plan, data, name, chosen):
    kept = {}
    for knob_name, position in chosen.items():
        value = KNOBS[knob_name].from_normalised(position)
        locked = data.draw(st.booleans())
        kept[knob_name] = Setting(value=value, by="rules" if locked else "person", locked=locked, why="mine")
    strips = tuple(
        msgspec.structs.replace(one, settings=one.settings | kept) if one.track == name else one for one in plan.strips
    )
    again = propose_mix(sources, analyses=analyses, previous=msgspec.structs.replace(plan, strips=strips))
    for knob_name, setting in kept.items():
        assert settings_of(again, name)[knob_name] == setting
    assert_legal(msgspec.structs.replace(again, strips=tuple(one for one in again.strips if one.track != name)))


def test_the_others_are_balanced_around_a_fader_that_a_person_set(sources, analyses, plan):
    lower = Setting(value=knob(plan, "Lead Vox", "fader_db") - 4.0, unit="dB", by="person")
    strips = tuple(
        msgspec.structs.replace(one, settings=one.settings | {"fader_db": lower}) if one.track == "Lead Vox" else one
        for one in plan.strips
    )
    again = propose_mix(sources, analyses=analyses, previous=msgspec.structs.replace(plan, strips=strips))
    for name in ("Kick", "Bass", "Gtr 1"):
        assert knob(again, name, "fader_db") == pytest.approx(knob(plan, name, "fader_db") - 4.0, abs=0.2)


def test_a_persons_buses_and_master_stay(sources, analyses, plan):
    mine = Setting(value=-1.5, unit="dB", by="person")
    buses = tuple(msgspec.structs.replace(bus, settings={"fader_db": mine}) for bus in plan.buses)
    again = propose_mix(
        sources, analyses=analyses, previous=msgspec.structs.replace(plan, buses=buses, master={"fader_db": mine})
    )
    assert all(bus.settings["fader_db"] == mine for bus in again.buses)
    assert again.master["fader_db"] == mine


def test_a_muted_track_stays_muted_and_does_not_weigh_on_the_balance(sources, analyses, plan):
    muted = tuple(
        msgspec.structs.replace(one, settings=one.settings | {"mute": Setting(value=True, by="rules")})
        if one.track == "Keys R"
        else one
        for one in plan.strips
    )
    again = propose_mix(sources, analyses=analyses, previous=msgspec.structs.replace(plan, strips=muted))
    assert settings_of(again, "Keys R")["mute"].value is True
    without = propose_mix([one for one in sources if one.name != "Keys R"], analyses=analyses)
    assert knob(again, "Bass", "fader_db") == knob(without, "Bass", "fader_db")


def test_a_role_that_a_person_gave_wins_now_and_in_the_next_proposal(sources, analyses):
    given_role = propose_mix(sources, analyses=analyses, roles={"Gtr 1": "synth_pad"})
    assert (strip(given_role, "Gtr 1").role, strip(given_role, "Gtr 1").role_by) == ("synth_pad", "person")
    again = propose_mix(sources, analyses=analyses, previous=given_role)
    assert (strip(again, "Gtr 1").role, strip(again, "Gtr 1").role_by) == ("synth_pad", "person")
    assert strip(again, "Gtr 2").role_by == "rules"


def test_clipping_at_the_input_is_told_with_its_count():
    hot = np.clip(bass(6.0), -1.0, 1.0).astype(np.float32)
    source = track("Bass DI", hot)
    count = analyse_source(source).clipped_samples
    assert count > 0
    notes = propose_mix([source, track("Kick", kick())]).notes
    assert f"Bass DI clipped {count} samples at the input: turn the interface's gain down next time." in notes


def amp(noise_dbfs):
    playing = guitar(-12.0) * (seconds(SECONDS) % 4.0 < 2.0)
    return track("Gtr Amp", playing + noise(SECONDS, noise_dbfs))


def test_a_gate_comes_only_where_noise_would_be_heard_and_stays_under_the_playing():
    noisy = propose_mix([amp(-50.0), track("Bass", bass())])
    gate = settings_of(noisy, "Gtr Amp")["gate_threshold_db"]
    trim_db = knob(noisy, "Gtr Amp", "trim_db")
    assert -50.0 + 9.0 < gate.value - trim_db < -27.0
    assert float(re.match(r"Noise at (-?[\d.]+) dBFS", gate.why).group(1)) == pytest.approx(-50.0, abs=0.6)
    assert "gate_threshold_db" not in settings_of(propose_mix([amp(-85.0), track("Bass", bass())]), "Gtr Amp")


def test_decays_and_bleed_in_the_pauses_are_not_taken_for_noise():
    assert "gate_threshold_db" not in settings_of(propose_mix([track("Crash", snare()), amp(-90.0)]), "Crash")


def test_bass_makes_room_for_the_kick_and_says_where(plan):
    cut = settings_of(plan, "Bass")["eq2_gain_db"]
    assert -3.0 <= cut.value < 0.0
    assert "Bass and Kick compete at" in cut.why
    assert f"{settings_of(plan, 'Bass')['eq2_freq_hz'].value:.0f} Hz" in cut.why
    assert f"{cut.value:.1f} dB" in cut.why


def test_what_is_unusual_for_the_role_is_cut_and_what_is_usual_is_not():
    t = seconds(SECONDS)
    boomy = singer() + 0.5 * np.sin(2 * np.pi * 2_000 * t) * (t % 2.5 < 2.0)
    plain, odd = (propose_mix([track("Vox", x), track("Bass", bass())]) for x in (singer(), boomy))
    cuts = [
        name for name in ("eq3_gain_db", "eq5_gain_db") if knob(odd, "Vox", name) < min(knob(plain, "Vox", name), 0.0)
    ]
    assert cuts
    assert "2 kHz" in settings_of(odd, "Vox")[cuts[0]].why


def test_the_high_pass_stays_below_the_notes_that_are_played():
    low = propose_mix([track("Keys", tonal(65.0, 10, -12.0)), track("Bass", bass())])
    assert knob(low, "Keys", "highpass_hz") < 50.0


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_preset_and_can_be_mixed(role, sources, analyses):
    assert PRESETS[role].called
    assert_legal(propose_mix(sources[:2], analyses=analyses, roles={"Snare": role}))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_legal_and_differs_from_natural_in_what_it_says(style, sources, analyses, plan):
    styled = propose_mix(sources, analyses=analyses, style=style)
    assert_legal(styled)
    assert (styled.strips == plan.strips) == (style == "natural")


def test_one_track_stays_in_the_middle_and_dry():
    plan = propose_mix([track("Take", guitar())])
    assert knob(plan, "Take", "pan") == 0.0
    assert not any(name.startswith("send_") for name in settings_of(plan, "Take"))
    assert_legal(plan)


def test_speech_alone_stays_in_the_middle_and_dry():
    plan = propose_mix([track("Podcast host", singer(-30.0))])
    assert strip(plan, "Podcast host").role == "speech"
    assert not any(name.startswith("send_") for name in settings_of(plan, "Podcast host"))
    assert knob(plan, "Podcast host", "trim_db") > 10.0


def test_thirty_two_tracks_leave_headroom(tmp_path):
    tracks = [track(f"Gtr {n}", guitar(-6.0 - n % 7, seed=n)) for n in range(32)]
    plan = propose_mix(tracks)
    assert_legal(plan)
    dry = tuple(
        msgspec.structs.replace(s, settings={k: v for k, v in s.settings.items() if not k.startswith("send_")})
        for s in plan.strips
    )
    result = render_mix(msgspec.structs.replace(plan, strips=dry, buses=()), tracks, tmp_path / "mix.wav")
    assert result.loudness.sample_peak_dbfs < -6.0


@pytest.mark.parametrize("audio", [np.zeros(RATE_HZ), np.zeros(0), noise(2.0, -90.0)])
def test_a_track_with_nothing_on_it_is_left_alone_and_told(audio, sources, analyses, plan):
    again = propose_mix([*sources, track("Spare", audio)], analyses=analyses)
    assert set(settings_of(again, "Spare")) == {"pan", "bus"}
    assert any(note.startswith("Spare ") for note in again.notes)
    assert knob(again, "Bass", "fader_db") == knob(plan, "Bass", "fader_db")


def test_nothing_but_silence_is_no_error():
    assert_legal(propose_mix([track("A", np.zeros(RATE_HZ)), track("B", np.zeros(RATE_HZ))]))


def test_two_copies_of_one_track_share_its_level_and_its_place():
    copies = [track("Gtr DI", guitar()), track("Gtr mic", guitar(-25.0)), track("Bass", bass())]
    plan = propose_mix(copies)
    assert knob(plan, "Gtr DI", "pan") == knob(plan, "Gtr mic", "pan")
    heard = [analyse_source(source) for source in copies]
    alone = propose_mix([copies[0], copies[2]])

    def against_the_bass(one):
        return level_in_mix(one, "Gtr DI", heard[0]) - level_in_mix(one, "Bass", heard[2])

    assert against_the_bass(alone) - against_the_bass(plan) == pytest.approx(3.0, abs=0.3)


def test_a_stereo_track_keeps_its_picture():
    wide = np.stack([guitar(seed=1), guitar(seed=6)])
    plan = propose_mix([track("Gtr", wide), track("Bass", bass())])
    assert knob(plan, "Gtr", "pan") == 0.0
    assert "stereo" in settings_of(plan, "Gtr")["pan"].why


def test_a_stereo_track_brings_its_own_space_and_gets_no_other():
    wide = np.stack([guitar(seed=1), guitar(seed=6)])
    plan = propose_mix([track("Gtr", wide), track("Gtr mono", guitar(seed=2)), track("Bass", bass())])
    assert not any(name.startswith("send_") for name in settings_of(plan, "Gtr"))
    assert any(name.startswith("send_") for name in settings_of(plan, "Gtr mono"))


def test_a_click_is_muted_and_nobody_else():
    plan = propose_mix([track("Click", hihat()), track("Kick", kick())])
    assert settings_of(plan, "Click")["mute"].value is True
    assert "mute" not in settings_of(plan, "Kick")


def test_tracks_that_are_gone_are_named(sources, analyses, plan):
    again = propose_mix(sources[1:], analyses=analyses, previous=plan)
    assert any("Kick" in note and "left out" in note for note in again.notes)


@pytest.mark.parametrize(
    "wrong", [{"style": "loud"}, {"hands": 1.5}, {"hands": float("nan")}, {"roles": {"Kick": "trumpet"}}]
)
def test_what_can_not_be_meant_is_refused_with_what_can(sources, wrong):
    with pytest.raises(OtoError) as error:
        propose_mix(sources, **wrong)
    assert error.value.code == "bad_input"
    assert error.value.hint


def test_no_tracks_and_work_that_nobody_wants_are_refused(sources):
    with pytest.raises(OtoError):
        propose_mix([])
    with pytest.raises(OtoError) as error:
        propose_mix(sources, progress=lambda fraction, doing: fraction < 0.5)
    assert error.value.code == "cancelled"
