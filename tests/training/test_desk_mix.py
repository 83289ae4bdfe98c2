"""Whole mixes: the differentiable desk against the desk that renders, and settings found again from a sum."""

import numpy as np
import pytest
import soundfile

from core.desk.render import render_mix
from core.dsp.audio import run
from core.errors import OtoError
from core.master.chain import master_chain
from core.plans.document import BusStrip, MixPlan, Ride, RidePoint, Setting, Span, Strip
from core.plans.parameters import BUS, DELAY, MASTER, REVERB, SENDS, STRIP
from tests.core.desk.test_sources import Memory

torch = pytest.importorskip("torch", reason="PyTorch is in the environment of training alone: ./oto test training")

from training.desk import console, knobs  # noqa: E402

pytestmark = pytest.mark.training
RATE_HZ = 48_000
ABSENT = (
    *console.ABSENT,
    "gate_range_db",
    "gate_attack_ms",
    "gate_hold_ms",
    "gate_release_ms",
    "deess_freq_hz",
    "mute",
)


def played(channels, frames, seed, noise=0.2):
    """Strokes of notes and noise."""
    random = np.random.default_rng(seed)
    time_s = np.arange(frames) / RATE_HZ
    notes = np.sin(2 * np.pi * random.uniform(60, 2_000, (channels, 4, 1)) * time_s).mean(1)
    strokes = np.exp(-12 * ((time_s * random.uniform(2, 5) + random.uniform()) % 1))
    sound = (notes * (1 - noise) + noise * random.standard_normal((channels, frames))) * strokes
    return (sound * random.uniform(0.1, 0.8)).astype(np.float32)


def moderate(parameters, random, without=()):
    """Random settings across the middle of each range."""
    settings = {}
    for parameter in parameters:
        if parameter.name.startswith(tuple(without)) or parameter.name in ABSENT:
            continue
        if parameter.scale == "switch":
            value = bool(random.integers(2))
        elif parameter.scale == "choice":
            value = str(random.choice(parameter.choices))
        else:
            value = parameter.from_normalised(random.uniform(0.3, 0.7))
        settings[parameter.name] = Setting(value=value)
    return settings


def settings_of(**values):
    return {name: Setting(value=value) for name, value in values.items()}


def a_plan(seed):
    random = np.random.default_rng(seed)
    strips = []
    for track in "abcd":
        settings = moderate(STRIP, random, without=("delay", "hum", "fader", "send", "trim"))
        settings |= settings_of(
            fader_db=float(random.uniform(-12, 0)),
            trim_db=float(random.uniform(6, 18)),
            **{f"send_{name}_db": float(random.uniform(-30, 0)) for name in SENDS},
        )
        strips.append(Strip(track=track, settings=settings))
    buses = [BusStrip(name=name, settings=moderate(BUS, random)) for name in ("drums", "music", "vocals")]
    buses += [BusStrip(name=name, settings=moderate(REVERB, random) | settings_of(decay_s=0.4)) for name in SENDS[:3]]
    buses.append(BusStrip(name="delay", settings=moderate(DELAY, random) | settings_of(time_ms=90.0, feedback=0.3)))
    return MixPlan(
        oto_version="test", strips=tuple(strips), buses=tuple(buses), master=moderate(BUS, random), tempo_bpm=400.0
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_mix_of_strips_buses_effects_and_master_is_the_desks(tmp_path, seed):
    audio = [played(1 + index % 2, 30_000, seed + index) for index in range(4)]
    plan = a_plan(seed)
    sources = [Memory(x, RATE_HZ, name) for x, name in zip(audio, "abcd", strict=True)]
    rendered = soundfile.read(render_mix(plan, sources, tmp_path / "mix.wav").out, always_2d=True)[0].T
    tracks = np.zeros((1, 4, 2, rendered.shape[1]), np.float32)
    for track, x in enumerate(audio):
        tracks[0, track, :, : x.shape[1]] = x
    mono = torch.tensor([[len(x) == 1 for x in audio]])
    mixed = console.mix(torch.from_numpy(tracks), RATE_HZ, console.console(plan), mono=mono)[0].numpy()
    residual_db = 10 * np.log10(np.sum((mixed - rendered) ** 2) / np.sum(rendered**2))
    assert np.abs(rendered).max() > 0.001
    assert residual_db < -60


def test_a_mix_of_mono_tracks_alone_needs_one_channel(tmp_path):
    plan = a_plan(7)
    audio = [played(1, 20_000, index) for index in range(4)]
    double = torch.from_numpy(np.stack(audio)).expand(4, 2, -1)[None]
    single = torch.from_numpy(np.stack(audio))[None]
    knobs_of_plan = console.console(plan)
    torch.testing.assert_close(
        console.mix(single, RATE_HZ, knobs_of_plan), console.mix(double, RATE_HZ, knobs_of_plan, mono=True),
        atol=1e-6, rtol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_a_master_up_to_its_limiter_is_the_desks(seed):
    x = played(2, 40_000, seed)
    settings = moderate(MASTER, np.random.default_rng(seed), without=("limiter", "input", "loudness"))
    settings |= settings_of(input_gain_db=2.0, loudness_gain_db=-3.0)
    real = run(master_chain(settings, RATE_HZ, 2).whole(), x)
    values = {name: setting.value for name, setting in settings.items()}
    ours = console.master(torch.from_numpy(x)[None], RATE_HZ, values)[0].numpy()
    assert 10 * np.log10(np.sum((ours - real) ** 2) / np.sum(real**2)) < -60


@pytest.mark.parametrize(
    "changed",
    [
        {"strips": (Strip(track="a", settings=settings_of(gate_threshold_db=-40.0)),)},
        {"strips": (Strip(track="a", ride=Ride(points=(RidePoint(at_s=0.0, gain_db=1.0),))),)},
        {"strips": (Strip(track="a", settings=settings_of(pan=3.0)),)},
        {"strips": (Strip(track="a"),), "span": Span(start_s=0.0, end_s=1.0)},
    ],
)
def test_a_plan_that_has_no_twin_is_refused(changed):
    with pytest.raises(OtoError):
        console.console(MixPlan(oto_version="test", **changed))


@pytest.mark.parametrize("seed", range(2))
def test_descent_finds_faders_pans_and_equalisers_again_from_the_sum(seed):
    random = np.random.default_rng(seed)
    # Noise holds every frequency: what no track plays, no sum can tell.
    tracks = np.stack([played(1, 16_000, 10 * seed + index, noise=1.0) for index in range(4)])
    tracks = torch.from_numpy(tracks)[None].double()
    learned = [each for each in STRIP if each.name in ("fader_db", "pan", "eq1_gain_db", "eq3_gain_db", "eq6_gain_db")]
    fixed = {each.name: each.neutral for each in STRIP if each.name[:3] in ("eq1", "eq3", "eq6")}
    hidden = {
        "fader_db": torch.from_numpy(random.uniform(-18, 6, (1, 4))),
        "pan": torch.from_numpy(random.uniform(-0.9, 0.9, (1, 4))),
        **{f"eq{band}_gain_db": torch.from_numpy(random.uniform(-9, 9, (1, 4))) for band in (1, 3, 6)},
    }

    def mixed(strips):
        desk = console.Console(
            strips={**fixed, **strips}, routing=torch.ones(1, 4, 1), groups={}, returns={}, master={}
        )
        return console.mix(tracks, RATE_HZ, desk)

    target = mixed(hidden).detach()
    neutral = {each.name: torch.full((1, 4), each.neutral, dtype=torch.float64) for each in learned}
    places = knobs.normalised(learned, neutral).logit().requires_grad_()
    optimiser = torch.optim.LBFGS([places], max_iter=120, line_search_fn="strong_wolfe", tolerance_change=1e-14)

    def closure():
        optimiser.zero_grad()
        loss = (mixed(knobs.physical(learned, places.sigmoid())) - target).square().mean() / target.square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    found = knobs.physical(learned, places.detach().sigmoid())
    for name, tolerance in {"fader_db": 0.1, "pan": 0.01, "eq1_gain_db": 0.3, "eq3_gain_db": 0.1}.items():
        assert (found[name] - hidden[name]).abs().max() < tolerance, name
