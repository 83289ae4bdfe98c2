"""The differentiable desk sounds like the desk: every processor with the same knobs, over all that is legal."""

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from core.dsp import dynamics, echo, equaliser, filters, gain, multiband, reverb, saturation
from core.plans.parameters import DELAY, MASTER, REVERB, STRIP, by_name

torch = pytest.importorskip("torch", reason="PyTorch is in the environment of training alone: ./oto test training")

from training.desk import dynamics as twin_dynamics  # noqa: E402
from training.desk import filters as twin_filters  # noqa: E402
from training.desk import levels, spaces  # noqa: E402
from training.desk import saturation as twin_saturation  # noqa: E402

pytestmark = pytest.mark.training
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
few = settings(max_examples=25, deadline=None, phases=UNSHRUNK)
rates = st.sampled_from([44_100, 48_000, 96_000])
KNOBS = {**by_name(MASTER), **by_name(STRIP)}


def played(channels, rate_hz, seed, seconds=0.8):
    """Noise and notes with strokes, swells and silence in it, of any level."""
    random = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    time_s = np.arange(frames) / rate_hz
    notes = np.sin(2 * np.pi * random.uniform(40, 4_000, (channels, 3, 1)) * time_s).sum(1)
    sound = notes * random.uniform(0, 0.5) + random.standard_normal((channels, frames)) * random.uniform(0.01, 0.3)
    corners = np.sort(random.uniform(0, seconds, 12))
    level_db = np.interp(time_s, corners, random.uniform(-60, 0, 12))
    level_db = np.where((time_s * 8) % 1 < random.uniform(0.2, 1.0), level_db, -200.0 if seed % 2 else level_db - 20.0)
    return (sound * 10 ** (level_db / 20)).astype(np.float32)


def turned(names, knobs=KNOBS):
    """Legal values of some knobs, along their scales."""
    places = st.floats(0, 1, allow_subnormal=False)
    return st.fixed_dictionaries({name: places.map(knobs[name].from_normalised) for name in names})


def twin_of(effect, x, *more, **knobs):
    """The twin on audio of (channels, frames)."""
    return effect(torch.from_numpy(x)[None], *more, **knobs)[0].numpy()


def residual_db(ours, theirs):
    """Level of the difference against what the desk gives."""
    difference = np.sum(np.square(ours.astype(np.float64) - theirs))
    return 10 * np.log10(max(difference, 1e-300) / max(np.sum(np.square(theirs, dtype=np.float64)), 1e-20))


@given(turned(["fader_db", "pan", "width"]), st.booleans(), st.integers(1, 2), st.integers(0, 99))
@few
def test_gain_polarity_pan_and_width_are_the_desks(knobs, invert, channels, seed):
    x = played(channels, 48_000, seed, 0.1)
    pairs = [
        (levels.gain, gain.gain, {"gain_db": knobs["fader_db"]}),
        (levels.polarity, gain.polarity, {"invert": invert}),
        (levels.pan, gain.pan, {"pan": knobs["pan"]}),
        (levels.width, gain.width, {"width": knobs["width"]}),
    ]
    for twin, real, values in pairs:
        assert residual_db(twin_of(twin, x, **values), real(x, **values)) < -120


@given(rates, turned(["highpass_hz"]), st.integers(0, 99))
@few
def test_the_high_pass_is_the_desks(rate_hz, knobs, seed):
    x = played(2, rate_hz, seed)
    real = filters.highpass(x, rate_hz, freq_hz=knobs["highpass_hz"])
    assert residual_db(twin_of(twin_filters.highpass, x, rate_hz, freq_hz=knobs["highpass_hz"]), real) < -90


@given(rates, turned([name for name in KNOBS if name.startswith("eq")]), st.integers(0, 99))
@few
def test_the_equaliser_is_the_desks(rate_hz, knobs, seed):
    x = played(2, rate_hz, seed)
    bands = [
        equaliser.Band(shape, *(knobs[f"eq{number}_{knob}"] for knob in ("freq_hz", "gain_db", "q")))
        for number, shape in enumerate(twin_filters.EQ_SHAPES, start=1)
    ]
    real = equaliser.equalise(x, rate_hz, bands=bands)
    assert residual_db(twin_of(twin_filters.equalise, x, rate_hz, **knobs), real) < -90


@given(rates, turned([name for name in KNOBS if name.startswith("eq")]))
@few
def test_every_band_of_the_equaliser_has_the_desks_sections(rate_hz, knobs):
    nothing = torch.zeros(1, 1, 1)
    for number, shape in enumerate(twin_filters.EQ_SHAPES, start=1):
        band = {knob: knobs[f"eq{number}_{knob}"] for knob in ("freq_hz", "gain_db", "q")}
        if band["gain_db"] == 0.0:
            continue
        ours = twin_filters.equaliser(nothing, rate_hz, {f"eq{number}_{knob}": band[knob] for knob in band})
        ours = (ours / ours[..., 3:4]).numpy()
        np.testing.assert_allclose(ours, equaliser.sections([equaliser.Band(shape, **band)], rate_hz), atol=1e-8)


@given(
    rates,
    turned([name for name in KNOBS if name.startswith("comp_") and name != "comp_auto_release"]),
    st.booleans(),
    st.integers(0, 99),
)
@few
def test_the_compressor_is_the_desks_with_attack_release_and_side_chain(rate_hz, knobs, auto_release, seed):
    x = played(2, rate_hz, seed)
    values = {name.removeprefix("comp_"): value for name, value in knobs.items()} | {"auto_release": auto_release}
    real = dynamics.compress(x, rate_hz, **values)
    assert residual_db(twin_of(twin_dynamics.compress, x, rate_hz, **values), real) < -60


@given(rates, turned(["comp_attack_ms", "comp_release_ms"]), st.booleans(), st.integers(0, 99))
@few
def test_attack_and_release_follow_the_desks_gain_in_time(rate_hz, knobs, auto_release, seed):
    """Judged on the gain itself, which a short attack or release can't hide in the loud parts of the music."""
    x = np.abs(played(1, rate_hz, seed)) + np.float32(1e-4)
    values = {"threshold_db": -35.0, "ratio": 8.0, "auto_release": auto_release}
    values |= {name.removeprefix("comp_"): value for name, value in knobs.items()}
    gain_db = 20 * np.log10(dynamics.compress(x, rate_hz, **values) / x)
    twin_db = 20 * np.log10(twin_of(twin_dynamics.compress, x, rate_hz, **values) / x)
    assume(np.abs(gain_db).max() > 1.0)  # a slow attack and a short release hardly compress
    np.testing.assert_allclose(twin_db, gain_db, atol=1e-3)


@given(rates, turned([name for name in KNOBS if name.startswith("mb_")]), st.integers(0, 99))
@few
def test_the_multiband_compressor_is_the_desks(rate_hz, knobs, seed):
    x = played(2, rate_hz, seed)
    names = ("threshold_db", "ratio", "gain_db")
    bands = [{name: knobs[f"mb_{band}_{name}"] for name in names} for band in ("low", "mid", "high")]
    shared = {name: knobs[f"mb_{name}"] for name in ("low_hz", "high_hz", "attack_ms", "release_ms")}
    if all(band["ratio"] == 1.0 and band["gain_db"] == 0.0 for band in bands):
        return
    real = multiband.compress_bands(x, rate_hz, bands=[multiband.BandDynamics(**band) for band in bands], **shared)
    three = {name: tuple(band[name] for band in bands) for name in names}
    assert residual_db(twin_of(twin_dynamics.compress_bands, x, rate_hz, **three, **shared), real) < -60


@given(rates, turned(["saturation_drive_db"]), st.integers(0, 99))
@few
def test_the_saturation_is_the_desks(rate_hz, knobs, seed):
    x = played(2, rate_hz, seed)
    values = {"drive_db": knobs["saturation_drive_db"]}
    real = saturation.saturate(x, rate_hz, **values)
    assert residual_db(twin_of(twin_saturation.saturate, x, rate_hz, **values), real) < -60


@given(
    rates,
    st.sampled_from(["room", "plate", "hall"]),
    turned(["decay_s", "predelay_ms", "damping_hz", "lowcut_hz"], by_name(REVERB)),
    st.integers(0, 99),
)
@settings(few, max_examples=8)
def test_the_spaces_are_the_desks(rate_hz, space, knobs, seed):
    x = played(2, rate_hz, seed)
    real = reverb.reverb(x, rate_hz, space=space, **knobs)
    assert residual_db(twin_of(spaces.reverb, x, rate_hz, space=space, **knobs), real) < -60


@given(rates, turned(["time_ms", "feedback", "damping_hz"], by_name(DELAY)), st.integers(0, 99))
@settings(few, max_examples=12)
def test_the_delay_is_the_desks(rate_hz, knobs, seed):
    assume(knobs["time_ms"] < 400)
    x = played(2, rate_hz, seed)
    assert residual_db(twin_of(spaces.echo, x, rate_hz, **knobs), echo.echo(x, rate_hz, **knobs)) < -60


def test_a_batch_gives_each_item_what_it_gets_alone():
    x = np.stack([played(2, 48_000, seed) for seed in range(3)])
    knobs = {
        "threshold_db": [-20.0, -40.0, -30.0],
        "ratio": [2.0, 8.0, 1.0],
        "attack_ms": [0.1, 30.0, 10.0],
        "release_ms": [20.0, 900.0, 100.0],
        "sidechain_hz": [10.0, 100.0, 300.0],
        "auto_release": [True, False, True],
    }
    together = twin_dynamics.compress(
        torch.from_numpy(x), 48_000, **{name: torch.tensor(values) for name, values in knobs.items()}
    )
    for item, ours in enumerate(together.numpy()):
        alone = dynamics.compress(x[item], 48_000, **{name: values[item] for name, values in knobs.items()})
        assert residual_db(ours, alone) < -100
