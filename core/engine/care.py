"""What the engine has done by itself when nobody asks: hashes of what was recorded, exports to marked drives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from core.engine.board import Board, TopicType
from core.engine.queue import OPEN_STATES, JobQueue
from core.engine.shelf import Shelf
from core.errors import OtoError
from core.protocol.requests import StartJob
from core.protocol.topics import DrivesTopic, Job, JobsTopic, TakesTopic
from core.settings import Settings
from sessions.errors import LibraryError
from sessions.model import Take
from sessions.store import Library
from sessions.sums import lacks_sums

REST_S: Final = 60.0
"""How long nobody must have recorded before the disk is read for hashes: the next take comes soon or not at all."""


class Care:
    """Queues what is to be done, and takes back what would be in the way of a take. Lives on the event loop."""

    def __init__(self, board: Board, shelf: Shelf, queue: JobQueue, settings: Callable[[], Settings]) -> None:
        self._board = board
        self._shelf = shelf
        self._queue = queue
        self._settings = settings
        self._due_s: float | None = None
        self._marked: frozenset[str] = frozenset()
        board.watch(self._changed)

    async def tick(self, *, recording: bool) -> None:
        """Once a second."""
        now_s = time.monotonic()
        if recording:
            self._due_s = now_s + REST_S
            for job in self._open_jobs("hash"):
                self._queue.cancel(job.id)
        elif self._due_s is not None and now_s >= self._due_s:
            self._due_s = None
            await self._hash()

    def job_ended(self, job: Job) -> None:
        """A finished bounce goes to every marked drive; what arrived there is told."""
        if job.kind in ("mix", "master") and job.state == "done":
            for path in sorted(self._marked):
                self._bring_to(path)
        elif job.kind == "autoexport" and job.state == "done":
            self._tell(msgspec.json.decode(job.result))

    async def _hash(self) -> None:
        session = self._shelf.session
        if session is None or self._open_jobs("hash"):
            return
        takes = self._board.get(TakesTopic).takes
        if await asyncio.to_thread(_lacking, self._shelf.library, session.id, takes):
            self._queue.add(StartJob(kind="hash"), session.id, None)

    def _changed(self, kind: TopicType) -> None:
        if kind is TakesTopic:
            self._due_s = time.monotonic() + REST_S
        elif kind is DrivesTopic:
            drives = self._board.get(DrivesTopic).drives
            before = self._marked
            self._marked = frozenset(drive.path for drive in drives if drive.marked and drive.writable)
            for path in sorted(self._marked - before):
                self._bring_to(path)

    def _bring_to(self, path: str) -> None:
        wanted = self._settings().auto_export
        # One that runs has looked at the library already; one that waits has not.
        waits = any(job.options.get("to") == path and job.state == "queued" for job in self._open_jobs("autoexport"))
        if wanted != "off" and not waits:
            self._queue.add(StartJob(kind="autoexport", options={"to": path, "what": wanted}), "", None)

    def _tell(self, result: dict[str, Any]) -> None:
        songs, left_out = result["songs"], result["left_out"]
        if songs:
            names = ", ".join(songs[:3]) + (f" and {len(songs) - 3} more" if len(songs) > 3 else "")
            self._board.notify(
                "info",
                f"Exported by itself to {result['label']}, read back and compared: {names}.",
                "'oto eject' lets go of the drive.",
            )
        for words in left_out[:3]:
            self._board.notify("warning", f"Not exported by itself: {words}")

    def _open_jobs(self, kind: str) -> list[Job]:
        return [job for job in self._board.get(JobsTopic).jobs if job.kind == kind and job.state in OPEN_STATES]


def _lacking(library: Library, session_id: str, takes: tuple[Take, ...]) -> bool:
    for take in takes:
        try:
            if lacks_sums(library.take_path(session_id, take.number, take.false_number), take):
                return True
        except (LibraryError, OtoError, OSError):
            continue
    return False
