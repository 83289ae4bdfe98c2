"""Verified copies onto a drive: a file there under its final name has been read back from the medium and is whole.

The bytes go to a partial name while they are hashed, are forced onto the medium, dropped from memory, read back and
compared; only then does the file get its name. A drive that is pulled or fills up meanwhile keeps no half file under a
name that a person would trust.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import Exit, OtoError
from sessions.names import unique_name

CHUNK_BYTES: Final = 1 << 20
SYNC_BYTES: Final = 8 << 20
"""How much may lie unsynced in memory; progress follows what has been synced."""

Moved = Callable[[int], None]
"""Called with the number of bytes that were synced to, or read back from, the drive since the last call."""


@dataclass(frozen=True)
class Copied:
    """A file on a drive that was read back and compared."""

    path: Path
    bytes: int
    sha256: str


def copy_verified(source: Path, folder: Path, name: str, *, moved: Moved | None = None) -> Copied:
    """Copy `source` into `folder` as `name`, or as "name (2)" when that is taken, and prove that it arrived.

    Raises OtoError: "no_space" when the drive fills up, "drive_lost" when it vanishes or fails, "verify_failed" when
    what it gives back is not what it was given. After any error nothing of this file remains under a final name.
    """
    partial = f".{hashlib.sha256(name.encode()).hexdigest()[:12]}.oto-partial"
    with told_as_drive_errors(name), _opened_folder(folder) as folder_fd:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial, dir_fd=folder_fd)
        try:
            digest, count = _write(source, partial, folder_fd, moved)
            if _read_back(partial, folder_fd, moved) != digest:
                raise OtoError(
                    "verify_failed",
                    f"The drive did not give back what was written for {name!r}; the copy was removed.",
                    "Don't trust this drive. The session on this box is untouched: export to another one.",
                    Exit.VERIFY_FAILED,
                )
            _still_there(folder, folder_fd)
            final = _free_name(name, folder_fd)
            os.rename(partial, final, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
            os.fsync(folder_fd)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial, dir_fd=folder_fd)
            raise
    return Copied(folder / final, count, digest)


@contextlib.contextmanager
def told_as_drive_errors(name: str) -> Iterator[None]:
    """Turn the system's errors while writing `name` to a drive into words that say what is safe."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OtoError(
                "no_space",
                f"The drive filled up while {name!r} was written; the half copy was removed.",
                "The session on this box is untouched. Make room on the drive, or use another one.",
                Exit.NO_SPACE,
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise OtoError(
                "drive_lost",
                f"{name!r} can't be written: {error.strerror}.",
                "Is the drive write-protected? The session on this box is untouched.",
            ) from error
        raise OtoError(
            "drive_lost",
            f"The drive failed or was pulled while {name!r} was written: {error.strerror or error}.",
            "The session on this box is untouched. Plug the drive in again and repeat.",
        ) from error


@contextlib.contextmanager
def _opened_folder(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(source: Path, partial: str, folder_fd: int, moved: Moved | None) -> tuple[str, int]:
    """Write and sync; returns the SHA-256 of what was read from `source` and its length."""
    digest = hashlib.sha256()
    written = unsynced = 0
    out = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder_fd)
    try:
        with source.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(out, rest) :]
                written += len(chunk)
                unsynced += len(chunk)
                if unsynced >= SYNC_BYTES:
                    os.fdatasync(out)
                    _tell(moved, unsynced)
                    unsynced = 0
        os.fsync(out)
        _tell(moved, unsynced)
        os.posix_fadvise(out, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(out)
    return digest.hexdigest(), written


def _read_back(partial: str, folder_fd: int, moved: Moved | None) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(partial, os.O_RDONLY, dir_fd=folder_fd)
    try:
        while chunk := os.read(descriptor, CHUNK_BYTES):
            digest.update(chunk)
            _tell(moved, len(chunk))
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def _tell(moved: Moved | None, count: int) -> None:
    if moved is not None:
        moved(count)


def _still_there(folder: Path, folder_fd: int) -> None:
    """Raise OSError when the folder's path no longer leads to where we wrote: the drive was unmounted under us."""
    here, opened = folder.stat(), os.fstat(folder_fd)
    if (here.st_dev, here.st_ino) != (opened.st_dev, opened.st_ino):
        raise OSError(errno.ENODEV, "the drive is no longer mounted")


def _free_name(name: str, folder_fd: int) -> str:
    """The name, or "stem (2).suffix" and so on until it is free in the folder, also as FAT compares names."""
    path = Path(name)
    return unique_name(path.stem, os.listdir(folder_fd), path.suffix)
