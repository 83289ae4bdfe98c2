"""Dither: what makes a shorter word length a noise instead of a distortion."""

from __future__ import annotations

import numpy as np

from core.dsp.audio import Audio, checked, run


class Dither:
    """Streaming form of `dither`."""

    latency_samples = 0

    def __init__(self, channels: int, *, bits: int, seed: int = 0) -> None:
        self._channels = channels
        self._scale = float(2 ** (bits - 1))
        self._random = np.random.Generator(np.random.PCG64(seed))

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        # Frame by frame, so that how the stream is cut into blocks changes nothing.
        noise = self._random.random((block.shape[1], self._channels, 2))
        triangular = (noise[..., 0] - noise[..., 1]).T
        steps = np.rint(block * self._scale + triangular)
        return (np.clip(steps, -self._scale, self._scale - 1.0) / self._scale).astype(np.float32)


def dither(x: Audio, *, bits: int, seed: int = 0) -> Audio:
    """Round (channels, frames) audio to a grid of `bits` bits with triangular noise of two steps' width before.

    Full scale is 2^(bits-1) steps; what is above is clipped. The error is then white, 4.77 dB above plain rounding, and
    its mean and power don't depend on the signal (S. Lipshitz, R. Wannamaker, J. Vanderkooy, "Quantization and Dither:
    A Theoretical Survey", JAES 40(5), 1992). The same seed gives the same noise. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return run(Dither(len(audio), bits=bits, seed=seed), audio)
