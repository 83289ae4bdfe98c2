"""A box with the package boots into a studio: on its own screen, by its commands, without root."""

from __future__ import annotations

import pytest
import soundfile

from tests.systemd.booted import LIBRARY, RATE_HZ, Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]


def test_the_package_boots_into_a_studio(box: Box) -> None:
    units = ("oto.target", "oto-engine.service", "oto-worker.service", "oto-release-drive.path")
    assert box.must("systemctl", "is-active", *units).split() == ["active"] * 4
    assert box.must("systemctl", "--failed", "--quiet", "--no-legend") == ""


def test_no_service_of_ours_runs_as_root(box: Box) -> None:
    users = set(box.must("ps", "-eo", "user:20,args", "--no-headers").splitlines())
    ours = [line.split()[0] for line in users if "/opt/oto/" in line and " runuser " not in line]
    assert set(ours) <= {"oto-studio", "oto-panel", "oto"}
    assert "oto-studio" in ours


def test_a_take_is_recorded_mixed_and_exported_by_who_sits_at_the_box(box: Box, session: str) -> None:
    box.is_whole(box.takes()[0])
    (path,) = box.oto("export", session, "--to", "/srv/oto/exports", "--format", "flac")["exports"]
    assert soundfile.info(box.outside(path)).frames > RATE_HZ
    box.outside(path).unlink()


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


def test_the_boxs_own_screen_is_the_studio_and_its_keys_record(box: Box, screen: Box) -> None:
    screen.press("r")
    box.wait(lambda: box.state() == "recording")
    screen.press("s")
    box.wait(lambda: box.state() == "idle")


def test_the_boxs_own_screen_tells_how_it_is_reached_from_elsewhere(box: Box, screen: Box) -> None:
    """Whoever sits before it can read there what to type elsewhere, though the engine sees no network."""
    (host,) = box.must("hostname").split()
    screen.press("6")
    box.wait(lambda: "Network" in box.screen())
    box.wait(lambda: host in box.screen())
    screen.press("1")
    box.wait(lambda: "Kick" in box.screen())


def test_while_the_engine_is_stopped_the_studio_stays_says_so_and_can_be_left(box: Box, screen: Box) -> None:
    box.must("systemctl", "stop", "oto-engine")
    box.wait(lambda: "Reconnecting to the engine." in box.screen())
    before = box.main_pid("oto-console@console")
    screen.press("q")
    box.wait(lambda: box.main_pid("oto-console@console") not in (0, before))
    box.wait(lambda: "Waiting for the engine." in box.screen())
    box.must("systemctl", "start", "oto-engine")
    box.wait(lambda: "Kick" in box.screen())
    assert "Deactivated successfully" in box.must("journalctl", "-u", "oto-console@console", "--no-pager", "-n", "6")


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
