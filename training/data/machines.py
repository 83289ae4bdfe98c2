"""A drum machine: strokes made by arithmetic, new ones each time, and old strokes bent into others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import scipy.signal
from numpy.random import Generator
from numpy.typing import NDArray

Audio = NDArray[np.float32]
RATE_HZ: Final = 48_000


def machine_bank(labels: Sequence[str], rng: Generator) -> dict[str, Sequence[Audio]]:
    """Strokes of a kit that nobody has, for some labels; mono float32 at 48 kHz."""
    made: dict[str, Callable[[], Sequence[Audio]]] = {
        "kick": lambda: [kick(rng)],
        "snare": lambda: [snare(rng)],
        "hihat": lambda: [metal(rng, rng.uniform(0.02, 0.6))],
        "toms": lambda: [tom(rng, hz) for hz in rng.uniform(70.0, 110.0) * np.array([1.0, 1.4, 1.9])],
        "cymbals": lambda: [metal(rng, rng.uniform(1.0, 3.5), bright=False)],
        "percussion": lambda: [percussion(rng) for _ in range(3)],
    }
    return {label: made[label]() for label in labels}


def bent(stroke: Audio, rng: Generator) -> Audio:
    """A stroke at another pitch, damped and driven by lot."""
    ratio = 2.0 ** (rng.uniform(-5.0, 5.0) / 12.0)
    heard = np.interp(np.arange(0.0, max(stroke.size - 1, 1), ratio), np.arange(stroke.size), stroke)
    if rng.random() < 0.4:
        heard = heard * np.exp(-np.arange(heard.size) / (rng.uniform(0.05, 0.6) * RATE_HZ))
    if rng.random() < 0.3:
        heard = np.tanh(heard / max(float(np.abs(heard).max()), 1e-9) * rng.uniform(1.0, 6.0))
    return heard.astype(np.float32)


def kick(rng: Generator) -> Audio:
    """A sine that falls to 35 to 70 Hz, with a click or a little noise at its front."""
    time_s = _time(rng.uniform(0.2, 1.0))
    low_hz, sweep_hz = rng.uniform(35.0, 70.0), rng.uniform(40.0, 500.0)
    body = _falling(time_s, low_hz, sweep_hz, rng.uniform(0.008, 0.06)) * _decay(time_s, rng.uniform(0.08, 0.5))
    click = _noise(time_s, rng, 1_000.0, rng.uniform(3_000.0, 9_000.0)) * _decay(time_s, rng.uniform(0.002, 0.01))
    heard = np.tanh((body + rng.uniform(0.0, 0.8) * click) * rng.uniform(0.8, 4.0))
    return heard.astype(np.float32)


def snare(rng: Generator) -> Audio:
    """Two falling tones under noise; sometimes all noise."""
    time_s = _time(rng.uniform(0.15, 0.6))
    hz = rng.uniform(130.0, 280.0)
    tone = _falling(time_s, hz, hz * rng.uniform(0.1, 1.0), 0.02) + 0.6 * _falling(time_s, 1.7 * hz, hz * 0.3, 0.02)
    rattle = _noise(time_s, rng, rng.uniform(500.0, 2_000.0), rng.uniform(6_000.0, 16_000.0))
    heard = rng.uniform(0.0, 0.8) * tone * _decay(time_s, rng.uniform(0.04, 0.15))
    heard = heard + rattle * _decay(time_s, rng.uniform(0.05, 0.25))
    return np.tanh(heard * rng.uniform(0.5, 3.0)).astype(np.float32)


def metal(rng: Generator, decay_s: float, *, bright: bool = True) -> Audio:
    """Six squares that don't fit each other and noise, high-passed: a hi-hat if short, a cymbal if long."""
    time_s = _time(min(4.0 * decay_s, 4.0))
    base_hz = rng.uniform(200.0, 500.0)
    squares = sum(np.sign(np.sin(2 * np.pi * base_hz * ratio * time_s)) for ratio in rng.uniform(1.0, 4.5, 6))
    share = rng.uniform(0.1, 1.0)
    lowest_hz = rng.uniform(4_000.0, 9_000.0) if bright else rng.uniform(300.0, 4_000.0)
    heard = share * rng.normal(size=time_s.size) + (1.0 - share) * squares / 3.0
    heard = scipy.signal.sosfilt(scipy.signal.butter(2, lowest_hz, "highpass", fs=RATE_HZ, output="sos"), heard)
    return (heard * _decay(time_s, decay_s)).astype(np.float32)


def tom(rng: Generator, hz: float) -> Audio:
    """A tone that falls a little, with a soft stroke of noise."""
    time_s = _time(rng.uniform(0.3, 0.9))
    body = _falling(time_s, hz, hz * rng.uniform(0.1, 0.8), rng.uniform(0.02, 0.1))
    skin = _noise(time_s, rng, 300.0, rng.uniform(2_000.0, 7_000.0)) * _decay(time_s, rng.uniform(0.01, 0.05))
    return (body * _decay(time_s, rng.uniform(0.1, 0.4)) + rng.uniform(0.0, 0.4) * skin).astype(np.float32)


def percussion(rng: Generator) -> Audio:
    """A clap, a shaker, a block or a bell, a hand drum."""
    kind = str(rng.choice(["clap", "shaker", "block", "hand"]))
    time_s = _time(0.5)
    if kind == "clap":
        heard = _noise(time_s, rng, rng.uniform(600.0, 1_200.0), rng.uniform(2_500.0, 6_000.0))
        bursts = sum(_decay(np.maximum(time_s - late, 0.0), 0.006) * (time_s >= late) for late in (0.0, 0.01, 0.021))
        return (heard * (bursts + 0.7 * _decay(np.maximum(time_s - 0.03, 0.0), 0.08) * (time_s >= 0.03))).astype("f4")
    if kind == "shaker":
        heard = _noise(time_s, rng, rng.uniform(2_500.0, 6_000.0), 15_000.0)
        return (heard * np.minimum(time_s / rng.uniform(0.01, 0.05), 1.0) * _decay(time_s, 0.04)).astype(np.float32)
    if kind == "block":
        hz = rng.uniform(500.0, 3_000.0)
        heard = np.sin(2 * np.pi * hz * time_s) + 0.6 * np.sin(2 * np.pi * hz * rng.uniform(1.3, 2.8) * time_s)
        return (heard * _decay(time_s, rng.uniform(0.01, 0.15))).astype(np.float32)
    hz = rng.uniform(120.0, 500.0)
    skin = _noise(time_s, rng, 400.0, 5_000.0) * _decay(time_s, 0.008)
    return (_falling(time_s, hz, 0.1 * hz, 0.02) * _decay(time_s, rng.uniform(0.03, 0.2)) + skin).astype(np.float32)


def _time(length_s: float) -> NDArray[np.float64]:
    return np.arange(round(length_s * RATE_HZ)) / RATE_HZ


def _decay(time_s: NDArray[np.float64], constant_s: float) -> NDArray[np.float64]:
    return np.exp(-time_s / constant_s)


def _falling(time_s: NDArray[np.float64], hz: float, above_hz: float, fall_s: float) -> NDArray[np.float64]:
    """A sine whose frequency falls from `hz + above_hz` to `hz`."""
    return np.sin(2 * np.pi * np.cumsum(hz + above_hz * np.exp(-time_s / fall_s)) / RATE_HZ)


def _noise(time_s: NDArray[np.float64], rng: Generator, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    band = scipy.signal.butter(2, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(band, rng.normal(size=time_s.size)))
