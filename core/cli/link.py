"""How commands that do work reach the engine's job queue, or do the same work themselves when no engine runs."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from core import paths
from core.cli.console import Console
from core.client import Client
from core.errors import EXIT_BY_CODE, Exit, OtoError
from core.protocol.requests import Attach, CancelJob, Shutdown, StartJob
from core.protocol.topics import Job, JobKind, JobsTopic

LOCAL_JOB = "local"
"""Id of a job that never saw a queue."""

PATIENCE_S = 10.0
"""How long a queued job may find no worker before a person is told."""

ENDING_TIMEOUT_S = 60.0

SILENCE_S = 86_400.0
"""How long a job may run without a word from the engine; a dead engine ends the connection at once."""


def engine_if_any(timeout_s: float = 30.0) -> Client | None:
    """A connection to the running engine, or None when there is none."""
    try:
        return Client(timeout_s=timeout_s)
    except OtoError as error:
        if error.code == "no_engine":
            return None
        raise


def do(kind: JobKind, session: str, take: int | None, options: dict[str, Any], console: Console) -> dict[str, Any]:
    """Have a job done: by a worker of the running engine, else in this process on the library. Returns its result."""
    client = engine_if_any(SILENCE_S)
    if client is None:
        from sessions.store import Library

        library = Library(paths.library())
        job = Job(id=LOCAL_JOB, kind=kind, session=library.session(session).id, take=take, options=options)
        from core.jobs.tasks import run_job

        return run_job(job, library, console.progress)
    with client:
        return follow(client, StartJob(kind=kind, session=session, take=take, options=options), console)


def do_for_all(kind: JobKind, options: dict[str, Any], console: Console) -> dict[str, Any]:
    """Have a job done that belongs to no session: by the running engine's worker, else here. Returns its result."""
    client = engine_if_any(SILENCE_S)
    if client is None:
        from core.jobs.tasks import run_job
        from sessions.store import Library

        job = Job(id=LOCAL_JOB, kind=kind, session="", options=options)
        return run_job(job, Library(paths.library()), console.progress)
    with client:
        return follow(client, StartJob(kind=kind, options=options), console)


def end_engine() -> None:
    """End the running engine and wait until it is gone; it finishes its take first.

    Raises OtoError: "no_engine" when none runs, "timeout" when it takes too long.
    """
    with Client() as client, contextlib.suppress(OtoError):  # it may be gone before it answers
        client.call(Shutdown())
    deadline = time.monotonic() + ENDING_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OtoError):  # it may be going while it is asked
            client_now = engine_if_any()
            if client_now is None:
                return
            client_now.close()
        time.sleep(0.05)
    raise OtoError("timeout", "The engine is still finishing what it recorded.", "'oto status' says when it is gone.")


def follow(client: Client, request: StartJob, console: Console) -> dict[str, Any]:
    """Queue a job and show its progress until it ends; Ctrl-C cancels it. Raises OtoError when it fails."""
    client.call(Attach(client="cli", topics=("jobs",)))
    started = time.monotonic()
    told = False
    job: Job | None = None
    try:
        with _interrupts_later():  # or the engine would have a job whose name nobody knows
            job = client.call(request, type=Job)
        for topic in client.topics():
            if not isinstance(topic, JobsTopic):
                continue
            now = next((other for other in topic.jobs if other.id == job.id), job)
            if now.state in ("queued", "running"):
                console.progress(now.fraction, now.doing or now.state)
                if now.state == "queued" and not told and time.monotonic() - started > PATIENCE_S:
                    told = True
                    console.say("Waiting for a worker; 'oto worker' starts one.")
                continue
            return _result(now)
    except KeyboardInterrupt:
        # A new connection, because the signal may have come in the middle of a message on the other.
        if job is not None:
            with Client() as other:
                other.call(CancelJob(job=job.id))
        raise
    raise AssertionError("topics end only by an error")


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C in this block raises KeyboardInterrupt as soon as the block is over."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _result(job: Job) -> dict[str, Any]:
    if job.state == "done":
        result: dict[str, Any] = msgspec.json.decode(job.result)
        return result
    if job.problem is None:
        raise OtoError("cancelled", f"The {job.kind} was cancelled. Nothing that existed before was changed.")
    problem = job.problem
    raise OtoError(problem.code, problem.message, problem.hint, EXIT_BY_CODE.get(problem.code, Exit.FAILED))
