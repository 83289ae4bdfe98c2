"""Hearing bounces against each other: the same place, the same loudness, two letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.protocol.requests import Play
from core.protocol.topics import Bounce
from tui.picture import Picture

MATCHED_WITHIN_LU: Final = 14.0
"""A bounce further below the loudest one does not pull the others down to it."""


def bounce_of(picture: Picture, id: str | None) -> Bounce | None:
    """A bounce of the open session."""
    return next((bounce for bounce in picture.bounces.bounces if bounce.id == id), None)


def matched_gain_db(bounce: Bounce, bounces: Sequence[Bounce]) -> float:
    """What makes every bounce of a session equally loud: each is turned down to the quietest, none ever up."""
    known = [other.integrated_lufs for other in bounces if other.integrated_lufs is not None]
    if bounce.integrated_lufs is None or not known:
        return 0.0
    quietest = min(lufs for lufs in known if lufs >= max(known) - MATCHED_WITHIN_LU)
    return min(0.0, quietest - bounce.integrated_lufs)


class Listening:
    """Which two bounces are compared; the same on every screen."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        """A and B."""

    def play(self, picture: Picture, bounce: Bounce, now: Bounce | None = None) -> Play:
        """Equal lengths keep their place in the engine, to the sample; for others we name it."""
        self._hear(picture, bounce.id)
        length_s = bounce.frames / bounce.rate_hz
        equal = now is None or now.frames / now.rate_hz == length_s
        at_s = None if equal else min(picture.position_s, length_s)
        return Play(bounce=bounce.id, at_s=at_s, gain_db=matched_gain_db(bounce, picture.songs))

    def compare(self, picture: Picture, selected: str | None) -> Play | None:
        """The selected bounce, or the one heard before when that plays already; None when there is no other."""
        now = bounce_of(picture, picture.transport.bounce) if picture.playing else None
        candidates = [selected, *self.heard, *(bounce.id for bounce in picture.songs)]
        other = bounce_of(picture, next((id for id in candidates if id and (now is None or id != now.id)), None))
        if other is None or len(picture.songs) < 2:
            return None
        if now is not None:
            self._hear(picture, now.id)
        return self.play(picture, other, now)

    def _hear(self, picture: Picture, id: str) -> None:
        """Keep A and B: a third bounce takes the place of the one that is not playing."""
        if id in self.heard:
            return
        if len(self.heard) == 2:
            kept = 1 if picture.transport.bounce == self.heard[1] else 0
            self.heard[1 - kept] = id
        else:
            self.heard.append(id)
