"""What the engine has done by itself: hashes once nobody records, exports when a marked drive comes."""

from __future__ import annotations

import msgspec
import pytest

from core.engine import care
from core.engine.board import Board
from core.engine.care import Care
from core.engine.queue import JobQueue
from core.engine.shelf import Shelf
from core.protocol.topics import Drive, DrivesTopic, Job, JobsTopic, NoticesTopic
from core.settings import Settings
from sessions.model import Clip, Take, TakeTrack
from sessions.store import Library


@pytest.fixture
def parts(tmp_path):
    board, library = Board(), Library(tmp_path / "library")
    shelf = Shelf(board, library)
    queue = JobQueue(board, tmp_path / "jobs", spawn_workers=False)
    caring = Care(board, shelf, queue, lambda: Settings())
    shelf.open(library.create_session("Rehearsal"))
    return board, shelf, caring


def finished_take(shelf):
    take = Take(
        number=1, session=shelf.session.id, status="recording", rate_hz=48_000, sample_format="pcm24", started_utc="",
        tracks=(TakeTrack(id="t1", name="Kick"),),
    )  # fmt: skip
    folder = shelf.library.begin_take(take)
    (folder / "01 Kick.wav").write_bytes(b"audio")
    clips = (Clip(track="t1", file="01 Kick.wav", start_samples=0, frames=1),)
    shelf.library.save_take(msgspec.structs.replace(take, status="complete", clips=clips))


def kinds(board):
    return [(job.kind, job.state) for job in board.get(JobsTopic).jobs]


async def test_a_take_is_hashed_once_nobody_has_recorded_for_a_while(parts, monkeypatch):
    board, shelf, caring = parts
    finished_take(shelf)
    await shelf.read_takes()
    await caring.tick(recording=False)
    assert kinds(board) == []
    monkeypatch.setattr(care, "REST_S", 0.0)
    await caring.tick(recording=True)
    await caring.tick(recording=False)
    await caring.tick(recording=False)
    assert kinds(board) == [("hash", "queued")]


async def test_a_take_that_begins_takes_the_disk_back(parts, monkeypatch):
    board, shelf, caring = parts
    monkeypatch.setattr(care, "REST_S", 0.0)
    finished_take(shelf)
    await shelf.read_takes()
    await caring.tick(recording=True)
    await caring.tick(recording=False)
    await caring.tick(recording=True)
    assert not any(state == "queued" for _, state in kinds(board))
    await caring.tick(recording=False)
    assert ("hash", "queued") in kinds(board)


def drives(*paths, marked=True, writable=True):
    return DrivesTopic(
        drives=tuple(
            Drive(
                path=path, label=path[-3:], file_system="vfat", size_bytes=1, free_bytes=1, removable=True,
                writable=writable, marked=marked,
            )
            for path in paths
        )
    )  # fmt: skip


def test_marked_drives_are_brought_what_is_new_when_they_come_and_when_a_bounce_is_finished(parts):
    board, _, caring = parts
    board.put(drives("/media/one", "/media/two"))
    asked = [job.options["to"] for job in board.get(JobsTopic).jobs]
    assert asked == ["/media/one", "/media/two"]
    caring.job_ended(Job(id="9", kind="master", session="s", state="done"))
    assert len(board.get(JobsTopic).jobs) == 2  # those that wait will see it


def test_other_drives_are_left_alone(parts):
    board, _, _ = parts
    board.put(drives("/media/one", marked=False))
    board.put(drives("/media/one", writable=False))
    assert kinds(board) == []


def test_what_arrived_is_told_with_the_drives_name(parts):
    board, _, caring = parts
    result = {"destination": "/media/one", "label": "STICK", "songs": ["Duo/Duo.wav"], "left_out": []}
    job = Job(id="9", kind="autoexport", session="", state="done", result=msgspec.Raw(msgspec.json.encode(result)))
    caring.job_ended(job)
    assert "STICK" in board.get(NoticesTopic).notices[-1].message
    assert "Duo/Duo.wav" in board.get(NoticesTopic).notices[-1].message
