"""Whether two microphones hear one source, and what would make them add up instead of thinning each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.analysis.crossspectrum import Correlation, CrossSpectrum

PROMINENT: Final = 6.0
"""Prominence of a delay that another microphone has to confirm."""
LIKELY: Final = 8.0
"""Prominence of a delay that may stand alone."""
AGREEING_S: Final = 0.00015
"""Groups of excerpts whose delays are this close (5 cm of air) tell the same story."""
WORTH_DB: Final = 1.0
"""A gain of the sum that is worth a setting."""
HARM_DB: Final = 0.5
ALIKE: Final = 0.25
"""Correlation that two microphones must have in the end."""
CLOSE_ENOUGH_S: Final = 0.00012
"""4 cm: nobody moves a microphone for that."""
SAME_PLACE_S: Final = 0.0003
CLEAR: Final = 12.0
"""Prominence that leaves no doubt about a delay."""


@dataclass(frozen=True)
class Move:
    """A change to the first of two tracks."""

    delay_s: float
    """How much later it should come; negative: the second instead; 0 where only the polarity matters."""
    inverted: bool
    doubt_db: float = 0.0
    """What a better-founded move may gain less and still be preferred."""


def sum_gain_db(spectrum: CrossSpectrum, move: Move) -> float:
    """How much louder the sum of the two at matched levels becomes, in the band that they share."""
    before, after = spectrum.correlation(), correlation_after(spectrum, move)
    return 10.0 * math.log10(max(1.0 + after, 1e-3) / max(1.0 + before, 1e-3))


def correlation_after(spectrum: CrossSpectrum, move: Move) -> float:
    """The correlation of the two when the first is moved."""
    return (-1.0 if move.inverted else 1.0) * spectrum.correlation(move.delay_s * spectrum.rate_hz)


def moves(spectrum: CrossSpectrum, *, earliest_s: float, latest_s: float) -> list[Move]:
    """What could make two tracks add up: turning one over, or the delay between them, where it is sure.

    A delay must be a clear peak of the correlation within the given times, and the same in most excerpts.
    """
    found = [Move(0.0, inverted=True)] if spectrum.correlations().max() < -ALIKE else []
    lag = Correlation(spectrum).lag(earliest_s, latest_s)
    delay_s = lag.samples / spectrum.rate_hz
    sure = lag.prominence >= PROMINENT and lag.spread_samples <= AGREEING_S * spectrum.rate_hz
    if sure and abs(delay_s) > CLOSE_ENOUGH_S:
        doubt_db = 0.0 if lag.prominence >= CLEAR else WORTH_DB if lag.prominence >= LIKELY else math.inf
        found.append(Move(delay_s, lag.inverted, doubt_db))
    return found


def best_move(spectra: Sequence[CrossSpectrum], *, earliest_s: float, latest_s: float) -> Move | None:
    """The move of one track that gains most against all others in the mean, and harms with none of them.

    `spectra` are of that track with each of the others. None where less than a decibel is to be gained, or what
    results would still not be alike.
    """
    best, best_db = None, -math.inf
    found = [move for one in spectra for move in moves(one, earliest_s=earliest_s, latest_s=latest_s)]
    for move in found:
        if any(_confirms(other, move) for other in found if other is not move):
            move = replace(move, doubt_db=0.0)
        gains = [sum_gain_db(one, move) for one in spectra]
        alike = max(correlation_after(one, move) for one in spectra) >= ALIKE
        mean_db = sum(gains) / len(gains)
        if alike and min(gains) > -HARM_DB and mean_db - move.doubt_db >= max(WORTH_DB, best_db):
            best, best_db = move, mean_db - move.doubt_db
    return best


def _confirms(other: Move, move: Move) -> bool:
    """Whether two microphones that stand together tell the same delay."""
    alike = other.inverted == move.inverted and bool(other.delay_s) == bool(move.delay_s)
    return alike and abs(other.delay_s - move.delay_s) < SAME_PLACE_S
