"""Rides, spans and delays in beats: what moves, what is left out, and what a plan can't ask for."""

import numpy as np
import pytest
import soundfile
from msgspec.structs import replace

from core.desk.render import render_mix
from core.errors import OtoError
from core.plans.document import BusStrip, MixPlan, Ride, RidePoint, Setting, Span, Strip
from sessions.wavread import read_info
from tests.core.desk.test_render import BUSES, BUSY, RATE_HZ, busy_sources, mixed, named, plan_of
from tests.core.desk.test_sources import Memory


def moving(*points):
    return Ride(points=tuple(RidePoint(at_s=at_s, gain_db=gain_db) for at_s, gain_db in points))


def gains(ride, frames, start_s=0.0):
    at_s, gain_db = zip(*((point.at_s, point.gain_db) for point in ride.points), strict=True)
    wanted_db = np.interp(start_s + np.arange(frames) / RATE_HZ, at_s, gain_db)
    return np.where(wanted_db > -90.0, 10 ** (wanted_db / 20), 0.0)


DIP = moving((0.1, 0.0), (0.2, -12.0), (0.4, 3.0))
LIFT = moving((0.0, -3.0), (0.5, 6.0))
FADE = moving((0.3, 0.0), (0.6, -90.0))


def ridden(plan, strip=None, bus=None, master=None):
    """The plan with rides on every strip, every bus and the master."""
    return replace(
        plan,
        strips=tuple(replace(one, ride=strip) for one in plan.strips),
        buses=tuple(replace(one, ride=bus) for one in plan.buses),
        master_ride=master,
    )


@pytest.mark.parametrize("block_frames", [131_072, 777])
def test_a_ride_moves_the_fader_along_its_lines(tmp_path, block_frames):
    source = named("Keys", 2)
    y = mixed(tmp_path, ridden(plan_of({"Keys": {}}), strip=DIP), [source], block_frames=block_frames)
    np.testing.assert_allclose(y, source.audio * gains(DIP, 30_000), atol=1e-6)


def test_rides_of_strip_bus_and_master_lie_where_they_were_drawn_whatever_is_late(tmp_path):
    source = named("Keys", 2)
    late = {"comp_ratio": 1.0001, "comp_threshold_db": 0.0}
    plan = plan_of({"Keys": {**late, "bus": "music"}}, {"music": late}, **late)
    y = mixed(tmp_path, ridden(plan, DIP, LIFT, FADE), [source], block_frames=5_000)
    wanted = source.audio * gains(DIP, 30_000) * gains(LIFT, 30_000) * gains(FADE, 30_000)
    np.testing.assert_allclose(y, wanted, atol=1e-4)
    assert not y[:, round(0.6 * RATE_HZ) :].any()


def test_a_send_follows_the_ride_of_its_strip_and_a_return_has_its_own(tmp_path):
    source = named("Vocal")
    dry = plan_of({"Vocal": {"send_delay_db": 0.0}}, {"delay": {"time_ms": 100.0, "feedback": 0.0}})
    silent = moving((0.0, -90.0), (0.3, -90.0))
    ridden_return = replace(dry, buses=(replace(dry.buses[0], ride=silent),))
    np.testing.assert_allclose(
        mixed(tmp_path, ridden_return, [source])[:, :30_000],
        mixed(tmp_path, plan_of({"Vocal": {}}), [source]),
        atol=1e-6,
    )
    assert not mixed(tmp_path, ridden(dry, strip=silent), [source]).any()


def test_stems_and_returns_hold_every_ride_and_add_up(tmp_path):
    buses = {**{name: {} for name in BUSES}, "plate": {"decay_s": 0.4}, "vocals": {"fader_db": -3.0}}
    plan = ridden(plan_of(BUSY, buses, fader_db=-2.0), DIP, LIFT, FADE)
    plan = replace(plan, span=Span(start_s=0.05, end_s=0.5))
    result = render_mix(plan, busy_sources(), tmp_path / "mix.wav", stems=tmp_path / "stems", block_frames=7_000)
    parts = [soundfile.read(path)[0] for path in [*result.stems.values(), *result.returns.values()]]
    mix, _ = soundfile.read(result.out)
    assert {len(part) for part in parts} == {len(mix)}
    for path in (result.out, *result.stems.values(), *result.returns.values()):
        assert read_info(path).bext.time_reference_samples == result.start_samples == round(0.05 * RATE_HZ)
    assert np.abs(sum(parts) - mix).max() < 1e-6
    assert max(np.abs(part).max() for part in parts) > 0.01


def test_a_span_is_that_part_of_the_take_faded_where_it_was_cut(tmp_path):
    source = named("Keys", 2)
    plan = replace(ridden(plan_of({"Keys": {}}), strip=DIP), span=Span(start_s=0.125, end_s=0.5))
    y = mixed(tmp_path, plan, [source], block_frames=1_000)
    assert y.shape[1] == 18_000
    whole = source.audio[:, 6_000:24_000] * gains(DIP, 18_000, 0.125)
    fade = round(0.005 * RATE_HZ)
    np.testing.assert_allclose(y[:, fade:-fade], whole[:, fade:-fade], atol=1e-6)
    for edge in (y[:, :fade], y[:, :-fade:-1]):
        assert np.abs(edge[:, :12]).max() < 0.01
    assert (np.abs(y[:, :fade]) <= np.abs(whole[:, :fade]) + 1e-6).all()


def test_ends_of_the_recording_are_not_faded(tmp_path):
    source = named("Keys", 2)
    plan = replace(plan_of({"Keys": {}}), span=Span(start_s=0.0, end_s=100.0))
    assert np.array_equal(mixed(tmp_path, plan, [source]), source.audio)


def test_a_span_holds_for_sources_of_other_rates_and_lengths(tmp_path):
    sources = [named("A"), named("B", frames=40_000), Memory(np.full((1, 27_563), 0.25, np.float32), 44_100, "C")]
    plan = replace(plan_of({"A": {"mute": True}, "B": {"mute": True}}), span=Span(start_s=0.25, end_s=0.75))
    y = mixed(tmp_path, plan, sources)
    assert y.shape[1] == 24_000
    assert y[0, 1_000:17_000] == pytest.approx(0.25 * np.sqrt(0.5), abs=1e-3)
    assert np.abs(y[0, 18_200:]).max() < 1e-3


def repeats_after(tmp_path, sync, tempo_bpm):
    click = Memory(np.zeros((2, 60_000), np.float32), RATE_HZ, "Click")
    click.audio[:, 0] = 0.5
    plan = plan_of(
        {"Click": {"send_delay_db": 0.0}},
        {"delay": {"time_ms": 200.0, "sync": sync, "feedback": 0.0, "damping_hz": 20_000.0}},
    )
    y = mixed(tmp_path, replace(plan, tempo_bpm=tempo_bpm), [click])
    return (100 + np.abs(y[0, 100:]).argmax()) / RATE_HZ


@pytest.mark.parametrize(
    ("sync", "tempo_bpm", "delay_s"),
    [
        ("1/4", 120.0, 0.5),
        ("1/8 dotted", 90.0, 0.5),
        ("1/8 triplet", 120.0, 1 / 6),
        ("1/4", None, 0.2),
        ("off", 90, 0.2),
    ],
)
def test_a_delay_in_beats_counts_the_songs_tempo(tmp_path, sync, tempo_bpm, delay_s):
    assert repeats_after(tmp_path, sync, tempo_bpm) == pytest.approx(delay_s, abs=1e-4)


NAN = float("nan")
WRONG_RIDES = [
    moving((NAN, 0.0)),
    moving((0.1, NAN)),
    moving((-1.0, 0.0)),
    moving((1e6, 0.0)),
    moving((0.1, 13.0)),
    moving((0.1, -91.0)),
    moving((0.2, 0.0), (0.1, 0.0)),
    moving((0.1, 0.0), (0.1, -6.0)),
]
NEUTRAL = plan_of({"T": {}})


@pytest.mark.parametrize(
    "plan",
    [
        *(replace(NEUTRAL, strips=(Strip(track="T", ride=ride),)) for ride in WRONG_RIDES),
        *(replace(NEUTRAL, buses=(BusStrip(name=name, ride=WRONG_RIDES[0]),)) for name in ("drums", "plate", "delay")),
        replace(NEUTRAL, master_ride=WRONG_RIDES[1]),
        *(
            replace(NEUTRAL, span=Span(start_s=start_s, end_s=end_s))
            for start_s, end_s in [(NAN, 1.0), (0.0, NAN), (-0.1, 0.3), (0.3, 0.3), (0.4, 0.2), (0.0, 1e9), (5.0, 6.0)]
        ),
        *(replace(NEUTRAL, tempo_bpm=tempo_bpm) for tempo_bpm in (NAN, 0.0, -90.0, 1_000.0)),
        replace(NEUTRAL, buses=(BusStrip(name="delay", settings={"sync": Setting(value="1/3")}),)),
    ],
)
def test_what_no_take_can_hold_is_refused_in_a_sentence_and_nothing_is_written(tmp_path, plan: MixPlan):
    with pytest.raises(OtoError) as refused:
        render_mix(plan, [named("T")], tmp_path / "mix.wav", stems=tmp_path / "stems")
    assert refused.value.code == "bad_input"
    assert refused.value.message.endswith(".")
    assert "nothing was rendered" in refused.value.hint
    assert not list(tmp_path.iterdir())
