"""Stems of a mix that was made already: what their author did to them is left as it is.

A microphone makes one channel. Where most tracks of a song have two, and some are panned or many are wide, somebody
mixed the song and exported its stems: places, tone, dynamics and space are in them. What is left to do is the balance,
and what can be measured as a fault: noise, sharp consonants, an unusual spectrum, tracks that hide each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.analysis.track import TrackAnalysis
from core.mix.ensemble import Player

SAME_CORRELATION: Final = 0.995
"""Two channels this much alike hold one sound."""
OFF_CENTRE_DB: Final = 0.5
"""One sound that is this much louder on one side was panned."""
FEWEST: Final = 2
"""One file alone may be anything: a room, a talk, a whole song."""
MOST: Final = 0.5
MANY: Final = 0.25
"""A band that was only recorded has its overheads, room and keys in stereo."""
NOISE_DB: Final = -60.0
"""Steady noise in the pauses, against the playing, that a finished stem would not have."""
STEADY_DB: Final = 6.0
"""What moves more than this in the pauses is a decay or bleed."""


def is_wide(heard: TrackAnalysis) -> bool:
    """Whether left and right play different things."""
    return heard.correlation is not None and heard.correlation < SAME_CORRELATION


def is_panned(heard: TrackAnalysis) -> bool:
    """Whether left and right play one sound that is louder on one side, or one side is silent."""
    if heard.channels < 2 or heard.silent or is_wide(heard):
        return False
    return heard.balance_db is None or abs(heard.balance_db) >= OFF_CENTRE_DB


def find_stems(players: Sequence[Player]) -> list[str]:
    """Mark the players that are finished stems; returns a sentence for the plan's notes where there are any.

    One sound with steady noise in its pauses is a recording that nobody has worked on yet.
    """
    audible = [player for player in players if player.audible]
    stereo = [player for player in audible if player.heard.channels == 2]
    panned = sum(is_panned(player.heard) for player in stereo)
    wide = sum(is_wide(player.heard) for player in stereo)
    chosen = panned > 0 or wide > MANY * len(stereo)
    if len(audible) < FEWEST or len(stereo) <= MOST * len(audible) or not chosen:
        return []
    for player in stereo:
        player.finished = is_wide(player.heard) or not _noisy(player.heard)
    finished = sum(player.finished for player in stereo)
    told = " and ".join(f"{count} {how}" for count, how in ((wide, "wide"), (panned, "panned")) if count)
    return [
        f"Stems of a mix that was made already: {len(stereo)} of {len(audible)} tracks have two channels, {told}. "
        f"{finished} keep their place, tone, dynamics and space; only what stands out is corrected."
    ]


def _noisy(heard: TrackAnalysis) -> bool:
    """Whether the pauses hold a microphone's or an amplifier's steady noise."""
    if heard.noise_floor_dbfs is None or heard.rms_dbfs is None:
        return False
    return heard.noise_floor_dbfs - heard.rms_dbfs > NOISE_DB and (heard.noise_spread_db or 0.0) <= STEADY_DB
