"""The job that hashes what was recorded: while nobody records, behind everything else."""

from __future__ import annotations

import contextlib
from typing import Any

from core.progress import Progress, report
from sessions.errors import LibraryError
from sessions.store import Library
from sessions.sums import lacks_sums, make_sums


def hash_takes(library: Library, session_id: str, progress: Progress | None = None) -> dict[str, Any]:
    """Hash the files of every finished take of a session that has no hashes yet; says which.

    A take that goes away meanwhile is left out. Raises OtoError("cancelled"): takes that were done stay done.
    """
    # A false take may have the number of a good one.
    takes = [
        (take, library.take_path(session_id, take.number, take.false_number)) for take in library.takes(session_id)
    ]
    todo = [(take.number, folder) for take, folder in takes if lacks_sums(folder, take)]
    total = max(1, sum(path.stat().st_size for _, folder in todo for path in folder.glob("*.wav")))
    seen = 0
    hashed = []
    for number, folder in todo:

        def read(count: int, number: int = number) -> None:
            nonlocal seen
            seen += count
            report(progress, min(1.0, seen / total), f"hashing take {number}")

        with contextlib.suppress(LibraryError, FileNotFoundError):
            hashed += [f"{folder.name}/{name}" for name in make_sums(folder, read)]
    return {"session": session_id, "hashed": hashed}
