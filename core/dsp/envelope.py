"""Levels and gains at control rate: what every dynamics processor is built on.

A level is the peak of a hop of 16 samples (at 44.1 and 48 kHz; a third of a millisecond at any rate), linked over
the channels so that a stereo image never moves. Gains are computed once per hop, with array operations only, and drawn
as straight lines from hop to hop, so a processor answers a peak within the hop it falls in; attacks shorter than a hop
act like one hop. The cost is one hop of latency, which the desk takes out.
"""

from __future__ import annotations

import math

import numpy as np

from core.dsp.audio import Audio, Floats
from core.dsp.truepeak import ROW, row_maxima

FLOOR_DB = -200.0
"""The level of silence."""
_CREST_MS = 200.0
_FINITE = 600.0
"""A number that many times e fold smaller or greater (2600 dB) than a level is one still."""
_INAUDIBLE = 1e-12
"""Power (-120 dBFS) that no crest factor is made of."""


def hop_samples(rate_hz: int) -> int:
    """Length of a control hop: 16 samples at 44.1 and 48 kHz, in proportion above."""
    return ROW * max(1, round(rate_hz / 48_000))


def coefficient(time_ms: float, hops_per_second: float) -> float:
    """Feedback of a one-pole smoother that goes 1 - 1/e (63 %) of the way in `time_ms`."""
    return math.exp(-1000.0 / (time_ms * hops_per_second)) if time_ms > 0.0 else 0.0


def peaks(x: Audio, hop: int) -> Floats:
    """Largest magnitude per hop over all channels: (channels, k * hop) becomes (k,)."""
    magnitude = np.abs(x)
    loudest = magnitude if len(magnitude) == 1 else magnitude.max(axis=0, keepdims=True)
    rows = row_maxima(loudest)[0]
    levels: Floats = (rows if hop == ROW else rows.reshape(-1, hop // ROW).max(axis=1)).astype(np.float64)
    return levels


def powers(x: Audio, hop: int) -> Floats:
    """Mean square per hop of the channel that has the most: (channels, k * hop) becomes (k,)."""
    hops = x.reshape(len(x), -1, hop)
    sums: Floats = np.einsum("ckh,ckh->ck", hops, hops).astype(np.float64)
    loudest: Floats = np.max(sums, axis=0) / hop
    return loudest


def to_db(level: Floats) -> Floats:
    """20 log10, with silence at -200 dB."""
    decibels: Floats = 20.0 * np.log10(np.maximum(level, 1e-10))
    return decibels


def from_db(gain_db: Floats) -> Floats:
    """Amplitude ratios of gains in dB."""
    ratios: Floats = np.exp(gain_db * (math.log(10.0) / 20.0))
    return ratios


class DecayingMaximum:
    """y[k] = max(x[k], a[k] y[k-1]) for x >= 0, without a loop.

    With A[k] the product of a up to k, it is A[k] times the running maximum of x[k] / A[k], taken in stretches short
    enough for 1 / A[k] to stay finite.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._shrink: Floats = np.ones(0)
        self._last = 0.0

    def process(self, x: Floats, decays: Floats | None = None) -> Floats:
        """Take and give (k,). `decays` (k,) are what a is from value to value, within (0, 1], if it isn't constant."""
        fastest = self._decay if decays is None else float(decays.min(initial=1.0))
        if fastest == 0.0:
            return x
        stretch = 1 << 16 if fastest == 1.0 else max(1, int(_FINITE / -math.log(fastest)))
        out = np.empty_like(x)
        for start in range(0, len(x), stretch):
            piece = x[start : start + stretch]
            shrink = self._constant(len(piece)) if decays is None else np.cumprod(decays[start : start + stretch])
            grown = np.maximum.accumulate(np.maximum(piece / shrink, self._last))
            out[start : start + stretch] = grown * shrink
            self._last = float(out[start + len(piece) - 1])
        return out

    def _constant(self, length: int) -> Floats:
        if len(self._shrink) < length:
            self._shrink = np.power(self._decay, np.arange(1.0, length + 1))
        return self._shrink[:length]


class Smoother:
    """y[k] = a y[k-1] + (1 - a) x[k], without a loop.

    With A[k] the product of a up to k, it is A[k] times the running sum of (1 - a) x[k] / A[k], in stretches short
    enough for 1 / A[k] to stay finite. Over one of them what was before it fades by 2600 dB.
    """

    def __init__(self, feedback: float, start: float = 0.0) -> None:
        self._feedback = feedback
        self._stretch = max(1, int(_FINITE / -math.log(feedback))) if feedback else 1
        self._shrink, self._grow = np.ones(0), np.ones(0)
        self._last = start

    def process(self, x: Floats) -> Floats:
        """Take and give (k,)."""
        if self._feedback == 0.0 or not len(x):
            return x
        stretch = min(self._stretch, len(x))
        if len(self._shrink) < stretch:
            self._shrink = np.power(self._feedback, np.arange(1.0, stretch + 1))
            self._grow = (1.0 - self._feedback) / self._shrink
        shrink = self._shrink[:stretch]
        stretches = np.zeros((-(-len(x) // stretch), stretch))
        smoothed = stretches.reshape(-1)[: len(x)]
        smoothed[:] = x
        stretches *= self._grow[:stretch]
        np.cumsum(stretches, axis=1, out=stretches)
        stretches[0] += self._last
        stretches *= shrink
        stretches[1:] += stretches[:-1, -1:] * shrink
        self._last = float(smoothed[-1])
        return smoothed


class Ballistics:
    """How a wanted gain reduction (dB, >= 0) becomes the one applied.

    The decoupled smooth peak detector in the logarithmic domain, behind the gain computer, of D. Giannoulis,
    M. Massberg, J. Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012, eq. 17 with the release towards
    no reduction (eq. 14): attack and release are time constants in dB, and a release starts from where the attack is.
    """

    def __init__(self, attack_ms: float, release_ms: float, hops_per_second: float) -> None:
        self._release = DecayingMaximum(coefficient(release_ms, hops_per_second))
        self._attack = Smoother(coefficient(attack_ms, hops_per_second))

    def process(self, reduction_db: Floats, release_feedback: Floats | None = None) -> Floats:
        """Take and give (k,). `release_feedback` (k,), if given, is `coefficient` of a release that moves."""
        return self._attack.process(self._release.process(reduction_db, release_feedback))


class CrestFactor:
    """Square of the crest factor: peak power over mean power, both of the last 200 ms or so.

    A sine has 2, lone strokes 30 and more. (D. Giannoulis, M. Massberg, J. Reiss, "Parameter Automation in a Dynamic
    Range Compressor", JAES 61(10), 2013; here at control rate, and with a peak that falls towards silence.)
    """

    def __init__(self, hops_per_second: float) -> None:
        feedback = coefficient(_CREST_MS, hops_per_second)
        self._peak = DecayingMaximum(feedback)
        self._mean = Smoother(feedback)

    def process(self, peak: Floats, power: Floats) -> Floats:
        """From the peak and the mean square of hops, both (k,), to (k,)."""
        highest = self._peak.process(np.square(peak))
        crest: Floats = (highest + _INAUDIBLE) / (self._mean.process(power) + _INAUDIBLE)
        return crest


class GainLine:
    """Draws gains per hop as straight lines and multiplies audio by them."""

    def __init__(self, hop: int, start: float = 1.0) -> None:
        ramp = np.arange(1, hop + 1) / hop
        self._shape = np.stack([1.0 - ramp, ramp]).astype(np.float32)
        self._last = start

    def curve(self, gains: Floats) -> Audio:
        """Gain of each sample: (k,) becomes (k * hop,)."""
        count = len(gains)
        # BLAS rounds a lone row otherwise than the same row among others.
        ends = np.zeros((max(count, 2), 2), np.float32)
        ends[0, 0], ends[1:count, 0], ends[:count, 1] = self._last, gains[:-1], gains
        self._last = float(gains[-1])
        lines: Audio = ends @ self._shape
        return lines[:count].reshape(-1)
