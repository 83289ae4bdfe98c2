"""Makes a backup: every file that the drive does not have yet, copied and proven, then the list that names them all."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.backup.pruning import Pruned, prune
from core.backup.shelf import FILES, FOLDER, LISTS, BackupList, Entry, Kept, Shelf, stored_folder, stored_name
from core.errors import Exit, OtoError
from core.export.copy import Moved, copy_verified, told_as_drive_errors
from core.progress import Progress, report
from core.version import VERSION
from devices.drives import Drive, drive_at
from sessions.files import sha256_file
from sessions.journal import in_use
from sessions.layout import JOURNAL_FILE
from sessions.sums import read_sums

SETTINGS_SUFFIXES: Final = (".json", ".toml")
"""Of the files in the studio's home itself that a person has made what they are."""
SLACK_BYTES: Final = 4 << 20
"""For the lists and the drive's own books."""
LOOKING_SHARE: Final = 0.1
"""Of the progress."""


@dataclass(frozen=True)
class Made:
    """What a backup did."""

    number: int
    folder: Path
    files: int
    bytes: int
    copied_files: int
    copied_bytes: int
    left_out: tuple[str, ...]
    """What was not finished, or has a name that can't be written down; in words."""
    suffered: tuple[str, ...] = ()
    """Files of takes that are no longer what was recorded; copied as they are now."""
    pruned: Pruned | None = None


@dataclass(frozen=True)
class _Source:
    path: str
    """Below the home."""
    file: Path
    state: os.stat_result


def back_up(home: Path, place: Path, *, keep: int | None = None, progress: Progress | None = None) -> Made:
    """Back up the library and the settings of a studio to a drive or folder.

    Files that are there already are not copied again, whatever they are called now. What can't fit is refused before
    a byte is written. It may be interrupted at any moment: backups before it stay as they are, and the next one goes
    on with what had arrived. With `keep` earlier backups are removed afterwards (`core.backup.pruning`).

    Raises OtoError: "not_found", "no_space", "bad_input" for a file that the drive can't hold, "drive_lost",
    "verify_failed", "cancelled".
    """
    drive = drive_at(place)
    if place.resolve().is_relative_to((home / "library").resolve()):
        raise OtoError("bad_input", "A backup inside the library would be lost with it.", "Choose a drive.")
    shelf = Shelf(place / FOLDER)
    left_out: list[str] = []
    report(progress, 0.0, "looking for what has changed")
    sources = list(_sources(home, left_out))
    if not sources:
        raise OtoError("not_found", f"There is nothing to back up in {home}.", "", Exit.NOT_FOUND)
    before = shelf.newest()
    known = {entry.path: entry for entry in before.entries} if before else {}
    kept = shelf.kept()
    entries, missing = _compared(sources, known, kept, shelf, progress)
    _refuse_what_cannot_fit(missing, drive, place)
    total = max(2 * sum(source.state.st_size for source in missing), 1)
    moved = 0
    with told_as_drive_errors(FOLDER):
        _make_folder(place, FOLDER, FILES)
    for source in missing:

        def tell(count: int, name: str = source.file.name) -> None:
            nonlocal moved
            moved += count
            report(progress, min(LOOKING_SHARE + (1 - LOOKING_SHARE) * moved / total, 1.0), f"copying {name}")

        entries.append(_entry(source, _copy(source, shelf, tell)))
    suffered = _suffered(home, entries)
    number = 1 + max(shelf.numbers(), default=0)
    made = BackupList(
        number=number,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        host=platform.node(),
        oto_version=VERSION,
        entries=tuple(sorted(entries, key=lambda entry: entry.path)),
    )
    with told_as_drive_errors("the list of this backup"):
        _make_folder(shelf.folder, LISTS)
        shelf.add(made)
    return Made(
        number=number,
        folder=shelf.folder,
        files=len(entries),
        bytes=sum(entry.bytes for entry in entries),
        copied_files=len(missing),
        copied_bytes=sum(source.state.st_size for source in missing),
        left_out=tuple(left_out),
        suffered=suffered,
        pruned=None if keep is None else prune(shelf, keep),
    )


def _suffered(home: Path, entries: list[Entry]) -> tuple[str, ...]:
    """Which files of takes, as they are in this backup, are not what was recorded."""
    known: dict[Path, dict[str, str]] = {}
    found = []
    for entry in entries:
        file = home / entry.path
        sums = known.setdefault(file.parent, read_sums(file.parent)) if file.suffix == ".wav" else {}
        if sums.get(file.name, entry.sha256) != entry.sha256:
            found.append(entry.path.removeprefix("library/"))
    return tuple(sorted(found))


def _sources(home: Path, left_out: list[str]) -> Iterator[_Source]:
    """The files that belong into a backup. Links are not followed; what is hidden is unfinished or in the trash."""
    for file in sorted(home.iterdir()):
        if file.suffix in SETTINGS_SUFFIXES and file.is_file() and not file.name.startswith("."):
            yield _Source(file.name, file, file.stat())
    root = home / "library"
    for parent, folders, names in os.walk(root):
        folder = Path(parent)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not (folder / name).is_symlink())
        if folder == root:  # files here belong to no session
            continue
        unfinished = ""
        if JOURNAL_FILE in names and in_use(folder / JOURNAL_FILE):
            unfinished = "is being recorded"
        elif folder.parent.name == "bounces" and "bounce.json" not in names:
            unfinished = "is being rendered"
        if unfinished:
            left_out.append(f"{_shown(folder.relative_to(root))} {unfinished}")
            folders.clear()
            continue
        for name in sorted(names):
            file = folder / name
            shown = _shown(file.relative_to(root))
            if name.startswith(".") or file.is_symlink() or not file.is_file():
                continue
            if shown != file.relative_to(root).as_posix():
                left_out.append(f"{shown} has a name that can't be written down")
                continue
            yield _Source(f"library/{shown}", file, file.stat())


def _shown(path: Path) -> str:
    """A path as text, with what is no text or can't be shown in it replaced."""
    text = path.as_posix().encode(errors="replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _compared(
    sources: list[_Source], known: dict[str, Entry], kept: dict[str, Kept], shelf: Shelf, progress: Progress | None
) -> tuple[list[Entry], list[_Source]]:
    """What the drive has already, and what it lacks. Only a file that could be there under another name is read."""
    entries: list[Entry] = []
    missing: list[_Source] = []
    sizes = {one.bytes for one in kept.values()}
    for number, source in enumerate(sources):
        report(progress, LOOKING_SHARE * number / len(sources), f"looking at {source.file.name}")
        size = source.state.st_size
        same = known.get(source.path)
        state = (size, source.state.st_mtime_ns, source.state.st_ino)
        if same is not None and (same.bytes, same.mtime_ns, same.inode) == state:
            one = kept.get(same.sha256)
        else:
            one = kept.get(sha256_file(source.file)) if size in sizes else None
        if one is not None and shelf.has(one):
            entries.append(_entry(source, one))
        else:
            missing.append(source)
    return entries, missing


def _entry(source: _Source, kept: Kept) -> Entry:
    return Entry(
        path=source.path,
        stored=kept.stored,
        bytes=kept.bytes,
        sha256=kept.sha256,
        mtime_ns=source.state.st_mtime_ns,
        inode=source.state.st_ino,
    )


def _copy(source: _Source, shelf: Shelf, moved: Moved) -> Kept:
    with told_as_drive_errors(source.file.name):
        folder = _make_folder(shelf.files, *stored_folder(source.path).parts)
        copied = copy_verified(source.file, folder, stored_name(source.file.name), moved=moved)
        kept = Kept(stored=copied.path.relative_to(shelf.files).as_posix(), bytes=copied.bytes, sha256=copied.sha256)
        shelf.remember(kept)
    return kept


def _make_folder(place: Path, *parts: str) -> Path:
    """A folder below `place`, made if need be. Raises OtoError("bad_input") for a link on the way, OSError."""
    for part in parts:
        place = place / part
        if place.is_symlink():
            words = f"{place.name!r} on the drive is a link to somewhere else, and nothing is written through it."
            raise OtoError("bad_input", words, "Remove it, or use another drive.", Exit.BAD_INPUT)
        place.mkdir(exist_ok=True)
    return place


def _refuse_what_cannot_fit(missing: list[_Source], drive: Drive, place: Path) -> None:
    limit_bytes = drive.max_file_bytes
    large = [source for source in missing if limit_bytes is not None and source.state.st_size > limit_bytes]
    if large:
        names = ", ".join(source.path.removeprefix("library/") for source in large[:3])
        more = f" and {len(large) - 3} more" if len(large) > 3 else ""
        raise OtoError(
            "bad_input",
            f"The drive's file system holds 4 GiB in one file, and these are larger: {names}{more}. "
            "Nothing was written.",
            "Use a drive with exFAT, NTFS or ext4 for backups.",
            Exit.BAD_INPUT,
        )
    cluster = os.statvfs(place).f_frsize
    # A file fills its clusters, and its folder grows.
    needed = sum(-(-source.state.st_size // cluster) * cluster + cluster for source in missing) + SLACK_BYTES
    if needed > drive.free_bytes:
        raise OtoError(
            "no_space",
            f"The backup needs {needed / 1e9:.2f} GB more and {place} has {drive.free_bytes / 1e9:.2f} GB free. "
            "Nothing was written; the backups there are untouched.",
            "Use a larger drive.",
            Exit.NO_SPACE,
        )
