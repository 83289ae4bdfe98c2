"""What is a drive, and what it can hold."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import drives
from devices.errors import DeviceError
from tests.devices import trees

MOUNTINFO = r"""
22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
23 22 0:5 / /dev rw,nosuid - devtmpfs udev rw,size=1k
24 22 0:21 / /proc rw,nosuid - proc proc rw
25 22 179:1 / /boot/firmware rw - vfat /dev/mmcblk0p1 rw,fmask=0022
26 22 0:30 / /run/user/1000 rw - tmpfs tmpfs rw
27 22 8:1 / /media/USB\040STICK rw,nosuid shared:9 - vfat /dev/sda1 rw,flush,utf8
28 22 8:17 /music /srv/music rw - ext4 /dev/sdb1 rw
29 22 8:17 / /media/big rw - ext4 /dev/sdb1 rw
30 22 8:33 / /media/locked ro,nosuid - exfat /dev/sdc1 ro
31 22 179:2 /srv/share /media/share rw - ext4 /dev/mmcblk0p2 rw
32 22 0:44 / /media/nas rw - nfs4 nas:/music rw
33 22 8:49 / /media/old rw - ext4 /dev/sdd1 rw
34 33 8:50 / /media/old rw - vfat /dev/sdd2 rw
nonsense
"""


def test_mountinfo_is_read_with_its_escapes():
    stick = drives.parse_mountinfo(MOUNTINFO)[5]
    assert stick == drives.Mount("8:1", "/", "/media/USB STICK", "vfat", "/dev/sda1", read_only=False)


def test_sticks_and_disks_are_drives_and_the_system_is_none():
    found = {mount.path: mount for mount in drives.drive_mounts(drives.parse_mountinfo(MOUNTINFO))}
    assert set(found) == {"/media/USB STICK", "/media/big", "/media/locked", "/media/old"}
    assert found["/media/locked"].read_only
    assert found["/media/old"].device == "8:50", "the mount that covers another is the one that is there"


@given(st.text())
def test_any_text_can_stand_in_mountinfo(text):
    drives.drive_mounts(drives.parse_mountinfo(text))


def test_a_usb_stick_is_removable_even_when_it_denies_it(tmp_path):
    trees.write(tmp_path / "sys/devices/pci0/usb1/1-1/host0/block/sda/removable", "0\n")
    trees.write(tmp_path / "sys/devices/platform/mmc/block/mmcblk0/removable", "0\n")
    trees.write(tmp_path / "sys/devices/platform/mmc/block/mmcblk1/removable", "1\n")
    numbers = tmp_path / "sys/dev/block"
    numbers.mkdir(parents=True)
    for number, disk, part in [
        ("8:1", "pci0/usb1/1-1/host0/block/sda", "sda1"),
        ("179:1", "platform/mmc/block/mmcblk0", "p1"),
        ("179:33", "platform/mmc/block/mmcblk1", "p1"),
    ]:
        (tmp_path / "sys/devices" / disk / part).mkdir()
        (numbers / number).symlink_to(tmp_path / "sys/devices" / disk / part)
    assert [drives._is_removable(number, tmp_path) for number in ("8:1", "179:1", "179:33", "9:9")] == [
        True,
        False,
        True,
        False,
    ]


def test_drives_are_listed_with_their_size_and_limits(tmp_path):
    mounted = tmp_path / "stick"
    mounted.mkdir()
    trees.write(tmp_path / "proc/self/mountinfo", f"27 22 8:1 / {mounted} rw - vfat /dev/sda1 rw\n")
    [drive] = drives.list_drives(tmp_path)
    usage = shutil.disk_usage(mounted)
    assert (drive.path, drive.label, drive.file_system) == (str(mounted), "stick", "vfat")
    assert drive.size_bytes == pytest.approx(usage.total, rel=0.01)
    assert drive.free_bytes == pytest.approx(usage.free, rel=0.01)
    assert drive.max_file_bytes == 4 * 1024**3 - 1


def test_labels_are_decoded_and_made_safe_to_show():
    assert drives.printable(drives._unescape_udev(r"\x1b[31mMY\x20STICK")) == "MY STICK"
    assert drives._unescape_udev(r"M\xc3\xbcsik") == "Müsik"


def test_any_folder_can_serve_as_a_drive(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    drive = drives.drive_at(folder)
    assert (drive.path, drive.label, drive.writable) == (str(folder), "exports", True)
    assert drives.drive_at(tmp_path / "link").path == str(tmp_path / "link")
    assert drive.free_bytes == pytest.approx(shutil.disk_usage(folder).free, rel=0.01)


def test_what_is_no_folder_is_no_drive(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(DeviceError) as caught:
            drives.drive_at(path)
        assert caught.value.code == "not_found"


def test_a_drive_that_does_not_answer_holds_nobody_up_and_is_asked_once(tmp_path, monkeypatch):
    answer, asked = threading.Event(), []
    monkeypatch.setattr(drives, "ANSWER_WITHIN_S", 0.1)
    trees.write(tmp_path / "proc/self/mountinfo", f"27 22 8:1 / {tmp_path} rw - vfat /dev/sda1 rw\n")

    def hang(path):
        asked.append(path)
        answer.wait(30)
        return os.stat_result(range(10))

    monkeypatch.setattr(drives.os, "statvfs", hang)
    assert drives.list_drives(tmp_path) == []
    assert drives.list_drives(tmp_path) == []
    assert len(asked) == 1
    answer.set()


@pytest.mark.rig
def test_a_mounted_stick_is_listed_and_measured(loop_drive):
    stick = loop_drive(16, "GIG")
    [drive] = [drive for drive in drives.list_drives() if drive.path == str(stick)]
    assert (drive.label, drive.file_system, drive.writable, drive.max_file_bytes) == ("GIG", "ext4", True, None)
    assert 8 * 1024**2 < drive.free_bytes <= drive.size_bytes <= 16 * 1024**2
    (stick / "song.wav").write_bytes(bytes(4 * 1024**2))
    os.sync()
    assert drives.drive_at(stick).free_bytes <= drive.free_bytes - 4 * 1024**2
    inside = stick / "exports"
    inside.mkdir()
    assert drives.drive_at(inside).file_system == "ext4"
    assert drives.drive_at(inside).size_bytes == drive.size_bytes
