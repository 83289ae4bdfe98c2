"""The worker as a process: out of the way, told when to stop, and none the worse for a dead engine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from core import paths
from core.client import Client, ensure_engine
from core.errors import OtoError
from core.protocol.requests import CancelJob, GetStatus, StartJob
from core.protocol.topics import Job, JobKind, Status
from sessions.store import Library

WAIT_S = 60.0
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python module as a process that is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=Path(__file__).parents[3], stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.terminate()
    for process in started:
        process.communicate(timeout=20)


@pytest.fixture
def engine(library: Library, start: Start) -> subprocess.Popen[str]:
    """An engine that leaves its jobs to the workers of the test."""
    process = start("core.engine", "--no-workers")
    until(engine_runs)
    return process


def engine_runs() -> bool:
    try:
        Client().close()
    except OtoError:
        return False
    return True


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def add(kind: JobKind, **options: object) -> str:
    with Client() as client:
        request = StartJob(kind=kind, session="Duo", take=1, options=options)  # type: ignore[arg-type]
        return client.call(request, type=Job).id


def job(job_id: str) -> Job:
    with Client() as client:
        return next(job for job in client.call(GetStatus(), type=Status).jobs.jobs if job.id == job_id)


def test_a_worker_does_what_is_queued_and_ends_when_told_to_end_when_idle(
    engine: subprocess.Popen[str], start: Start, library: Library
) -> None:
    first, second = add("mix"), add("master")
    worker = start("core.jobs.worker", "--exit-when-idle")
    assert worker.wait(timeout=WAIT_S) == 0
    assert [job(first).state, job(second).state] == ["done", "done"]
    assert msgspec.json.decode(job(second).result)["bounce"] == "master-001-01"
    assert len(library.bounces(library.sessions()[0].id)) == 2


def test_a_worker_that_may_wait_a_while_does_the_next_job_too_and_ends_with_its_engine(
    engine: subprocess.Popen[str], start: Start
) -> None:
    worker = start("core.jobs.worker", "--exit-when-idle", str(WAIT_S))
    for _ in range(2):
        queued = add("analyse")
        until(lambda queued=queued: job(queued).state == "done")  # type: ignore[misc]
    assert worker.poll() is None
    engine.kill()
    assert worker.wait(timeout=WAIT_S) == 1


def test_a_worker_that_may_wait_a_while_ends_after_it(engine: subprocess.Popen[str], start: Start) -> None:
    assert start("core.jobs.worker", "--exit-when-idle", "0.5").wait(timeout=WAIT_S) in (0, 1)


def test_a_worker_that_is_told_once_does_one_job_and_tells_its_failure(
    engine: subprocess.Popen[str], start: Start
) -> None:
    failing, waiting = add("export", to="/nowhere/at/all", formats=["aac"]), add("analyse")
    assert start("core.jobs.worker", "--once").wait(timeout=WAIT_S) == 1
    problem = job(failing).problem
    assert problem is not None
    assert (problem.code, "'aac'" in problem.message) == ("bad_input", True)
    assert job(waiting).state == "queued"


def test_a_worker_stays_behind_everything_else(engine: subprocess.Popen[str], start: Start) -> None:
    worker = psutil.Process(start("core.jobs.worker").pid)
    until(lambda: worker.nice() == 19 and worker.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE)


def test_a_job_that_is_cancelled_while_it_runs_ends_soon_and_leaves_no_bounce(
    engine: subprocess.Popen[str], start: Start, library: Library
) -> None:
    session = library.sessions()[0].id
    running = add("mix")
    start("core.jobs.worker")
    until(lambda: job(running).state == "running")
    with Client() as client:
        client.call(CancelJob(job=running))
    following = add("analyse")
    until(lambda: job(following).state == "done")
    assert job(running).state == "cancelled"
    assert library.bounces(session) == []


def test_a_worker_that_is_ended_in_the_middle_leaves_no_half_bounce_and_its_job_in_the_queue(
    engine: subprocess.Popen[str], start: Start, library: Library
) -> None:
    running = add("mix")
    worker = start("core.jobs.worker")
    bounces = library.session_path(library.sessions()[0].id) / "bounces"
    until(lambda: bounces.is_dir() and any(bounces.iterdir()))
    worker.terminate()
    assert worker.wait(timeout=WAIT_S) == 0
    until(lambda: job(running).state == "queued")
    assert list(bounces.iterdir()) == []


def test_a_worker_outlives_its_engine_and_works_for_the_next(
    engine: subprocess.Popen[str], start: Start, library: Library
) -> None:
    worker = start("core.jobs.worker")
    begun = add("analyse")
    until(lambda: job(begun).state == "done")
    engine.kill()
    engine.wait(timeout=20)
    start("core.engine", "--no-workers")
    until(engine_runs)
    queued = add("analyse")
    until(lambda: job(queued).state == "done")
    assert worker.poll() is None


@pytest.mark.parametrize("how", ["--once", "--exit-when-idle"])
def test_a_worker_without_an_engine_does_not_wait_when_it_was_told_to_end(how: str, home: Path, start: Start) -> None:
    assert start("core.jobs.worker", how).wait(timeout=WAIT_S) == 1


def test_an_engine_with_work_starts_a_worker_of_its_own(library: Library) -> None:
    ensure_engine(idle_s=1.0)
    assert paths.engine_socket().exists()
    # While someone is connected it stays, however late this asks.
    with Client():
        queued = add("analyse")
        until(lambda: job(queued).state == "done")
