"""Brings a backup back: sessions appear whole or not at all, and nothing that is here is replaced."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from core.backup.make import SETTINGS_SUFFIXES
from core.backup.shelf import BackupList, Entry, Shelf, open_inside
from core.errors import Exit, OtoError
from core.progress import Progress, report
from sessions.errors import LibraryError
from sessions.files import sha256_file, sync_folder, write_atomic, write_new
from sessions.migrate import dump, load
from sessions.model import Session
from sessions.names import unique_name
from sessions.overview import OVERVIEW_FILE
from sessions.staging import staging
from sessions.store import SESSION_FILE

CHUNK_BYTES: Final = 1 << 20
RESERVE_BYTES: Final = 512 << 20
"""What stays free on the box, so that it can go on recording."""
GROWING: Final = frozenset({OVERVIEW_FILE, "exports.jsonl"})
"""Files by whose difference two sessions do not differ."""

RESTORED: Final = " (restored)"
"""Ends the name of what is here under another name than it had."""

State = Literal["there", "restored", "renamed"]
"""It was here already; it is back under its name; it is back under a new name, beside what is here."""


class Returned(NamedTuple):
    """What became of one session or settings file."""

    name: str
    """Of the session its id."""
    state: State
    here: str
    """What it is called here."""


class Restored(NamedTuple):
    """What a restore did."""

    backup: BackupList
    sessions: tuple[Returned, ...]
    settings: tuple[Returned, ...]
    damaged: tuple[str, ...]
    """Files that are missing on the drive, or not as they were when they were backed up; those are here as they are."""


def restore(
    shelf: Shelf, home: Path, *, number: int | None = None, only: Sequence[str] = (), progress: Progress | None = None
) -> Restored:
    """Bring the newest backup, or the one with this number, back into a studio; `only` names sessions by id.

    Sessions and settings that are here stay as they are: what differs gets a name of its own. It may be interrupted at
    any moment and repeated.

    Raises OtoError: "not_found", "bad_input", "no_space" before anything is written, "drive_lost", "cancelled".
    """
    backup = _chosen(shelf, number)
    library = home / "library"
    library.mkdir(parents=True, exist_ok=True)
    by_session, settings = _sorted_out(backup)
    unknown = [name for name in only if name not in by_session]
    if unknown:
        known = ", ".join(repr(name) for name in by_session) or "none"
        raise OtoError("not_found", f"The backup has no session {unknown[0]!r}.", f"It has {known}.", Exit.NOT_FOUND)
    wanted = {name: entries for name, entries in by_session.items() if not only or name in only}
    report(progress, 0.0, "looking for what is here already")
    here = {name: _same_here(shelf, library, name, entries) for name, entries in wanted.items()}
    missing = {name: entries for name, entries in wanted.items() if here[name] is None}
    total = sum(entry.bytes for entries in missing.values() for entry in entries)
    _refuse_what_cannot_fit(total, library)
    moved = 0

    def tell(count: int, doing: str) -> None:
        nonlocal moved
        moved += count
        report(progress, min(moved / max(total, 1), 1.0), doing)

    damaged: list[str] = []
    sessions = [Returned(name, "there", found) for name, found in here.items() if found is not None]
    for name, entries in missing.items():
        sessions.append(_bring_session(shelf, library, name, entries, damaged, tell))
    kept = [] if only else [_bring_setting(shelf, home, entry, damaged) for entry in settings]
    return Restored(backup, tuple(sessions), tuple(kept), tuple(damaged))


def _chosen(shelf: Shelf, number: int | None) -> BackupList:
    found = shelf.newest() if number is None else shelf.read(number)
    if found is None:
        raise OtoError("not_found", f"There is no backup in {shelf.folder} that can be read.", "", Exit.NOT_FOUND)
    return found


def _sorted_out(backup: BackupList) -> tuple[dict[str, list[Entry]], list[Entry]]:
    """The files of each session and those of the settings; anything else is none of a backup's business."""
    sessions: dict[str, list[Entry]] = {}
    settings: list[Entry] = []
    for entry in backup.entries:
        parts = entry.path.split("/")
        if len(parts) == 1 and not entry.path.startswith(".") and entry.path.endswith(SETTINGS_SUFFIXES):
            settings.append(entry)
        elif len(parts) > 2 and parts[0] == "library" and not parts[1].startswith("."):
            sessions.setdefault(parts[1], []).append(entry)
    return sessions, settings


def _within(entry: Entry) -> str:
    """Where a file is in its session."""
    return entry.path.split("/", 2)[2]


def _same_here(shelf: Shelf, library: Path, name: str, entries: Sequence[Entry]) -> str | None:
    """The session of this name, or one that was restored under another, which has all these files as they are."""
    for folder in sorted(library.iterdir()):
        if (folder.name == name or folder.name.startswith(f"{name} (")) and all(
            _is_same_session(shelf, folder / SESSION_FILE, entry)
            if _within(entry) == SESSION_FILE
            else _is_same(folder / _within(entry), entry)
            for entry in entries
            if entry.path.rpartition("/")[2] not in GROWING
        ):
            return folder.name
    return None


def _is_same(path: Path, entry: Entry) -> bool:
    with suppress(OSError):
        return path.stat().st_size == entry.bytes and sha256_file(path) == entry.sha256
    return False


def _is_same_session(shelf: Shelf, path: Path, entry: Entry) -> bool:
    """Whether a session's document is the one of the backup, but for what `_rename` does to it."""
    if _is_same(path, entry):
        return True
    with suppress(LibraryError, OSError), open_inside(shelf.files, entry.stored) as file:
        there = load(file.read(entry.bytes), Session, path.name)
        return load(path.read_bytes(), Session, path.name) == _renamed(there)
    return False


def _refuse_what_cannot_fit(needed: int, library: Path) -> None:
    free = shutil.disk_usage(library).free
    if needed and needed + RESERVE_BYTES > free:
        raise OtoError(
            "no_space",
            f"The sessions need {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free here, of which "
            f"{RESERVE_BYTES / 1e9:.2f} GB stay so. Nothing was restored.",
            "Make room, or restore single sessions with --session.",
            Exit.NO_SPACE,
        )


def _bring_session(
    shelf: Shelf,
    library: Path,
    name: str,
    entries: Sequence[Entry],
    damaged: list[str],
    tell: Callable[[int, str], None],
) -> Returned:
    with staging(library) as hidden:
        folder = hidden / "session"
        folder.mkdir()
        for entry in entries:
            target = folder / _within(entry)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _fetch(shelf, entry, target, lambda count: tell(count, f"restoring {name}")):
                damaged.append(entry.path)
        (folder / "takes").mkdir(exist_ok=True)
        for parent, _, _ in os.walk(folder):
            sync_folder(Path(parent))
        while True:
            here = unique_name(name, (path.name for path in library.iterdir()))
            if here != name:
                _rename(folder / SESSION_FILE)
            with suppress(FileExistsError):
                (library / here).mkdir()
                break
        folder.rename(library / here)
        sync_folder(library)
    return Returned(name, "restored" if here == name else "renamed", here)


def _rename(path: Path) -> None:
    """Let a session that stands beside another of its name say that it is the restored one."""
    with suppress(LibraryError, OSError):
        write_atomic(path, dump(_renamed(load(path.read_bytes(), Session, path.name))))


def _renamed(session: Session) -> Session:
    return msgspec.structs.replace(session, name=session.name.removesuffix(RESTORED) + RESTORED)


def _bring_setting(shelf: Shelf, home: Path, entry: Entry, damaged: list[str]) -> Returned:
    stem, suffix = Path(entry.path).stem, Path(entry.path).suffix
    names = [path.name for path in home.iterdir()]
    for name in names:
        ours = name == entry.path or (name.startswith(stem + RESTORED) and name.endswith(suffix))
        if ours and _is_same(home / name, entry):
            return Returned(entry.path, "there", name)
    name = entry.path
    if name in names:
        name = unique_name(stem + RESTORED, names, suffix)
    try:
        with open_inside(shelf.files, entry.stored) as file:
            data = file.read(entry.bytes + 1)
    except OSError:
        damaged.append(entry.path)
        return Returned(entry.path, "there", "")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        damaged.append(entry.path)
    else:
        write_new(home / name, data)
    return Returned(entry.path, "restored" if name == entry.path else "renamed", name)


def _fetch(shelf: Shelf, entry: Entry, target: Path, moved: Callable[[int], None]) -> bool:
    """Copy a file from the drive and sync it; False when it is missing there or not what it was.

    Raises OtoError: "drive_lost", "no_space".
    """
    digest = hashlib.sha256()
    left = entry.bytes
    try:
        with open_inside(shelf.files, entry.stored) as file, target.open("xb") as out:
            while left and (chunk := file.read(min(CHUNK_BYTES, left))):
                digest.update(chunk)
                out.write(chunk)
                left -= len(chunk)
                moved(len(chunk))
            longer = file.read(1)
            out.flush()
            os.fsync(out.fileno())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link where a file was
            return False
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OtoError(
                "no_space",
                "The box's disk filled up. Sessions that were restored before are whole, of this one nothing is left.",
                "Make room and repeat: what is here already is not restored again.",
                Exit.NO_SPACE,
            ) from error
        raise OtoError(
            "drive_lost",
            f"The drive failed or was pulled while {entry.path!r} was read: {error.strerror or error}. "
            "Sessions that were restored before are whole, of this one nothing is left.",
            "Plug the drive in again and repeat: what is here already is not restored again.",
        ) from error
    return not left and not longer and digest.hexdigest() == entry.sha256
