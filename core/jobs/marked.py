"""The job that brings what is new to a drive that is marked for it, each bounce once.

What has arrived is written down on the drive itself, so that every drive knows for itself what it lacks, also after
it was away. Whatever else is on a drive may be hostile: no link on it is followed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from core.backup.shelf import open_inside
from core.errors import Exit, OtoError
from core.export.copy import told_as_drive_errors
from core.export.export import export_files
from core.jobs.songs import song_of
from core.progress import Progress, part
from devices.drives import drive_at
from sessions.errors import LibraryError
from sessions.files import write_all
from sessions.model import ExportRecord
from sessions.names import safe_name
from sessions.store import Library

ARRIVED: Final = ".oto-exported.jsonl"
"""On the drive: a line for each bounce that is on it, or was."""
FORMATS: Final = ("wav24",)
MAX_LIST_BYTES: Final = 16 << 20


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the drive's list."""

    sha256: str
    """Of the bounce on the box, not of the exported file."""
    session: str
    bounce: str


def bring_new(
    library: Library,
    place: Path,
    kinds: Collection[str],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Export every bounce of these kinds that the drive at `place` has not had yet, into a folder for each session.

    Newest sessions first. What can't be exported (its take is gone, its file has suffered) is told in "left_out" and
    tried again next time. Raises OtoError: "drive_lost" when the drive is no longer there or no longer marked, and
    whatever `export_files` raises; what had arrived until then stays arrived.
    """
    drive = drive_at(place)
    if not drive.marked:
        raise OtoError(
            "drive_lost", "The drive was pulled before anything was written.", "It goes on when it is plugged in again."
        )
    there = _arrived(place)
    todo = [
        (session, bounce)
        for session in library.sessions()
        for bounce in reversed(library.bounces(session.id))
        if bounce.kind in kinds and bounce.sha256 not in there
    ]
    songs: list[str] = []
    left_out: list[str] = []
    for number, (session, bounce) in enumerate(todo):
        try:
            item = song_of(library, session.id, bounce)
        except (OtoError, LibraryError) as error:
            left_out.append(f"{session.name}, {bounce.id}: {error}")
            continue
        folder = place / safe_name(session.name)
        if folder.is_symlink():
            words = f"{folder.name!r} on the drive is a link to somewhere else, so nothing was written through it."
            raise OtoError("bad_input", words, "Remove it, or use another drive.", Exit.BAD_INPUT)
        files = export_files([item], folder, FORMATS, progress=part(progress, number / len(todo), 1 / len(todo)))
        with told_as_drive_errors(ARRIVED):
            _remember(place, Arrived(sha256=bounce.sha256, session=session.id, bounce=bounce.id))
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        library.append_export(session.id, ExportRecord(created_utc=now, destination=str(folder), files=tuple(files)))
        songs += [str(Path(file.path).relative_to(place)) for file in files]
    return {"destination": str(place), "label": drive.label, "songs": songs, "left_out": left_out}


def _arrived(place: Path) -> set[str]:
    """Hashes of what the drive has had; what can't be read counts as nothing."""
    found: set[str] = set()
    with contextlib.suppress(OSError), open_inside(place, ARRIVED) as file:
        for line in file.read(MAX_LIST_BYTES).splitlines():
            with contextlib.suppress(ValueError):
                found.add(msgspec.json.decode(line, type=Arrived).sha256)
    return found


def _remember(place: Path, arrived: Arrived) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(place / ARRIVED, flags, 0o644)
    try:
        write_all(descriptor, b"\n" + msgspec.json.encode(arrived) + b"\n")  # a torn line before it stays alone
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
