"""The worker: a process of low priority that asks the engine for work, does it, and may die without harm.

It holds nothing that matters: the queue is the engine's. When the engine goes away the worker drops what it was doing
and asks again once there is an engine; the job is still in the queue.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import psutil

from core import paths
from core.client import Client
from core.errors import OtoError, as_oto_error
from core.jobs.ending import end_on_sigterm
from core.protocol.requests import Attach, FinishJob, JobProgress, TakeJob
from core.protocol.topics import Job, JobsTopic, Problem

PROGRESS_INTERVAL_S: Final = 0.1
RECONNECT_S: Final = 1.0
IDLE_S: Final = 3600.0
"""How long a worker listens to a silent engine before it connects anew."""

LOST: Final = ("disconnected", "no_engine", "timeout")
"""Codes that mean the engine, not the work, is what failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker with command line arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m core.jobs.worker")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--exit-when-idle", type=float, nargs="?", const=0.0)
    options = parser.parse_args(argv)
    return run(once=options.once, exit_when_idle=options.exit_when_idle)


def run(*, once: bool = False, exit_when_idle: float | None = None) -> int:
    """Work for the engine at `core.paths.engine_socket()` until told otherwise.

    `once` ends after one job, `exit_when_idle` when the queue has been empty for so many seconds; both end when there
    is no engine. Otherwise the worker outlives engines and works for the next one. Returns 1 when a job failed or the
    engine was gone, else 0.
    """
    give_way()
    end_on_sigterm()
    failed = False
    while True:
        try:
            with Client(paths.engine_socket(), timeout_s=exit_when_idle or IDLE_S) as client:
                client.call(Attach(client="worker", topics=("jobs",)))
                while True:
                    job = _next_job(client)
                    if job is not None:
                        failed |= not _do(job, client)
                    if once or (job is None and exit_when_idle == 0.0):
                        return int(failed)
                    if job is None and not _hears_of_jobs(client) and exit_when_idle is not None:
                        return int(failed)
        except OtoError as error:
            if error.code not in LOST:
                raise
            if once or exit_when_idle is not None:
                return 1
            time.sleep(RECONNECT_S)


def _next_job(client: Client) -> Job | None:
    job_or_nothing: Any = Job | None
    taken: Job | None = client.call(TakeJob(), type=job_or_nothing)
    return taken


def give_way() -> None:
    """Put this process behind everything that plays or records: last on the CPU, the disk when nobody else wants it."""
    os.nice(19)
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


def _hears_of_jobs(client: Client) -> bool:
    """Wait until the queue holds a job that nobody has taken; False when it has been silent for the client's time."""
    try:
        for topic in client.topics():
            if isinstance(topic, JobsTopic) and any(job.state == "queued" for job in topic.jobs):
                return True
    except OtoError as error:
        if error.code != "timeout":
            raise
    return False


class _Reporter:
    """Tells the engine how far a job is, ten times a second at most, and remembers whether it is still wanted."""

    def __init__(self, client: Client, job: str) -> None:
        self._client = client
        self._job = job
        self._due = 0.0
        self._wanted = True

    def __call__(self, fraction: float, doing: str) -> bool:
        now = time.monotonic()
        if self._wanted and now >= self._due:
            self._due = now + PROGRESS_INTERVAL_S
            self._wanted = self._client.call(JobProgress(job=self._job, fraction=fraction, doing=doing), type=bool)
        return self._wanted


def _do(job: Job, client: Client) -> bool:
    """Do a job and tell the engine how it ended; returns whether well. Raises OtoError when the engine is gone."""
    from core.jobs.tasks import run_job
    from sessions.store import Library

    try:
        result = run_job(job, Library(paths.library()), _Reporter(client, job.id))
    except Exception as error:
        told = as_oto_error(error)
        if told.code in LOST:
            raise told from error
        problem = Problem(code=told.code, message=told.message, hint=told.hint)
        client.call(FinishJob(job=job.id, error=problem))
        return False
    client.call(FinishJob(job=job.id, result=msgspec.Raw(msgspec.json.encode(result))))
    return True


if __name__ == "__main__":
    sys.exit(main())
