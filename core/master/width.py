"""How wide a song is, and whether somebody narrowed or widened it.

The sides of a finished song lie anywhere from 20 dB below the middle to above it: that alone says little. What finished
songs agree on more is how middle and sides share the single points of time and frequency: an instrument that stands at
one side, or a room, is as strong in both, whatever the rest does, and a gain of the sides moves every point alike. So
the ratio is read from its histograms, and that sum of readings which varies least among finished songs
(`finished_width`) tells how far the sides were turned. By Bayes' rule each usual change gets its probability; what is
taken back is their median: no more than is as likely as not, and nothing where that is the better half.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from core.dsp.audio import Audio, Floats
from core.dsp.windows import hann, spectra
from core.master.finished_width import SPREAD_DB, USUAL_DB, WEIGHTS

CHANGES_DB: Final = (-9.0, -6.0, -3.0, 0.0, 4.0)
"""What may have been done to the sides."""
UNTOUCHED: Final = 0.75
"""Part of all mixes whose width wants nothing, before they are heard; the others share the rest evenly."""
MOST_WIDTH_DB: Final = 6.0
NARROWEST_DB: Final = -20.0
"""Sides this far below the middle are mono by choice, and stay."""
_TAILS: Final = 4.0
"""Degrees of freedom of Student's distribution of finished songs: what is like none of them is left alone."""
WIDTH_HZ: Final = (150.0, 14_000.0)
"""Where width is heard."""
SPAN_EDGES_HZ: Final = (WIDTH_HZ[0], 600.0, 2_400.0, WIDTH_HZ[1])
"""Each span between them is read apart."""
SHARES: Final = (0.5, 0.95)
"""Of the points of a span, by number and by power: the ratios below which so many of them lie."""
_LOWEST_DB, _HIGHEST_DB = -42, 31
_STEPS: Final = _HIGHEST_DB - _LOWEST_DB
_WINDOW_S: Final = 0.085
_BATCH: Final = 16
"""Windows that are transformed together; of two batches one is enough."""
_MOST_POINTS: Final = 256
"""Of a window in a span: more tell nothing more."""
_NOTHING: Final = 1e-20
_FAINT: Final = 1e-3
"""A point counts by number where it holds more than this part of the mean power of its span and window."""


class WidthMeter:
    """Gathers how middle and sides share points of time and frequency: two histograms per span, never the audio."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._size = 2 ** round(np.log2(rate_hz * _WINDOW_S))
        self._window = hann(self._size).astype(np.float32)
        frequencies_hz = np.fft.rfftfreq(self._size, 1.0 / rate_hz)
        edges = np.searchsorted(frequencies_hz, np.minimum(SPAN_EDGES_HZ, 0.45 * rate_hz))
        self._spans = [slice(low, high, 1 + (high - low) // _MOST_POINTS) for low, high in pairwise(map(int, edges))]
        self._rest = np.zeros((channels, 0), np.float32)
        self._counts = np.zeros((2, len(self._spans), _STEPS))

    def add(self, block: Audio) -> None:
        """Take (channels, n) of one or two channels."""
        if self._channels == 1:
            return
        audio = np.concatenate((self._rest, block), axis=1)
        step = 2 * _BATCH * self._size
        whole = audio.shape[1] // step * step
        for start in range(0, whole, step):
            self._counts += self._counted(audio[:, start : start + step // 2])
        self._rest = audio[:, whole:].copy()

    def _counted(self, audio: Audio) -> Floats:
        """Histograms of whole windows, (by number and by power, spans, steps)."""
        turned = np.stack([audio[0] + audio[1], audio[0] - audio[1]]).reshape(2, -1, self._size)
        found = spectra(turned * self._window) * np.float32(self._size)
        powers = np.square(found.real) + np.square(found.imag)
        counts = np.zeros((2, len(self._spans), _STEPS))
        for span, chosen in enumerate(self._spans):
            middle, side = powers[:, :, chosen]
            # Of middle and sides the geometric mean: a gain of the sides leaves what counts as it is.
            both = np.sqrt(middle * side)
            ratio_db = 10 * np.log10((side + _NOTHING) / (middle + _NOTHING))
            step = np.clip(ratio_db - _LOWEST_DB, 0, _STEPS - 1).astype(np.intp)
            present = both > _FAINT * both.mean(axis=1, keepdims=True)
            counts[0, span] = np.bincount(step[present], minlength=_STEPS)
            counts[1, span] = np.bincount(step.ravel(), both.ravel(), minlength=_STEPS)
        return counts

    def result(self) -> Floats | None:
        """Side against middle in dB, (2 * spans * shares,): by number, then by power, each span's `SHARES` in turn.

        None for mono, silence and what is too short to tell.
        """
        windows = min(self._rest.shape[1] // self._size, _BATCH)
        last = self._counted(self._rest[:, : windows * self._size]) if windows else 0.0
        below = np.cumsum(self._counts + last, axis=2).reshape(-1, _STEPS)
        if not below[:, -1].all():
            return None
        edges = np.arange(_LOWEST_DB, _HIGHEST_DB + 1)
        read = [np.interp(SHARES, np.concatenate(([0.0], row / row[-1])), edges) for row in below]
        return np.concatenate(read)


@dataclass(frozen=True)
class Turned:
    """What was probably done to the sides of a song."""

    change_db: float
    """The median of what is likely: negative for narrowed, 0 for nothing."""
    probability: float
    """Of a change in that direction; of none at all where `change_db` is 0."""


def readings(shares_db: Floats, side_db: float) -> Floats:
    """What `finished_width` weighs: what `WidthMeter` read, and the sides against the middle as a whole."""
    return np.append(shares_db, side_db)


def turned(shares_db: Floats | None, side_db: float | None) -> Turned:
    """Judge a song by what `WidthMeter` read and its sides against the middle; mono was not turned."""
    if shares_db is None or side_db is None or side_db < NARROWEST_DB:
        return Turned(0.0, 1.0)
    off_db = float(readings(shares_db, side_db) @ np.array(WEIGHTS)) - USUAL_DB
    changes = np.array(CHANGES_DB)
    before = np.where(changes == 0.0, UNTOUCHED, (1.0 - UNTOUCHED) / (len(changes) - 1))
    weights = before * (1.0 + np.square((off_db - changes) / SPREAD_DB) / _TAILS) ** (-0.5 * (_TAILS + 1.0))
    weights /= weights.sum()
    median = changes[np.searchsorted(np.cumsum(weights), 0.5)]
    return Turned(float(median), float(weights[np.sign(changes) == np.sign(median)].sum()))


def correction_db(found: Turned) -> float:
    """Gain of the sides that takes it back."""
    return float(np.clip(-found.change_db, -MOST_WIDTH_DB, MOST_WIDTH_DB))
