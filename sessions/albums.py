"""The album that a session's mixes are put in order for, kept beside its plans."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from sessions import migrate
from sessions.errors import LibraryError
from sessions.files import write_atomic
from sessions.model import Album
from sessions.names import unique_name

ALBUM_FILE: Final = "album.json"


def load_album(session_folder: Path) -> Album:
    """The songs and their order; none when nobody has put any together. Raises LibraryError("newer", "damaged")."""
    with contextlib.suppress(FileNotFoundError):
        return migrate.load(_path(session_folder).read_bytes(), Album, ALBUM_FILE)
    return Album()


def save_album(session_folder: Path, album: Album) -> None:
    """Write the album whole, or leave the one before. One that can't be read is kept beside it.

    Raises LibraryError("newer") rather than write over what a newer OTO has put together, OSError.
    """
    path = _path(session_folder)
    try:
        load_album(session_folder)
    except LibraryError as error:
        if error.code != "damaged":
            raise
        taken = [other.name for other in path.parent.iterdir()]
        path.rename(path.with_name(unique_name(f"{ALBUM_FILE}.damaged", taken)))
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, migrate.dump(album))


def _path(session_folder: Path) -> Path:
    return session_folder / "plans" / ALBUM_FILE
