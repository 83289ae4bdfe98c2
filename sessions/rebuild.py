"""Makes the documents of a session or a take again from what else is there: the journal, the audio files, the takes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from sessions import journal
from sessions.chunks import Bext
from sessions.errors import LibraryError
from sessions.layout import JOURNAL_FILE, clip_info, parse_take_folder
from sessions.model import Clip, SampleFormat, Session, Take, TakeTrack, Track
from sessions.store import Library
from sessions.wavheader import HEADER_BYTES
from sessions.wavread import WavFile, read_info
from sessions.wavrepair import repair

T = TypeVar("T")

REBUILT_NOTE: Final = "Made again from the journal and the audio files, because its document was damaged."

_CLIP_NAME: Final = re.compile(r"(\d{2,}) (.+?)(?: \(\d+\))?\.wav")
_DATED: Final = re.compile(r"(\d{4}-\d{2}-\d{2}) ?(.*)")


class _Heard(NamedTuple):
    """An audio file of a take, as it speaks for itself."""

    file: str
    order: int
    name: str
    says: WavFile


def rebuild_take(library: Library, session_id: str, folder: Path) -> Take:
    """The take in a folder, from its journal and its files, which must be the recorder's own; saves nothing.

    Stars, notes and which take was overdubbed are lost. Raises LibraryError("damaged") without any audio, OSError.
    """
    number, false_number = parse_take_folder(folder.name) or (0, 0)
    heard = sorted(_heard(folder), key=lambda one: (one.order, one.file))
    if not heard or not number:
        raise LibraryError("damaged", f"{folder.name} holds no audio that a take could be made of.", "")
    events = journal.read_journal(folder / JOURNAL_FILE)
    rate_hz, bits = _usual((one.says.rate_hz, one.says.bits) for one in heard)
    sample_format: SampleFormat = "pcm24" if bits == 24 else "float32"
    told = journal.fold(_blank(session_id, number, false_number, rate_hz, sample_format), events)
    journalled = {clip.file: clip for clip in told.clips}
    tracks = _tracks(heard, journalled, _known_tracks(library, session_id))
    reference = _reference(heard, journalled, rate_hz)
    take = msgspec.structs.replace(
        told,
        name=_take_name(heard),
        started_utc=_started_utc(heard, journalled, rate_hz),
        time_reference_samples=reference,
        tracks=tuple(dict.fromkeys(tracks.values())),
    )
    clips = []
    for one in heard:
        track, clip = tracks[one.file], journalled.get(one.file)
        start = clip.start_samples if clip else _since(reference, one.says.bext, rate_hz)
        info = clip_info(take, track, _session_name(heard) or session_id, start)
        frames = repair(folder / one.file, info=info)
        clips.append(Clip(track=track.id, file=one.file, start_samples=start, frames=frames))
    clips.sort(key=lambda clip: clip.start_samples)
    return msgspec.structs.replace(
        take, clips=tuple(clips), frames=max(clip.start_samples + clip.frames for clip in clips)
    )


def rebuild_session(library: Library, session_id: str) -> Session:
    """The session in a folder, from its takes; saves nothing. Inputs that no take used and notes are lost."""
    takes = library.takes(session_id)
    dated = _DATED.fullmatch(session_id)
    tracks: dict[str, Track] = {}
    for take in takes:
        for track in take.tracks:
            tracks[track.id] = Track(id=track.id, name=track.name, role=track.role, input=track.input)
    created = min((take.started_utc for take in takes if take.started_utc), default=dated[1] if dated else "")
    files = [one for take in takes for one in _heard(library.take_path(session_id, take.number, take.false_number))]
    latest = max(takes, key=lambda take: take.number, default=None)
    return Session(
        id=session_id,
        name=_session_name(files) or (dated[2] if dated else "") or session_id,
        created_utc=created,
        sequence=_sequence(library, session_id, created),
        rate_hz=latest.rate_hz if latest else 48_000,
        sample_format=latest.sample_format if latest else "pcm24",
        tracks=tuple(tracks.values()),
        notes="Made again from its takes, because its document was damaged.",
    )


def _sequence(library: Library, session_id: str, created_utc: str) -> int:
    """That of the newest session that is not younger: sessions with one number are in order of their times."""
    older = [one.sequence for one in library.sessions() if one.id != session_id and one.created_utc <= created_utc]
    return max(older, default=0)


def _blank(session_id: str, number: int, false_number: int, rate_hz: int, sample_format: SampleFormat) -> Take:
    return Take(
        number=number,
        session=session_id,
        status="recovered",
        rate_hz=rate_hz,
        sample_format=sample_format,
        started_utc="",
        tracks=(),
        false_take=false_number > 0,
        false_number=false_number,
        notes=REBUILT_NOTE,
    )


def _heard(folder: Path) -> list[_Heard]:
    """The files that the recorder wrote; those that can't be read, hold nothing or come from elsewhere are left out."""
    found = []
    for path in folder.glob("*.wav"):
        named = _CLIP_NAME.fullmatch(path.name)
        try:
            says = read_info(path)
        except (LibraryError, OSError):
            continue
        if named and says.data_offset == HEADER_BYTES and says.channels == 1 and path.stat().st_size > HEADER_BYTES:
            given = says.ixml.track_names.get(1, "") if says.ixml else ""
            found.append(_Heard(path.name, int(named[1]), given or named[2], says))
    return found


def _known_tracks(library: Library, session_id: str) -> list[TakeTrack]:
    """The tracks of the session, if its own document reads."""
    try:
        return [
            TakeTrack(id=track.id, name=track.name, role=track.role, input=track.input)
            for track in library.session(session_id).tracks
        ]
    except LibraryError:
        return []


def _tracks(heard: list[_Heard], journalled: dict[str, Clip], known: list[TakeTrack]) -> dict[str, TakeTrack]:
    """By file. The journal knows a track's id; else it is the session's track of that name, else a new one."""
    tracks: dict[tuple[int, str], TakeTrack] = {}
    used = {clip.track for clip in journalled.values()} | {track.id for track in known}
    for one in heard:
        key = (one.order, one.name)
        if key in tracks:
            continue
        clip = journalled.get(one.file)
        same = next((track for track in known if track.id == clip.track), None) if clip else None
        same = same or next((track for track in known if track.name == one.name and not clip), None)
        fresh = next(f"t{n}" for n in range(1, len(used) + 2) if f"t{n}" not in used)
        identity = clip.track if clip else same.id if same else fresh
        used.add(identity)
        tracks[key] = TakeTrack(
            id=identity, name=one.name, role=same.role if same else None, input=same.input if same else None
        )
    return {one.file: tracks[one.order, one.name] for one in heard}


def _reference(heard: list[_Heard], journalled: dict[str, Clip], rate_hz: int) -> int:
    """Samples since midnight at the start of the timeline."""
    day = 86_400 * rate_hz
    for one in heard:
        if one.says.bext and one.file in journalled:
            return (one.says.bext.time_reference_samples - journalled[one.file].start_samples) % day
    return min((one.says.bext.time_reference_samples for one in heard if one.says.bext), default=0)


def _since(reference: int, bext: Bext | None, rate_hz: int) -> int:
    return (bext.time_reference_samples - reference) % (86_400 * rate_hz) if bext else 0


def _started_utc(heard: list[_Heard], journalled: dict[str, Clip], rate_hz: int) -> str:
    """When the timeline starts, by the earliest header that says."""
    starts = []
    for one in heard:
        if one.says.bext is None:
            continue
        clip = journalled.get(one.file)
        try:
            local = datetime.fromisoformat(f"{one.says.bext.date} {one.says.bext.time}").astimezone()
        except ValueError:
            continue
        starts.append(local - timedelta(seconds=clip.start_samples / rate_hz if clip else 0))
    return min(starts).astimezone(UTC).isoformat(timespec="seconds") if starts else ""


def _session_name(heard: Iterable[_Heard]) -> str:
    names = [one.says.ixml.project for one in heard if one.says.ixml and one.says.ixml.project]
    return _usual(names) if names else ""


def _take_name(heard: Iterable[_Heard]) -> str:
    """What was played, if the files say; where there is no name, their scene is the session's."""
    scenes = [one.says.ixml for one in heard if one.says.ixml]
    name = _usual(ixml.scene for ixml in scenes) if scenes else ""
    return "" if any(name == ixml.project for ixml in scenes) else name


def _usual(values: Iterable[T]) -> T:
    return Counter(values).most_common(1)[0][0]
