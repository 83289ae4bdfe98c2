"""Dither: what makes a shorter word length a noise instead of a distortion."""

from __future__ import annotations

import numpy as np

from core.dsp.audio import Audio, Floats, Framed, checked, run

_SHAPE = (2.033, -2.165, 1.959, -1.590, 0.6149)
"""Error feedback of Lipshitz, Vanderkooy and Wannamaker (1991), for 44.1 and 48 kHz."""
SHAPED_RATES_HZ = (44_100, 48_000)
_FRAME = 2_048


class _Triangular:
    """Triangular noise, two steps wide, the same for the same seed however the stream is cut."""

    def __init__(self, channels: int, seed: int) -> None:
        self._channels = channels
        self._random = np.random.Generator(np.random.PCG64(seed))

    def next(self, frames: int) -> Floats:
        """Shape (channels, frames)."""
        uniform = self._random.random((frames, self._channels, 2))
        noise: Floats = (uniform[..., 0] - uniform[..., 1]).T
        return noise


class Dither:
    """Streaming form of `dither`."""

    latency_samples = 0

    def __init__(self, channels: int, *, bits: int, seed: int = 0) -> None:
        self._scale = float(2 ** (bits - 1))
        self._noise = _Triangular(channels, seed)

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        return _on_grid(np.rint(block * self._scale + self._noise.next(block.shape[1])), self._scale)


class ShapedDither(Framed):
    """Streaming form of `dither` with `shaped`.

    Error feedback has to go sample by sample; frames of 2048 samples begin it anew, so that all frames of a block can
    take their steps together.
    """

    def __init__(self, channels: int, *, bits: int, seed: int = 0) -> None:
        super().__init__(channels, _FRAME)
        self._scale = float(2 ** (bits - 1))
        self._noise = _Triangular(channels, seed)

    def _process_frames(self, x: Audio) -> Audio:
        wanted = np.ascontiguousarray((x * self._scale).reshape(-1, _FRAME).T)
        noise = np.ascontiguousarray(self._noise.next(x.shape[1]).reshape(-1, _FRAME).T)
        steps = np.empty_like(wanted)
        errors = [np.zeros(wanted.shape[1]) for _ in _SHAPE]
        for index in range(_FRAME):
            target = wanted[index]
            for weight, error in zip(_SHAPE, errors, strict=True):
                target = target - weight * error
            np.rint(target + noise[index], out=steps[index])
            errors = [steps[index] - target, *errors[:-1]]
        return _on_grid(np.ascontiguousarray(steps.T).reshape(x.shape), self._scale)


def _on_grid(steps: Floats, scale: float) -> Audio:
    grid: Audio = (np.clip(steps, -scale, scale - 1.0) / scale).astype(np.float32)
    return grid


def dither(x: Audio, *, bits: int, seed: int = 0, shaped: bool = False) -> Audio:
    """Round (channels, frames) audio to a grid of `bits` bits with triangular noise of two steps' width before.

    Full scale is 2^(bits-1) steps; what is above is clipped. The error is then white, 4.77 dB above plain rounding, and
    its mean and power don't depend on the signal (S. Lipshitz, R. Wannamaker, J. Vanderkooy, "Quantization and Dither:
    A Theoretical Survey", JAES 40(5), 1992). `shaped` moves it away from where the ear is keenest, for 44.1 and 48 kHz
    (S. Lipshitz, J. Vanderkooy, R. Wannamaker, "Minimally Audible Noise Shaping", JAES 39(11), 1991). The same seed
    gives the same noise. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    make = ShapedDither if shaped else Dither
    return run(make(len(audio), bits=bits, seed=seed), audio)
