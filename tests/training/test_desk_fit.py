"""Fitting the desk to a mix: settings that made a mix are found again, and what the mix doesn't tell stays a prior."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is in the environment of training alone: ./oto test training")

from core.plans.parameters import STRIP, by_name  # noqa: E402
from training.desk.fit import Distance, Prior, fit, mixed, start  # noqa: E402

pytestmark = pytest.mark.training
RATE_HZ = 24_000
PLACED = {"fader_db": Prior(0.0, 6.0), "pan": Prior(0.0, 0.4)}
TONE = {f"eq{band}_gain_db": Prior(0.0, 4.0) for band in (1, 3, 6)}
PRESSED = {
    "comp_threshold_db": Prior(-20.0, 4.0),
    "comp_ratio": Prior(2.0, 0.5),
    "comp_attack_ms": Prior(15.0, 0.6),
    "comp_release_ms": Prior(100.0, 0.6),
}


def played(count, seconds, seed):
    """(tracks, 1, frames): strokes of noise, each track with its own tempo."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    strokes = np.exp(-12 * ((time_s * random.uniform(2, 5, (count, 1)) + random.uniform(size=(count, 1))) % 1))
    sound = 0.2 * random.standard_normal((count, time_s.size)) * strokes
    return torch.from_numpy(sound[:, None].astype(np.float32))


def test_gains_places_and_a_broad_equaliser_are_found_again() -> None:
    tracks = played(2, 0.7, 1)
    true = [
        {"fader_db": -3.0, "pan": -0.5, "eq1_gain_db": 0.0, "eq3_gain_db": 5.0, "eq6_gain_db": 0.0},
        {"fader_db": -9.0, "pan": 0.3, "eq1_gain_db": -4.0, "eq3_gain_db": 0.0, "eq6_gain_db": -6.0},
    ]
    found = fit(tracks, mixed(tracks, RATE_HZ, true), RATE_HZ, [PLACED | TONE] * 2, steps=60)
    for strip, wanted in zip(found.strips, true, strict=True):
        assert strip["fader_db"] == pytest.approx(wanted["fader_db"], abs=0.5)
        assert strip["pan"] == pytest.approx(wanted["pan"], abs=0.05)
        for name in TONE:
            assert strip[name] == pytest.approx(wanted[name], abs=1.5)
    assert found.after < 0.2 * found.before


def test_a_compressors_times_and_ratio_are_found_again() -> None:
    tracks = played(2, 0.8, 2)
    true = [
        {"comp_threshold_db": -24.0, "comp_ratio": 4.0, "comp_attack_ms": 8.0, "comp_release_ms": 60.0},
        {"comp_threshold_db": -20.0, "comp_ratio": 3.0, "comp_attack_ms": 25.0, "comp_release_ms": 180.0},
    ]
    found = fit(tracks, mixed(tracks, RATE_HZ, true), RATE_HZ, [PRESSED] * 2, steps=60)
    for strip, wanted in zip(found.strips, true, strict=True):
        for name in ("comp_ratio", "comp_attack_ms", "comp_release_ms"):
            assert strip[name] == pytest.approx(wanted[name], rel=0.35), name
        assert strip["comp_threshold_db"] == pytest.approx(wanted["comp_threshold_db"], abs=1.5)


def test_a_send_is_found_again() -> None:
    tracks = played(2, 0.7, 3)
    true = [{"send_plate_db": -8.0}, {"send_plate_db": -20.0}]
    known = {"send_plate_db": Prior(-14.0, 6.0)}
    found = fit(tracks, mixed(tracks, RATE_HZ, true), RATE_HZ, [known] * 2, steps=30)
    assert [strip["send_plate_db"] for strip in found.strips] == pytest.approx([-8.0, -20.0], abs=1.5)


def test_what_the_mix_does_not_tell_stays_at_its_prior() -> None:
    """A track that plays only highs says nothing about its lows."""
    tracks = played(2, 0.7, 4)
    spectrum = torch.fft.rfft(tracks[0, 0])
    spectrum[: round(0.25 * spectrum.numel())] = 0.0
    tracks[0, 0] = torch.fft.irfft(spectrum, tracks.shape[2])
    true = [{"fader_db": -3.0, "eq1_gain_db": 9.0}, {"fader_db": -3.0, "eq1_gain_db": 0.0}]
    known = {"fader_db": Prior(0.0, 6.0), "eq1_gain_db": Prior(1.0, 4.0)}
    found = fit(tracks, mixed(tracks, RATE_HZ, true), RATE_HZ, [known] * 2, steps=30)
    assert found.strips[0]["eq1_gain_db"] == pytest.approx(1.0, abs=1.0)


@pytest.mark.parametrize("seed", range(3))
def test_powers_alone_tell_gains_and_places_roughly(seed: int) -> None:
    random = np.random.default_rng(seed)
    tracks = played(4, 3.0, seed)
    true = [{"fader_db": float(random.uniform(-12, 0)), "pan": float(random.uniform(-0.8, 0.8))} for _ in range(4)]
    gains_db, pans = start(tracks.numpy(), mixed(tracks, RATE_HZ, true).numpy())
    assert np.abs(gains_db - [strip["fader_db"] for strip in true]).mean() < 2.0
    assert np.abs(pans - [strip["pan"] for strip in true]).mean() < 0.1


def test_every_setting_found_is_one_that_the_desk_knows() -> None:
    tracks = played(2, 0.5, 5)
    wild = {"fader_db": Prior(30.0, 6.0), "comp_ratio": Prior(0.2, 0.1), "eq3_gain_db": Prior(-40.0, 1.0)}
    knobs = by_name(STRIP)
    for strip in fit(tracks, 100.0 * tracks.sum(0).expand(2, -1), RATE_HZ, [wild] * 2, steps=3).strips:
        assert all(knobs[name].low <= value <= knobs[name].high for name, value in strip.items())


def test_the_same_sound_is_no_distance_away_and_a_softer_one_is_its_decibels() -> None:
    mix = mixed(played(2, 1.0, 6), RATE_HZ, [{"fader_db": 0.0, "pan": 0.3}] * 2)
    compared = Distance(mix, RATE_HZ)
    assert float(compared(mix)) == 0.0
    assert float(compared(0.5 * mix)) == pytest.approx(6.0, abs=1.0)
