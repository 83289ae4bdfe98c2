"""Removes old backups from a drive, never the last good one.

Lists go first, then files that no list speaks of, then their names in the record of what was proven: whatever
interrupts it leaves whole backups and some files too many, which the next pruning takes.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from core.backup.shelf import BackupList, Kept, Shelf, open_inside
from core.errors import OtoError
from core.export.copy import told_as_drive_errors


@dataclass(frozen=True)
class Pruned:
    """What pruning removed, or would remove."""

    kept: tuple[int, ...]
    """Numbers of the backups that stay."""
    removed: tuple[int, ...] = ()
    files: int = 0
    bytes: int = 0
    note: str = ""
    """Why less was removed than could be."""


def prune(shelf: Shelf, keep: int, *, dry_run: bool = False) -> Pruned:
    """Remove all backups before the newest `keep` (at least 1) that are whole, and the files that only they had.

    A backup is whole when its list reads and all of its files are there with their lengths; others don't count towards
    `keep`. While a list that stays can't be read nothing is removed, since nobody knows which files it needs. Raises
    OtoError("drive_lost").
    """
    numbers = shelf.numbers()
    lists: dict[int, BackupList] = {}
    for number in numbers:
        with contextlib.suppress(OtoError):
            lists[number] = shelf.read(number)
    whole = [number for number in numbers if number in lists and _is_whole(shelf, lists[number])]
    if len(whole) < keep:
        return Pruned(tuple(numbers), note=f"Only {len(whole)} whole backups are there, so none was removed.")
    oldest = whole[-keep]
    stays = tuple(number for number in numbers if number >= oldest)
    if torn := [number for number in stays if number not in lists]:
        return Pruned(tuple(numbers), note=f"Backup {torn[0]} can't be read, so nothing was removed.")
    removed = tuple(number for number in numbers if number < oldest)
    needed = {entry.stored for number in stays for entry in lists[number].entries}
    ours = {one.stored: one for one in shelf.proven()}
    for number in removed:
        for entry in lists[number].entries if number in lists else ():
            ours.setdefault(entry.stored, Kept(stored=entry.stored, bytes=entry.bytes, sha256=entry.sha256))
    gone = [one for stored, one in sorted(ours.items()) if stored not in needed and shelf.has(one)]
    if not dry_run:
        with told_as_drive_errors("the backups that stay"):
            for number in removed:
                shelf.forget(number)
            for one in gone:
                _remove(shelf.files, one.stored)
            shelf.keep_only(one for stored, one in sorted(ours.items()) if stored in needed)
    return Pruned(stays, removed, len(gone), sum(one.bytes for one in gone))


def _is_whole(shelf: Shelf, made: BackupList) -> bool:
    return all(shelf.has(Kept(stored=one.stored, bytes=one.bytes, sha256=one.sha256)) for one in made.entries)


def _remove(files: Path, stored: str) -> None:
    """Remove a file and the folders that it leaves empty; links on the way were refused by `Shelf.has`. OSError."""
    with open_inside(files, stored):
        path = files / stored
    path.unlink()
    for parent in path.parents:
        if parent == files:
            return
        try:
            parent.rmdir()
        except OSError:
            return
