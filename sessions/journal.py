"""What happens during a take, as lines that are appended while it runs; folding them gives the take.

A journal is the truth about a take while it is recorded: `take.json` is written at the start and at the end, the
journal in between. Each line stands alone, so that a torn one costs only itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from sessions.errors import LibraryError
from sessions.files import open_lines, write_all
from sessions.model import Clip, Gap, GapCause, Losses, Marker, Take

LossKind = Literal["overflows", "ring_overruns", "disk_errors", "mirror_errors"]


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """A line of the journal. Positions are samples on the take's timeline."""


class ClipStarted(_Event, tag="clip_started", frozen=True, kw_only=True):
    """A track's file was made."""

    track: str
    file: str
    start_samples: int


class ClipEnded(_Event, tag="clip_ended", frozen=True, kw_only=True):
    """A track's file was closed with this many frames."""

    file: str
    frames: int


class MarkerAdded(_Event, tag="marker", frozen=True, kw_only=True):
    """Someone set a marker."""

    at_samples: int
    name: str = ""


class GapFound(_Event, tag="gap", frozen=True, kw_only=True):
    """Audio was lost here."""

    at_samples: int
    frames: int | None
    cause: GapCause


class LossCounted(_Event, tag="loss", frozen=True, kw_only=True):
    """Something went wrong `count` more times."""

    kind: LossKind
    count: int = 1


class TakeEnded(_Event, tag="ended", frozen=True, kw_only=True):
    """The take was stopped at this length."""

    frames: int


class Checkpoint(_Event, tag="checkpoint", frozen=True, kw_only=True):
    """What the take held when this line was written; lines before it are only history."""

    clips: tuple[Clip, ...] = ()
    markers: tuple[Marker, ...] = ()
    gaps: tuple[Gap, ...] = ()
    losses: Losses = Losses()


Event = ClipStarted | ClipEnded | MarkerAdded | GapFound | LossCounted | TakeEnded | Checkpoint

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


class Journal:
    """A journal open for appending. While it is open, recovery in any process leaves its take alone."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal. Raises LibraryError("busy") when a living process has it open, OSError."""
        self._fd = open_lines(path)
        if not self._lock():
            self.close()
            raise LibraryError("busy", f"The take in {path.parent} is being recorded right now.", "Stop it first.")

    def _lock(self) -> bool:
        # `in_use` in another process holds the lock for an instant; that must not keep a take from starting.
        for _ in range(20):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            time.sleep(0.005)
        return False

    def append(self, event: Event) -> None:
        """Hand one line to the kernel: safe from the end of this process, and after `sync` from a power cut."""
        write_all(self._fd, _encoder.encode(event) + b"\n")

    def sync(self) -> None:
        """Wait until the lines have reached the disk; meant for a thread of its own."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Give the take free. A second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def in_use(path: Path) -> bool:
    """Whether a living process has this journal open."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_journal(path: Path) -> list[Event]:
    """The events of a journal; lines that a crash tore are left out, a missing file has none. Raises OSError."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    events: list[Event] = []
    for line in lines:
        try:
            events.append(_decoder.decode(line))
        except ValueError:
            continue
    return events


def checkpoint(take: Take) -> Checkpoint:
    """The line that starts a journal over with what `take` holds."""
    return Checkpoint(clips=take.clips, markers=take.markers, gaps=take.gaps, losses=take.losses)


def fold(take: Take, events: Iterable[Event]) -> Take:
    """The take as its journal tells it: clips, markers, gaps, losses and length; all else stays as `take` has it.

    A clip that was not ended has 0 frames: its file knows better. Folding the result again changes nothing.
    """
    clips: dict[str, Clip] = {}
    markers: list[Marker] = []
    gaps: list[Gap] = []
    losses = Losses()
    ended = 0
    for event in events:
        match event:
            case ClipStarted(track=track, file=file, start_samples=start):
                clips[file] = Clip(track=track, file=file, start_samples=start, frames=0)
                ended = 0
            case ClipEnded(file=file, frames=frames):
                if file in clips:
                    clips[file] = msgspec.structs.replace(clips[file], frames=frames)
            case MarkerAdded(at_samples=at, name=name):
                markers.append(Marker(at_samples=at, name=name))
            case GapFound(at_samples=at, frames=missing, cause=cause):
                gaps.append(Gap(at_samples=at, frames=missing, cause=cause))
            case LossCounted(kind=kind, count=count):
                losses = msgspec.structs.replace(losses, **{kind: getattr(losses, kind) + count})
            case TakeEnded(frames=frames):
                ended = frames
            case Checkpoint():
                clips = {clip.file: clip for clip in event.clips}
                markers, gaps, losses, ended = list(event.markers), list(event.gaps), event.losses, 0
    laid = tuple(clips.values())
    return msgspec.structs.replace(
        take,
        clips=laid,
        markers=tuple(sorted(markers, key=lambda marker: marker.at_samples)),
        gaps=_merged(sorted(gaps, key=lambda gap: gap.at_samples), take.rate_hz),
        losses=losses,
        frames=max([ended, *(clip.start_samples + clip.frames for clip in laid)]),
    )


def _merged(gaps: Iterable[Gap], rate_hz: int) -> tuple[Gap, ...]:
    """Gaps of one cause that touch, or of unknown length within a second, as one: a storm of losses stays readable."""
    merged: list[Gap] = []
    for gap in gaps:
        last = merged[-1] if merged else None
        if last is None or last.cause != gap.cause:
            merged.append(gap)
        elif last.frames is not None and gap.frames is not None and gap.at_samples <= last.at_samples + last.frames:
            end = max(last.at_samples + last.frames, gap.at_samples + gap.frames)
            merged[-1] = msgspec.structs.replace(last, frames=end - last.at_samples)
        elif not (last.frames is None and gap.frames is None and gap.at_samples < last.at_samples + rate_hz):
            merged.append(gap)
    return tuple(merged)
