"""Which of the twelve pitch classes sound when, and how far from 440 Hz a band is tuned.

The peaks of each spectrum count for their pitch classes, after Gómez, "Tonal Description of Polyphonic Audio for Music
Content Processing" (2006). First each peak is lessened by what the tones below it explain, from the lowest upwards, as
Klapuri takes one tone after the other out of a spectrum (2003): the fifth partial of every note is a major third, and
where it counts as played, minor songs are heard in major.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.dsp.windows import hann

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

LOWEST_HZ: Final = 40.0
BASS_HZ: Final = 250.0
HIGHEST_HZ: Final = 2_000.0
WINDOW_S: Final = 0.35
OVERLAP: Final = 4
FLOOR: Final = 0.02
"""Peaks further below the highest of their spectrum (34 dB) are not counted."""
PARTIALS: Final = 20
"""Up to which a peak may belong to a tone below it."""
FALL: Final = 0.5
"""With which power of its number a partial's weight falls: its amplitude as that of a sawtooth."""
APART: Final = 0.023
"""How far a partial may lie from a whole multiple (40 cents)."""
FINE: Final = 120
"""Steps of ten cents in an octave, from which the tuning is read."""


@dataclass(frozen=True, eq=False)
class Pitches:
    """Twelve weights per frame, C first, each frame's sum at most 1; silence is all zeros."""

    at_s: Floats
    """The middle of each frame."""
    every: Floats
    """(frames, 12)."""
    bass: Floats
    """(frames, 12), of what lies below 250 Hz alone."""
    tuning_cents: float
    """The band's A above 440 Hz, -50 to 50."""

    def between(self, start_s: float, end_s: float) -> tuple[Floats, Floats]:
        """Mean weights of a stretch, of everything and of the bass."""
        first, last = np.searchsorted(self.at_s, (start_s, end_s))
        if first >= last:
            return np.zeros(12), np.zeros(12)
        return self.every[first:last].mean(axis=0), self.bass[first:last].mean(axis=0)


class PitchListener:
    """Gathers pitch classes from a stream of mono audio, 11 frames a second."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self.window_samples = 2 ** round(math.log2(rate_hz * WINDOW_S))
        self._hop = self.window_samples // OVERLAP
        self._window = hann(self.window_samples).astype(np.float32)
        self._rest = np.zeros(0, np.float32)
        self._every: list[NDArray[np.float32]] = []
        self._bass: list[NDArray[np.float32]] = []

    def add(self, mono: Audio) -> None:
        """Take samples of shape (frames,); what fills no window yet waits."""
        data = np.concatenate((self._rest, mono))
        count = (data.size - self.window_samples) // self._hop + 1
        if count <= 0:
            self._rest = data
            return
        frames = np.lib.stride_tricks.sliding_window_view(data, self.window_samples)[:: self._hop][:count]
        for some in np.array_split(frames, max(count // 32, 1)):
            self._add_frames(some)
        self._rest = data[count * self._hop :].copy()

    def _add_frames(self, frames: Audio) -> None:
        last = math.ceil(HIGHEST_HZ * 2.0 * self.window_samples / self._rate_hz)
        size = np.abs(np.fft.rfft(frames * self._window, axis=1)[:, : last + 2]).astype(np.float64)
        middle = size[:, 1:-1]
        standing = (middle > size[:, :-2]) & (middle >= size[:, 2:])
        standing &= middle > np.maximum(middle.max(axis=1, keepdims=True) * FLOOR, 1e-6)
        row, column = np.nonzero(standing)
        before, at, after = (np.log(size[row, column + n] + 1e-12) for n in (0, 1, 2))
        # A parabola through the logarithms has its top where the tone lies between two bins.
        offset = 0.5 * (before - after) / np.minimum(before - 2.0 * at + after, -1e-9)
        hz = (column + 1 + offset) * self._rate_hz / self.window_samples
        heard = (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
        row, hz, weight = row[heard], hz[heard], np.sqrt(size[row[heard], column[heard] + 1])
        weight = _alone(row, hz, weight)
        low = hz < BASS_HZ
        self._every.append(_spread(len(frames), row, hz, weight))
        self._bass.append(_spread(len(frames), row[low], hz[low], weight[low]))

    def result(self) -> Pitches:
        """What was heard; no frames where the audio was shorter than a window."""
        none = [np.zeros((0, FINE), np.float32)]
        every, bass = (np.concatenate(some or none).astype(np.float64) for some in (self._every, self._bass))
        cents = _tuning_cents(every.sum(axis=0))
        at_s = (np.arange(len(every)) * self._hop + self.window_samples / 2) / self._rate_hz
        return Pitches(at_s, _folded(every, cents), _folded(bass, cents), cents)


def _alone(row: NDArray[np.int64], hz: Floats, weight: Floats) -> Floats:
    """Weights without what the tones below explain; peaks come sorted by row, and by frequency within it."""
    if not row.size:
        return weight
    _, first, count = np.unique(row, return_index=True, return_counts=True)
    place = np.repeat(np.arange(first.size), count), np.arange(row.size) - np.repeat(first, count)
    tones, left = np.full((first.size, count.max()), np.inf), np.zeros((first.size, count.max()))
    tones[place], left[place] = hz, weight
    for low in range(tones.shape[1] - 1):
        here = np.flatnonzero(left[:, low] > 0.0)
        times = tones[here, low + 1 :] / tones[here, low : low + 1]
        partial = np.clip(np.rint(times), 2.0, PARTIALS)
        explained = left[here, low : low + 1] * partial**-FALL
        explained[np.abs(times / partial - 1.0) > APART] = 0.0
        left[here, low + 1 :] = np.maximum(left[here, low + 1 :] - explained, 0.0)
    return np.asarray(left[place])


def _spread(frames: int, row: NDArray[np.int64], hz: Floats, weight: Floats) -> NDArray[np.float32]:
    """Weights of tones by frame and ten-cent step above C."""
    step = np.round((9.0 * FINE / 12.0) + FINE * np.log2(hz / 440.0)).astype(np.int64) % FINE
    return np.bincount(row * FINE + step, weight, frames * FINE).reshape(frames, FINE).astype(np.float32)


def _tuning_cents(fine: Floats) -> float:
    """The circular mean of how far tones lie from the tempered scale at 440 Hz."""
    turn = np.exp(2j * np.pi * np.arange(FINE) / (FINE / 12))
    mean = complex((fine * turn).sum())
    return 0.0 if abs(mean) < 1e-12 else math.degrees(np.angle(mean)) / 3.6


def _folded(fine: Floats, cents: float) -> Floats:
    """Twelve classes out of ten-cent steps, a tone between two of them shared; each frame sums to 1."""
    steps = (np.arange(FINE) - cents / 10.0)[:, None] / (FINE / 12)
    apart = np.abs((steps - np.arange(12) + 6.0) % 12.0 - 6.0)
    classes = fine @ np.where(apart < 1.0, np.cos(0.5 * np.pi * apart) ** 2, 0.0)
    total = classes.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(classes, total, out=np.zeros_like(classes), where=total > 0.0))
