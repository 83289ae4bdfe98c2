"""The tables of sources and stems: what is used, under which licence, on which side of the split."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from training.data.places import HERE, packages, shared_data

Split = Literal["train", "validation", "test"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)


@dataclass(frozen=True)
class Source:
    """A collection that lies wholly on one side of the split."""

    name: str
    kind: str
    """soundfont, kit_soundfont, drum_kit, one_shots, loops, notes, multimic_kit or speech."""
    package: str
    """The package that holds it, npm's if npm.csv pins it, else Debian's; empty for shared data."""
    where: str
    licence: str
    split: Split
    role: str
    """The only role it holds; empty where its parts say."""

    @property
    def path(self) -> Path:
        """Where it lies on this machine once the packages are fetched."""
        return (packages() if self.package else shared_data()) / self.where


@dataclass(frozen=True)
class Stem:
    """One track of a song, its role checked by ear or eye."""

    split: Split
    song: str
    file: str
    role: str

    @property
    def path(self) -> Path:
        """The recording."""
        return shared_data() / "multitracks" / self.split / self.song / self.file


def sources(split: Split | None = None, *kinds: str) -> list[Source]:
    """The rows of sources.csv, of one split and some kinds if asked."""
    rows = (Source(**row) for row in _rows(HERE / "sources.csv"))  # type: ignore[arg-type]
    return [row for row in rows if split in (None, row.split) and (not kinds or row.kind in kinds)]


def stems(split: Split) -> list[Stem]:
    """The rows of stems.csv of one split: stems whose role is ambiguous are not in it."""
    rows = (Stem(**row) for row in _rows(HERE / "stems.csv"))  # type: ignore[arg-type]
    return [row for row in rows if row.split == split]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as table:
        yield from csv.DictReader(table)
