"""Installing, going back and removing, on a box that is a folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core.appliance.install import COMMAND, Box, Step, activate, install, remove, rollback, status
from core.appliance.release import PLACES, checkout, release_of, system_files
from core.errors import OtoError

SOURCE = checkout()
ONE, TWO = "0.1.0+aaaaaaaa", "0.1.0+bbbbbbbb"

pytestmark = [
    pytest.mark.rig,
    pytest.mark.skipif(os.geteuid() != 0, reason="users are made by root"),
    pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd is not installed"),
]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    root = tmp_path / "box"
    for folder in ("etc", "usr/bin", "usr/lib/systemd"):
        (root / folder).mkdir(parents=True)
    (root / "usr/bin/python3").symlink_to("python3.11")
    (root / "etc/group").write_text("root:x:0:\naudio:x:29:\n")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    return Box(root)


def put(box: Box, name: str, *, without: str = "", changed: str = "") -> dict[str, Path]:
    """A release without its Python: what of it belongs elsewhere on the box."""
    tree = box.releases / name / "share/system"
    for place, path in system_files(SOURCE).items():
        if place != without:
            (tree / place).parent.mkdir(parents=True, exist_ok=True)
            (tree / place).write_text(path.read_text() + ("# changed\n" if place == changed else ""))
    return {place: tree / place for place in system_files(SOURCE) if place != without}


def do(steps: list[Step]) -> list[str]:
    for step in steps:
        step.do()
    return [step.words for step in steps]


def everything(box: Box) -> dict[str, str]:
    """Every file and link of the box with what is in it, and when it was written."""
    return {
        str(path.relative_to(box.root)): f"{path.lstat().st_mtime_ns} {path.readlink() if path.is_symlink() else ''}"
        for path in sorted(box.root.rglob("*"))
    }


def test_a_plan_says_everything_and_changes_nothing(box: Box) -> None:
    before = everything(box)
    words = "\n".join(step.words for step in install(box, SOURCE))
    assert everything(box) == before
    assert release_of(SOURCE) in words
    for place in PLACES.values():
        assert str(box.at(place)) in words


def test_after_it_the_box_has_users_folders_and_services_that_start_with_it(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE)))
    assert (box.releases / "current").readlink() == Path(ONE)
    people = {line.split(":")[0]: line.split(":") for line in (box.root / "etc/passwd").read_text().splitlines()}
    assert people["oto"][6] == "/opt/oto/current/bin/oto-login"
    assert people["oto-studio"][6].endswith("nologin")
    groups = {line.split(":")[0]: line.split(":")[3] for line in (box.root / "etc/group").read_text().splitlines()}
    assert {*groups["oto"].split(",")} == {*groups["audio"].split(",")} == {"oto-panel", "oto-studio"}
    assert groups["input"] == "oto-panel"
    assert (box.root / "etc/systemd/system/multi-user.target.wants/oto.target").is_symlink()
    assert (box.root / "etc/systemd/system/oto.target.wants/oto-console@tty1.service").is_symlink()
    assert box.at(COMMAND).readlink() == Path("/opt/oto/current/bin/oto")
    exports = (box.root / "srv/oto/exports").stat()
    assert exports.st_mode & 0o7777 == 0o2750
    assert (box.root / "srv/oto").stat().st_uid == 0
    assert status(box)["to_do"] == []


def test_a_second_time_there_is_nothing_to_do(box: Box) -> None:
    system = put(box, ONE)
    do(activate(box, ONE, system))
    before = everything(box)
    assert do(activate(box, ONE, system)) == []
    assert everything(box) == before


def test_what_somebody_changed_or_removed_is_put_right(box: Box) -> None:
    system = put(box, ONE)
    do(activate(box, ONE, system))
    unit = box.at(PLACES["oto-engine.service"])
    unit.write_text("changed")
    box.at(PLACES["oto-worker.service"]).unlink()
    assert len(status(box)["to_do"]) == 2
    do(activate(box, ONE, system))
    assert unit.read_bytes() == (SOURCE / "systemd/oto-engine.service").read_bytes()
    assert status(box)["to_do"] == []


def test_back_and_forth_between_two_releases_each_has_its_own_files(box: Box) -> None:
    unit, rules = PLACES["oto-engine.service"], PLACES["oto-drives.rules"]
    do(activate(box, ONE, put(box, ONE, without=rules)))
    do(activate(box, TWO, put(box, TWO, changed=unit)))
    assert box.at(unit).read_text().endswith("# changed\n")
    assert box.at(rules).exists()
    do(rollback(box))
    assert (box.release("current"), box.release("previous")) == (ONE, TWO)
    assert not box.at(unit).read_text().endswith("# changed\n")
    assert not box.at(rules).exists()
    do(rollback(box))
    assert box.release("current") == TWO
    assert box.at(rules).exists()


def test_data_outlives_upgrades_and_removal(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE)))
    kept = [box.at(path) for path in ("/var/lib/oto/settings.json", "/etc/oto/authorized_keys", "/srv/oto/exports/a")]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    do(activate(box, TWO, put(box, TWO)))
    do(rollback(box))
    do(remove(box))
    assert [path.read_text() for path in kept] == ["kept"] * 3


def test_after_removal_nothing_of_ours_starts_or_is_left_in_the_system(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE)))
    do(remove(box))
    left = [name for name in everything(box) if "oto" in name and name != "opt/oto"]
    assert [name for name in left if not name.startswith(("srv/oto", "etc/oto", "var/lib/oto", "run/oto"))] == []
    assert remove(box) == []


def test_only_the_release_in_use_and_the_one_before_are_kept(box: Box) -> None:
    for number in range(4):
        name = f"0.1.0+{number:08x}"
        do(activate(box, name, put(box, name)))
    assert status(box)["releases"] == ["0.1.0+00000002", "0.1.0+00000003"]


def test_with_nothing_to_go_back_to_it_says_so(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE)))
    with pytest.raises(OtoError, match="no version before"):
        rollback(box)


def test_what_came_as_a_package_is_left_to_the_package(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE)))
    do(activate(box, TWO, put(box, TWO)))
    (box.root / "usr/bin/oto").symlink_to("/opt/oto/current/bin/oto")
    for plan in (lambda: install(box, SOURCE), lambda: remove(box), lambda: rollback(box)):
        with pytest.raises(OtoError, match="came as a package"):
            plan()


def test_what_else_is_in_the_folder_of_releases_is_nobodys_to_remove(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE)))
    clone = box.releases / "clone"
    clone.mkdir()
    do(remove(box))
    assert list(box.releases.iterdir()) == [clone]


def test_a_run_that_broke_off_is_gone_on_with(box: Box) -> None:
    system = put(box, ONE)
    steps = activate(box, ONE, system)
    for done in range(len(steps)):
        assert activate(box, ONE, system) != [], steps[done].words
        steps[done].do()
    assert activate(box, ONE, system) == []


def test_a_box_can_keep_its_own_screen_for_a_login(box: Box) -> None:
    do(activate(box, ONE, put(box, ONE), console=False))
    assert not (box.root / "etc/systemd/system/oto.target.wants/oto-console@tty1.service").exists()


def test_a_release_has_another_name_as_soon_as_a_file_differs(tmp_path: Path) -> None:
    copy = tmp_path / "source"
    for folder in ("core", "devices", "sessions", "tui", "systemd", "requirements"):
        shutil.copytree(SOURCE / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    name = release_of(copy)
    assert release_of(copy) == name
    (copy / "core/version.py").write_text((copy / "core/version.py").read_text() + "\n")
    assert release_of(copy) != name
