"""The album that a session's mixes are put in order for, kept beside its plans."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from sessions import migrate, planshelf
from sessions.errors import LibraryError
from sessions.model import Album
from sessions.names import unique_name

ALBUM_FILE: Final = "album.json"


def load_album(session_folder: Path) -> Album:
    """The songs and their order; none when nobody has put any together. Raises LibraryError("newer", "damaged")."""
    with contextlib.suppress(FileNotFoundError):
        return migrate.load(_path(session_folder).read_bytes(), Album, ALBUM_FILE)
    return Album()


def save_album(session_folder: Path, album: Album, *, same_step: bool = False) -> None:
    """Write the album whole, or leave the one before, which can be undone to. One that can't be read is kept beside it.

    `same_step` goes on with the change before: both are undone together. Raises LibraryError("newer") rather than write
    over what a newer OTO has put together, OSError.
    """
    path = _path(session_folder)
    try:
        load_album(session_folder)
    except LibraryError as error:
        if error.code != "damaged":
            raise
        taken = [other.name for other in path.parent.iterdir()]
        path.rename(path.with_name(unique_name(f"{ALBUM_FILE}.damaged", taken)))
    if not path.exists():
        planshelf.save(path, migrate.dump(Album()))  # so that undo leads back to nothing
    planshelf.save(path, migrate.dump(album), same_step=same_step)


def step_album(session_folder: Path, *, forward: bool) -> Album | None:
    """Undo, or with `forward` redo, one change of the album; None when there is no such step.

    Raises LibraryError("newer", "damaged") rather than go away from an album that can't be read.
    """
    load_album(session_folder)
    data = planshelf.step(_path(session_folder), forward=forward)
    return None if data is None else migrate.load(data, Album, ALBUM_FILE)


def _path(session_folder: Path) -> Path:
    return session_folder / "plans" / ALBUM_FILE
