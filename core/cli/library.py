"""`oto sessions`, `oto takes`, `oto trash`, `oto import`: what is in the library, and bringing recordings into it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core import paths
from core.cli.command import Answer, Command, no_options
from core.cli.console import clock, size, table
from core.cli.link import engine_if_any
from core.errors import Exit, OtoError
from core.protocol.requests import EmptyTrash, ListSessions, ListTakes, ListTrash, Restore
from core.protocol.topics import SessionSummary
from sessions.layout import take_folder_name
from sessions.model import Take, TrashEntry
from sessions.store import Library

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from core.cli.console import Console


def _summaries() -> list[SessionSummary]:
    """Every session, from the engine when one runs (its library may not be ours to read), else from disk."""
    client = engine_if_any()
    if client is not None:
        with client:
            return client.call(ListSessions(), type=list[SessionSummary])
    library = Library(paths.library())
    return [
        SessionSummary(
            id=session.id,
            name=session.name,
            created_utc=session.created_utc,
            takes=sum(not take.false_take for take in library.takes(session.id)),
            tracks=len(session.tracks),
            bytes=library.session_bytes(session.id),
            path=str(library.session_path(session.id)),
            notes=session.notes,
        )
        for session in library.sessions()
    ]


def _tell_of_lost(console: Console, listed: Sequence[SessionSummary], session_id: str = "") -> None:
    """Say which recordings are there that the list can't show, so that nobody takes them for gone."""
    # The library of a box is the engine's, not the one that we would have here.
    root = Path(listed[0].path).parent if listed else paths.library()
    with contextlib.suppress(OSError):  # it may not be ours to read
        for place in Library(root).lost() if root.is_dir() else ():
            if place.startswith(session_id) and place not in {session.id for session in listed}:
                console.say(
                    f"{place} can't be read and is not listed; its audio is there. 'oto doctor --library' says why, "
                    "'oto doctor --repair' mends what it can."
                )


def _sessions(_options: Namespace, console: Console) -> Answer:
    found = _summaries()
    _tell_of_lost(console, found)
    rows = [
        (session.id, session.name, str(session.takes), str(session.tracks), size(session.bytes)) for session in found
    ]
    text = table(("id", "name", "takes", "tracks", "size"), rows) if rows else "The library is empty."
    return Answer(msgspec.to_builtins(found), text)


def _session_option(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="id or name")


def _takes(options: Namespace, console: Console) -> Answer:
    client = engine_if_any()
    if client is not None:
        with client:
            takes = client.call(ListTakes(session=options.session), type=list[Take])
            listed = client.call(ListSessions(), type=list[SessionSummary])
        folder = next((Path(session.path) for session in listed if takes and session.id == takes[0].session), Path())
        _tell_of_lost(console, listed, f"{takes[0].session}/" if takes else "")
    else:
        library = Library(paths.library())
        session = library.session(options.session)
        takes, folder = library.takes(session.id), library.session_path(session.id)
        _tell_of_lost(console, (), f"{session.id}/")
    value = [_take_value(take, folder) for take in takes]
    rows = [
        (
            str(take.number),
            take.name,
            clock(take.frames / take.rate_hz),
            "false" if take.false_take else take.status,
            str(len(take.tracks)),
            str(len(take.markers)),
            str(len(take.gaps)),
        )
        for take in takes
    ]
    text = table(("take", "name", "length", "state", "tracks", "markers", "gaps"), rows) if rows else "No takes yet."
    return Answer(value, text)


def _take_value(take: Take, session_folder: Path) -> dict[str, Any]:
    folder = session_folder / "takes" / take_folder_name(take.number, take.false_number)
    return {**msgspec.to_builtins(take), "files": [str(folder / clip.file) for clip in take.clips]}


def _import_options(parser: ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", metavar="FOLDER|FILE", help="recordings made elsewhere")
    parser.add_argument("--name", help="name of the session (default: the folder's)")


def _import(options: Namespace, console: Console) -> Answer:
    from sessions.importing import import_recordings

    if not all(options.what):
        raise OtoError("usage", "Which recordings? A name is empty.", "'.' is this folder.", Exit.USAGE)
    library = Library(paths.library())
    session = import_recordings(
        library, [Path(word).absolute() for word in options.what], name=options.name or "", progress=console.progress
    )
    take = library.takes(session.id)[0]
    value = {
        "session": session.id,
        "name": session.name,
        "take": take.number,
        "tracks": [track.name for track in take.tracks],
        "rate_hz": take.rate_hz,
        "frames": take.frames,
        "files": _take_value(take, library.session_path(session.id))["files"],
    }
    text = f"Imported {len(take.tracks)} tracks, {clock(take.frames / take.rate_hz)}, as session '{session.name}'."
    return Answer(value, text)


def _trash_options(parser: ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--restore", metavar="ID", help="put one thing back where it was")
    choice.add_argument("--empty", action="store_true", help="delete everything in it for good")


def _trash(options: Namespace, _console: Console) -> Answer:
    library = Library(paths.library())
    with engine_if_any() or contextlib.nullcontext() as client:
        if options.restore is not None:
            request = Restore(entry=options.restore)
            path = client.call(request, type=str) if client else str(library.restore_by_id(options.restore))
            return Answer({"restored": path}, f"It is back: {path}")
        if options.empty:
            freed = client.call(EmptyTrash(), type=int) if client else library.empty_trash()
            return Answer({"freed_bytes": freed}, f"The trash is empty; {size(freed)} are free again.")
        entries = client.call(ListTrash(), type=list[TrashEntry]) if client else library.trash_entries()
    rows = [(entry.id, entry.title, size(entry.bytes), entry.trashed_utc) for entry in entries]
    text = table(("id", "what", "size", "removed"), rows) if rows else "The trash is empty."
    return Answer(msgspec.to_builtins(entries), text)


COMMANDS = {
    "sessions": Command(
        "list the sessions",
        "List every session of the library, newest first.",
        ("oto sessions", "oto sessions --json | jq -r '.[0].path'"),
        no_options,
        _sessions,
    ),
    "takes": Command(
        "list a session's takes",
        "List the takes of a session, false takes included, with their markers and gaps.",
        ("oto takes Rehearsal", "oto takes '2026-11-22 Rehearsal' --json"),
        _session_option,
        _takes,
    ),
    "trash": Command(
        "what was removed: list it, put it back, or delete it for good",
        "List what was moved to the trash, put one thing back, or empty it. Only emptying frees room on the disk.",
        ("oto trash", "oto trash --restore 0003", "oto trash --empty"),
        _trash_options,
        _trash,
    ),
    "import": Command(
        "make a session from recordings made elsewhere",
        "Make a session from files: a recorder's card, a DAW's stems. Any format and rate that libsndfile reads;\n"
        "files with several channels are split into tracks; names become track names. The originals are not touched.",
        ("oto import /media/ZOOM/FOLDER01", "oto import kick.wav snare.wav --name 'First song'"),
        _import_options,
        _import,
    ),
}
