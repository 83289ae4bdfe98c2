"""The jobs: a queue that survives restarts, and the workers that take from it."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Final

import msgspec

from core.engine.board import Board, now_utc
from core.engine.server import Connection
from core.errors import OtoError
from core.protocol.requests import FinishJob, JobProgress, StartJob
from core.protocol.topics import Job, JobsTopic, Problem
from sessions.files import write_atomic

log = logging.getLogger(__name__)

ENDED_KEPT: Final = 20
ATTEMPTS: Final = 2
"""How often a job is given to a worker before its death counts as the job's fault."""
PACE_AFTER_S: Final = 3.0
"""How long a job has to run before its pace says when it will be done."""
LINGERS_S: Final = 60.0
"""How long our own worker waits for more: who turns one fader will turn another, and a start costs a second or two."""
OPEN_STATES: Final = ("queued", "running")


class JobQueue:
    """Jobs in the order they were asked for, each a file, each done by a worker that may die.

    With `spawn_workers` the queue starts a worker of its own whenever there is work and no worker is attached; a box
    whose service manager runs workers turns that off.
    """

    def __init__(self, board: Board, folder: Path, *, spawn_workers: bool) -> None:
        self._board = board
        self._folder = folder
        self._spawn_workers = spawn_workers
        self._jobs: dict[str, Job] = {}
        self._takers: dict[str, Connection] = {}
        self._began_s: dict[str, float] = {}
        """When a job that runs was taken, by the engine's own clock."""
        self.workers: set[Connection] = set()
        """Who takes jobs, at work or waiting for some."""
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.json")):
            with contextlib.suppress(ValueError, OSError):
                job = msgspec.json.decode(path.read_bytes(), type=Job)
                self._jobs[job.id] = job
        for job in list(self._jobs.values()):
            if job.state == "running":
                self._put_back(job, "The engine was restarted while this was being done.")
        self._show()

    @property
    def busy(self) -> bool:
        """Whether anything is queued or running that the box must be left on for; hashing goes on another day."""
        return any(job.state in OPEN_STATES and job.kind != "hash" for job in self._jobs.values())

    def add(self, request: StartJob, session: str, take: int | None) -> Job:
        """Queue a job."""
        job = Job(
            id=f"{1 + max((_number(job.id) for job in self._jobs.values()), default=0):06d}-{uuid.uuid4().hex[:8]}",
            kind=request.kind,
            session=session,
            take=take,
            options=request.options,
            created_utc=now_utc(),
        )
        self._put(job)
        self.tend()
        return job

    def like(self, request: StartJob, session: str) -> Job | None:
        """The newest job that is about the same, whatever became of it."""
        same = (
            job
            for job in self._jobs.values()
            if (job.kind, job.session, job.take, job.options) == (request.kind, session, request.take, request.options)
        )
        return max(same, key=lambda job: job.id, default=None)

    def cancel(self, job_id: str) -> Job:
        """Take a job out of the queue, or tell its worker to stop."""
        job = self._get(job_id)
        if job.state in OPEN_STATES:
            job = msgspec.structs.replace(job, state="cancelled", doing="")
            self._put(job)
        return job

    def take(self, connection: Connection) -> Job | None:
        """Give a queued job to a worker: the oldest, but overviews first, because somebody looks at an empty screen."""
        if connection not in self.workers:
            self.workers.add(connection)
            connection.on_close.append(lambda: self._worker_left(connection))
        for job in sorted(self._jobs.values(), key=lambda job: job.kind != "overview"):
            if job.state == "queued":
                job = msgspec.structs.replace(job, state="running", attempts=job.attempts + 1, fraction=0.0)
                self._takers[job.id] = connection
                self._began_s[job.id] = time.monotonic()
                self._put(job)
                return job
        return None

    def progress(self, request: JobProgress) -> bool:
        """Remember how far a job is; False tells the worker that it is no longer wanted."""
        job = self._get(request.job)
        if job.state != "running":
            return False
        left_s = time_left_s(request.fraction, time.monotonic() - self._began_s.get(job.id, time.monotonic()))
        self._jobs[job.id] = msgspec.structs.replace(job, fraction=request.fraction, doing=request.doing, left_s=left_s)
        self._show()
        return True

    def finish(self, request: FinishJob) -> Job:
        """Remember how a job ended."""
        job = self._get(request.job)
        self._takers.pop(job.id, None)
        if job.state != "running":
            return job
        if request.error is not None:
            job = msgspec.structs.replace(job, state="failed", problem=request.error, doing="")
            self._board.notify("error", f"The {job.kind} failed: {request.error.message}", request.error.hint)
        else:
            job = msgspec.structs.replace(job, state="done", fraction=1.0, doing="", result=request.result)
        self._put(job)
        return job

    def tend(self) -> None:
        """Start a worker if there is work and nobody to do it. Called after changes and once a second."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        waiting = any(job.state == "queued" for job in self._jobs.values())
        if not self._spawn_workers or not waiting or self.workers or self._process is not None:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.jobs.worker", "--exit-when-idle", str(LINGERS_S)],
            stdin=subprocess.DEVNULL,
            env=os.environ,
            cwd="/",
            start_new_session=True,
        )

    def close(self) -> None:
        """Let our own worker go; what it was doing is queued again."""
        if self._process is not None:
            self._process.terminate()

    def _worker_left(self, connection: Connection) -> None:
        self.workers.discard(connection)
        for job_id, taker in list(self._takers.items()):
            if taker is connection:
                del self._takers[job_id]
                job = self._jobs[job_id]
                if job.state == "running":
                    self._put_back(job, "The worker died while doing this.")

    def _put_back(self, job: Job, reason: str) -> None:
        if job.attempts < ATTEMPTS:
            self._put(msgspec.structs.replace(job, state="queued", fraction=0.0, doing=""))
            return
        problem = Problem(code="worker_died", message=reason, hint="Try it again; the log may say more.")
        self._put(msgspec.structs.replace(job, state="failed", problem=problem, doing=""))
        self._board.notify("error", f"The {job.kind} failed: {reason}", problem.hint)

    def _get(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise OtoError("not_found", f"There is no job {job_id!r}.")
        return job

    def _put(self, job: Job) -> None:
        """Keep a job that has come into another state."""
        job = self._jobs[job.id] = msgspec.structs.replace(job, left_s=None)
        if job.state != "running":
            self._began_s.pop(job.id, None)
        write_atomic(self._folder / f"{job.id}.json", msgspec.json.encode(job))
        ended = [one for one in self._jobs.values() if one.state not in OPEN_STATES]
        made = [one for one in ended if _is_kept_elsewhere(one) and one.id not in self._takers]
        rest = [one for one in ended if one not in made]
        for old in (*made, *rest[:-ENDED_KEPT]):
            del self._jobs[old.id]
            (self._folder / f"{old.id}.json").unlink(missing_ok=True)
        self._show()

    def _show(self) -> None:
        self._board.put(JobsTopic(jobs=tuple(self._jobs.values())))


def _is_kept_elsewhere(job: Job) -> bool:
    """Whether nobody needs to be shown how a job ended: what it made lies beside the audio, or will another time."""
    return (job.kind, job.state) in (("overview", "done"), ("hash", "done"), ("hash", "cancelled"))


def time_left_s(fraction: float, taken_s: float) -> float | None:
    """How long work will still take that has come so far; None while there is too little to tell from."""
    return taken_s * (1.0 / fraction - 1.0) if fraction > 0.0 and taken_s >= PACE_AFTER_S else None


def _number(job_id: str) -> int:
    return int(job_id.partition("-")[0])
