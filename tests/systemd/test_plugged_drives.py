"""A drive with hostile things on it is plugged into a box: music goes there, and nothing comes from it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.appliance.drives import mount_command
from tests.systemd.booted import Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]


@pytest.fixture
def drive(box: Box, tmp_path: Path) -> Iterator[str]:
    """A disk with a hostile label and hostile things on it, plugged in; its kernel name."""
    image = tmp_path / "image"
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "autorun.sh").write_text("#!/bin/sh\ntouch /root/owned\n")
    (tree / "autorun.sh").chmod(0o4755)
    (tree / "etc").symlink_to("/etc")
    image.write_bytes(b"")
    subprocess.run(["truncate", "--size=64M", str(image)], check=True)
    label = "\x1b[2J$(id)`;"
    subprocess.run(["mkfs.ext4", "-q", "-L", label, "-d", str(tree), str(image)], check=True, capture_output=True)
    found = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"no loop device here: {found.stderr}")
    device = found.stdout.strip()
    name = Path(device).name
    try:
        major, minor = Path(f"/sys/block/{name}/dev").read_text().strip().split(":")
        box.run("mknod", device, "b", major, minor)
        options = next(word for word in mount_command(name, "ext4") if word.startswith("--options="))
        # systemd-mount waits for udev's word on the device, and there is no udev in a container.
        unit = f"[Mount]\nWhat={device}\nWhere=/media/{name}\nType=ext4\nOptions={options.removeprefix('--options=')}\n"
        box.run("tee", f"/run/systemd/system/media-{name}.mount", stdin=unit)
        box.must("systemctl", "daemon-reload")
        box.must("systemctl", "start", f"media-{name}.mount")
        box.must("chown", "oto-studio:oto", f"/media/{name}")
        yield name
    finally:
        box.run("systemctl", "stop", f"media-{name}.mount")
        box.run("rm", "-f", f"/run/systemd/system/media-{name}.mount", device)
        box.run("systemctl", "daemon-reload")
        box.run("systemctl", "reset-failed")
        subprocess.run(["losetup", "--detach", device], check=False)


def test_what_is_on_a_drive_is_never_run_or_followed(box: Box, drive: str) -> None:
    where = f"/media/{drive}"
    assert box.run(f"{where}/autorun.sh").returncode != 0
    assert box.run("cat", f"{where}/etc/passwd").returncode != 0
    options = box.must("findmnt", "--noheadings", "--output", "OPTIONS", where).strip().split(",")
    assert {"nosuid", "nodev", "noexec"} <= set(options)
    assert not box.outside("/root/owned").exists()


def test_music_goes_to_a_drive_and_then_it_can_be_pulled(box: Box, session: str, drive: str) -> None:
    where = f"/media/{drive}"
    (found,) = [each for each in box.oto("devices")["drives"] if each["path"] == where]
    assert found["label"].isprintable()
    (path,) = box.oto("export", session, "--to", where, "--format", "flac")["exports"]
    assert path.startswith(where)
    box.oto("eject", where)
    assert box.run("mountpoint", "--quiet", where).returncode != 0
    # Who asked knows as soon as the drive is free; the request goes a moment later.
    box.wait(lambda: box.must("ls", "-A", "/run/oto-drives") == "")


def test_a_drive_in_use_is_not_let_go(box: Box, drive: str) -> None:
    # Outside of every unit: the service manager would end a service that it knows to work there.
    box.must("sh", "-c", f"cd /media/{drive} && setsid sleep 300 >/dev/null 2>&1 & echo $! >/run/busy")
    done = box.run("runuser", "-u", "oto", "--", "/usr/bin/oto", "eject", f"/media/{drive}")
    box.must("sh", "-c", "kill $(cat /run/busy)")
    assert done.returncode == 7
    assert "still in use" in done.stderr
    assert box.run("mountpoint", "--quiet", f"/media/{drive}").returncode == 0
