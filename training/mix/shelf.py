"""Examples that were made once and are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from core.models.mixing import FEATURES, FEATURES_NAME
from training.data.manifest import Split
from training.data.places import training_root
from training.mix.examples import Example, varied, whole
from training.mix.songs import Song, seed_of, songs

VARIANTS: Final = 6


class _Kept(msgspec.Struct, array_like=True):
    song: str
    kind: str
    fed: bytes
    rest: bytes


@dataclass(frozen=True)
class Shelf:
    """Examples per song, of each the whole song first."""

    songs: Sequence[Sequence[Example]]

    def without(self, names: frozenset[str]) -> Shelf:
        """All but some songs."""
        return Shelf([one for one in self.songs if one[0].song not in names])


def variants(song: Song) -> list[Example]:
    """The song as it is and as it might have been; made once, kept under $OTO_TRAINING."""
    file = training_root() / "mix" / "examples" / FEATURES_NAME / f"{song.name}.msgpack"
    if file.exists():
        return [_opened(one) for one in msgspec.msgpack.decode(file.read_bytes(), type=list[_Kept])]
    random = np.random.default_rng(seed_of(song))
    made = [whole(song), *(varied(song, random) for _ in range(VARIANTS))]
    made = [one for one in made if len(one.fed)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.msgpack.encode([_closed(one) for one in made]))
    return made


def _closed(one: Example) -> _Kept:
    rest = np.stack((one.place_lu, one.author_lu))
    return _Kept(one.song, one.kind, one.fed.tobytes(), rest.tobytes())


def _opened(kept: _Kept) -> Example:
    place, author = np.frombuffer(kept.rest).reshape(2, -1).copy()
    fed = np.frombuffer(kept.fed, np.float32).reshape(-1, FEATURES).copy()
    return Example(kept.song, kept.kind, fed, place, author)


def load(split: Split, *kinds: str) -> Shelf:
    """The examples of one side of the split."""
    made = [variants(song) for song in songs(split, *kinds)]
    return Shelf([each for each in made if each])
