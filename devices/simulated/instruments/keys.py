"""An electric piano by frequency modulation (Chowning 1973): a soft body and a bell-like tine that dies soon."""

from __future__ import annotations

import numpy as np

from devices.simulated.filters import BLOCK, Signal, exponential

_TREMOLO_HZ = 4.6


def play_key(pitch_hz: float, force: float, seconds: float, rate_hz: int) -> Signal:
    """The first `seconds` of a held note; peaks near `force` (0..1), and a harder stroke is a brighter one."""
    frames = int(seconds * rate_hz)
    t = np.arange(frames) / rate_hz
    cycle = 2 * np.pi * ((t * pitch_hz) % 1.0)
    low = np.float32(min(1.0, (220.0 / pitch_hz) ** 0.5))
    ring_s = 1.6 * float(low)
    body_index = (0.7 + 1.9 * force) * low * _falling(0.5 * ring_s, frames, rate_hz)
    tine_index = 0.5 * force * _falling(0.14, frames, rate_hz)
    tine = np.sin((14 * cycle % (2 * np.pi)).astype(np.float32))
    cycle = cycle.astype(np.float32)
    body = np.sin(cycle + body_index * np.sin(cycle)) * _falling(ring_s, frames, rate_hz)
    bell = np.sin(cycle + tine_index * tine) * _falling(0.7, frames, rate_hz)
    attack = np.minimum(t / 0.002, 1.0).astype(np.float32)
    return np.asarray(np.float32(force) * attack * (np.float32(0.7) * body + np.float32(0.3) * bell))


def _falling(time_constant_s: float, frames: int, rate_hz: int) -> Signal:
    return exponential(-1 / (time_constant_s * rate_hz), frames).real


def sway(left: Signal, right: Signal, rate_hz: int) -> None:
    """Let the tremolo carry the sound from side to side, in place."""
    for start in range(0, left.size, BLOCK):
        t = np.arange(start, min(start + BLOCK, left.size)) / rate_hz
        to_left = (0.3 * np.sin(2 * np.pi * _TREMOLO_HZ * t)).astype(np.float32)
        left[start : start + BLOCK] *= 1 + to_left
        right[start : start + BLOCK] *= 1 - to_left
