"""Clipped peaks rebuilt from what is around them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Audio, Floats, Framed, checked, run

_SHORTEST = 3
"""Equal samples in a row that are a converter out of numbers and not a coincidence."""
_EQUAL = 1e-6
_FLOOR = 0.25
"""Amplitude (-12 dBFS) under which nothing is taken for clipped."""
_MOST = 4.0
"""How many times its level a peak may be rebuilt to (12 dB)."""
_CONTEXT_MS = 10.0
"""What is looked at before and behind clipped peaks."""
_LONGEST_MS = 5.0
"""A longer flat stretch is left as it is: what was there can't be told."""
_TOGETHER_MS = 2.0
"""Peaks that start this close to each other are rebuilt together."""
_ORDER = 32
_ROUNDS = 2
_FRAME = 4_096

Run = tuple[int, int]
"""First sample of a flat stretch and the first behind it."""


class Declip(Framed):
    """Streaming form of `declip`."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        per_ms = rate_hz / 1000.0
        self._context = round(_CONTEXT_MS * per_ms)
        self._longest = round(_LONGEST_MS * per_ms)
        self._together = round(_TOGETHER_MS * per_ms)
        self._ahead = self._together + self._longest + self._context
        super().__init__(channels, _FRAME, self._ahead)
        self._raw = np.zeros((channels, self._context + self._ahead), np.float32)
        self._mended = self._raw.copy()
        self._from = [self._context] * channels

    def _process_frames(self, x: Audio) -> Audio:
        raw, mended = (np.concatenate([held, x], axis=1) for held in (self._raw, self._mended))
        frames = x.shape[1]
        for channel, start in enumerate(self._from):
            end = start
            if max(raw[channel].max(), -raw[channel].min()) >= _FLOOR:
                end = self._mend(raw[channel], mended[channel], start)
            self._from[channel] = max(end - frames, self._context)
        self._raw, self._mended = raw[:, frames:].copy(), mended[:, frames:].copy()
        return mended[:, self._context : raw.shape[1] - self._ahead]

    def _mend(self, raw: Audio, mended: Audio, first: int) -> int:
        """Rebuild, in place, the clipped peaks from sample `first` on; returns where the last one ends."""
        flat = _flat(raw)
        for group in self._groups(raw, flat, first):
            start, first = group[0][0], group[-1][1]
            window = slice(start - self._context, first + self._context)
            unknown = flat[window].copy()
            unknown[: self._context] = False
            unknown[first - start + self._context + self._together :] = False
            guess = _interpolated(mended[window].astype(np.float64), unknown)[self._context :]
            for begin, end in group:
                level = float(raw[begin])
                # What can't be told (not a number) stays as it is.
                mended[begin:end] = level * np.fmin(np.fmax(guess[begin - start : end - start] / level, 1.0), _MOST)
        return first

    def _groups(self, raw: Audio, flat: NDArray[np.bool_], first: int) -> Iterator[list[Run]]:
        """Clipped peaks that are rebuilt together; the last group may end among what has yet to come out."""
        group: list[Run] = []
        for start, end in _runs(flat):
            if first <= start and end - start <= self._longest and end + self._context <= len(raw):
                if group and start - group[0][0] > self._together:
                    yield group
                    group = []
                if not group and start >= len(raw) - self._ahead:
                    return
                around = raw[start - self._context : end + self._context] * np.sign(raw[start])
                if around.max() <= abs(raw[start]) + _EQUAL:
                    group.append((start, end))
        if group:
            yield group


def _runs(mask: NDArray[np.bool_]) -> list[Run]:
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _flat(x: Audio) -> NDArray[np.bool_]:
    """Which samples (n,) lie in a run of at least three equal and loud ones."""
    same = (np.abs(np.diff(x)) < _EQUAL) & (np.abs(x[1:]) >= _FLOOR)
    flat = np.zeros(len(x), bool)
    for first, last in _runs(same):
        if last - first >= _SHORTEST - 1:
            flat[first : last + 1] = True
    return flat


def _interpolated(x: Floats, unknown: NDArray[np.bool_]) -> Floats:
    """Fill the unknown samples of (n,) audio so that an autoregressive model of all of it errs least."""
    from scipy.linalg import solve_toeplitz  # slow to load, and few tracks are clipped

    x = x.copy()
    at = np.flatnonzero(unknown)
    apart = np.abs(at[:, None] - at[None, :])
    for _ in range(_ROUNDS):
        correlation = np.correlate(np.concatenate([x, np.zeros(_ORDER)]), x)
        correlation[0] *= 1.0 + 1e-9
        error = np.concatenate([[1.0], -solve_toeplitz(correlation[:-1], correlation[1:], check_finite=False)])
        weights = np.zeros(len(x))
        weights[: _ORDER + 1] = np.correlate(error, error, "full")[_ORDER:]
        known = np.where(unknown, 0.0, x)
        pull = np.convolve(known, np.concatenate([weights[_ORDER:0:-1], weights[: _ORDER + 1]]), "same")
        x[at] = np.linalg.solve(weights[apart], -pull[at])
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
