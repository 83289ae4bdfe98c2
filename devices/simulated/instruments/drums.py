"""Drums and cymbals: modes of a membrane or a plate, struck, with noise where the real thing is too dense to count.

A circular membrane's modes stand at 1, 1.59, 2.14, 2.30, 2.65, 2.92 times the lowest: zeros of Bessel functions
(Fletcher & Rossing, The Physics of Musical Instruments, chapter 3). A hard stroke stretches the skin: its pitch starts
high and falls.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from devices.simulated.filters import Curve, Signal, convolve, damped_sines, fade_out, filter_of, white_noise

_MEMBRANE = np.array([1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.50])
_DECAY = np.log(1000.0)
"""Of amplitude over one T60."""


def strike(piece: str, hardness: float, rate_hz: int, chance: np.random.Generator) -> Signal:
    """One stroke, mono, as heard at a metre on axis.

    `hardness` 0..1 sets timbre and level; `chance` is what makes no two strokes the same.
    """
    return _PIECES[piece](hardness, rate_hz, chance)


def _time(seconds: float, rate_hz: int) -> NDArray[np.float64]:
    return np.arange(int(seconds * rate_hz)) / rate_hz


def _decays(t: NDArray[np.float64], t60_s: float) -> Signal:
    return np.asarray(np.exp(t * (-_DECAY / t60_s)), np.float32)


def _skin(
    t: NDArray[np.float64], hz: NDArray[np.float64], levels: NDArray[np.float64], t60_s: NDArray[np.float64],
    stretch: float, relax_s: float,
) -> Signal:  # fmt: skip
    """Modes whose pitch starts `stretch` (relative) too high and relaxes."""
    bent = 2 * np.pi * (t + stretch * relax_s * (1 - np.exp(-t / relax_s)))
    out = np.zeros(t.size, np.float32)
    for frequency, level, decay_s in zip(hz, levels, t60_s, strict=True):
        live = int(np.searchsorted(t, 1.5 * decay_s))
        sine = np.sin(((bent[:live] * frequency) % (2 * np.pi)).astype(np.float32))
        out[:live] += np.float32(level) * sine * _decays(t[:live], decay_s)
    return out


def _noise(frames: int, curve: Curve, rate_hz: int, chance: np.random.Generator) -> Signal:
    """Noise of unit level below 20 kHz at any rate, coloured by `curve`."""
    beyond = ((21_000.0, curve[-1][1] - 12.0), (30_000.0, -90.0))
    return convolve(white_noise(frames, rate_hz, chance), filter_of((*curve, *beyond), rate_hz, 0.01))


def _kick(hardness: float, rate_hz: int, chance: np.random.Generator) -> Signal:
    t = _time(0.75, rate_hz)
    hz = 54.0 * _MEMBRANE[:5] * chance.normal(1, 0.004, 5)
    levels, t60_s = np.array([1.0, 0.30, 0.16, 0.10, 0.06]), np.array([0.48, 0.22, 0.16, 0.13, 0.1])
    body = _skin(t, hz, levels, t60_s, 0.9 + 0.6 * hardness, 0.022)
    beater = _noise(t.size, ((900, -18), (2_500, 0), (4_500, 0), (9_000, -16)), rate_hz, chance) * _decays(t, 0.028)
    thud = _noise(t.size, ((60, -6), (150, 0), (400, -10), (900, -30)), rate_hz, chance) * _decays(t, 0.09)
    return fade_out(hardness * (1.1 * body + 1.3 * hardness * beater + 0.9 * thud), rate_hz // 20)


def _snare(hardness: float, rate_hz: int, chance: np.random.Generator) -> Signal:
    t = _time(0.6, rate_hz)
    hz = 192.0 * _MEMBRANE * chance.normal(1, 0.006, 8)
    levels = np.array([0.9, 0.6, 0.34, 0.28, 0.2, 0.16, 0.12, 0.08]) * chance.uniform(0.7, 1.2, 8)
    t60_s = np.array([0.26, 0.22, 0.17, 0.15, 0.13, 0.12, 0.10, 0.09])
    skin = _skin(t, hz, levels, t60_s, 0.10 + 0.12 * hardness, 0.015)
    # The wires are thrown off the skin and rattle back a moment later.
    rattle = (1 - np.exp(-t / 0.0015)).astype(np.float32) * (0.7 * _decays(t, 0.24) + 0.3 * _decays(t, 0.5))
    wires = _noise(t.size, ((400, -26), (1_200, -9), (3_000, 0), (8_000, -2), (15_000, -12)), rate_hz, chance) * rattle
    stick = _noise(t.size, ((1_000, -10), (3_000, 0), (7_000, -3), (14_000, -15)), rate_hz, chance) * _decays(t, 0.012)
    bright = 0.35 + 0.65 * hardness
    return fade_out(hardness * (skin + 0.85 * bright * wires + 0.8 * hardness * stick), rate_hz // 20)


def _tom(lowest_hz: float, ring_s: float) -> Callable[[float, int, np.random.Generator], Signal]:
    def tom(hardness: float, rate_hz: int, chance: np.random.Generator) -> Signal:
        t = _time(ring_s * 1.3, rate_hz)
        hz = lowest_hz * _MEMBRANE[:6] * chance.normal(1, 0.004, 6)
        levels = np.array([1.0, 0.45, 0.25, 0.16, 0.12, 0.08])
        t60_s = ring_s * np.array([1.0, 0.6, 0.42, 0.36, 0.3, 0.25])
        skin = _skin(t, hz, levels, t60_s, 0.12 + 0.2 * hardness, 0.05)
        stick = _noise(t.size, ((500, -10), (1_800, 0), (4_500, -6), (10_000, -24)), rate_hz, chance) * _decays(t, 0.02)
        return fade_out(np.float32(hardness) * (skin + np.float32(0.9 * hardness) * stick), rate_hz // 10)

    return tom


def _cymbal(
    *, lowest_hz: float, ring_s: float, partials: int, wash: float, ping: float, swell_s: float, level: float
) -> Callable[[float, int, np.random.Generator], Signal]:
    """A plate: dense inharmonic partials that die the sooner the higher they are, and a wash of noise."""

    def cymbal(hardness: float, rate_hz: int, chance: np.random.Generator) -> Signal:
        t = _time(ring_s * 1.2, rate_hz)
        # One plate keeps its partials from stroke to stroke; where the stick lands decides how loud each is.
        plate = np.random.default_rng(int(lowest_hz))
        hz = lowest_hz * (16_500 / lowest_hz) ** np.sort(plate.uniform(0, 1, partials))
        t60_s = ring_s * np.clip((lowest_hz * 5 / hz) ** 0.7, 0.12, 1.0)
        levels = chance.rayleigh(1.0, partials) * (hz / 4_000) ** 0.2 / np.sqrt(partials)
        out = damped_sines(hz, 0.5 * levels, t60_s, t.size, rate_hz)
        bands: tuple[tuple[Curve, float, float], ...] = (
            (((250, -30), (800, 0), (2_200, -4), (5_000, -30)), 1.0, 0.25),
            (((1_200, -36), (3_500, 0), (7_000, -2), (11_000, -24)), 0.6, 0.8),
            (((3_500, -40), (8_500, 0), (14_000, -3), (18_000, -12)), 0.36, 0.75 + 0.5 * hardness),
        )
        rise = (1 - np.exp(-t / (swell_s + 1e-4))).astype(np.float32)
        for curve, share, band_level in bands:
            noise = _noise(t.size, curve, rate_hz, chance) * _decays(t, ring_s * share)
            out += np.float32(wash * band_level) * rise * noise
        stick = _noise(t.size, ((1_500, -18), (5_000, 0), (12_000, -4)), rate_hz, chance) * _decays(t, 0.015)
        onset = np.minimum(t / 0.0004, 1).astype(np.float32)
        return fade_out(np.float32(hardness * level) * onset * (out + np.float32(ping) * stick), rate_hz // 5)

    return cymbal


def _sticks(hardness: float, rate_hz: int, chance: np.random.Generator) -> Signal:
    t = _time(0.09, rate_hz)
    hz = np.array([2_350.0, 3_900.0, 5_300.0]) * chance.normal(1, 0.02, 3)
    wood = damped_sines(hz, np.array([1.0, 0.6, 0.3]), np.array([0.05, 0.035, 0.025]), t.size, rate_hz)
    click = _noise(t.size, ((1_000, -20), (4_000, 0), (9_000, -8)), rate_hz, chance) * _decays(t, 0.012)
    return fade_out(np.float32(0.35 * hardness) * (wood + np.float32(0.5) * click), rate_hz // 100)


_PIECES: dict[str, Callable[[float, int, np.random.Generator], Signal]] = {
    "sticks": _sticks,
    "kick": _kick,
    "snare": _snare,
    "hat": _cymbal(lowest_hz=420, ring_s=0.11, partials=90, wash=0.42, ping=0.7, swell_s=0.0, level=0.42),
    "hat_open": _cymbal(lowest_hz=420, ring_s=0.9, partials=120, wash=0.34, ping=0.5, swell_s=0.001, level=0.5),
    "hat_pedal": _cymbal(lowest_hz=420, ring_s=0.09, partials=24, wash=0.4, ping=0.1, swell_s=0.004, level=0.3),
    "rack_tom": _tom(118.0, 0.62),
    "floor_tom": _tom(78.0, 0.85),
    "crash": _cymbal(lowest_hz=310, ring_s=3.2, partials=240, wash=0.32, ping=0.3, swell_s=0.012, level=0.62),
    "ride": _cymbal(lowest_hz=380, ring_s=1.7, partials=240, wash=0.14, ping=1.3, swell_s=0.003, level=0.42),
}
