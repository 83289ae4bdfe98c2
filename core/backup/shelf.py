"""What a backup is on a drive: plain files that only ever grow in number, and lists that say which belong together.

```
OTO backup/
  files/2026-11-22 Rehearsal/takes/001/01 Kick.wav ...   each written once, never replaced
  kept.jsonl                                             every file there with its hash, appended as it is proven
  lists/000001.json ...                                  one whole backup each: which file goes where
```

A list is written last and under its own name, so whatever interrupts a backup leaves those before it as they were.
Everything read from a drive may be damaged or hostile: paths are checked, links are never followed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import msgspec

from core.errors import Exit, OtoError
from sessions.files import append_line, sync_folder, write_atomic, write_new
from sessions.names import safe_name

FOLDER: Final = "OTO backup"
"""Within a drive or the folder that was chosen."""
FILES: Final = "files"
LISTS: Final = "lists"
KEPT: Final = "kept.jsonl"

MAX_LIST_BYTES: Final = 256 << 20


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A file on the drive that was read back and compared."""

    stored: str
    """Below `files/`."""
    bytes: int
    sha256: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the studio, and where it is kept."""

    path: str
    """Below the studio's home: "library/2026-11-22 Rehearsal/session.json"."""
    stored: str
    bytes: int
    sha256: str
    mtime_ns: int
    inode: int
    """With size and time tells a file that did not change since, so that it need not be read again."""


class BackupList(msgspec.Struct, frozen=True, kw_only=True):
    """One whole backup."""

    schema: int = 1
    number: int
    created_utc: str
    """As the box's clock said; the number gives the order."""
    host: str
    oto_version: str
    entries: tuple[Entry, ...]


_kept_decoder = msgspec.json.Decoder(Kept)


class Shelf:
    """The backups in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / FILES

    def numbers(self) -> list[int]:
        """Numbers of the backups that are there, oldest first."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            names = (path.name for path in (self.folder / LISTS).iterdir())
            return sorted(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdecimal())
        return []

    def read(self, number: int) -> BackupList:
        """One backup's list, its paths checked. Raises OtoError: "not_found", "bad_input" when it can't be used."""
        path = self.folder / LISTS / _list_name(number)
        try:
            with open_inside(self.folder, f"{LISTS}/{path.name}") as file:
                data = file.read(MAX_LIST_BYTES)
            found = msgspec.json.decode(data, type=BackupList)
        except FileNotFoundError as error:
            raise OtoError("not_found", f"There is no backup {number} in {self.folder}.", "", Exit.NOT_FOUND) from error
        except (OSError, ValueError) as error:
            raise OtoError(
                "bad_input",
                f"Backup {number} in {self.folder} can't be read ({error}).",
                "An earlier one may: 'oto restore --list' names them, --from takes one.",
                Exit.BAD_INPUT,
            ) from error
        if found.schema != 1:
            raise OtoError("newer", f"Backup {number} was written by a newer OTO.", "Update OTO to restore it.")
        for entry in found.entries:
            if not (is_inside(entry.path) and is_inside(entry.stored)):
                words = (
                    f"Backup {number} names a file outside of itself, or with an impossible name. Nothing was restored."
                )
                raise OtoError("bad_input", words, "Don't trust this drive.", Exit.BAD_INPUT)
        return found

    def newest(self) -> BackupList | None:
        """The newest backup that can be read; None without any."""
        for number in reversed(self.numbers()):
            with contextlib.suppress(OtoError):
                return self.read(number)
        return None

    def kept(self) -> dict[str, Kept]:
        """Every file that was proven, by its hash; those of interrupted backups too."""
        return {one.sha256: one for one in self.proven()}

    def proven(self) -> list[Kept]:
        """The same in the order of proving, with files of equal content apart; lines that were torn are left out."""
        found = []
        with contextlib.suppress(OSError), open_inside(self.folder, KEPT) as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    one = _kept_decoder.decode(line)
                    if is_inside(one.stored):
                        found.append(one)
        return found

    def has(self, kept: Kept) -> bool:
        """Whether the file is still there with its length."""
        with contextlib.suppress(OSError), open_inside(self.files, kept.stored) as file:
            return os.fstat(file.fileno()).st_size == kept.bytes
        return False

    def remember(self, kept: Kept) -> None:
        """Write down that a file was proven. Raises OSError."""
        append_line(self.folder / KEPT, msgspec.json.encode(kept))

    def forget(self, number: int) -> None:
        """Let a backup be none any more; its files stay. Raises OSError."""
        folder = self.folder / LISTS
        (folder / _list_name(number)).unlink(missing_ok=True)
        sync_folder(folder)

    def keep_only(self, kept: Iterable[Kept]) -> None:
        """Write anew which files were proven. Raises OSError."""
        write_atomic(self.folder / KEPT, b"".join(msgspec.json.encode(one) + b"\n" for one in kept))

    def add(self, made: BackupList) -> None:
        """Make a backup one, in a single step. Raises OSError."""
        folder = self.folder / LISTS
        partial = folder / f".{made.number:06d}.partial"
        partial.unlink(missing_ok=True)
        write_new(partial, msgspec.json.encode(made))
        partial.rename(folder / _list_name(made.number))
        sync_folder(folder)


def stored_folder(path: str) -> PurePosixPath:
    """In which folder on a drive a file of the studio is kept: where it was, in names that FAT takes too."""
    parents = PurePosixPath(path).parent.parts
    return PurePosixPath(*(safe_name(part) for part in parents[1:]))


def stored_name(name: str) -> str:
    """A file's name as any file system takes it."""
    path = PurePosixPath(name)
    suffix = safe_name(path.suffix, "") if len(path.suffix) < 16 else ""
    return safe_name(path.stem, max_bytes=100) + (f".{suffix}" if suffix else "")


def is_inside(path: str) -> bool:
    """Whether a relative path leads down only, and may be shown on a terminal."""
    return path.isprintable() and not any(part in ("", ".", "..") for part in path.split("/"))


@contextlib.contextmanager
def open_inside(folder: Path, path: str) -> Iterator[BinaryIO]:
    """Open a plain file below a folder without following a link on the way. Raises OSError."""
    if not is_inside(path):
        raise FileNotFoundError(path)
    *parents, name = path.split("/")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for parent in parents:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(parent, flags, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        # Not to wait for the other end of a named pipe.
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise FileNotFoundError(path)
        yield file


def find(place: Path) -> Shelf:
    """The backups in a drive or folder. Raises OtoError("not_found") without any."""
    for folder in (place / FOLDER, place):
        shelf = Shelf(folder)
        if shelf.numbers():
            return shelf
    raise OtoError("not_found", f"There is no backup in {place}.", "'oto backup DRIVE' makes one.", Exit.NOT_FOUND)


def described(shelf: Shelf) -> list[dict[str, Any]]:
    """Every backup in a few words, newest first, as `--list` shows them."""
    found = []
    for number in reversed(shelf.numbers()):
        with contextlib.suppress(OtoError):
            made = shelf.read(number)
            sessions = {entry.path.split("/")[1] for entry in made.entries if entry.path.startswith("library/")}
            found.append(
                {
                    "number": number,
                    "created_utc": made.created_utc,
                    "host": made.host,
                    "sessions": sorted(sessions),
                    "bytes": sum(entry.bytes for entry in made.entries),
                }
            )
    return found


def _list_name(number: int) -> str:
    return f"{number:06d}.json"
