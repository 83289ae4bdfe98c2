"""`oto doctor --library` and `--repair`: a library looked over whole, and mended where that is safe."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Any

from core import paths
from core.cli.command import Answer
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.cli.console import Console
    from sessions.store import Library
    from sessions.verify import Finding


def look_over(console: Console, *, repair: bool) -> Answer:
    """Check the library and, if asked, mend what is safe to mend. Ends with 1 when something is left that is wrong.

    Raises OtoError: "busy" when it is to be mended while an engine runs, "refused" without the right to write there.
    """
    from sessions.mend import Mending, mend_library
    from sessions.store import Library
    from sessions.verify import check_library

    root = paths.library()
    if not root.is_dir():
        return Answer(_value("ok", [], [], []), "There is no library yet; the first take makes one.")
    console.progress(0.0, "looking the library over")
    if repair:
        with _engines_kept_away():
            mending = mend_library(Library(root), read_plan=read_plan)
    else:
        mending = Mending(mended=(), left=tuple(check_library(Library(root), hashes=True, read_plan=read_plan)))
    hashed = _hash_the_rest(Library(root), mending.left)
    state = "fail" if mending.left else "warn" if mending.mended else "ok"
    lines = [f"mended  {one.path} {one.message}: {one.remedy}" for one in mending.mended]
    lines += [f"left    {one.path} {one.message}" for one in mending.left]
    curable = sum(bool(one.remedy) for one in mending.left)
    if not repair and curable:
        lines.append(f"'oto doctor --repair' can mend {curable} of {len(mending.left)}; nothing was changed.")
    elif mending.left:
        lines.append("What is left was not touched. Keep a copy of the library before you change its files.")
    if hashed:
        lines.append(f"{len(hashed)} files of takes had no hash yet and have one now; the next look compares them.")
    if not mending.mended and not mending.left:
        lines.insert(0, f"Every document reads, every file is there and as it was written: {root}")
    text = "\n".join(lines)
    return Answer(_value(state, mending.mended, mending.left, hashed), text, Exit.FAILED if mending.left else Exit.OK)


def _hash_the_rest(library: Library, wrong: Sequence[Finding]) -> list[str]:
    """Hash what was recorded before there were hashes, but for takes that something is wrong with; paths of the files.

    Who may only read the library changes nothing.
    """
    from sessions.errors import LibraryError
    from sessions.sums import make_sums

    suspect = {one.path for one in wrong}
    hashed = []
    for session_id in library.session_ids():
        for take in library.takes(session_id):
            with contextlib.suppress(LibraryError, OSError):
                folder = library.take_path(session_id, take.number, take.false_number)
                place = folder.relative_to(library.root).as_posix()
                if os.access(folder, os.W_OK) and not any(f"{path}/".startswith(f"{place}/") for path in suspect):
                    hashed += [f"{place}/{name}" for name in make_sums(folder)]
    return hashed


def read_plan(data: bytes) -> object:
    """Decode a plan, or a motif. Raises ValueError."""
    import msgspec

    from core.muse.motif import Motif
    from core.plans.document import Plan

    return msgspec.json.decode(data, type=Plan | Motif)


def _value(state: str, mended: Sequence[Finding], left: Sequence[Finding], hashed: Sequence[str]) -> dict[str, Any]:
    def plain(finding: Finding) -> dict[str, str]:
        return {"path": finding.path, "code": finding.code, "message": finding.message, "remedy": finding.remedy}

    return {
        "state": state,
        "library": str(paths.library()),
        "mended": [plain(one) for one in mended],
        "left": [plain(one) for one in left],
        "hashed": list(hashed),
    }


@contextlib.contextmanager
def _engines_kept_away() -> Iterator[None]:
    """Hold the lock that every engine of this home takes."""
    try:
        file = (paths.home() / "engine.lock").open("a")
    except OSError as error:
        raise OtoError(
            "refused",
            f"{paths.home()} can't be written by you, so nothing was mended.",
            "On a box: sudo -u oto-studio OTO_HOME=/var/lib/oto oto doctor --repair",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OtoError(
                "busy",
                "An engine runs on this library, and it must not be mended under its hands. Nothing was changed.",
                "End it with 'oto engine --stop' (on a box: sudo systemctl stop oto-engine oto-worker), then repeat.",
                Exit.BUSY,
            ) from error
        if not os.access(paths.library(), os.W_OK):
            raise OtoError("refused", f"{paths.library()} can't be written by you, so nothing was mended.")
        yield
