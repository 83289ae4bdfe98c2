"""Backups and exports on the file systems that drives have: mounted from files, through the kernel or FUSE."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.backup.make import back_up
from core.backup.restore import restore
from core.backup.shelf import FOLDER, find
from core.errors import OtoError
from core.export.export import ExportItem, export_files
from devices.drives import FAT_MAX_FILE_BYTES, drive_at
from devices.errors import DeviceError
from sessions.files import sha256_file
from sessions.store import Library
from tests.core.backup.conftest import contents, record
from tests.rig.drives import plugged_in_again, pull_out
from tests.rig.fixtures import loop_drive  # noqa: F401 - a fixture

FILE_SYSTEMS = ("ext4", "vfat", "exfat", "ntfs")
ODD_NAMES = ('Zum Löwen: "live"?', "con", "-rf ~ $HOME `x`", "日本語 " * 20, "dots. . .")

MakeDrive = Callable[..., Path]

pytestmark = pytest.mark.rig

every_file_system = pytest.mark.parametrize("file_system", FILE_SYSTEMS)


def song(folder: Path, seconds: float) -> ExportItem:
    noise = np.random.default_rng(7).uniform(-0.3, 0.3, (round(48_000 * seconds), 2))
    soundfile.write(folder / "mix.wav", noise, 48_000, subtype="FLOAT")
    stem = folder / "Kick.wav"
    soundfile.write(stem, noise[:1_000], 48_000, subtype="FLOAT")
    return ExportItem(folder / "mix.wav", "Song", stems={"Kick": stem})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "cache"))


@every_file_system
def test_a_backup_and_its_odd_names_survive_the_drive(
    file_system: str,
    studio: Path,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    drive = loop_drive(64, "STICK", file_system)
    library = Library(studio / "library")
    session = library.create_session("Names")
    for name in ODD_NAMES:
        (library.session_path(session.id) / f"{name}.txt").write_text(name)
    back_up(studio, drive)
    record(library, library.session("Rehearsal"), 2)
    made = back_up(studio, drive)
    assert made.copied_files == 3
    plugged_in_again(drive, file_system)
    assert restore(find(drive), tmp_path / "new").damaged == ()
    assert contents(tmp_path / "new") == contents(studio)


@every_file_system
def test_an_export_arrives_whole_on_the_drive(
    file_system: str,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    drive = loop_drive(64, "STICK", file_system)
    item = ExportItem(**{**song(tmp_path, 1.0).__dict__, "name": ODD_NAMES[0]})
    files = export_files([item], drive, ["wav16", "flac", "stems"])
    plugged_in_again(drive, file_system)
    assert [sha256_file(Path(file.path)) for file in files] == [file.sha256 for file in files]


def test_what_fat_cannot_hold_is_refused_before_a_byte_is_written(
    studio: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    drive = loop_drive(64, "STICK", "vfat")
    assert drive_at(drive).max_file_bytes == FAT_MAX_FILE_BYTES
    with next((studio / "library").rglob("01 Kick.wav")).open("r+b") as file:
        file.truncate(FAT_MAX_FILE_BYTES + 1)
    with pytest.raises(OtoError, match="4 GiB in one file"):
        back_up(studio, drive)
    assert list(drive.iterdir()) == []


def test_every_name_of_a_backup_is_one_that_fat_takes(studio: Path, tmp_path: Path) -> None:
    """mtools write a FAT32 image where no kernel helps, and change each name that FAT does not take."""
    if not shutil.which("mcopy") or not shutil.which("mkfs.vfat"):
        pytest.skip("needs mtools and dosfstools")
    library = Library(studio / "library")
    session = library.create_session("Names")
    for name in ODD_NAMES:
        (library.session_path(session.id) / f"{name}.txt").write_text(name)
    (tmp_path / "stick").mkdir()
    back_up(studio, tmp_path / "stick")
    image = tmp_path / "fat.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    env = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}

    def run(*command: object) -> None:
        subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60, env=env)

    run("mkfs.vfat", "-F", "32", image)
    run("mcopy", "-s", "-i", image, tmp_path / "stick" / FOLDER, "::")
    (tmp_path / "back").mkdir()
    run("mcopy", "-s", "-i", image, f"::{FOLDER}", tmp_path / "back")
    assert contents(tmp_path / "back" / FOLDER) == contents(tmp_path / "stick" / FOLDER)


def test_a_hostile_tree_on_a_drive_leads_nowhere(
    studio: Path,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    drive = loop_drive(64, "HOSTILE")
    outside = tmp_path / "outside"
    outside.mkdir()
    (drive / "Song stems").symlink_to(outside)
    with pytest.raises(OtoError, match="is a link to somewhere else"):
        export_files([song(tmp_path, 0.1)], drive, ["stems"])
    (drive / FOLDER).mkdir()
    (drive / FOLDER / "files").symlink_to(outside)
    with pytest.raises(OtoError, match="is a link to somewhere else"):
        back_up(studio, drive)
    assert list(outside.iterdir()) == []
    assert "\x1b" not in drive_at(drive).label


def pulled(drive: Path, file_system: str, item: ExportItem, whole: dict[str, str], moment: float) -> bool:
    """Pull a drive this far into an export: what is there under a final name is whole. Says whether it ended early."""
    for path in drive.glob("Song*"):
        path.unlink()
    timer = threading.Timer(moment, pull_out, [drive])
    timer.start()
    problem: OtoError | DeviceError | None = None
    try:
        export_files([item], drive, ["wav16", "wav24", "flac"])
    except (OtoError, DeviceError) as error:
        problem = error
    timer.join()
    if problem is not None:
        assert problem.code in ("drive_lost", "device_lost"), problem.message
        assert "untouched" in problem.hint or "plug it in again" in problem.hint
    plugged_in_again(drive, file_system)
    there = {path.name: sha256_file(path) for path in drive.glob("Song*")}
    assert there.items() <= whole.items()
    return problem is not None


def pulled_at_moments(
    file_system: str,
    moments: int,
    seconds: float,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    drive = loop_drive(64, "STICK", file_system)
    item = song(tmp_path, seconds)
    chance = random.Random(11)
    files = export_files([item], drive, ["wav16", "wav24", "flac"])
    whole = {Path(file.path).name: file.sha256 for file in files}
    ended_early = [pulled(drive, file_system, item, whole, chance.uniform(0.0, 0.1 * seconds)) for _ in range(moments)]
    assert any(ended_early) or moments < 20


@pytest.mark.parametrize("file_system", ["ext4", "exfat", "ntfs"])
def test_a_drive_that_is_pulled_during_export_holds_verified_files_or_none(
    file_system: str,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    pulled_at_moments(file_system, 2, 1.0, tmp_path, loop_drive)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("file_system", ["ext4", "exfat", "ntfs"])
def test_a_drive_that_is_pulled_twenty_times_holds_verified_files_or_none(
    file_system: str,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    pulled_at_moments(file_system, 20, 5.0, tmp_path, loop_drive)


@pytest.mark.parametrize("file_system", ["ext4", "exfat"])
def test_a_drive_that_is_pulled_during_a_backup_keeps_the_one_before(
    file_system: str,
    studio: Path,
    tmp_path: Path,
    loop_drive: MakeDrive,  # noqa: F811
) -> None:
    drive = loop_drive(64, "STICK", file_system)
    back_up(studio, drive)
    first = contents(studio)
    library = Library(studio / "library")
    record(library, library.session("Rehearsal"), 2, frames=300_000)
    pulled_out = False

    def pull(_fraction: float, doing: str) -> bool:
        nonlocal pulled_out
        if not pulled_out and doing.startswith("copying"):
            pulled_out = True
            pull_out(drive)
        return True

    with pytest.raises(OtoError) as caught:
        back_up(studio, drive, progress=pull)
    assert caught.value.code == "drive_lost"
    plugged_in_again(drive, file_system)
    assert restore(find(drive), tmp_path / "old").damaged == ()
    assert contents(tmp_path / "old") == first
    assert back_up(studio, drive).number == 2
    restore(find(drive), tmp_path / "new")
    assert contents(tmp_path / "new") == contents(studio)
