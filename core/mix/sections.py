"""How the song is built: who plays when, and which moments are sung.

A section is a stretch in which the same tracks play about as loudly. Boundaries are found all at once, so that the
tracks' activity and the loudness of the whole differ as little as possible from each section's mean (the least squares
segmentation of Bellman, 1961), each further boundary having its price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.mix.ensemble import FRONT, Player

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEPS_PER_S: Final = 10
SHORTEST_S: Final = 6
LONGEST_S: Final = 90
PRICE: Final = 3.0
"""What a boundary has to save, in squared activity and tens of LU, summed over the seconds."""
SINGING_BELOW_LOUD_LU: Final = 18.0
OVER_BLEED_LU: Final = 6.0
SHORTEST_PAUSE_STEPS: Final = 6
"""A breath is shorter."""
SHORTEST_PHRASE_STEPS: Final = 4


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the song."""

    start_s: float
    end_s: float
    playing: tuple[str, ...]
    """Who sounds in most of it, in the order of the strips."""
    sung: bool
    loudness_lufs: float
    """Of the sum, by estimate."""


def steps_of(players: Sequence[Player]) -> int:
    """How many steps of 100 ms the longest track has."""
    return max((len(player.heard.loudness_curve) for player in players), default=0)


def padded(values: Sequence[float] | Floats, steps: int, silence: float) -> Floats:
    """A curve of 100 ms steps made as long as the song."""
    curve = np.full(steps, silence)
    curve[: len(values)] = values
    return curve


def sum_lufs(levels_db: Mapping[Player, float]) -> Floats:
    """Loudness per 100 ms of the sum of players with these gains, as if they were uncorrelated."""
    steps = steps_of(list(levels_db))
    power = np.full(steps, 1e-12)
    for player, gain_db in levels_db.items():
        power += 10.0 ** ((padded(player.heard.loudness_curve, steps, -120.0) + gain_db) / 10.0)
    return np.asarray(10.0 * np.log10(power))


def singing(player: Player, bleed_db: float = -np.inf) -> Mask:
    """Steps of 100 ms in which somebody really sings on a track, breaths filled in.

    `bleed_db` is the loudest bleed on it against the singing. What is not well above that is not singing.
    """
    curve = np.array(player.heard.loudness_curve)
    if player.heard.loud_lufs is None:
        return np.zeros(curve.size, dtype=np.bool_)
    least_lu = max(-SINGING_BELOW_LOUD_LU, bleed_db + OVER_BLEED_LU)
    sung = curve > player.heard.loud_lufs + min(least_lu, -6.0)
    for start, end in runs(~sung):
        if end - start < SHORTEST_PAUSE_STEPS and start > 0 and end < sung.size:
            sung[start:end] = True
    for start, end in runs(sung):
        if end - start < SHORTEST_PHRASE_STEPS:
            sung[start:end] = False
    return sung


def sung_steps(players: Sequence[Player]) -> Mask:
    """Steps in which a lead voice sounds."""
    steps = steps_of(players)
    sung = np.zeros(steps, dtype=np.bool_)
    for player in players:
        if player.audible and player.role in FRONT:
            own = singing(player)
            sung[: own.size] |= own
    return sung


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Where a mask is true: [start, end) of every stretch."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def find_sections(levels_db: Mapping[Player, float]) -> list[Section]:
    """The sections of a song whose players have these gains."""
    players = list(levels_db)
    steps = steps_of(players)
    seconds = steps // STEPS_PER_S
    if seconds < 2 * SHORTEST_S:
        return []
    active = np.array([padded(player.heard.active_steps().astype(np.float64), steps, 0.0) for player in players])
    power = 10.0 ** (sum_lufs(levels_db) / 10.0)
    by_second = active[:, : seconds * STEPS_PER_S].reshape(len(players), seconds, STEPS_PER_S).mean(axis=2)
    loudness = power[: seconds * STEPS_PER_S].reshape(seconds, STEPS_PER_S).mean(axis=1)
    loud_lufs = 10.0 * np.log10(np.maximum(loudness, 1e-7))
    features = np.vstack((by_second, loud_lufs[None, :] / 10.0))
    sung = sung_steps(players)

    def playing(start: int, end: int) -> tuple[str, ...]:
        shares = by_second[:, start:end].mean(axis=1)
        return tuple(player.name for player, share in zip(players, shares, strict=True) if share > 0.5)

    return [
        Section(
            start_s=float(start),
            end_s=float(end),
            playing=playing(start, end),
            sung=bool(sung[start * STEPS_PER_S : end * STEPS_PER_S].mean() > 0.3),
            loudness_lufs=round(float(10.0 * np.log10(loudness[start:end].mean() + 1e-12)), 1),
        )
        for start, end in _segments(features)
    ]


def _segments(features: Floats) -> list[tuple[int, int]]:
    """[start, end) of the stretches that cost least: squared distance from each one's mean, plus a price each."""
    seconds = features.shape[1]
    sums = np.concatenate((np.zeros((len(features), 1)), np.cumsum(features, axis=1)), axis=1)
    squares = np.concatenate(([0.0], np.cumsum(np.square(features).sum(axis=0))))
    cheapest = np.full(seconds + 1, np.inf)
    cheapest[0] = 0.0
    begun = np.zeros(seconds + 1, dtype=np.int64)
    for end in range(SHORTEST_S, seconds + 1):
        starts = np.arange(max(end - LONGEST_S, 0), end - SHORTEST_S + 1)
        lengths = end - starts
        apart = squares[end] - squares[starts] - np.square(sums[:, [end]] - sums[:, starts]).sum(axis=0) / lengths
        costs = cheapest[starts] + apart + PRICE
        best = int(np.argmin(costs))
        cheapest[end], begun[end] = costs[best], starts[best]
    found = []
    end = seconds
    while end > 0:
        found.append((int(begun[end]), end))
        end = int(begun[end])
    return found[::-1]
