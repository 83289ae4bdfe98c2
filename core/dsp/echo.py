"""The delay effect: repeats that grow darker."""

from __future__ import annotations

import math

import numpy as np

from core.dsp.audio import Audio, checked, run
from core.dsp.filters import Biquads, first_order_lowpass


def echo_tail_s(*, time_ms: float, feedback: float) -> float:
    """How long it repeats until it is 60 dB down."""
    repeats = 1 if feedback <= 0.001 else 1 + math.ceil(math.log(1e-3) / math.log(feedback))
    return repeats * time_ms / 1000.0 + 0.01


class Echo:
    """Streaming form of `echo`."""

    latency_samples = 0

    def __init__(
        self, rate_hz: int, channels: int, *, time_ms: float, feedback: float = 0.3, damping_hz: float = 4_000.0
    ) -> None:
        self._line = np.zeros((channels, max(1, round(time_ms * rate_hz / 1000.0))), np.float32)
        self._feedback = np.float32(feedback)
        self._damping = Biquads(first_order_lowpass(rate_hz, freq_hz=damping_hz), channels)

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        out = np.empty_like(block)
        frames = block.shape[1]
        reach = self._line.shape[1]
        for start in range(0, frames, reach):
            now = block[:, start : start + reach]
            length = now.shape[1]
            heard = self._damping.process(self._line[:, :length])
            out[:, start : start + length] = heard
            self._line = np.concatenate([self._line[:, length:], now + self._feedback * heard], axis=1)
        return out


def echo(x: Audio, rate_hz: int, *, time_ms: float, feedback: float = 0.3, damping_hz: float = 4_000.0) -> Audio:
    """Repeat (channels, frames) audio after `time_ms`, each repeat `feedback` times the one before.

    Every repeat, the first too, passes a 6 dB per octave low-pass at `damping_hz`. The audio itself is not in the
    result, and what repeats past its end is cut off. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return run(Echo(rate_hz, len(audio), time_ms=time_ms, feedback=feedback, damping_hz=damping_hz), audio)
