"""Which track is heard on which: the bleed of a band that plays in one room."""

from __future__ import annotations

import math

import msgspec


class Bleed(msgspec.Struct, frozen=True, kw_only=True):
    """One track's sound on another track."""

    source: str
    """Who is heard."""
    onto: str
    """On whose track."""
    level_db: float
    """How loud that is against the playing that the track is there for."""
    level_dbfs: float
    """How loud that is on the recording."""


class BleedMap(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was heard where it does not belong, the loudest first."""

    bleeds: tuple[Bleed, ...] = ()

    def heard_on(self, source: str, onto: str) -> float:
        """Level in dB of `source` on the track `onto`, against that track's own playing; -inf where it isn't heard."""
        found = (bleed.level_db for bleed in self.bleeds if (bleed.source, bleed.onto) == (source, onto))
        return max(found, default=-math.inf)

    def on(self, onto: str) -> tuple[Bleed, ...]:
        """Who is heard on the track `onto`, the loudest first."""
        return tuple(bleed for bleed in self.bleeds if bleed.onto == onto)
