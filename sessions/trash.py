"""The trash of a library: removing moves here, says how much it holds, and can be taken back until it is emptied."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from sessions.errors import LibraryError
from sessions.files import folder_bytes, sync_folder, write_atomic
from sessions.model import TrashEntry

TRASH: Final = ".trash"
_NOTE: Final = "entry.json"


class Trash:
    """The trash folder of one library; each entry is a folder with a note and what was removed."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._folder = library / TRASH

    def throw(self, path: Path, kind: Literal["session", "take", "leftover"], title: str) -> TrashEntry:
        """Move a folder or file of the library here. Raises OSError."""
        self._folder.mkdir(exist_ok=True)
        number = 1 + max((int(name) for name in self._names()), default=0)
        while True:
            place = self._folder / f"{number:04d}"
            try:
                place.mkdir()
                break
            except FileExistsError:
                number += 1
        entry = TrashEntry(
            id=place.name,
            kind=kind,
            title=title,
            path=path.relative_to(self._library).as_posix(),
            bytes=folder_bytes(path) if path.is_dir() else path.lstat().st_size,
            trashed_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_atomic(place / _NOTE, msgspec.json.format(msgspec.json.encode(entry)))
        path.rename(place / path.name)
        sync_folder(place)
        sync_folder(path.parent)
        return entry

    def entries(self) -> list[TrashEntry]:
        """What is in the trash, newest first."""
        found: list[TrashEntry] = []
        for name in self._names():
            with contextlib.suppress(OSError, ValueError):
                entry = msgspec.json.decode((self._folder / name / _NOTE).read_bytes(), type=TrashEntry)
                if self._content(entry).exists():
                    found.append(msgspec.structs.replace(entry, id=name))
        return sorted(found, key=lambda entry: int(entry.id), reverse=True)

    def bytes(self) -> int:
        """How much emptying the trash would free."""
        return folder_bytes(self._folder)

    def take_back(self, entry: TrashEntry, place: Callable[[], Path]) -> Path:
        """Move an entry to the place (an empty folder, or nothing yet) that `place` makes for it.

        Raises LibraryError("not_found"), OSError.
        """
        content = self._content(entry)
        if entry.id not in self._names() or not content.exists():
            raise LibraryError("not_found", f"{entry.title} is no longer in the trash.", "")
        target = place()
        content.rename(target)
        sync_folder(target.parent)
        shutil.rmtree(self._folder / entry.id)
        return target

    def empty(self) -> int:
        """Delete what is in the trash for good, and return the bytes that were freed. Raises OSError."""
        freed = self.bytes()
        for name in self._names():
            shutil.rmtree(self._folder / name)
        return freed

    def _content(self, entry: TrashEntry) -> Path:
        return self._folder / entry.id / Path(entry.path).name

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self._folder.iterdir() if path.name.isdecimal()]
        except FileNotFoundError:
            return []
