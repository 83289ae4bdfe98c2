"""Drives: what is mounted how, and that nothing but a drive's own name can be asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.appliance.drives import KERNEL_NAME, OPTIONS, ask_to_let_go, let_go, mount_command
from core.errors import OtoError

RULES = (Path(__file__).parents[3] / "systemd/oto-drives.rules").read_text()


@pytest.mark.parametrize("file_system", OPTIONS)
def test_what_is_on_a_drive_is_data_whatever_its_file_system(file_system: str) -> None:
    command = mount_command("sdb1", file_system)
    (options,) = [word.removeprefix("--options=") for word in command if word.startswith("--options=")]
    assert {"nodev", "nosuid", "noexec", "nosymfollow"} <= set(options.split(","))
    assert not {"sync", "exec", "suid", "dev"} & set(options.split(","))
    assert command[-2:] == ["/dev/sdb1", "/media/sdb1"]


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_a_name_that_no_disk_has_is_refused(name: str) -> None:
    if KERNEL_NAME.fullmatch(name):
        assert re.fullmatch(r"[a-z0-9]+", name)
    else:
        with pytest.raises(OtoError):
            mount_command(name, "vfat")


@pytest.mark.parametrize("file_system", ["", "ext4 ", "squashfs", "crypto_LUKS", "-o", "vfat,suid"])
def test_other_file_systems_are_not_mounted(file_system: str) -> None:
    with pytest.raises(OtoError):
        mount_command("sdb1", file_system)


def test_the_rule_names_the_file_systems_that_can_be_mounted_and_no_label() -> None:
    (named,) = re.findall(r'ENV\{ID_FS_TYPE\}=="([^"]+)"', RULES)
    assert set(named.split("|")) == set(OPTIONS)
    assert "LABEL}" not in RULES.replace('LABEL="oto_end"', "")


def test_requests_that_no_drive_can_have_are_taken_away_and_do_nothing(tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    (requests / "a folder" / "inside").mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (requests / "link").symlink_to(victim)
    (requests / "folder-link").symlink_to(tmp_path)
    (requests / "sdzz9").touch()
    (requests / "-rf").touch()
    let_go(requests)
    assert list(requests.iterdir()) == []
    assert victim.read_text() == "kept"


@pytest.mark.parametrize("path", ["/", "/etc", "/media", "/media/../etc", "/media/My Stick", "/mnt/sdb1"])
def test_only_drives_that_the_box_mounted_can_be_asked_for(path: str, tmp_path: Path) -> None:
    with pytest.raises(OtoError, match="not mounted by OTO"):
        ask_to_let_go(Path(path), requests=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_services_asking_says_so(tmp_path: Path) -> None:
    with pytest.raises(OtoError, match="Nobody takes requests"):
        ask_to_let_go(Path("/media/sdb1"), requests=tmp_path / "none")
