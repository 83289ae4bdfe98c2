"""What is new goes to a drive that is marked for it: each bounce once, every drive by its own list."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import OtoError
from core.jobs import work
from core.jobs.marked import ARRIVED
from core.jobs.tasks import run_job
from core.plans.document import MixPlan
from core.protocol.topics import Job
from devices.drives import MARK
from sessions.files import sha256_file
from sessions.model import Bounce
from sessions.store import Library
from tests.rig.fixtures import loop_drive
from tests.sessions.helpers import new_bounce

__all__ = ["loop_drive"]


def add_bounce(library: Library, kind: str, level: float) -> Bounce:
    """A finished bounce without the work of rendering it."""
    session = library.session("Duo")
    bounce_id, folder = library.new_bounce(session.id, kind, 1)
    audio = level * np.ones((4_800, 2))
    soundfile.write(folder / "mix.wav", audio, 48_000, subtype="FLOAT")
    (folder / "plan.json").write_bytes(work.plan_bytes(MixPlan(oto_version="0", strips=())))
    bounce = new_bounce(
        session.id, bounce_id, kind=kind, sha256=sha256_file(folder / "mix.wav"), rate_hz=48_000, frames=4_800
    )
    library.save_bounce(bounce)
    return bounce


def bring(library: Library, drive: Path, what: str = "masters") -> dict:
    job = Job(id="1", kind="autoexport", session="", options={"to": str(drive), "what": what})
    return run_job(job, library, lambda *_: True)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    (tmp_path / "drive" / MARK).mkdir(parents=True)
    return tmp_path / "drive"


def files_on(drive: Path) -> set[str]:
    return {path.relative_to(drive).as_posix() for path in drive.rglob("*.wav")}


def test_masters_go_to_a_marked_drive_once(library: Library, drive: Path) -> None:
    add_bounce(library, "mix", 0.1)
    add_bounce(library, "master", 0.2)
    assert bring(library, drive)["songs"] == ["Duo/Duo.wav"]
    assert bring(library, drive)["songs"] == []
    assert files_on(drive) == {"Duo/Duo.wav"}
    add_bounce(library, "master", 0.3)
    assert bring(library, drive)["songs"] == ["Duo/Duo (2).wav"]
    assert [len(record.files) for record in library.exports(library.session("Duo").id)] == [1, 1]


def test_mixes_go_too_when_that_is_wanted(library: Library, drive: Path) -> None:
    add_bounce(library, "mix", 0.1)
    assert bring(library, drive, "all")["songs"] == ["Duo/Duo mix.wav"]


def test_what_a_person_removed_from_the_drive_does_not_come_back(library: Library, drive: Path) -> None:
    add_bounce(library, "master", 0.2)
    bring(library, drive)
    (drive / "Duo/Duo.wav").unlink()
    assert bring(library, drive)["songs"] == []


def test_a_drive_without_the_mark_gets_nothing(library: Library, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    add_bounce(library, "master", 0.2)
    with pytest.raises(OtoError) as refused:
        bring(library, tmp_path / "plain")
    assert refused.value.code == "drive_lost"
    assert list((tmp_path / "plain").iterdir()) == []


def test_a_bounce_that_has_suffered_is_told_and_the_others_go(library: Library, drive: Path) -> None:
    bad = add_bounce(library, "master", 0.2)
    add_bounce(library, "master", 0.3)
    file = library.bounce_path(bad.session, bad.id) / bad.file
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    done = bring(library, drive)
    assert len(done["songs"]) == 1
    assert "no longer what was rendered" in done["left_out"][0]


@pytest.mark.parametrize("hostile", ["link", "fifo", "noise"])
def test_a_hostile_list_on_the_drive_harms_nobody(library: Library, drive: Path, tmp_path: Path, hostile: str) -> None:
    add_bounce(library, "master", 0.2)
    target = tmp_path / "mine"
    target.write_text("mine")
    if hostile == "link":
        (drive / ARRIVED).symlink_to(target)
    elif hostile == "fifo":
        os.mkfifo(drive / ARRIVED)
    else:
        (drive / ARRIVED).write_bytes(b'{"sha256":3}\n\xff\n{"sha256"')
    if hostile == "noise":
        assert bring(library, drive)["songs"] == ["Duo/Duo.wav"]
        assert bring(library, drive)["songs"] == []
    else:
        with pytest.raises(OtoError) as refused:
            bring(library, drive)
        assert refused.value.code == "drive_lost"
    assert target.read_text() == "mine"


def test_a_folder_on_the_drive_that_leads_elsewhere_is_not_followed(
    library: Library, drive: Path, tmp_path: Path
) -> None:
    add_bounce(library, "master", 0.2)
    (tmp_path / "elsewhere").mkdir()
    (drive / "Duo").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OtoError, match="link to somewhere else"):
        bring(library, drive)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.rig
def test_two_drives_keep_their_own_lists_and_one_that_was_pulled_catches_up(
    library: Library, loop_drive, tmp_path: Path
) -> None:
    one, two = loop_drive(16, "ONE"), loop_drive(16, "TWO")
    for drive in (one, two):
        (drive / MARK).touch()
    add_bounce(library, "master", 0.2)
    assert len(bring(library, one)["songs"]) == len(bring(library, two)["songs"]) == 1
    add_bounce(library, "master", 0.3)

    def pull(_fraction: float, doing: str) -> bool:
        if doing.startswith("copying"):
            subprocess.run(["umount", "-l", str(one)], check=False, stderr=subprocess.DEVNULL)
        return True

    job = Job(id="1", kind="autoexport", session="", options={"to": str(one), "what": "masters"})
    with pytest.raises(OtoError) as pulled:
        run_job(job, library, pull)
    assert pulled.value.code == "drive_lost"
    assert list(one.iterdir()) == []  # nothing was left where the drive used to be
    assert len(bring(library, two)["songs"]) == 1
    with pytest.raises(OtoError, match="pulled before anything"):
        bring(library, one)
