"""Jobs survive whatever happens to the engine and to workers, and always say how they ended."""

import msgspec
import pytest

from core.client import Client
from core.engine.queue import PACE_AFTER_S, time_left_s
from core.errors import OtoError
from core.protocol.requests import Attach, CancelJob, FinishJob, JobProgress, Record, StartJob, TakeJob
from core.protocol.topics import Job, Problem


@pytest.fixture
def engine(start_engine, stage):
    """An engine that leaves its jobs to the workers of the test, with one take to work on."""
    rig = start_engine(f"sim:fast:{stage}", "--no-workers")
    rig.call(Record(preroll_s=0.0, seconds=0.5))
    rig.wait(lambda status: status.takes.takes and status.takes.takes[0].status == "complete", "a take")
    return rig


def jobs(engine):
    return {job.id: job for job in engine.status().jobs.jobs}


def take_job(worker):
    return worker.call(TakeJob(), Job | None)


def test_a_job_goes_to_one_worker_and_its_result_is_kept(engine):
    job = engine.call(StartJob(kind="mix"), Job)
    assert (job.state, job.take) == ("queued", 1)
    with Client(engine.socket) as worker, Client(engine.socket) as other:
        assert take_job(worker).id == job.id
        assert take_job(other) is None
        assert worker.call(JobProgress(job=job.id, fraction=0.5, doing="mixing"), bool)
        assert (jobs(engine)[job.id].fraction, jobs(engine)[job.id].doing) == (0.5, "mixing")
        worker.call(FinishJob(job=job.id, result=msgspec.Raw(b'{"out": "x.wav"}')))
    done = jobs(engine)[job.id]
    assert (done.state, msgspec.json.decode(done.result)) == ("done", {"out": "x.wav"})


def test_a_worker_learns_that_its_job_was_cancelled_and_cannot_finish_it(engine):
    job = engine.call(StartJob(kind="mix"), Job)
    with Client(engine.socket) as worker:
        take_job(worker)
        assert engine.call(CancelJob(job=job.id), Job).state == "cancelled"
        assert worker.call(JobProgress(job=job.id, fraction=0.9), bool) is False
        worker.call(FinishJob(job=job.id))
    assert jobs(engine)[job.id].state == "cancelled"


def test_a_job_whose_worker_dies_is_given_out_once_more_and_then_said_to_have_failed(engine):
    job = engine.call(StartJob(kind="master"), Job)
    for expected in ("queued", "failed"):
        with Client(engine.socket) as worker:
            take_job(worker)
        engine.wait(lambda status, state=expected: status.jobs.jobs[-1].state == state, expected)
    failed = jobs(engine)[job.id]
    assert failed.problem is not None
    assert failed.problem.code == "worker_died"
    assert "failed" in engine.status().notices.notices[-1].message


def test_a_failure_keeps_its_reason_and_is_told_to_everyone(engine):
    job = engine.call(StartJob(kind="export"), Job)
    with Client(engine.socket) as worker:
        take_job(worker)
        worker.call(
            FinishJob(job=job.id, error=Problem(code="no_space", message="The stick is full.", hint="Another."))
        )
    assert jobs(engine)[job.id].problem.code == "no_space"
    assert "The stick is full." in engine.status().notices.notices[-1].message


def test_jobs_outlive_a_killed_engine_in_their_order(engine):
    first, second = (engine.call(StartJob(kind=kind), Job) for kind in ("mix", "master"))
    with Client(engine.socket) as worker:
        take_job(worker)
        engine.kill()
    engine.start()
    with Client(engine.socket) as worker:
        assert [take_job(worker).id, take_job(worker).id] == [first.id, second.id]


def test_work_on_a_session_without_a_take_and_unknown_jobs_are_refused(engine, start_engine, stage, tmp_path):
    empty = start_engine(f"sim:{stage}", home=tmp_path / "other")
    for request in (StartJob(kind="mix"), CancelJob(job="none")):
        with pytest.raises(OtoError) as refused:
            empty.call(request)
        assert refused.value.code == "not_found"


def test_an_engine_with_work_starts_a_worker_of_its_own(start_engine, stage, tmp_path):
    rig = start_engine(f"sim:fast:{stage}", home=tmp_path / "own")
    rig.call(Record(preroll_s=0.0, seconds=0.5))
    rig.wait(lambda status: status.takes.takes and status.takes.takes[0].status == "complete", "a take")
    rig.call(StartJob(kind="analyse"))
    status = rig.wait(lambda status: status.jobs.jobs[0].state in ("done", "failed"), "the worker", seconds=60)
    assert status.jobs.jobs[0].state == "done", status.jobs.jobs[0].problem


def test_workers_attach_like_any_client(engine):
    with Client(engine.socket) as worker:
        worker.call(Attach(client="worker", topics=("jobs",)))
        assert take_job(worker) is None


def test_the_time_that_is_left_follows_from_the_pace_and_nothing_is_foretold_from_too_little() -> None:
    assert time_left_s(0.25, 30.0) == 90.0
    assert time_left_s(1.0, 30.0) == 0.0
    assert time_left_s(0.0, 30.0) is None
    assert time_left_s(0.5, PACE_AFTER_S / 2) is None
