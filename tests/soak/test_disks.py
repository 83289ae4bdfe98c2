"""Disks that fill up or are pulled out in the middle of eighteen channels: what came before is safe, and said."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.protocol.requests import EditSettings, ListTakes, Record, Stop
from core.protocol.topics import Status, Take
from sessions.recover import recover
from sessions.store import Library
from tests.rig.drives import plugged_in_again, pull_out
from tests.rig.engine import EngineRig
from tests.rig.played import Played
from tests.rig.programs import frames_in_every_program, frames_read_by_every_program
from tests.soak.conftest import INPUTS

pytestmark = [pytest.mark.soak, pytest.mark.rig]

RATE = 48_000
RESERVE_BYTES = 8 << 20


@pytest.fixture
def engine_on(
    start_engine: Callable[..., EngineRig], stage: Path, tmp_path: Path
) -> Callable[[Path | None], EngineRig]:
    """Starts an engine on the simulated stage whose library lies on a drive (None: beside the rest)."""

    def start(drive: Path | None) -> EngineRig:
        home = tmp_path / "home"
        home.mkdir()
        if drive is not None:
            (drive / "library").mkdir()
            (home / "library").symlink_to(drive / "library")
        return start_engine(f"sim:{stage}", "--no-workers", home=home)

    return start


def ended(engine: EngineRig, seconds: float = 90.0) -> tuple[Status, Take]:
    """What the engine says when the only take is over, and the take."""
    engine.wait(lambda status: status.transport.state == "idle", "the end of the take", seconds)
    status = engine.wait(lambda status: status.takes.takes[0].status != "recording", "the closed take")
    return status, status.takes.takes[0]


def files_of(status: Status, take: Take) -> list[Path]:
    return [Path(status.session.path) / "takes" / "001" / clip.file for clip in take.clips]


def assert_whole(files: list[Path], stage: Path) -> int:
    """Every program opens every file, and each holds what was played; returns the frames of the shortest."""
    lengths = frames_in_every_program(files)
    assert len(lengths) == INPUTS
    with Played(*sorted(stage.iterdir()), loop=True) as played:
        played.assert_same(files)
    return min(lengths.values())


def test_a_disk_that_fills_up_ends_the_take_before_the_reserve(
    engine_on: Callable[..., EngineRig], loop_drive: Callable[..., Path], stage: Path
) -> None:
    drive = loop_drive(80, "SMALL")
    engine = engine_on(drive)
    engine.call(Record(preroll_s=0.0))
    status, take = ended(engine)
    disk = os.statvfs(drive)
    assert disk.f_bavail * disk.f_frsize >= RESERVE_BYTES
    assert "full" in status.notices.notices[-1].message
    assert "safe" in status.notices.notices[-1].message
    assert (take.status, take.losses.disk_errors, take.gaps) == ("complete", 0, ())
    assert assert_whole(files_of(status, take), stage) == take.frames > 3 * RATE


def test_a_disk_that_something_else_fills_at_once_ends_the_take_with_all_that_fitted(
    engine_on: Callable[..., EngineRig], loop_drive: Callable[..., Path], stage: Path
) -> None:
    drive = loop_drive(256, "SHARED")
    engine = engine_on(drive)
    engine.call(Record(preroll_s=0.0))
    time.sleep(4.0)
    with (drive / "ballast").open("wb") as ballast:
        disk = os.statvfs(drive)
        os.posix_fallocate(ballast.fileno(), 0, disk.f_bavail * disk.f_frsize - (1 << 20))
    status, take = ended(engine)
    assert "safe" in status.notices.notices[-1].message
    assert take.frames > 3 * RATE
    assert assert_whole(files_of(status, take), stage) > 3 * RATE


@pytest.mark.parametrize("after_s", [1.4, 3.3, 6.0])
def test_a_drive_that_loses_its_power_ends_the_take_and_loses_at_most_what_was_not_synced(
    engine_on: Callable[..., EngineRig],
    loop_drive: Callable[..., Path],
    stage: Path,
    after_s: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drive = loop_drive(1024, "PULLED")
    engine = engine_on(drive)
    began_s = time.monotonic()
    engine.call(Record(preroll_s=0.0))
    time.sleep(after_s)
    recorded_s = time.monotonic() - began_s
    pull_out(drive)
    status = engine.wait(lambda status: status.transport.state == "idle", "the end of the take")
    assert "safe" in status.notices.notices[-1].message
    assert status.device.current is not None
    engine.end()

    plugged_in_again(drive)
    found = frames_read_by_every_program(sorted((drive / "library").rglob("*.wav")))
    (recovered,) = recover(Library(drive / "library"))
    folder = Library(drive / "library").take_path(recovered.take.session, 1)
    files = [folder / clip.file for clip in recovered.take.clips]
    safe = assert_whole(files, stage)
    assert set(found.values()) == {safe}, "a program needs the recovery to read what is there"
    with capsys.disabled():
        print(f"\npower lost after {recorded_s:.2f} s: {safe / RATE:.2f} s are there; load {os.getloadavg()[0]:.1f}")
    # A second on a machine that is not stalled itself.
    assert safe / RATE > recorded_s - 2.0


@pytest.mark.parametrize("harm", ["fills up", "is pulled out"])
def test_a_mirror_drive_that_fails_leaves_the_take_unharmed(
    engine_on: Callable[..., EngineRig], loop_drive: Callable[..., Path], stage: Path, harm: str
) -> None:
    drive = loop_drive(32 if harm == "fills up" else 256, "MIRROR")
    engine = engine_on(None)
    engine.call(EditSettings(changes={"mirror_folder": str(drive / "copies")}))
    engine.call(Record(preroll_s=0.0))
    engine.wait(lambda status: status.transport.mirror == "ok", "the mirror")
    if harm == "is pulled out":
        time.sleep(3.0)
        pull_out(drive)
    engine.wait(lambda status: status.transport.mirror == "failed", "the failed mirror", seconds=60)
    time.sleep(2.0)
    assert engine.status().transport.state == "recording"
    engine.call(Stop())
    (take,) = engine.call(ListTakes(), list[Take])
    status = engine.status()
    assert (take.status, take.gaps, take.losses.mirror_errors) == ("complete", (), 1)
    assert any("mirror" in notice.message and "whole" in notice.message for notice in status.notices.notices)
    assert assert_whole(files_of(status, take), stage) == take.frames
    if harm == "fills up":
        copies = sorted(drive.rglob("*.wav"))
        assert assert_whole(copies, stage) > RATE
