"""Mends what `sessions.verify` finds where that is safe: nothing is deleted, and no sample of audio is written.

A document that can't be read is kept beside the one that takes its place ("take.json.damaged"); what belongs to nothing
goes to the trash. What only a person can decide is left as it is and named.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from sessions import planshelf
from sessions.errors import LibraryError
from sessions.files import sync_folder, write_atomic
from sessions.layout import clip_info, markers_from, parse_take_folder
from sessions.model import Clip, Gap, Take
from sessions.names import unique_name
from sessions.rebuild import rebuild_session, rebuild_take
from sessions.recover import recover
from sessions.store import Library
from sessions.sums import forget_sum
from sessions.verify import REMEDIES, Finding, PlanReader, check_library
from sessions.wavheader import WavFormat
from sessions.wavread import read_info
from sessions.wavrepair import restate

PASSES: Final = 4
"""A document that was made again shows what else is wrong in its take; this is as deep as it goes."""


class Mending(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what was wrong."""

    mended: tuple[Finding, ...]
    left: tuple[Finding, ...]
    """As it was: only a person can say what to do, or mending failed."""


def mend_library(library: Library, *, hashes: bool = True, read_plan: PlanReader | None = None) -> Mending:
    """Look a library over, mend what is safe to mend, and say what was mended and what is left.

    No other process may change the library meanwhile; takes that are being recorded are left alone. Running it again
    changes nothing.
    """
    mended: list[Finding] = []
    tried: set[tuple[str, str]] = set()
    found = check_library(library, hashes=hashes, read_plan=read_plan)
    wrong_hashes = [finding for finding in found if finding.code == "hash"]
    for _ in range(PASSES):
        todo = [one for one in found if one.code in REMEDIES and (one.path, one.code) not in tried]
        if not todo:
            break
        # Takes before the session that is made of them.
        for finding in sorted(todo, key=lambda one: -one.path.count("/")):
            tried.add((finding.path, finding.code))
            if _mend(library, finding, read_plan):
                mended.append(finding)
        found = check_library(library, read_plan=read_plan)
    left = [finding for finding in found if finding.code != "hash"]
    return Mending(mended=tuple(mended), left=(*left, *wrong_hashes))


def _mend(library: Library, finding: Finding, read_plan: PlanReader | None) -> bool:
    path = library.root / finding.path
    try:
        match finding.code:
            case "session_document":
                session = rebuild_session(library, path.parent.name)
                _set_aside(path)
                library.save_session(session)
            case "take_document":
                take = rebuild_take(library, path.parents[2].name, path.parent)
                _set_aside(path)
                library.save_take(take)
            case "interrupted":
                recover(library)
            case "header" | "length":
                _follow_file(library, path, header_is_true=finding.code == "length")
            case "leftover":
                library.trash_leftover(path)
            case "plan":
                _step_back(path, read_plan)
            case "old_plan":
                _set_aside(path)
            case _:
                return False
    except (LibraryError, OSError):
        return False
    return True


def _set_aside(path: Path) -> None:
    """Give a file that can't be read a name under which nobody looks for it."""
    if path.exists():
        taken = (other.name for other in path.parent.iterdir())
        path.rename(path.with_name(unique_name(f"{path.name}.damaged", taken)))
        sync_folder(path.parent)


def _step_back(path: Path, read_plan: PlanReader | None) -> None:
    """Make the newest earlier plan that reads the plan again; without any there is no plan, and one can be proposed."""
    good = None
    for earlier in reversed(planshelf.history(path)):
        data = earlier.read_bytes()
        try:
            if read_plan is not None:
                read_plan(data)
        except ValueError:
            continue
        good = data
        break
    _set_aside(path)
    if good is not None:
        write_atomic(path, good)


def _follow_file(library: Library, path: Path, *, header_is_true: bool) -> None:
    """Let a file and its take's document agree: a true header for the file, its length and losses for the document."""
    place = parse_take_folder(path.parent.name)
    if place is None:
        raise LibraryError("not_found", f"{path.parent.name} is no take.", "")
    take = library.take(path.parents[2].name, *place)
    clip = next(clip for clip in take.clips if clip.file == path.name)
    track = next((track for track in take.tracks if track.id == clip.track), None)
    if header_is_true:
        frames = read_info(path).frames
    elif track is None:
        raise LibraryError("damaged", f"{path.name} belongs to no track of its take.", "")
    else:
        frames = restate(
            path,
            WavFormat(rate_hz=take.rate_hz, sample_format=take.sample_format),
            clip.frames,
            clip_info(take, track, _name_of(library, take.session), clip.start_samples),
            markers_from(take.markers, clip.start_samples),
        )
        forget_sum(path.parent, path.name)
    if frames != clip.frames:
        library.save_take(_with_frames(take, clip, frames))


def _with_frames(take: Take, clip: Clip, frames: int) -> Take:
    """The take with a clip of this length; what a clip has lost is a gap and a disk error."""
    clips = tuple(msgspec.structs.replace(one, frames=frames) if one is clip else one for one in take.clips)
    gaps, losses = take.gaps, take.losses
    if frames < clip.frames:
        gap = Gap(at_samples=clip.start_samples + frames, frames=clip.frames - frames, cause="disk_error")
        gaps = tuple(sorted({*gaps, gap}, key=lambda one: one.at_samples))
        losses = msgspec.structs.replace(losses, disk_errors=losses.disk_errors + 1)
    length = max(take.frames, clip.start_samples + frames)
    return msgspec.structs.replace(take, clips=clips, gaps=gaps, losses=losses, frames=length)


def _name_of(library: Library, session_id: str) -> str:
    try:
        return library.session(session_id).name
    except LibraryError:
        return session_id
