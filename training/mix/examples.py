"""Examples to learn from: songs with tracks left out, names lost and levels set, as the controller sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.roles import guess_from_sound, guess_role
from core.mix.balance import level_lufs, targets_lu
from core.mix.ensemble import Player, find_companions, find_leader
from core.mix.presets import STYLE
from core.models.mixing import Array, Shown, vectors
from training.mix.songs import Song, Track

Floats = NDArray[np.float64]
Random = np.random.Generator

NAMELESS: Final = 0.2
"""Share of songs in which no name says anything."""
LOST_NAMES: Final = 0.2
"""Share of names that say nothing in the others."""
SET_SHARE: Final = 0.35
"""Share of songs in which a person has set some levels."""
FEWEST: Final = 2


@dataclass(frozen=True)
class Example:
    """A song as the controller sees it, and what its author did."""

    song: str
    kind: str
    fed: Array
    """(tracks, FEATURES)."""
    place_lu: Floats
    """(tracks,): where the rules put each; any zero."""
    author_lu: Floats
    """(tracks,): where the author put each; any other zero."""


def players(tracks: Sequence[Track], named: Sequence[bool]) -> list[Player]:
    """The tracks as the rules take them; where a name is lost, the sound says what it is."""
    found: list[Player] = []
    for track, told in zip(tracks, named, strict=True):
        guess = guess_role(track.name, track.heard) if told else guess_from_sound(track.heard)
        name = track.name if told else f"take {len(found)}"
        found.append(Player(name, guess.role, guess.confidence, guess.by, track.heard))
    find_leader(found)
    find_companions(found)
    return found


def example(song: Song, tracks: Sequence[Track], named: Sequence[bool], given: Sequence[bool]) -> Example:
    """What is seen of these tracks of a song; `given` are those whose level a person has set."""
    band = players(tracks, named)
    targets = targets_lu(band, STYLE["natural"])
    heard = [(player, track) for player, track in zip(band, tracks, strict=True) if player in targets]
    told = dict(zip(map(id, tracks), given, strict=True))
    shown = [
        Shown(
            player.heard,
            player.role,
            level_lufs(player.heard),
            targets[player],
            track.author_lufs if told[id(track)] else None,
        )
        for player, track in heard
    ]
    return Example(
        song.name,
        song.kind,
        vectors(shown),
        np.array([targets[player] for player, _ in heard]),
        np.array([track.author_lufs for _, track in heard]),
    )


def whole(song: Song) -> Example:
    """The song as it is, nothing set."""
    count = len(song.tracks)
    return example(song, song.tracks, [True] * count, [False] * count)


def varied(song: Song, random: Random) -> Example:
    """The song as a rehearsal might have left it: tracks missing, names lost, some levels set."""
    share = random.uniform(0.5, 1.0)
    kept = random.random(len(song.tracks)) < share
    while kept.sum() < min(FEWEST, len(song.tracks)):
        kept[random.integers(len(kept))] = True
    tracks = [track for track, stays in zip(song.tracks, kept, strict=True) if stays]
    named = random.random(len(tracks)) >= (1.0 if random.random() < NAMELESS else LOST_NAMES)
    given = random.random(len(tracks)) < (random.uniform(0.0, 0.6) if random.random() < SET_SHARE else 0.0)
    return example(song, tracks, list(named), list(given))
