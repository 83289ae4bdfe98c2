"""Choosing a stretch and putting takes into it: what the keys of comping ask for, out of the picture.

The comp itself is the engine's, undone there and the same for everyone; only the chosen stretch is this terminal's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from core.errors import OtoError
from core.protocol.requests import SetComp
from core.protocol.topics import Overview, Take
from tui import splice
from tui.picture import Picture
from tui.splice import Tape

COMP: Final = "comp"
"""The key of the comp among those of takes."""


class Stretch(NamedTuple):
    """From where to where, in samples of the take (or comp) that it was chosen in."""

    owner: str
    start: int
    end: int


def take_key(take: Take) -> str:
    """What a take's line stands for; false takes share their number with the take that replaced them."""
    if take.number == 0:
        return COMP
    return f"{take.number} false {take.false_number}" if take.false_take else str(take.number)


def tape_of(picture: Picture) -> Tape | None:
    """The comp that is being put together, with its takes; None when there is none or a take of it is gone."""
    return splice.taped(picture.comp.comp.parts, picture.takes.takes)


def shown(picture: Picture, key: str | None) -> Take | None:
    """The take of a line; the comp in the shape of one."""
    if key == COMP:
        tape = tape_of(picture)
        return None if tape is None else splice.as_take(tape)
    return next((take for take in picture.takes.takes if take_key(take) == key), None)


def place(picture: Picture, here: str, at: int, there: str, *, last: bool = False) -> int:
    """The place in one line's take that is `at` in another's; `last` for where a stretch ends."""
    tape, take, other = tape_of(picture), shown(picture, here), shown(picture, there)
    if here == there or take is None or other is None:
        return at
    if tape is not None and here == COMP:
        return splice.in_take(tape, at, other, last=last)
    if tape is not None and there == COMP:
        return splice.in_comp(tape, take, at, last=last)
    return splice.corresponding(take, at, other)


class Composing:
    """The stretch chosen at this terminal, and how the comp looks."""

    def __init__(self) -> None:
        self.stretch: Stretch | None = None
        self._look: tuple[object, Overview] | None = None

    def begin(self, picture: Picture, key: str, at: int) -> None:
        """A stretch begins here; it goes to the end unless one that was begun ends later than here."""
        take = shown(picture, key)
        if take is not None:
            end = self.within(picture, key)[1] if self.stretch else take.frames
            self.stretch = Stretch(key, at, end if end > at else take.frames)

    def end(self, picture: Picture, key: str, at: int) -> None:
        """The stretch ends here; it comes from the start unless one was begun before here."""
        start = self.within(picture, key)[0] if self.stretch else 0
        self.stretch = Stretch(key, start if start < at else 0, at)

    def within(self, picture: Picture, key: str) -> tuple[int, int]:
        """The stretch as it lies in a line's take."""
        if self.stretch is None:
            return 0, 0
        owner, start, end = self.stretch
        return place(picture, owner, start, key), place(picture, owner, end, key, last=True)

    def put(self, picture: Picture, take: Take, section: tuple[int, int] | None) -> SetComp:
        """The comp with a take in the stretch, or in `section` of that take where no stretch is chosen.

        The first take is taken whole if nothing is chosen. The stretch is then where it lies in the comp. Raises
        OtoError("bad_input") when there is nothing to put it into.
        """
        key, tape = take_key(take), tape_of(picture)
        if self.stretch is None and section is not None:
            self.stretch = Stretch(key, *section)
        if self.stretch is None:
            if tape is not None:
                raise OtoError(
                    "bad_input",
                    "No stretch is chosen.",
                    "( where it begins and ) where it ends, then + puts a take in.",
                )
            return SetComp(parts=(splice.part_of(take, 0, take.frames),))
        owner = shown(picture, self.stretch.owner)
        if tape is None and owner is not None and owner.number and self.stretch.owner != key:
            tape = splice.taped([splice.part_of(owner, 0, owner.frames)], picture.takes.takes)
        part = splice.part_of(take, *self.within(picture, key))
        length = part.end_samples - part.start_samples
        if tape is None:
            self.stretch = Stretch(COMP, 0, length)
            return SetComp(parts=(part,))
        begin, end = self._in(picture, tape)
        self.stretch = Stretch(COMP, begin, begin + length)
        return SetComp(parts=splice.with_part(tape, begin, max(begin, end), part), fade_ms=picture.comp.comp.fade_ms)

    def _in(self, picture: Picture, tape: Tape) -> tuple[int, int]:
        """The stretch as it lies in a comp."""
        assert self.stretch is not None
        key, start, end = self.stretch
        owner = shown(picture, key)
        if key == COMP or owner is None:
            return start, end
        return splice.in_comp(tape, owner, start), splice.in_comp(tape, owner, end, last=True)

    def look(self, tape: Tape, look: Callable[[Take], Overview | None]) -> Overview:
        """How the comp looks, made anew when a part or what is known of its takes changes."""
        known = {(take.number, take.false_number): found for take in tape.takes if (found := look(take)) is not None}
        same = (tape.parts, tuple(sorted(known)))
        if self._look is None or self._look[0] != same:
            self._look = (same, splice.composed(tape, known))
        return self._look[1]


def with_those_under(take: Take, takes: Sequence[Take]) -> list[Take]:
    """A take and the takes that it is played over, as far as they are there."""
    counting = {one.number: one for one in takes if not one.false_take}
    played = [take]
    while (under := counting.get(played[-1].overdub_of or 0)) is not None and under not in played:
        played.append(under)
    return played


def together_lufs(levels: Sequence[tuple[float | None, int]]) -> float | None:
    """How loud takes are together, each with how many tracks it has; None when all are silent.

    A take's level is that of its tracks divided by their number, and so are they played together.
    """
    power = sum(tracks * 10.0 ** (lufs / 10.0) for lufs, tracks in levels if lufs is not None)
    tracks = sum(tracks for _, tracks in levels)
    return 10.0 * math.log10(power / tracks) if power else None


def matched_gain_db(played: float | None, other: float | None) -> float:
    """What makes two takes equally loud by turning the louder one down; 0 while one of them is not known."""
    if played is None or other is None or not math.isfinite(played - other):
        return 0.0
    return min(0.0, other - played)
