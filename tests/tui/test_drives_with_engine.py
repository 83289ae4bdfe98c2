"""Exports by keys to a real drive: whole and proven when the studio says so, and none at all when it is pulled."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from sessions.files import sha256_file
from tests.rig.drives import plugged_in_again, pull_out
from tests.rig.engine import EngineRig
from tests.rig.fixtures import loop_drive, start_engine
from tests.rig.signals import write_noise
from tests.soak.test_pulled_exports import mixed_session
from tests.tui.test_with_engine import SIZE, text_of, until
from tui.app import Studio
from tui.look import Look
from tui.screens.export import ExportScreen

__all__ = ["loop_drive", "start_engine"]

pytestmark = [pytest.mark.rig, pytest.mark.timeout(600)]

SONG_S = 60
PATIENCE_S = 120.0


@pytest.fixture
def drive(loop_drive: Callable[..., Path]) -> Path:
    """A stick with room for the song."""
    return loop_drive(96)


@pytest.fixture
def engine(drive: Path, start_engine: Callable[..., EngineRig], tmp_path: Path) -> EngineRig:
    """An engine whose library has a mix to export, and that hears something to record."""
    stage = tmp_path / "stage"
    stage.mkdir()
    write_noise(stage / "01 Kick.wav", channels=1, seconds=5.0)
    mixed_session(tmp_path / "home", SONG_S)
    return start_engine(f"sim:{stage}")


def said(app: Studio) -> str:
    """The screen as running text."""
    return " ".join(text_of(app).split())


def songs(drive: Path) -> dict[str, str]:
    """What a person finds on a drive: names and hashes."""
    return {path.name: sha256_file(path) for path in drive.glob("[!.]*.*")}


def listed(app: Studio) -> list[str]:
    """Where the drives are that Export offers; a machine may have others."""
    return [one.path for one in app.picture.drives.drives]


async def choose(pilot: Pilot[None], app: Studio, drive: Path) -> None:
    """Choose where to, on Export."""
    await until(pilot, lambda: str(drive) in listed(app), "the drive")
    await pilot.press("5", "tab", "tab")
    screen = app.screen
    assert isinstance(screen, ExportScreen)
    for _ in app.picture.drives.drives:
        if screen.drives.cursor != str(drive):
            await pilot.press("down")
    await pilot.press("enter")
    await until(pilot, lambda: f"to {drive.name} e writes, reads back and compares" in said(app), "the offer")


def pull_when_written(drive: Path) -> None:
    """Pull a drive out in the middle of the first file that is written to it."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not any(path.name.endswith(".oto-partial") for path in drive.iterdir()):
        assert time.monotonic() < deadline_s, "nothing is written"
        time.sleep(0.001)
    pull_out(drive)
    subprocess.run(["umount", "-l", str(drive)], check=True, timeout=60)


async def test_what_is_safe_to_remove_is_whole_on_the_drive_even_when_it_is_pulled_that_moment(
    engine: EngineRig, drive: Path
) -> None:
    app = Studio(look=Look())
    async with app.run_test(size=SIZE) as pilot:
        await choose(pilot, app, drive)
        assert "SAFE TO REMOVE" not in text_of(app)
        await pilot.press("e")
        await until(pilot, lambda: "SAFE TO REMOVE" in text_of(app), "the export", PATIENCE_S)
        pull_out(drive)
    plugged_in_again(drive)
    status = engine.status()
    (export,), (bounce,) = status.bounces.exports, status.bounces.bounces
    assert songs(drive) == {Path(file.path).name: file.sha256 for file in export.files}
    mix, _ = soundfile.read(Path(status.session.path) / "bounces" / bounce.id / bounce.file)
    for path in drive.glob("[!.]*.*"):
        audio, _ = soundfile.read(path)
        np.testing.assert_allclose(audio, mix, rtol=0, atol=2**-22, err_msg=path.name)


async def test_a_drive_pulled_in_the_middle_is_said_and_the_take_and_the_next_export_are_whole(
    engine: EngineRig, drive: Path
) -> None:
    app = Studio(look=Look())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.picture.meters is not None, "meters")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 0.5, "a running take")
        await choose(pilot, app, drive)
        pulled = asyncio.create_task(asyncio.to_thread(pull_when_written, drive))
        await pilot.press("e")
        await until(pilot, pulled.done, "the drive to be pulled", PATIENCE_S)
        pulled.result()
        bad_news = (
            "The export failed: The drive failed or was pulled",
            "The session on this box is untouched. Plug the drive in again and repeat.",
        )
        await until(pilot, lambda: all(sentence in said(app) for sentence in bad_news), "the bad news")
        assert "SAFE TO REMOVE" not in said(app)
        await until(pilot, lambda: str(drive) not in listed(app), "the drive to be gone")
        before_s = app.picture.position_s
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > before_s, "the take to go on")
        plugged_in_again(drive)
        assert songs(drive) == {}
        await until(pilot, lambda: f"to {drive.name} e writes" in said(app), "the drive to be offered again")
        await pilot.press("e")
        await until(pilot, lambda: "SAFE TO REMOVE" in text_of(app), "the export", PATIENCE_S)
        assert app.picture.recording
        await pilot.press("s")
        await until(pilot, lambda: not app.picture.recording, "the end of the take")
    status = engine.status()
    (export,) = status.bounces.exports
    assert songs(drive) == {Path(file.path).name: file.sha256 for file in export.files}
    take = status.takes.takes[-1]
    assert (take.number, take.status, take.gaps, take.losses.disk_errors) == (2, "complete", (), 0)
