"""SHA-256 of every file of a take, kept beside them, so that audio that rots on a disk is found.

The file is what `sha256sum` writes and reads: `sha256sum -c SHA256SUMS` in a take's folder needs nothing of ours. It is
written once, when the take is finished; a file that was added later gets its line at the next look.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sessions.errors import LibraryError
from sessions.files import write_atomic
from sessions.layout import SUMS_FILE, TAKE_FILE
from sessions.migrate import load
from sessions.model import Take

CHUNK_BYTES: Final = 1 << 20

_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def read_sums(folder: Path) -> dict[str, str]:
    """Hashes by file name; none where nobody has counted yet. A line that makes no sense is left out."""
    try:
        text = (folder / SUMS_FILE).read_text(errors="replace")
    except OSError:
        return {}
    return {found[2]: found[1] for line in text.splitlines() if (found := _LINE.fullmatch(line))}


def lacks_sums(folder: Path, take: Take) -> bool:
    """Whether a finished take has files whose hash nobody knows."""
    known = read_sums(folder)
    return take.status != "recording" and any(clip.file not in known for clip in take.clips)


def make_sums(folder: Path, read: Callable[[int], None] | None = None) -> list[str]:
    """Hash the files of a finished take that have no hash yet, keep the hashes, and return the files' names.

    `read` is called with the size of every piece that was read; what it raises ends the work, and nothing is written.
    The folder may be renamed meanwhile. Files that are missing are left out. Raises LibraryError, OSError.
    """
    with _held(folder) as here:
        take = load((here / TAKE_FILE).read_bytes(), Take, TAKE_FILE)
        if take.status == "recording":
            return []
        sums = read_sums(here)
        made = []
        for clip in take.clips:
            if clip.file not in sums:
                with contextlib.suppress(FileNotFoundError):
                    sums[clip.file] = hash_of(here / clip.file, read)
                    made.append(clip.file)
        if made:
            _write(here, sums)
        return made


def hash_of(path: Path, read: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file, read past what the system keeps in memory for others. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            if read is not None:
                read(len(piece))
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.hexdigest()


def forget_sum(folder: Path, name: str) -> None:
    """A file was given another header: unless it is what it was, its hash is made anew at the next look. OSError."""
    sums = read_sums(folder)
    if name in sums and hash_of(folder / name) != sums[name]:
        del sums[name]
        _write(folder, sums)


def _write(folder: Path, sums: dict[str, str]) -> None:
    lines = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
    write_atomic(folder / SUMS_FILE, "".join(lines).encode())


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[Path]:
    """The folder by a name that follows it: a take that is set aside is renamed, and another may get its number."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise LibraryError("not_found", f"There is no take in {folder}.", "`oto takes` lists them.") from error
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
