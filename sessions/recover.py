"""At start: finds takes that were being recorded when OTO stopped, and makes them whole.

Nothing is renamed and nothing deleted. How long a clip is comes from its file, everything else from the journal; a clip
that the journal lost is placed by its file's name and bext time reference.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from sessions import journal
from sessions.errors import LibraryError
from sessions.layout import JOURNAL_FILE, clip_file_name, clip_info, markers_from, start_of
from sessions.model import Clip, Take, TakeTrack
from sessions.staging import clear_abandoned
from sessions.store import Library
from sessions.wavheader import WavFormat
from sessions.wavread import read_info
from sessions.wavrepair import repair


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """A take that was made whole, and what to tell people about it."""

    take: Take
    message: str
    written_s: float = 0.0
    """When its files were last written, in seconds since 1970; 0 when it has none."""
    ended: bool = False
    """It had been stopped and only its last words were missing."""


def recover(library: Library) -> list[Recovered]:
    """Make every interrupted take whole and mark it "recovered"; takes that a living process records are left alone."""
    clear_abandoned(library.root)
    recovered: list[Recovered] = []
    for session_id in library.session_ids():
        for take in library.takes(session_id):
            folder = library.take_path(session_id, take.number, take.false_number)
            try:
                if take.status == "recording" and not journal.in_use(folder / JOURNAL_FILE):
                    recovered.append(_recover_take(library, take, folder))
            except OSError as error:
                message = (
                    f"Take {take.number} of '{take.session}' can't be looked at ({error.strerror}); it was left alone."
                )
                recovered.append(Recovered(take=take, message=message, ended=True))
    return recovered


def _recover_take(library: Library, take: Take, folder: Path) -> Recovered:
    try:
        session_name = library.session(take.session).name
    except LibraryError:
        session_name = take.session
    events = journal.read_journal(folder / JOURNAL_FILE)
    written_s = max((path.stat().st_mtime for path in folder.glob("*.wav")), default=0.0)
    take = journal.fold(take, events)
    journalled = {clip.file: clip for clip in take.clips}
    files = _files_of(take, folder)
    clips: list[Clip] = []
    failed: list[str] = []
    for file, track in files.items():
        clip = journalled.get(file)
        start = clip.start_samples if clip else _start_by_header(take, folder / file)
        try:
            frames = repair(
                folder / file,
                otherwise=WavFormat(rate_hz=take.rate_hz, sample_format=take.sample_format),
                info=clip_info(take, track, session_name, start),
                markers=markers_from(take.markers, start),
            )
        except OSError:
            failed.append(file)
            frames = clip.frames if clip else 0
        if frames:
            clips.append(Clip(track=track.id, file=file, start_samples=start, frames=frames))
    take = msgspec.structs.replace(
        take,
        status="recovered",
        clips=tuple(clips),
        frames=max((clip.start_samples + clip.frames for clip in clips), default=0),
    )
    sentences = [_what_is_safe(take, session_name)]
    if failed:
        sentences.append(f"These files could not be repaired and were left as they are: {', '.join(failed)}.")
    if missing := [file for file in journalled if file not in files]:
        sentences.append(f"These files are missing: {', '.join(missing)}.")
    try:
        library.make_room_to_close(take.session, take.number)
        library.save_take(take)
    except OSError as error:
        sentences.append(f"That could not be written down ({error.strerror}), so it will be tried again next time.")
    ended = any(isinstance(event, journal.TakeEnded) for event in events)
    return Recovered(take=take, message=" ".join(sentences), written_s=written_s, ended=ended)


def _files_of(take: Take, folder: Path) -> dict[str, TakeTrack]:
    """The take's files that are there, by the names that its clips can have; other files are none of our business."""
    present = {path.name for path in folder.glob("*.wav")}
    expected = {
        clip_file_name(take, track.id, clip): track for clip in range(1, len(present) + 1) for track in take.tracks
    }
    by_id = {track.id: track for track in take.tracks}
    expected |= {clip.file: by_id[clip.track] for clip in take.clips if clip.track in by_id}
    return {file: track for file, track in expected.items() if file in present}


def _start_by_header(take: Take, path: Path) -> int:
    try:
        bext = read_info(path).bext
    except (LibraryError, OSError):
        return 0
    return start_of(take, bext.time_reference_samples) if bext else 0


def _what_is_safe(take: Take, session_name: str) -> str:
    what = f"Take {take.number} of '{session_name}'"
    tracks = len({clip.track for clip in take.clips})
    if not tracks:
        return f"{what} had just been started when OTO stopped: nothing had been captured yet."
    safe = (
        f"{duration_words(take.frames / take.rate_hz)} of {tracks} {'track is' if tracks == 1 else 'tracks are'} safe"
    )
    return f"{what} was being recorded when OTO stopped: {safe}."


def duration_words(seconds: float) -> str:
    """How long, for people: "4 min 12 s"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    words = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in words if count) or "less than a second"
