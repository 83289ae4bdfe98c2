"""A drive that is pulled while a worker exports to it: the take that is recorded meanwhile never notices."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

from core.plans.document import MixPlan
from core.protocol.requests import ListTakes, Record, StartJob, Stop
from core.protocol.topics import Job, Take
from sessions.files import sha256_file
from sessions.model import Track
from sessions.store import Library
from tests.core.backup.conftest import record
from tests.rig.drives import plugged_in_again, pull_out
from tests.rig.engine import EngineRig
from tests.sessions.helpers import new_bounce

pytestmark = [pytest.mark.soak, pytest.mark.rig, pytest.mark.timeout(900)]

PULLS = 20
SONG_S = 20


def mixed_session(home: Path, song_s: int = SONG_S) -> str:
    """A session with a bounce to export, this long; returns its id."""
    library = Library(home / "library")
    session = library.create_session("Mixed", tracks=[Track(id="t1", name="Kick", input=1)])
    record(library, session, 1)
    bounce_id, folder = library.new_bounce(session.id, "mix", 1)
    noise = np.random.default_rng(7).uniform(-0.3, 0.3, (48_000 * song_s, 2))
    soundfile.write(folder / "mix.wav", noise, 48_000, subtype="FLOAT")
    (folder / "plan.json").write_bytes(msgspec.json.encode(MixPlan(oto_version="0", strips=())))
    library.save_bounce(
        new_bounce(session.id, bounce_id, frames=48_000 * song_s, sha256=sha256_file(folder / "mix.wav"))
    )
    return session.id


def exported(engine: EngineRig, session: str, drive: Path, pull_after_s: float | None) -> Job:
    """An export job when it has ended, the drive pulled this long after it began to run."""
    options = {"to": str(drive), "formats": ["wav16", "flac"]}
    job: Job = engine.call(StartJob(kind="export", session=session, options=options), Job)

    def now() -> Job:
        return next(other for other in engine.status().jobs.jobs if other.id == job.id)

    engine.wait(lambda _: now().state != "queued", "a worker", 60)
    if pull_after_s is not None:
        time.sleep(pull_after_s)
        pull_out(drive)
    engine.wait(lambda _: now().state in ("done", "failed"), "the end of the export", 60)
    return now()


@pytest.mark.parametrize("file_system", ["ext4", "exfat"])
def test_a_drive_pulled_at_random_moments_holds_verified_files_or_none_and_the_take_goes_on(
    file_system: str,
    start_engine: Callable[..., EngineRig],
    loop_drive: Callable[..., Path],
    stage: Path,
    tmp_path: Path,
) -> None:
    drive = loop_drive(64, "STICK", file_system)
    home = tmp_path / "home"
    home.mkdir()
    session = mixed_session(home)
    engine = start_engine(f"sim:{stage}", home=home)
    began_s = time.monotonic()
    first = exported(engine, session, drive, None)
    assert first.state == "done", first.problem
    took_s = time.monotonic() - began_s
    whole = {path.name: sha256_file(path) for path in drive.glob("*.*")}
    assert len(whole) == 2
    engine.call(Record(preroll_s=0.0))
    chance, failed = random.Random(3), 0
    for _ in range(PULLS):
        for path in drive.glob("*.*"):
            path.unlink()
        job = exported(engine, session, drive, chance.uniform(0.0, took_s))
        if job.state == "failed":
            failed += 1
            assert job.problem is not None
            assert job.problem.code in ("drive_lost", "device_lost"), job.problem
        plugged_in_again(drive, file_system)
        there = {path.name: sha256_file(path) for path in drive.glob("*.*") if not path.name.startswith(".")}
        assert there.items() <= whole.items()
        assert engine.status().transport.state == "recording"
    engine.call(Stop())
    takes = engine.call(ListTakes(), list[Take])
    assert (takes[-1].status, takes[-1].losses.disk_errors) == ("complete", 0)
    assert failed > 0
