"""Clipped peaks rebuilt from what is around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve, solve_toeplitz

from core.dsp.audio import Audio, Floats, Framed, checked, run

_SHORTEST = 3
"""Equal samples in a row that are a converter out of numbers and not a coincidence."""
_EQUAL = 1e-6
_FLOOR = 0.25
"""Amplitude (-12 dBFS) under which nothing is taken for clipped."""
_MOST = 4.0
"""How many times its level a peak may be rebuilt to (12 dB)."""
_CONTEXT_MS = 10.0
"""What is looked at before and behind a clipped peak."""
_LONGEST_MS = 5.0
"""A longer flat stretch is left as it is: what was there can't be told."""
_TOGETHER_MS = 1.5
"""Clipped peaks this close behind are rebuilt with it, as they are no knowledge."""
_ORDER = 32
_ROUNDS = 3
_FRAME = 4_096


class Declip(Framed):
    """Streaming form of `declip`."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        per_ms = rate_hz / 1000.0
        self._context = round(_CONTEXT_MS * per_ms)
        self._longest = round(_LONGEST_MS * per_ms)
        self._together = round(_TOGETHER_MS * per_ms)
        self._ahead = self._longest + self._context
        super().__init__(channels, _FRAME, self._ahead)
        held = np.zeros((channels, self._context + self._ahead), np.float32)
        self._raw, self._mended = held, held.copy()

    def _process_frames(self, x: Audio) -> Audio:
        raw, mended = (np.concatenate([held, x], axis=1) for held in (self._raw, self._mended))
        for channel, mend in zip(raw, mended, strict=True):
            if max(channel.max(), -channel.min()) >= _FLOOR:
                self._mend(channel, mend)
        frames = x.shape[1]
        self._raw, self._mended = raw[:, frames:].copy(), mended[:, frames:].copy()
        return mended[:, self._context : raw.shape[1] - self._ahead]

    def _mend(self, raw: Audio, mended: Audio) -> None:
        """Rebuild every run that starts behind the context and ahead of what has yet to be seen, in place."""
        flat = _flat(raw)
        edges = np.flatnonzero(np.diff(flat, prepend=False, append=False))
        for start, end in edges.reshape(-1, 2):
            ours = self._context <= start < len(raw) - self._ahead
            if ours and end - start <= self._longest and self._is_summit(raw, start, end):
                window = slice(start - self._context, end + self._context)
                unknown = flat[window].copy()
                unknown[: self._context] = False
                unknown[self._context + end - start + self._together :] = False
                guess = _interpolated(mended[window].astype(np.float64), unknown)[self._context :][: end - start]
                level = float(raw[start])
                mended[start:end] = level * np.clip(guess / level, 1.0, _MOST)

    def _is_summit(self, raw: Audio, start: int, end: int) -> bool:
        around = raw[start - self._context : end + self._context] * np.sign(raw[start])
        return bool(around.max() <= abs(raw[start]) + _EQUAL)


def _flat(x: Audio) -> NDArray[np.bool_]:
    """Which samples (n,) lie in a run of at least three equal and loud ones."""
    same = (np.abs(np.diff(x)) < _EQUAL) & (np.abs(x[1:]) >= _FLOOR)
    edges = np.flatnonzero(np.diff(same, prepend=False, append=False)).reshape(-1, 2)
    flat = np.zeros(len(x), bool)
    for first, last in edges[np.diff(edges, axis=1)[:, 0] >= _SHORTEST - 1]:
        flat[first : last + 1] = True
    return flat


def _interpolated(x: Floats, unknown: NDArray[np.bool_]) -> Floats:
    """Fill the unknown samples of (n,) audio so that an autoregressive model of all of it errs least."""
    x = x.copy()
    at = np.flatnonzero(unknown)
    apart = np.abs(at[:, None] - at[None, :])
    for _ in range(_ROUNDS):
        spectrum = np.abs(np.fft.rfft(x, 2 * len(x))) ** 2
        correlation = np.fft.irfft(spectrum)[: _ORDER + 1]
        correlation[0] *= 1.0 + 1e-9
        predictor = solve_toeplitz(correlation[:-1], correlation[1:])
        error = np.concatenate([[1.0], -predictor])
        weights = np.zeros(len(x))
        weights[: _ORDER + 1] = np.correlate(error, error, "full")[_ORDER:]
        known = np.where(unknown, 0.0, x)
        pull = np.convolve(known, np.concatenate([weights[_ORDER:0:-1], weights[: _ORDER + 1]]), "same")
        x[at] = solve(weights[apart], -pull[at], assume_a="pos")
    return x


def declip(x: Audio, rate_hz: int) -> Audio:
    """Rebuild the peaks of (channels, frames) audio that were cut off flat.

    A peak is cut off where three samples or more in a row are equal, above -12 dBFS, and nothing within 10 ms on the
    same side is higher. What was there is found by autoregressive interpolation (A. Janssen, R. Veldhuis, L. Vries,
    "Adaptive Interpolation of Discrete-Time Signals That Can Be Modeled as Autoregressive Processes", IEEE Trans.
    Acoust., Speech, Signal Process. 34(2), 1986), and is never lower than the clipped peak nor 12 dB above it. Audio
    that isn't clipped comes back as the same samples. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    return run(Declip(rate_hz, len(audio)), audio)
