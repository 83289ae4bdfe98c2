"""Looks a whole library over: does every document read, and is every file there that one speaks of, and no other?

Only looks; `sessions.mend` mends. A take that is being recorded is left out: it is not yet what it will be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from sessions import journal
from sessions.errors import LibraryError
from sessions.files import sha256_file
from sessions.layout import JOURNAL_FILE, TAKE_FILE, parse_take_folder
from sessions.migrate import load
from sessions.model import Bounce, Clip, Session, Take
from sessions.staging import abandoned
from sessions.store import SESSION_FILE, Library
from sessions.sums import read_sums
from sessions.wavread import read_info
from sessions.wavrepair import can_be_restated, is_whole

FindingCode = Literal[
    "session_document",
    "take_document",
    "bounce_document",
    "newer",
    "unreadable",
    "interrupted",
    "missing",
    "header",
    "length",
    "format",
    "stray",
    "leftover",
    "plan",
    "old_plan",
    "hash",
]
"""What kind of thing is wrong; stable API for scripts."""

REMEDIES: Final[dict[FindingCode, str]] = {
    "session_document": "made again from its takes, the damaged one kept beside it",
    "take_document": "made again from the journal and the audio files, the damaged one kept beside it",
    "interrupted": "made whole from the journal and the audio files",
    "header": "given a new header that speaks of the audio that is there",
    "length": "written into the take's document, what is missing as a gap",
    "leftover": "moved to the trash",
    "plan": "replaced by the newest earlier plan that reads, the damaged one kept beside it",
    "old_plan": "set aside, so that undo stops before it",
}
"""What `sessions.mend` does about a finding; the others need a person."""

PlanReader = Callable[[bytes], object]
"""Decodes a plan; raises ValueError when it can't."""

_PLAN_NAME: Final = re.compile(r"(?:mix|master)-\d{3,}\.json")
_OLD_PLAN_NAME: Final = re.compile(r"(?:mix|master)-\d{3,}\.\d+\.json")
_TEMPORARY: Final = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
"""What `files.write_atomic` calls a file until it is whole."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it should be."""

    path: str
    """Relative to the library."""
    message: str
    """Goes on from the path: "is missing"."""
    code: FindingCode

    @property
    def remedy(self) -> str:
        """What mending would do; empty where only a person can help."""
        return REMEDIES.get(self.code, "")


def check_library(library: Library, *, hashes: bool = False, read_plan: PlanReader | None = None) -> list[Finding]:
    """Everything that is not as it should be, nothing when all is well.

    `hashes` reads all audio whole and compares it with what was recorded and rendered; plans are looked at when
    `read_plan` says how they read.
    """
    return list(_check(library, hashes, read_plan))


def _check(library: Library, hashes: bool, read_plan: PlanReader | None) -> Iterator[Finding]:
    for folder in sorted(library.root.iterdir()):
        hidden = folder.name.startswith(".")
        if not hidden and ((folder / SESSION_FILE).is_file() or (folder / "takes").is_dir()):
            yield from _check_session(library, folder.name, hashes, read_plan)
    for folder in abandoned(library.root):
        yield _finding(library, folder, "was left by an import that was cut short", "leftover")


def _check_session(library: Library, session_id: str, hashes: bool, read_plan: PlanReader | None) -> Iterator[Finding]:
    folder = library.session_path(session_id)
    yield from _check_document(library, folder / SESSION_FILE, Session, "session_document")
    yield from _temporary(library, folder)
    for path in sorted((folder / "takes").glob("[0-9]*/")):
        if not journal.in_use(path / JOURNAL_FILE):
            yield from _check_take(library, session_id, path, hashes)
    if read_plan is not None:
        yield from _check_plans(library, folder / "plans", read_plan)
    for path in sorted((folder / "bounces").glob("*/bounce.json")):
        yield from _check_document(library, path, Bounce, "bounce_document")
    for bounce in library.bounces(session_id):
        yield from _check_bounce(library, bounce, hashes, read_plan)


def _check_take(library: Library, session_id: str, folder: Path, hashes: bool) -> Iterator[Finding]:
    if not any(folder.iterdir()):
        yield _finding(library, folder, "is an empty folder where a take should be", "leftover")
        return
    problems = list(_check_document(library, folder / TAKE_FILE, Take, "take_document"))
    yield from problems
    yield from _temporary(library, folder)
    place = parse_take_folder(folder.name)
    if problems or place is None:
        return
    take = library.take(session_id, *place)
    if take.status == "recording":
        yield _finding(library, folder, "was being recorded when OTO stopped", "interrupted")
        return
    sums = read_sums(folder) if hashes else {}
    for clip in take.clips:
        wrong = list(_check_clip(library, folder / clip.file, clip, take))
        yield from wrong
        if not wrong and clip.file in sums:
            yield from _check_hash(library, folder / clip.file, sums[clip.file], "recorded")
    known = {clip.file for clip in take.clips}
    for path in sorted(folder.glob("*.wav")):
        if path.name not in known and not _is_silent_start(path):
            yield _finding(library, path, "lies in a take that doesn't know of it", "stray")


def _check_clip(library: Library, path: Path, clip: Clip, take: Take) -> Iterator[Finding]:
    try:
        damaged: FindingCode = "header" if can_be_restated(path) else "unreadable"
        length = path.stat().st_size
        found = read_info(path)
        whole = is_whole(path)
    except FileNotFoundError:
        yield _finding(library, path, "is missing from its take", "missing")
        return
    except LibraryError as error:
        words = f"can't be read: {error}" if length else f"is empty where its take says {clip.frames} frames"
        yield _finding(library, path, words, damaged)
        return
    except OSError as error:
        yield _finding(library, path, f"can't be read: {error.strerror}", "unreadable")
        return
    expected = (take.rate_hz, 24, False) if take.sample_format == "pcm24" else (take.rate_hz, 32, True)
    code: FindingCode = "length" if whole else damaged
    if found.frames != clip.frames:
        yield _finding(library, path, f"has {found.frames} frames where its take says {clip.frames}", code)
    elif (found.rate_hz, found.bits, found.is_float) != expected:
        code = "format" if whole else damaged
        words = f"is at {found.rate_hz} Hz, {found.bits} bit, where its take says {take.rate_hz} Hz, {expected[1]} bit"
        yield _finding(library, path, words, code)
    elif not whole:
        yield _finding(library, path, "has a header that doesn't fit its length", damaged)


def _check_bounce(library: Library, bounce: Bounce, hashes: bool, read_plan: PlanReader | None) -> Iterator[Finding]:
    place = library.bounce_path(bounce.session, bounce.id)
    for name in (bounce.file, bounce.plan, *bounce.stems.values(), *bounce.returns.values(), *bounce.beside):
        if not (place / name).is_file():
            yield _finding(library, place / name, "is missing from its bounce", "missing")
    if read_plan is not None and (place / bounce.plan).is_file():
        yield from _check_plan(library, place / bounce.plan, "unreadable", read_plan)
    if hashes and (place / bounce.file).is_file():
        yield from _check_hash(library, place / bounce.file, bounce.sha256, "rendered")


def _check_hash(library: Library, path: Path, sha256: str, how: str) -> Iterator[Finding]:
    try:
        if sha256_file(path) != sha256:
            yield _finding(library, path, f"is not what was {how}: its hash differs", "hash")
    except OSError as error:
        yield _finding(library, path, f"can't be read: {error.strerror}", "unreadable")


def _check_plans(library: Library, folder: Path, read_plan: PlanReader) -> Iterator[Finding]:
    for path in sorted(folder.glob("*.json")):
        if _PLAN_NAME.fullmatch(path.name):
            yield from _check_plan(library, path, "plan", read_plan)
    for path in sorted((folder / "history").glob("*.json")):
        if _OLD_PLAN_NAME.fullmatch(path.name):
            yield from _check_plan(library, path, "old_plan", read_plan)
    for place in (folder, folder / "history"):
        yield from _temporary(library, place)


def _check_plan(library: Library, path: Path, code: FindingCode, read_plan: PlanReader) -> Iterator[Finding]:
    try:
        read_plan(path.read_bytes())
    except ValueError as error:
        yield _finding(library, path, f"can't be read ({error})", code)
    except OSError as error:
        yield _finding(library, path, f"can't be read: {error.strerror}", "unreadable")


def _check_document(
    library: Library, path: Path, kind: type[Session | Take | Bounce], code: FindingCode
) -> Iterator[Finding]:
    try:
        load(path.read_bytes(), kind, path.name)
    except FileNotFoundError:
        yield _finding(library, path, "is missing", code)
    except LibraryError as error:
        yield _finding(library, path, error.message, "newer" if error.code == "newer" else code)
    except OSError as error:
        yield _finding(library, path, f"can't be read: {error.strerror}", "unreadable")


def _temporary(library: Library, folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob(".*.tmp")):
        if _TEMPORARY.fullmatch(path.name):
            yield _finding(library, path, "was left by a document that was being written", "leftover")


def _is_silent_start(path: Path) -> bool:
    """Whether a file never came to hold audio: a take that ended in its first moment leaves such."""
    try:
        return read_info(path).frames == 0
    except (LibraryError, OSError):
        return False


def _finding(library: Library, path: Path, message: str, code: FindingCode) -> Finding:
    return Finding(path=path.relative_to(library.root).as_posix(), message=message, code=code)
