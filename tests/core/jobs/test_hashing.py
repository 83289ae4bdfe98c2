"""The job that hashes what was recorded."""

from __future__ import annotations

import shutil

import msgspec
import pytest

from core.errors import OtoError
from core.jobs.tasks import run_job
from core.protocol.topics import Job
from sessions.layout import SUMS_FILE
from sessions.store import Library
from sessions.sums import read_sums


def test_every_take_of_a_session_is_hashed_once(library: Library) -> None:
    session = library.session("Duo").id
    job = Job(id="1", kind="hash", session=session)
    seen: list[float] = []

    def tell(fraction: float, _doing: str) -> bool:
        seen.append(fraction)
        return True

    done = run_job(job, library, tell)
    assert sorted(done["hashed"]) == ["001/01 Bass.wav", "001/02 Vox.wav"]
    assert seen == sorted(seen)
    assert len(read_sums(library.take_path(session, 1))) == 2
    assert run_job(job, library, tell)["hashed"] == []


def test_a_false_take_is_hashed_beside_the_good_one_of_its_number(library: Library) -> None:
    session = library.session("Duo").id
    good = library.take_path(session, 1)
    library.mark_false(session, 1)
    [false] = library.takes(session)
    set_aside = library.take_path(session, 1, false.false_number)
    shutil.copytree(set_aside, good)
    again = msgspec.structs.replace(false, false_take=False, false_number=0)
    library.save_take(again)
    run_job(Job(id="1", kind="hash", session=session), library, lambda *_: True)
    assert read_sums(good).keys() == read_sums(set_aside).keys() == {"01 Bass.wav", "02 Vox.wav"}


def test_it_gives_way_at_once_and_leaves_nothing_half_done(library: Library) -> None:
    session = library.session("Duo").id
    with pytest.raises(OtoError) as cancelled:
        run_job(Job(id="1", kind="hash", session=session), library, lambda *_: False)
    assert cancelled.value.code == "cancelled"
    assert not (library.take_path(session, 1) / SUMS_FILE).exists()
