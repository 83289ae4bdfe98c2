"""Looks a whole library over: does every document read, and is every file there that a document speaks of?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from sessions.errors import LibraryError
from sessions.files import sha256_file
from sessions.layout import TAKE_FILE
from sessions.migrate import load
from sessions.model import Bounce, Clip, Session, Take
from sessions.store import SESSION_FILE, Library
from sessions.wav import read_info


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it should be."""

    path: str
    """Relative to the library."""
    message: str


def check_library(library: Library, *, hashes: bool = False) -> list[Finding]:
    """Everything that is not as it should be, nothing when all is well. `hashes` reads every bounce whole."""
    return [finding for session in library.session_ids() for finding in _check_session(library, session, hashes)]


def _check_session(library: Library, session_id: str, hashes: bool) -> Iterator[Finding]:
    folder = library.session_path(session_id)
    yield from _check_document(library, folder / SESSION_FILE, Session)
    for path in sorted((folder / "takes").glob("[0-9]*/")):
        yield from _check_document(library, path / TAKE_FILE, Take)
    for take in library.takes(session_id):
        place = library.take_path(session_id, take.number, take.false_number)
        for clip in take.clips:
            yield from _check_clip(library, place / clip.file, clip, take)
    for path in sorted((folder / "bounces").glob("*/bounce.json")):
        yield from _check_document(library, path, Bounce)
    for bounce in library.bounces(session_id):
        place = library.bounce_path(session_id, bounce.id)
        for name in (bounce.file, bounce.plan, *bounce.stems.values(), *bounce.returns.values()):
            if not (place / name).is_file():
                yield _finding(library, place / name, "is missing from its bounce")
        if hashes and (place / bounce.file).is_file() and sha256_file(place / bounce.file) != bounce.sha256:
            yield _finding(library, place / bounce.file, "is not what was rendered: its hash differs")


def _check_document(library: Library, path: Path, kind: type[Session | Take | Bounce]) -> Iterator[Finding]:
    try:
        load(path.read_bytes(), kind, path.name)
    except FileNotFoundError:
        yield _finding(library, path, "is missing")
    except LibraryError as error:
        yield _finding(library, path, error.message)
    except OSError as error:
        yield _finding(library, path, f"can't be read: {error.strerror}")


def _check_clip(library: Library, path: Path, clip: Clip, take: Take) -> Iterator[Finding]:
    try:
        found = read_info(path)
    except FileNotFoundError:
        yield _finding(library, path, "is missing from its take")
        return
    except (LibraryError, OSError) as error:
        yield _finding(library, path, f"can't be read: {error}")
        return
    if found.frames != clip.frames:
        yield _finding(library, path, f"has {found.frames} frames where its take says {clip.frames}")
    if found.rate_hz != take.rate_hz:
        yield _finding(library, path, f"is at {found.rate_hz} Hz where its take says {take.rate_hz}")


def _finding(library: Library, path: Path, message: str) -> Finding:
    return Finding(path=path.relative_to(library.root).as_posix(), message=message)
