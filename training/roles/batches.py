"""Batches of training pictures: balanced over labels, harmed a little more each time they are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from core.models.features import BANDS, DB_PER_UNIT, FRAMES, FRAMES_PER_S, LOUD_PERCENTILE
from training.data.pictures import Pictures
from training.roles.labels import LABELS, NO_LABEL, OTHER, index_of

Mel = NDArray[np.float32]

STEM_WEIGHT: Final = 3.0
"""Real stems are few but are what the network is for."""
OTHER_SHARE: Final = 0.06
BLEED_DB: Final = (-34.0, -8.0)
"""Of one other player's mean power against the track's own, as microphones of one room hear it."""
BLED: Final = 0.7
"""Share of pictures in which others are heard, at full harm."""
OTHER_PLAYERS: Final = 3


@dataclass(frozen=True)
class Sampler:
    """Draws rows of the training pictures, every label as often as every other."""

    pictures: Pictures
    rows: dict[str, NDArray[np.int64]]
    weights: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, pictures: Pictures) -> Sampler:
        """A sampler over all rows; within a label each kind of source counts with the root of its size."""
        rows: dict[str, NDArray[np.int64]] = {}
        weights: dict[str, NDArray[np.float64]] = {}
        for label in (*LABELS, OTHER):
            found = np.flatnonzero(pictures.label == label)
            if not found.size:
                continue
            kinds, of, counts = np.unique(pictures.kind[found], return_inverse=True, return_counts=True)
            share = np.sqrt(counts) * np.where(kinds == "stem", STEM_WEIGHT, 1.0)
            weight = (share / counts)[of]
            rows[label], weights[label] = found, weight / weight.sum()
        return cls(pictures, rows, weights)

    def batch(self, size: int, rng: Generator, harm: float = 1.0) -> tuple[Tensor, Tensor]:
        """Pictures (size, 1, 200, 64) and their outputs (size,), NO_LABEL where the answer is doubt."""
        known = [label for label in self.rows if label != OTHER]
        drawn = [
            OTHER if OTHER in self.rows and rng.random() < OTHER_SHARE else str(rng.choice(known)) for _ in range(size)
        ]
        at = np.array([rng.choice(self.rows[label], p=self.weights[label]) for label in drawn])
        mel = self.pictures.mel[at].astype(np.float32)
        others = self.pictures.mel[rng.integers(len(self.pictures.mel), size=size)].astype(np.float32)
        mel = harmed(mel, others, rng, harm)
        noisy = rng.random(size) < 0.02
        mel[noisy] = empty(int(noisy.sum()), rng)
        target = np.where(noisy, NO_LABEL, [index_of(label) for label in drawn])
        return torch.from_numpy(mel[:, None]), torch.from_numpy(target)


def harmed(mel: Mel, others: Mel, rng: Generator, harm: float = 1.0) -> Mel:
    """Pictures (n, 200, 64) with another pace, space, bleed of `others`, noise, tilt, shifts and gaps, levelled again.

    `harm` 0..1 scales how often each happens. Powers of different players add, so bleed and noise are sums in the power
    domain of the pictures.
    """
    n = len(mel)
    pace = np.where(rng.random(n) < 0.5 * harm, rng.uniform(0.8, 1.25, n), 1.0)
    moments = (rng.integers(0, FRAMES, n)[:, None] + pace[:, None] * np.arange(FRAMES)).astype(int) % FRAMES
    mel = mel[np.arange(n)[:, None], moments]
    decibels = (mel - 1.0) * DB_PER_UNIT
    octave = np.linspace(-1.0, 1.0, BANDS, dtype=np.float32)
    decibels += _per_row(rng, n, -9.0, 9.0) * octave * (rng.random((n, 1, 1)) < 0.5 * harm)
    phase = octave * _per_row(rng, n, 0.5, 5.0) + _per_row(rng, n, 0.0, 6.3)
    ripple = np.sin(phase) * _per_row(rng, n, 0.0, 4.0 * harm)
    power = np.float32(10.0) ** ((decibels + ripple) / 10.0)
    power = _reverberant(power, rng, 0.3 * harm)
    power += bleed(power, others, rng, BLED * harm)
    floor_db = np.where(rng.random((n, 1, 1)) < 0.4 * harm, _per_row(rng, n, -75.0, -28.0), -120.0)
    power += np.float32(10.0) ** ((floor_db + _per_row(rng, n, -12.0, 12.0) * octave) / 10.0)
    bands = rng.integers(-2, 3, n)
    power = np.stack([np.roll(each, by, axis=1) for each, by in zip(power, bands, strict=True)])
    decibels = 10.0 * np.log10(np.maximum(power, 1e-12))
    for row, by in enumerate(bands):
        if by:
            decibels[row, :, slice(0, by) if by > 0 else slice(by, None)] = -80.0
        if rng.random() < 0.2 * harm:
            start, length = rng.integers(0, FRAMES - 50), rng.integers(5, 50)
            decibels[row, start : start + length] = -80.0
        if rng.random() < 0.25 * harm:
            low = rng.integers(0, BANDS - 8)
            decibels[row, :, low : low + rng.integers(2, 8)] = -80.0
    return _levelled(decibels)


def bleed(power: Mel, others: Mel, rng: Generator, chance: float) -> Mel:
    """What up to OTHER_PLAYERS of `others` add to powers, each at a level below the row's mean power."""
    n = len(power)
    own = power.mean(axis=(1, 2), keepdims=True)
    players = rng.integers(1, OTHER_PLAYERS + 1, (n, 1, 1)) * (rng.random((n, 1, 1)) < chance)
    played = np.float32(10.0) ** ((others - 1.0) * (DB_PER_UNIT / 10.0))
    played /= played.mean(axis=(1, 2), keepdims=True)
    total = np.zeros_like(power)
    for player in range(OTHER_PLAYERS):
        level = own * 10.0 ** (_per_row(rng, n, *BLEED_DB) / 10.0) * (player < players)
        total += level * np.roll(played, player, axis=0)
    return total


def empty(n: int, rng: Generator) -> Mel:
    """Pictures of nothing but noise of some colour."""
    octave = np.linspace(-1.0, 1.0, BANDS, dtype=np.float32)
    grain = 10.0 * np.log10(rng.gamma(3.0, 1.0 / 3.0, (n, FRAMES, BANDS)) + 1e-9)
    return _levelled(grain + _per_row(rng, n, -35.0, 12.0) * octave)


def _reverberant(power: Mel, rng: Generator, chance: float) -> Mel:
    """Powers with a tail: each moment leaves a share of its power, which dies by 60 dB in 0.3 to 3 s."""
    kept = np.float32(10.0) ** (-6.0 / (FRAMES_PER_S * _per_row(rng, len(power), 0.3, 3.0)[:, 0]))
    wet = 10.0 ** (_per_row(rng, len(power), -20.0, 0.0)[:, 0] / 10.0) * (rng.random((len(power), 1)) < chance)
    tail, heard = np.zeros_like(power[:, 0]), np.empty_like(power)
    for moment in range(FRAMES):
        heard[:, moment] = power[:, moment] + wet * tail
        tail = kept * tail + (1.0 - kept) * power[:, moment]
    return heard


def _levelled(decibels: NDArray[np.floating]) -> Mel:
    flat = decibels.reshape(len(decibels), FRAMES * BANDS)
    place = int(flat.shape[1] * LOUD_PERCENTILE / 100.0)
    loud = np.partition(flat, place, axis=1)[:, place]
    heard = np.clip(decibels - loud[:, None, None], -80.0, 20.0)
    return np.asarray(heard / DB_PER_UNIT + 1.0, dtype=np.float32)


def _per_row(rng: Generator, n: int, low: float, high: float) -> Mel:
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)
