"""A box with the package, booted: it records, bears what happens to boxes, and lets nobody in where he may not be."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from core.appliance.drives import mount_command
from tests.systemd.booted import LIBRARY, RATE_HZ, STAGE, TRACKS, Box, package, why_not_booted

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]

SSH_OPTIONS = "-i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    if reason := why_not_booted():
        pytest.skip(reason)
    made = Box(tmp_path_factory.mktemp("box"), package(tmp_path_factory.mktemp("package")))
    try:
        made.boot()
        made.oto("settings", "device", f"sim:{STAGE}")
        made.wait(lambda: made.state() == "idle")
        yield made
    finally:
        made.remove()


def takes(box: Box) -> list[dict[str, Any]]:
    (session,) = box.oto("sessions")
    return list(box.oto("takes", session["id"]))


def record(box: Box, seconds: float = 2.0) -> None:
    """Start a take and wait until that much of it is on the disk."""
    box.oto("rec", "--pre-roll", "0")
    box.wait(lambda: recorded_frames(box) >= seconds * RATE_HZ)


def recorded_frames(box: Box) -> int:
    """Frames in the newest file of the library, as any program reads it."""
    files = sorted(box.outside(LIBRARY).rglob("*.wav"), key=lambda path: path.stat().st_mtime_ns)
    return int(soundfile.info(files[-1]).frames) if files else 0


def is_whole(box: Box, take: dict[str, Any]) -> None:
    assert take["status"] == "complete"
    assert len(take["tracks"]) == len(TRACKS)
    for clip, path in zip(take["clips"], take["files"], strict=True):
        assert soundfile.info(box.outside(path)).frames == clip["frames"]


# --- it is a studio -----------------------------------------------------------------------------------------


def test_the_package_boots_into_a_studio(box: Box) -> None:
    units = ("oto.target", "oto-engine.service", "oto-worker.service", "oto-release-drive.path")
    assert box.must("systemctl", "is-active", *units).split() == ["active"] * 4
    assert box.must("systemctl", "--failed", "--quiet", "--no-legend") == ""


def test_no_service_of_ours_runs_as_root(box: Box) -> None:
    users = set(box.must("ps", "-eo", "user:20,args", "--no-headers").splitlines())
    ours = [line.split()[0] for line in users if "/opt/oto/" in line and " runuser " not in line]
    assert set(ours) <= {"oto-studio", "oto"}
    assert "oto-studio" in ours


def test_a_take_is_recorded_mixed_and_exported_by_who_sits_at_the_box(box: Box) -> None:
    record(box)
    box.oto("stop")
    (take,) = takes(box)
    is_whole(box, take)
    (session,) = box.oto("sessions")
    assert box.oto("mix", session["id"])["integrated_lufs"] < 0
    (path,) = box.oto("export", session["id"], "--to", "/srv/oto/exports", "--format", "flac")["exports"]
    assert soundfile.info(box.outside(path)).frames >= take["frames"]


def test_whoever_sits_at_the_box_can_neither_change_the_library_nor_the_programs(box: Box) -> None:
    for path in (
        LIBRARY,
        "/var/lib/oto",
        "/opt/oto/current/bin",
        "/etc/oto",
        "/var/lib/oto-people",
        "/srv/oto/exports",
    ):
        assert box.run("runuser", "-u", "oto", "--", "/bin/touch", f"{path}/mine").returncode != 0, path


def test_the_boxs_own_screen_is_the_studio_and_its_keys_record(box: Box) -> None:
    box.must("systemctl", "stop", "console-getty.service")
    box.must("systemctl", "start", "oto-console@console.service")
    box.wait(lambda: "Kick" in box.screen())
    box.press("r")
    box.wait(lambda: box.state() == "recording")
    box.press("s")
    box.wait(lambda: box.state() == "idle")


def test_a_studio_that_cant_run_gives_way_to_a_login(box: Box) -> None:
    broken = {
        "oto-console@console.service.d": "[Service]\nExecStart=\nExecStart=/bin/false\n",
        # The container has no virtual terminal, which a login there asks for.
        "getty@console.service.d": "[Unit]\nConditionPathExists=\n",
    }
    for folder, text in broken.items():
        box.must("mkdir", "-p", f"/run/systemd/system/{folder}")
        box.run("tee", f"/run/systemd/system/{folder}/here.conf", stdin=text)
    box.must("systemctl", "daemon-reload")
    box.run("systemctl", "restart", "oto-console@console.service")
    box.wait(lambda: "login:" in box.screen())
    for folder in broken:
        box.must("rm", "-r", f"/run/systemd/system/{folder}")
    box.must("systemctl", "daemon-reload")
    box.must("systemctl", "stop", "getty@console.service")
    box.must("systemctl", "reset-failed")


# --- who comes by SSH ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key(box: Box) -> str:
    box.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/key")
    refused = ssh(box, "oto", "status")
    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr
    box.must("install", "-m", "644", "/root/key.pub", "/etc/oto/authorized_keys")
    return "/root/key"


def ssh(box: Box, user: str, command: str, *options: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    words = [
        "ssh",
        *SSH_OPTIONS.split(),
        "-o",
        "BatchMode=yes",
        *options,
        f"{user}@localhost",
        *([command] if command else []),
    ]
    return box.run("timeout", "40", *words, stdin=stdin)


def test_commands_by_ssh_do_what_they_do_at_the_box(box: Box, key: str) -> None:
    assert '"state": "idle"' in ssh(box, "oto", "oto status --json").stdout
    before = len(takes(box))
    assert "Recording take" in ssh(box, "oto", "rec --name 'By $(id) wire' --pre-roll 0").stdout
    box.wait(lambda: box.state() == "recording")
    assert "is finished and kept" in ssh(box, "oto", "stop").stdout
    assert len(takes(box)) == before + 1
    assert takes(box)[-1]["name"] == "By $(id) wire"


def test_a_login_by_ssh_lands_in_the_studio_and_a_dead_link_leaves_the_take_running(box: Box, key: str) -> None:
    command = f"sleep 12 | timeout 25 ssh -tt {SSH_OPTIONS} oto@localhost; true"
    shown = box.run("env", "TERM=xterm-256color", "script", "-qec", command, "/dev/null").stdout
    assert "Rec" in shown
    assert "Kick" in shown
    record(box)
    box.run("sh", "-c", f"timeout --signal=KILL 4 ssh -tt {SSH_OPTIONS} oto@localhost </dev/null")
    assert box.state() == "recording"
    box.oto("stop")
    is_whole(box, takes(box)[-1])


REFUSED = {
    "a shell": "sh",
    "a command of the system": "cat /etc/passwd",
    "two commands": "status; id",
    "an old copy": "scp -f /etc/passwd",
    "another program's copy": "rsync --server --sender . /etc",
    "a file of the box": "mix /etc/passwd",
    "settings": "settings mirror_folder /etc",
    "emptying the trash": "trash --empty",
    "the box itself": "appliance remove",
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_else_can_be_asked_for(box: Box, key: str, what: str) -> None:
    done = ssh(box, "oto", REFUSED[what])
    assert (done.returncode, done.stdout) == (2, "")
    assert "That is refused." in done.stderr


def test_no_files_no_forwarding_no_environment(box: Box, key: str) -> None:
    sftp = box.run("timeout", "30", "sftp", *SSH_OPTIONS.split(), "-b", "-", "oto@localhost", stdin="ls /\n")
    assert sftp.returncode != 0
    assert "opt" not in sftp.stdout
    assert (
        box.run("timeout", "30", "scp", *SSH_OPTIONS.split(), "oto@localhost:/etc/passwd", "/root/got").returncode != 0
    )
    assert not box.outside("/root/got").exists()
    assert ssh(box, "oto", "", "-W", "localhost:22").returncode != 0
    assert ssh(box, "oto", "status", "-R", "9022:localhost:22", "-o", "ExitOnForwardFailure=yes").returncode == 255
    asked = ssh(box, "oto", "status", "-o", "SetEnv=OTO_HOME=/tmp LD_PRELOAD=/x PYTHONPATH=/tmp LC_ALL=/tmp/x")
    assert asked.returncode == 0
    assert "/tmp" not in asked.stderr + asked.stdout


def test_exports_can_be_fetched_once_a_key_is_there_and_nothing_else_can_be_done(box: Box, key: str) -> None:
    command = ["timeout", "30", "sftp", *SSH_OPTIONS.split(), "oto-exports@localhost"]
    assert box.run(*command, stdin="ls\n").returncode == 255
    box.must("install", "-m", "644", "/root/key.pub", "/etc/oto/exports_keys")
    wanted = "ls /\nls /etc\nget *.flac /root/\nput /etc/passwd x\nrm *.flac\nmkdir y\nsymlink / z\n"
    done = box.run(*command, stdin=wanted)
    assert len(list(box.outside("/root").glob("*.flac"))) == 1
    assert len(list(box.outside("/srv/oto/exports").iterdir())) == 1
    assert '/etc" not found' in done.stderr
    assert ssh(box, "oto-exports", "id").returncode != 0
    assert ssh(box, "oto-exports", "", "-W", "localhost:22").returncode != 0


# --- drives -------------------------------------------------------------------------------------------------


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
        subprocess.run(["losetup", "--detach", device], check=False)


def test_what_is_on_a_drive_is_never_run_or_followed(box: Box, drive: str) -> None:
    where = f"/media/{drive}"
    assert box.run(f"{where}/autorun.sh").returncode != 0
    assert box.run("cat", f"{where}/etc/passwd").returncode != 0
    options = box.must("findmnt", "--noheadings", "--output", "OPTIONS", where).strip().split(",")
    assert {"nosuid", "nodev", "noexec"} <= set(options)
    assert not box.outside("/root/owned").exists()


def test_music_goes_to_a_drive_and_then_it_can_be_pulled(box: Box, drive: str) -> None:
    where = f"/media/{drive}"
    (found,) = [each for each in box.oto("devices")["drives"] if each["path"] == where]
    assert found["label"].isprintable()
    (session,) = box.oto("sessions")
    (path,) = box.oto("export", session["id"], "--to", where, "--format", "flac")["exports"]
    assert path.startswith(where)
    box.oto("eject", where)
    assert box.run("mountpoint", "--quiet", where).returncode != 0
    assert box.must("ls", "-A", "/run/oto-drives") == ""


def test_a_drive_in_use_is_not_let_go(box: Box, drive: str) -> None:
    # Outside of every unit: the service manager would end a service that it knows to work there.
    box.must("sh", "-c", f"cd /media/{drive} && setsid sleep 300 >/dev/null 2>&1 & echo $! >/run/busy")
    done = box.run("runuser", "-u", "oto", "--", "/usr/bin/oto", "eject", f"/media/{drive}")
    box.must("sh", "-c", "kill $(cat /run/busy)")
    assert done.returncode == 7
    assert "still in use" in done.stderr
    assert box.run("mountpoint", "--quiet", f"/media/{drive}").returncode == 0


# --- what happens to boxes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["KILL", "STOP", "SEGV"])
def test_an_engine_that_dies_or_hangs_comes_back_and_goes_on_with_its_take(box: Box, number: str) -> None:
    """SIGSTOP ends by the watchdog, which has 20 s."""
    record(box)
    before, engine = len(takes(box)), box.engine_pid()
    box.must("systemctl", "kill", "--kill-whom=main", f"--signal={number}", "oto-engine")
    box.wait(lambda: box.engine_pid() not in (0, engine))
    box.wait(lambda: box.state() in ("recording", "idle"))
    box.oto("stop")
    found = takes(box)
    assert len(found) in (before, before + 1)
    for take in found[before - 1 :]:
        is_whole(box, take)
    assert "Main process exited" in box.must("journalctl", "-u", "oto-engine", "--no-pager", "-n", "200")


def test_a_restart_finishes_the_running_take_first(box: Box) -> None:
    record(box)
    box.must("systemctl", "restart", "oto-engine")
    box.wait(lambda: box.state() == "idle")
    take = takes(box)[-1]
    is_whole(box, take)
    assert take["gaps"] == []


def test_a_full_disk_ends_the_take_whole_and_says_so(box: Box) -> None:
    box.must("systemctl", "stop", "oto-engine", "oto-worker")
    box.must("mount", "-t", "tmpfs", "-o", "size=60M,mode=0755", "tmpfs", "/var/lib/oto")
    try:
        box.must("systemctl", "start", "oto-engine", "oto-worker")
        box.wait(lambda: box.state() is not None)
        box.oto("settings", "device", f"sim:{STAGE}")
        box.wait(lambda: box.state() == "idle")
        record_on_small_disk(box)
        (take,) = takes(box)
        assert take["status"] == "complete"
        assert take["frames"] > RATE_HZ
        notices = [notice["message"] for notice in box.oto("status")["notices"]["notices"]]
        assert any("full" in message or "space" in message or "room" in message for message in notices), notices
    finally:
        box.must("systemctl", "stop", "oto-engine", "oto-worker")
        box.must("umount", "/var/lib/oto")
        box.must("systemctl", "start", "oto-engine", "oto-worker")
        box.wait(lambda: box.state() == "idle")


def record_on_small_disk(box: Box) -> None:
    box.oto("rec", "--pre-roll", "0")
    box.wait(lambda: box.state() == "recording")
    # What somebody else puts there meanwhile.
    box.run("sh", "-c", "head -c 44M /dev/zero >/var/lib/oto/filler")
    box.wait(lambda: box.state() == "idle")


@pytest.mark.parametrize("again", range(2))
@pytest.mark.parametrize("how", ["power cut", "reboot"])
def test_a_box_that_goes_down_while_it_records_comes_up_with_its_take_whole(box: Box, how: str, again: int) -> None:
    record(box)
    before = len(takes(box))
    if how == "reboot":
        box.switch_off()
    else:
        box.cut_power()
    box.boot()
    box.wait(lambda: box.state() in ("idle", "recording"))
    if box.state() == "recording":
        box.oto("stop")
    found = takes(box)
    assert len(found) >= before
    for take in found[before - 1 :]:
        is_whole(box, take)
    assert found[before - 1]["frames"] >= 2 * RATE_HZ


def test_the_package_goes_without_a_trace_but_for_what_was_made(box: Box) -> None:
    box.must("apt-get", "-qq", "-y", "remove", "oto")
    assert box.run("systemctl", "is-active", "oto-engine").stdout.strip() == "inactive"
    assert not box.outside("/opt/oto").exists()
    assert list(box.outside(LIBRARY).rglob("*.wav"))
