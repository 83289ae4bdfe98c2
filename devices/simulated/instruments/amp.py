"""A valve guitar amplifier with its hum and hiss, and the loudspeaker in front of which the microphone stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.simulated.filters import BLOCK, Curve, Signal, convolve, filter_of, white_noise

_BRIGHT: Curve = ((40, -24), (90, -6), (200, -2), (700, 0), (2_000, 3), (5_000, 0), (10_000, -8), (18_000, -40))
_CABINET: Curve = (
    (30, -40), (60, -14), (85, -2), (120, 2), (200, 0), (420, -5), (900, -3), (1_700, 0), (2_500, 2), (3_400, -1),
    (4_600, -9), (5_600, -20), (8_000, -36), (12_000, -55), (20_000, -80),
)  # fmt: skip
_CLEAN_CABINET: Curve = (
    (30, -40), (70, -8), (110, 0), (300, 0), (600, -3), (1_500, -1), (3_000, 3), (5_000, 0), (7_000, -8), (12_000, -26),
    (20_000, -60),
)  # fmt: skip
_HUM: tuple[tuple[float, float], ...] = (
    (50, 2.0),
    (100, 1.0),
    (150, 0.45),
    (200, 0.3),
    (300, 0.2),
    (350, 0.12),
    (650, 0.06),
)


def drive(guitar: Signal, rate_hz: int, chance: np.random.Generator, *, gain: float, hum: float, hiss: float) -> Signal:
    """The guitar distorted and through the cabinet; hum and hiss enter ahead of the valves, as they do."""
    t = np.arange(rate_hz) / rate_hz
    buzz = sum(level * np.sin(2 * np.pi * hz * t) for hz, level in _HUM)
    buzz = np.asarray(hum * buzz, np.float32)  # repeats every second at any rate
    dirty = np.float32(hiss) * white_noise(guitar.size, rate_hz, chance) + guitar
    for start in range(0, dirty.size, rate_hz):
        dirty[start : start + rate_hz] += buzz[: dirty.size - start]
    dirty = convolve(dirty, filter_of(_BRIGHT, rate_hz))
    bias = 0.25
    last = bias
    for start in range(0, dirty.size, BLOCK):
        part = dirty[start : start + BLOCK]
        pushed = gain * part.astype(np.float64) + bias
        part[:] = _saturate(np.concatenate(([last], pushed))) - np.tanh(bias)
        last = float(pushed[-1])
    return convolve(dirty, filter_of(_CABINET, rate_hz))


def clean(guitar: Signal, rate_hz: int) -> Signal:
    """The guitar through a loudspeaker that leaves it as it is, but for the speaker's own colour."""
    return convolve(guitar, filter_of(_CLEAN_CABINET, rate_hz))


def _saturate(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hyperbolic tangent by its antiderivative, which presses aliases down (Parker et al., DAFx 2016, eq. 7)."""
    integral = np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))
    step = np.diff(x)
    still = np.abs(step) < 1e-5
    return np.where(still, np.tanh((x[1:] + x[:-1]) / 2), np.diff(integral) / np.where(still, 1.0, step))
