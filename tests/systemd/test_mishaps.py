"""What happens to boxes in the middle of a take: the take is whole, the engine is back, and somebody is told why."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.systemd.booted import MEMORY, RATE_HZ, Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]


REBOOTS = int(os.environ.get("OTO_BOX_REBOOTS", "4"))
"""How often a box goes down in the middle of a take, every other time without warning."""


@pytest.mark.parametrize("number", ["KILL", "STOP", "SEGV"])
def test_an_engine_that_dies_or_hangs_comes_back_and_goes_on_with_its_take(
    box: Box, screen: Box, number: str, figures: list[str]
) -> None:
    """SIGSTOP ends by the watchdog, which has 20 s."""
    box.record()
    before, engine = len(box.takes()), box.engine_pid()
    box.must("systemctl", "kill", "--kill-whom=main", f"--signal={number}", "oto-engine")
    box.wait(lambda: box.engine_pid() not in (0, engine))
    box.wait(lambda: box.state() in ("recording", "idle"))
    figures.append(f"after SIG{number} the engine was away for {box.absence_s():.2f} s")
    box.tells("was being recorded when OTO stopped")
    box.wait(lambda: f"take {box.takes()[-1]['number']} goes on" in screen.screen())
    box.oto("stop")
    found = box.takes()
    assert len(found) in (before, before + 1)
    for take in found[before - 1 :]:
        box.is_whole(take)
    reason = "Watchdog timeout" if number == "STOP" else f"/{number}"
    assert reason in box.must("journalctl", "-u", "oto-engine", "--no-pager", "-n", "200")


def test_a_restart_finishes_the_running_take_first(box: Box) -> None:
    box.record()
    box.must("systemctl", "restart", "oto-engine")
    box.wait(lambda: box.state() == "idle")
    take = box.takes()[-1]
    box.is_whole(take)
    assert take["gaps"] == []


@contextmanager
def another_library(box: Box, *mount: str) -> Iterator[None]:
    """A box whose library lies on what this mounts, and is its usual one again afterwards."""
    services = ("oto-engine", "oto-worker")
    box.must("systemctl", "stop", *services)
    box.must("mount", *mount, "/var/lib/oto")
    box.must("chown", "oto-studio:oto", "/var/lib/oto")
    try:
        box.must("systemctl", "start", *services)
        box.wait(lambda: box.state() is not None)
        yield
    finally:
        box.must("systemctl", "stop", *services)
        box.must("umount", "/var/lib/oto")
        box.must("systemctl", "start", *services)
        box.wait(lambda: box.state() == "idle")


def test_a_full_disk_ends_the_take_whole_and_says_so(box: Box, screen: Box) -> None:
    with another_library(box, "-t", "tmpfs", "-o", "size=60M,mode=0755", "tmpfs"):
        box.choose_stage()
        box.oto("rec", "--pre-roll", "0")
        box.wait(lambda: box.state() == "recording")
        # What somebody else puts there meanwhile.
        box.run("sh", "-c", "head -c 44M /dev/zero >/var/lib/oto/filler")
        box.wait(lambda: box.state() == "idle")
        (take,) = box.takes()
        assert take["status"] == "complete"
        assert take["frames"] > RATE_HZ
        box.tells("The disk is full up to its reserve")
        box.wait(lambda: "The disk is full up to its reserve" in screen.screen())


@pytest.fixture
def disk(box: Box, tmp_path: Path) -> Iterator[str]:
    """A disk of its own for the box, with ext4 on it; the box's name for it."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    found = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"no loop device here: {found.stderr}")
    device = found.stdout.strip()
    try:
        major, minor = Path(f"/sys/block/{Path(device).name}/dev").read_text().strip().split(":")
        box.must("mknod", device, "b", major, minor)
        yield device
    finally:
        box.run("rm", "-f", device)
        subprocess.run(["losetup", "--detach", device], check=False)


def test_a_disk_that_turns_read_only_ends_the_take_and_says_so_on_the_screen(box: Box, screen: Box, disk: str) -> None:
    """As ext4 does when its card fails (its mount option `abort`, made for trying this)."""
    with another_library(box, disk):
        box.choose_stage()
        box.record()
        box.must("mount", "-o", "remount,abort", "/var/lib/oto")
        box.wait(lambda: box.state() == "idle")
        box.tells("Read-only file system")
        box.wait(lambda: "refused to write" in screen.screen())
    subprocess.run(["e2fsck", "-fy", disk], check=False, capture_output=True)
    with another_library(box, disk):
        if box.state() == "recording":
            box.oto("stop")
        take = box.takes()[0]
        box.is_whole(take)
        assert take["frames"] >= 2 * RATE_HZ


def test_a_box_whose_system_is_read_only_records(box: Box, tmp_path: Path) -> None:
    """The library alone can be written, as where an overlay protects the card."""
    library, usual = tmp_path / "library", box.outside("/var/lib/oto").stat()
    library.mkdir(mode=0o750)
    os.chown(library, usual.st_uid, usual.st_gid)
    box.switch_off()
    try:
        volatile = [f"--tmpfs={folder}" for folder in ("/tmp", "/var/tmp", "/var/log")]
        box.boot("--read-only", f"--bind={library}:/var/lib/oto", *volatile)
        assert box.run("touch", "/etc/mine").returncode != 0
        box.choose_stage()
        box.record()
        box.oto("stop")
        box.is_whole(box.takes()[-1])
    finally:
        box.switch_off()
        box.boot()
        box.wait(lambda: box.state() == "idle")


@pytest.fixture
def jack(box: Box) -> Iterator[str]:
    """The engine listens to a JACK server with three inputs; the server's unit."""
    drop_in = "/run/systemd/system/oto-engine.service.d"
    box.must("mkdir", "-p", drop_in)
    lines = ("[Service]", "PrivateNetwork=no", "RemoveIPC=no", "Environment=JACK_NO_AUDIO_RESERVATION=1", "")
    box.run("tee", f"{drop_in}/jack.conf", stdin="\n".join(lines))
    box.must("systemctl", "daemon-reload")
    unit = ["systemd-run", "--quiet", "--unit=jack", "-p", "User=oto-studio", "-p", "Restart=always"]
    box.must(
        *unit,
        "-E",
        "JACK_NO_AUDIO_RESERVATION=1",
        *["jackd", "-r", "-t", "5000", "-d", "dummy", "-r", "48000", "-p", "1024", "-C", "3", "-P", "3"],
    )
    try:
        box.must("systemctl", "restart", "oto-engine")
        box.wait(lambda: box.state() is not None)
        box.oto("settings", "device", "jack:system")
        box.wait(lambda: (box.oto("status")["device"]["current"] or {}).get("id") == "jack:system")
        yield "jack.service"
    finally:
        box.run("systemctl", "stop", "jack")
        box.must("rm", "-r", drop_in)
        box.must("systemctl", "daemon-reload")
        box.must("systemctl", "restart", "oto-engine")
        box.wait(lambda: box.state() is not None)
        if box.state() == "recording":
            box.oto("stop")
        box.choose_stage()


def test_an_interface_that_hangs_is_given_up_and_the_take_goes_on_with_it_again(
    box: Box, screen: Box, jack: str
) -> None:
    box.record()
    before = len(box.takes())
    engine = box.engine_pid()
    box.must("systemctl", "kill", "--signal=STOP", jack)
    box.wait(lambda: box.oto("status")["device"]["current"] is None)
    assert box.state() == "recording"
    box.tells("delivered nothing")
    box.wait(lambda: "delivered nothing" in screen.screen())
    # As if it were switched off and on.
    box.must("systemctl", "kill", "--signal=CONT", jack)
    box.must("systemctl", "restart", jack)
    box.wait(lambda: box.oto("status")["device"]["current"] is not None)
    box.tells("goes on")
    box.wait(lambda: box.recorded_frames(before) >= RATE_HZ)
    box.oto("stop")
    assert box.engine_pid() == engine
    assert len(box.takes()) == before
    take = box.takes()[-1]
    box.is_whole(take)
    assert "device_lost" in {gap["cause"] for gap in take["gaps"]}


def test_when_memory_runs_out_what_is_not_the_recorder_goes(box: Box) -> None:
    if not box.memory.is_dir():
        pytest.skip(f"no memory control groups of the first kind in {MEMORY}")
    box.record()
    engine, limit = box.engine_pid(), box.memory / "memory.limit_in_bytes"
    usual = limit.read_text()
    # Room for a few hundred megabytes more than what is in use.
    limit.write_text(str(int((box.memory / "memory.usage_in_bytes").read_text()) + (300 << 20)))
    try:
        eater = "x = []\nwhile True: x.append(b'x' * 2**24)"
        box.must("systemd-run", "--quiet", "--unit=eater", "--property=OOMScoreAdjust=0", "python3", "-c", eater)
        box.wait(lambda: box.run("systemctl", "is-active", "eater").stdout.strip() == "failed")
    finally:
        limit.write_text(usual)
    assert "status=9/KILL" in box.must("journalctl", "-u", "eater", "--no-pager")
    assert box.engine_pid() == engine
    box.oto("stop")
    box.is_whole(box.takes()[-1])
    box.must("systemctl", "reset-failed")
    box.wait(lambda: box.run("systemctl", "is-active", "oto-worker").stdout.strip() == "active")


@pytest.mark.parametrize("number", range(REBOOTS))
def test_a_box_that_goes_down_while_it_records_comes_up_with_its_take_whole(
    box: Box, number: int, figures: list[str]
) -> None:
    box.record(2.0 + 0.37 * (number % 7))
    before = len(box.takes())
    if number % 2:
        box.switch_off()
    else:
        box.cut_power()
    off_s = time.monotonic()
    box.boot()
    how = "shutdown" if number % 2 else "power cut"
    figures.append(
        f"{how} {number // 2 + 1}: {time.monotonic() - off_s:.1f} s from the power button to the engine's answer"
    )
    box.wait(lambda: box.state() in ("idle", "recording"))
    if box.state() == "recording":
        box.oto("stop")
    found = box.takes()
    assert len(found) >= before
    for take in found[before - 1 :]:
        box.is_whole(take)
    assert found[before - 1]["frames"] >= 2 * RATE_HZ
