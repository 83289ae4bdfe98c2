"""How a comp is laid out: which stretch of which take every track plays when, and where it fades. Pure functions.

Parts follow each other like pieces of tape. Around each seam both sides play for a moment, at equal power, if both have
something there; a track that one side does not have goes into silence the same way. A track that runs on through a seam
(the take under two overdubs) is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeVar

import msgspec

from sessions.errors import LibraryError
from sessions.model import Comp, CompPart, Gap, Marker, Take, TakeTrack

Moment = TypeVar("Moment", Marker, Gap)

LONGEST_FADE_MS: Final = 100.0


@dataclass(frozen=True)
class Piece:
    """A stretch of a take on the comp's timeline, its fades included. Positions and lengths are samples."""

    take: Take
    start: int
    """Where it begins in the take."""
    at: int
    """Where that is in the comp."""
    frames: int
    fade_in: int = 0
    fade_out: int = 0

    @property
    def end(self) -> int:
        """Where it is over, in the comp."""
        return self.at + self.frames


@dataclass(frozen=True)
class CompTrack:
    """What one track of a comp plays; between the pieces it is silent."""

    track: TakeTrack
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Layout:
    """A comp with nothing left to decide."""

    parts: tuple[CompPart, ...]
    """With the numbers that their takes have now."""
    starts: tuple[int, ...]
    """Where each part begins in the comp."""
    frames: int
    rate_hz: int
    overdub_of: int | None
    """The take under all of them, which goes on under the comp uncut; None when what is under them is cut along."""
    tracks: tuple[CompTrack, ...]
    markers: tuple[Marker, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    """What is missing where, as sentences."""


def lay_out(comp: Comp, takes: Sequence[Take]) -> Layout:
    """Lay a comp out of the takes of its session.

    Raises LibraryError: "not_found" for a take that is gone, "busy" for one that still runs, "bad_input" for a part
    outside its take, takes of different rates, a fade out of range, or no parts at all.
    """
    if not comp.parts:
        raise LibraryError("bad_input", "The comp has no parts yet.", "Put a stretch of a take into it first.")
    if not 0.0 <= comp.fade_ms <= LONGEST_FADE_MS:
        raise LibraryError("bad_input", f"Parts go over into each other within 0 to {LONGEST_FADE_MS:g} ms.", "")
    used = [_find(part, takes) for part in comp.parts]
    _refuse_different_rates(used)
    parts = tuple(
        msgspec.structs.replace(part, take=take.number, false_number=take.false_number, started_utc=take.started_utc)
        for part, take in zip(comp.parts, used, strict=True)
    )
    under = used[0].overdub_of
    if any(take.overdub_of != under for take in used):
        under = None
    # What lies under an overdub starts with it: the comp of overdubs keeps the time of the take under them.
    at = parts[0].start_samples if under is not None else 0
    spots: list[_Spot] = []
    for part, take in zip(parts, used, strict=True):
        chain = (take,) if under is not None else tuple(_chain(take, takes))
        spots.append(_Spot(part, take, chain, at))
        at += part.end_samples - part.start_samples
    fade = round(comp.fade_ms / 1000.0 * used[0].rate_hz)
    tracks = [(track, _stretches(track, spots)) for track in _tracks(spots)]
    return Layout(
        parts=parts,
        starts=tuple(spot.at for spot in spots),
        frames=at,
        rate_hz=used[0].rate_hz,
        overdub_of=under,
        tracks=tuple(CompTrack(track, tuple(_faded(stretches, fade))) for track, stretches in tracks),
        markers=_moved(lambda take: take.markers, spots),
        gaps=_moved(lambda take: take.gaps, spots),
        notes=tuple(_missing(tracks, spots)),
    )


@dataclass(frozen=True)
class _Spot:
    """A part with its place in the comp, and the takes that sound in it: the take itself, then those under it."""

    part: CompPart
    take: Take
    chain: tuple[Take, ...]
    at: int


@dataclass(frozen=True)
class _Stretch:
    """What one track plays between two seams; no take is silence."""

    take: Take | None
    start: int
    at: int
    frames: int


def _find(part: CompPart, takes: Sequence[Take]) -> Take:
    by_number = [one for one in takes if (one.number, one.false_number) == (part.take, part.false_number)]
    by_time = [one for one in takes if one.started_utc == part.started_utc]
    same = [one for one in by_number if part.started_utc in ("", one.started_utc)]
    found = same or (by_time if len(by_time) == 1 else [])
    name = f"take {part.take}" if not part.false_number else f"false take {part.take}"
    if not found:
        raise LibraryError(
            "not_found",
            f"The comp needs {name}, which this session no longer has.",
            "Bring it back out of the trash, or put another take in its place.",
        )
    take = found[0]
    if take.status == "recording":
        raise LibraryError("busy", f"{name.capitalize()} is still being recorded.", "Stop it first.")
    if not 0 <= part.start_samples < part.end_samples <= take.frames:
        raise LibraryError(
            "bad_input",
            f"{name.capitalize()} has no stretch from {_clock(part.start_samples, take)} to "
            f"{_clock(part.end_samples, take)}: it is {_clock(take.frames, take)} long.",
            "A part starts before it ends, and lies within its take.",
        )
    return take


def _refuse_different_rates(takes: Sequence[Take]) -> None:
    other = next((take for take in takes if take.rate_hz != takes[0].rate_hz), None)
    if other is not None:
        raise LibraryError(
            "bad_input",
            f"Take {takes[0].number} is at {takes[0].rate_hz} Hz and take {other.number} at {other.rate_hz} Hz: "
            "the parts of a comp need one sample rate.",
            "Export one of them at the other's rate and import it, or leave it out.",
        )


def _chain(take: Take, takes: Sequence[Take]) -> Iterable[Take]:
    """The take, what it was played over, and so on."""
    seen: set[int] = set()
    found: Take | None = take
    while found is not None and found.number not in seen:
        seen.add(found.number)
        yield found
        under = found.overdub_of
        found = next((one for one in takes if one.number == under and not one.false_take), None)


def _tracks(spots: Sequence[_Spot]) -> list[TakeTrack]:
    """Every track that sounds in any part, each under the name that the first part gives it, in order of its input."""
    known: dict[str, TakeTrack] = {}
    for spot in spots:
        for take in spot.chain:
            recorded = {clip.track for clip in take.clips}
            for track in take.tracks:
                if track.id in recorded:
                    known.setdefault(track.id, track)
    order = {id: place for place, id in enumerate(known)}
    return sorted(known.values(), key=lambda track: (track.input or 0, order[track.id]))


def _stretches(track: TakeTrack, spots: Sequence[_Spot]) -> list[_Stretch]:
    """Who plays the track in each part; what runs on through a seam is one stretch."""
    found: list[_Stretch] = []
    for spot in spots:
        take = next((one for one in spot.chain if any(clip.track == track.id for clip in one.clips)), None)
        start, frames = spot.part.start_samples, spot.part.end_samples - spot.part.start_samples
        last = found[-1] if found else None
        if last is not None and last.take is take and (take is None or last.start + last.frames == start):
            found[-1] = replace(last, frames=last.frames + frames)
        else:
            found.append(_Stretch(take, start, spot.at, frames))
    return found


def _faded(stretches: Sequence[_Stretch], fade: int) -> Iterable[Piece]:
    """The stretches with their fades; each reaches into its neighbours at most as far as their middle."""
    silence = _Stretch(None, 0, 0, 2 * fade)
    edges = [silence, *stretches, silence]
    overlaps = [_overlap(left, right, fade) for left, right in pairwise(edges)]
    overlaps[0] = (0, overlaps[0][1] if stretches[0].start > 0 else 0)
    last = stretches[-1]
    at_end = last.take is None or last.start + last.frames >= last.take.frames
    overlaps[-1] = (0 if at_end else overlaps[-1][0], 0)
    for stretch, (before, begins), (ends, after) in zip(stretches, overlaps, overlaps[1:], strict=False):
        if stretch.take is not None:
            yield Piece(
                take=stretch.take,
                start=stretch.start - before,
                at=stretch.at - before,
                frames=before + stretch.frames + after,
                fade_in=before + begins,
                fade_out=ends + after,
            )


def _overlap(left: _Stretch, right: _Stretch, fade: int) -> tuple[int, int]:
    """How far before and after the seam between two stretches both are heard: `fade` in all, where there is audio."""
    earlier = left.frames if right.take is None else right.start
    before = min(earlier, left.frames // 2)
    after = (
        right.frames // 2 if left.take is None else min(left.take.frames - left.start - left.frames, right.frames // 2)
    )
    reach = min(fade // 2, before)
    after = max(min(fade - reach, after), 0)
    return min(fade - after, before), after


def _moved(of_take: Callable[[Take], tuple[Moment, ...]], spots: Sequence[_Spot]) -> tuple[Moment, ...]:
    """What lies in the parts, where it lies in the comp."""
    return tuple(
        msgspec.structs.replace(moment, at_samples=moment.at_samples - spot.part.start_samples + spot.at)
        for spot in spots
        for moment in of_take(spot.take)
        if spot.part.start_samples <= moment.at_samples < spot.part.end_samples
    )


def _missing(tracks: Iterable[tuple[TakeTrack, Sequence[_Stretch]]], spots: Sequence[_Spot]) -> Iterable[str]:
    """A sentence for every track that is silent in a part, because its take does not have it."""
    for track, stretches in tracks:
        for silent in (one for one in stretches if one.take is None):
            lacking = [spot for spot in spots if silent.at <= spot.at < silent.at + silent.frames]
            numbers = " and ".join(str(number) for number in dict.fromkeys(spot.take.number for spot in lacking))
            here = lacking[0].take
            yield (
                f"{track.name} is silent from {_clock(silent.at, here)} to {_clock(silent.at + silent.frames, here)}: "
                f"take {numbers} has no such track."
            )


def _clock(samples: int, take: Take) -> str:
    """Minutes and seconds, as a sentence says them: 1:12.5."""
    minutes, seconds = divmod(samples / take.rate_hz, 60)
    return f"{int(minutes)}:{seconds:04.1f}"
