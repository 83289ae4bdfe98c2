"""Putting a comp together: places in one take and what they are in another, and parts as they are cut and joined.

Pure functions over the parts of a comp. Places are samples; two takes are laid beside each other by the markers that a
person gave the same name, else from their starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from core.protocol.topics import CompPart, Marker, Overview, Take

_NUMBERED: Final = re.compile(r"marker \d+|mark|")
"""Names that nobody gave: they say nothing about where in the song a marker is."""
COLUMNS: Final = 480
SILENT: Final = 255


@dataclass(frozen=True)
class Tape:
    """The parts of a comp with their takes and where each begins."""

    parts: tuple[CompPart, ...]
    takes: tuple[Take, ...]
    """The take of each part."""
    starts: tuple[int, ...]

    @property
    def begin(self) -> int:
        """Where it begins to sound: overdubs keep the time of the take under them."""
        return self.starts[0]

    @property
    def end(self) -> int:
        """Its length."""
        return self.starts[-1] + _length(self.parts[-1])

    def index(self, at: int) -> int:
        """Which part plays at a place; the nearest beyond both ends."""
        return max((n for n, start in enumerate(self.starts) if start <= at), default=0)


def taped(parts: Sequence[CompPart], takes: Sequence[Take]) -> Tape | None:
    """The parts with their takes; None while there are none, or a take is gone."""
    known = {(take.number, take.false_number): take for take in takes}
    if not parts or any((part.take, part.false_number) not in known for part in parts):
        return None
    used = tuple(known[part.take, part.false_number] for part in parts)
    under = {take.overdub_of for take in used}
    at = parts[0].start_samples if len(under) == 1 and None not in under else 0
    starts = []
    for part in parts:
        starts.append(at)
        at += _length(part)
    return Tape(tuple(parts), used, tuple(starts))


# ------------------------------------------------------------------ places


def corresponding(here: Take, at: int, there: Take) -> int:
    """The place in one take that is `at` in another: beside the nearest marker that both have, else as far in."""
    theirs = _named(there)
    pairs = [(place, theirs[name]) for name, place in _named(here).items() if name in theirs]
    near = min(pairs, key=lambda pair: abs(pair[0] - at), default=(0, 0))
    return at + near[1] - near[0]


def in_take(tape: Tape, at: int, take: Take, *, last: bool = False) -> int:
    """The place in a take that is `at` in the comp; `last` means the end of what plays before a seam."""
    n = tape.index(at - 1 if last else at)
    there = at - tape.starts[n] + tape.parts[n].start_samples
    return there if tape.takes[n] is take else corresponding(tape.takes[n], there, take)


def in_comp(tape: Tape, take: Take, at: int, *, last: bool = False) -> int:
    """The place in the comp that is `at` in a take; what was cut out is where the cut is."""
    best: tuple[int, bool, int] | None = None
    for part, owner, start in zip(tape.parts, tape.takes, tape.starts, strict=True):
        place = at if owner is take else corresponding(take, at, owner)
        inside = min(max(place, part.start_samples), part.end_samples)
        seam = inside == (part.start_samples if last else part.end_samples)
        found = (abs(place - inside) * 2 + seam, owner is not take, start + inside - part.start_samples)
        if best is None or found[:2] < best[:2]:
            best = found
    assert best is not None
    return best[2]


def _named(take: Take) -> dict[str, int]:
    named: dict[str, int] = {}
    for marker in take.markers:
        name = marker.name.strip().casefold()
        if not _NUMBERED.fullmatch(name):
            named.setdefault(name, marker.at_samples)
    return named


# ------------------------------------------------------------------ parts


def part_of(take: Take, start: int, end: int) -> CompPart:
    """A stretch of a take, as far as it goes."""
    start = min(max(start, 0), max(take.frames - 1, 0))
    return CompPart(
        take=take.number,
        false_number=take.false_number,
        start_samples=start,
        end_samples=min(max(end, start + 1), take.frames),
        started_utc=take.started_utc,
    )


def with_part(tape: Tape, begin: int, end: int, part: CompPart) -> tuple[CompPart, ...]:
    """The comp with `part` in place of what it plays from `begin` to `end`; neither needs to be a seam."""
    before = [cut for one, at in zip(tape.parts, tape.starts, strict=True) if (cut := _cut(one, at, 0, begin))]
    after = [cut for one, at in zip(tape.parts, tape.starts, strict=True) if (cut := _cut(one, at, end, tape.end))]
    return joined([*before, part, *after])


def without(tape: Tape, n: int) -> tuple[CompPart, ...]:
    """The comp without its n-th part: the one before it goes on through its place, or the one after comes earlier."""
    parts = list(tape.parts)
    gone, take = parts.pop(n), tape.takes[n]
    if n > 0:
        left, owner = parts[n - 1], tape.takes[n - 1]
        same = n < len(parts) and _whose(parts[n]) == _whose(left) and parts[n].start_samples > left.end_samples
        reach = parts[n].start_samples if same else corresponding(take, gone.end_samples, owner)
        parts[n - 1] = part_of(owner, left.start_samples, max(reach, left.end_samples))
    elif parts:
        right, owner = parts[0], tape.takes[1]
        reach = corresponding(take, gone.start_samples, owner)
        parts[0] = part_of(owner, min(reach, right.start_samples), right.end_samples)
    return joined(parts)


def slipped(tape: Tape, n: int, by: int) -> tuple[CompPart, ...]:
    """The comp with the n-th part's audio pulled `by` samples: it plays what comes that much later in its take."""
    part, take = tape.parts[n], tape.takes[n]
    by = min(max(by, -part.start_samples), take.frames - part.end_samples)
    moved = msgspec.structs.replace(part, start_samples=part.start_samples + by, end_samples=part.end_samples + by)
    return (*tape.parts[:n], moved, *tape.parts[n + 1 :])


def joined(parts: Sequence[CompPart]) -> tuple[CompPart, ...]:
    """Parts with those as one that go on in the same take."""
    found: list[CompPart] = []
    for part in parts:
        last = found[-1] if found else None
        if last is not None and _whose(last) == _whose(part) and last.end_samples == part.start_samples:
            found[-1] = msgspec.structs.replace(last, end_samples=part.end_samples)
        else:
            found.append(part)
    return tuple(found)


def _cut(part: CompPart, at: int, begin: int, end: int) -> CompPart | None:
    """What is left of a part, that begins at `at`, between two places of the comp."""
    first, last = max(at, begin), min(at + _length(part), end)
    if first >= last:
        return None
    offset = part.start_samples - at
    return msgspec.structs.replace(part, start_samples=first + offset, end_samples=last + offset)


def _whose(part: CompPart) -> tuple[int, int]:
    return part.take, part.false_number


def _length(part: CompPart) -> int:
    return part.end_samples - part.start_samples


# ------------------------------------------------------------------ what it looks like


def as_take(tape: Tape) -> Take:
    """The comp in the shape of a take, its seams as markers, for what shows takes."""
    first = tape.takes[0]
    tracks = {track.id: track for take in tape.takes for track in take.tracks}
    markers = tuple(
        Marker(at_samples=at, name=f"take {part.take}") for part, at in zip(tape.parts, tape.starts, strict=True)
    )
    return msgspec.structs.replace(
        first,
        number=0,
        false_number=0,
        false_take=False,
        starred=False,
        name="",
        notes="",
        origin="comp",
        status="complete",
        frames=tape.end,
        tracks=tuple(tracks.values()),
        clips=(),
        markers=markers,
        gaps=(),
    )


def composed(tape: Tape, overviews: Mapping[tuple[int, int], Overview]) -> Overview:
    """What the comp looks like, out of what its takes look like; silent where none is known yet."""
    length = max(tape.end, 1)
    peaks = {track.id: bytearray([SILENT] * COLUMNS) for take in tape.takes for track in take.tracks}
    for column in range(COLUMNS):
        at = (2 * column + 1) * length // (2 * COLUMNS)
        n = tape.index(at)
        part, take = tape.parts[n], tape.takes[n]
        overview = overviews.get(_whose(part))
        if overview is None or at < tape.begin:
            continue
        there = (at - tape.starts[n] + part.start_samples) * COLUMNS // max(take.frames, 1)
        for track, known in overview.peaks.items():
            if there < len(known) and track in peaks:
                peaks[track][column] = known[there]
    return Overview(
        frames=tape.end,
        rate_hz=tape.takes[0].rate_hz,
        peaks={track: bytes(columns) for track, columns in peaks.items()},
    )
