"""The panel's own unit, as it is: a pedal records, the light follows, and nothing loops where nothing is plugged in.

The kernel of this machine may have neither a MIDI port nor a light, so a pipe stands where a port would be and a folder
where a light would; the unit's walls, its user and its rights are the real ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.box.fresh import REPOSITORY
from tests.systemd.booted import Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]

PORT = "/dev/snd/midiC0D0"
LIGHTS = "/sys/devices/virtual/mem"
"""A folder of every kernel in which a light may be put for a while."""
STEP = b"\x90\x3c\x40\x80\x3c\x40"


class Front:
    """What is on the front of a box: one pedal, one light."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.light = box.inside(f"{LIGHTS}/ACT")

    def plug_in(self) -> None:
        """Once somebody listens to the pedal it can be pressed."""
        self.box.wait(self._opened)

    def _opened(self) -> bool:
        try:
            self._pedal = os.open(self.box.inside(PORT), os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        return True

    def press(self) -> None:
        os.write(self._pedal, STEP)

    def pull(self) -> None:
        os.close(self._pedal)

    def shines(self, *, on: bool = True) -> None:
        """Wait until the light is on, or off."""
        self.box.wait(lambda: (self.light / "brightness").read_text() == ("1" if on else "0"))

    def blinks(self) -> None:
        """Wait until the light has gone out and come on."""
        self.shines(on=False)
        self.shines()


@pytest.fixture
def front(box: Box) -> Iterator[Front]:
    box.must("mkdir", "-p", str(Path(PORT).parent))
    box.must("mkfifo", "-m", "640", PORT)
    box.must("chgrp", "audio", PORT)
    box.must("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", LIGHTS)
    light = f"{LIGHTS}/ACT"
    box.must("mkdir", light)
    for name, text in (("trigger", "none [mmc0] heartbeat\n"), ("brightness", "0\n"), ("max_brightness", "1\n")):
        box.run("tee", f"{light}/{name}", stdin=text)
    # As oto-lamps.rules has udev do it.
    box.must("chgrp", "oto-panel", f"{light}/brightness", f"{light}/trigger")
    box.must("chmod", "g+w", f"{light}/brightness", f"{light}/trigger")
    # What is mounted after a service has begun is not seen in its name space.
    box.must("systemctl", "restart", "oto-panel")
    try:
        yield Front(box)
    finally:
        if box.oto("controls", "list")["learnt"]:
            box.oto("controls", "forget", "MIDI")
        box.oto("settings", "lamp", "")
        box.must("systemctl", "stop", "oto-panel")
        box.must("umount", LIGHTS)
        box.must("rm", PORT)
        box.must("systemctl", "start", "oto-panel")


def test_with_nothing_plugged_in_the_panel_stays_up(box: Box) -> None:
    assert box.must("systemctl", "show", "--property=NRestarts,SubState", "oto-panel").split() == [
        "NRestarts=0",
        "SubState=running",
    ]
    assert box.oto("controls", "list")["panel"]


def test_what_reads_pedals_works_behind_the_units_walls(box: Box) -> None:
    unit = (REPOSITORY / "systemd/oto-panel.service").read_text()
    walls = unit.partition("# ---- what it may see")[2].partition("[Install]")[0]
    settings = [f"--property={line}" for line in walls.splitlines() if line and not line.startswith("#")]
    assert "--property=MemoryDenyWriteExecute=yes" in settings
    code = "import devices.controls.midi, devices.controls.keys, libevdev; print('read by', libevdev.Device())"
    run = ["systemd-run", "--quiet", "--unit=walls", "--service-type=oneshot", "--property=User=oto-panel", *settings]
    box.must(*run, "/opt/oto/current/bin/python", "-P", "-c", code)
    assert "read by <libevdev" in box.must("journalctl", "-u", "walls", "--no-pager", "-o", "cat")


def test_a_pedal_is_taught_records_and_stops_and_the_light_follows(box: Box, front: Front) -> None:
    box.oto("settings", "lamp", f"{LIGHTS}/ACT")
    box.wait(lambda: (front.light / "trigger").read_text() == "none")
    box.oto("settings", "lamp", "")
    box.wait(lambda: (front.light / "trigger").read_text() == "mmc0")
    box.oto("settings", "lamp", f"{LIGHTS}/ACT")
    with ThreadPoolExecutor(1) as pool:
        taught = pool.submit(box.oto, "controls", "learn", "record_or_stop")
        front.plug_in()
        front.press()
        taught.result()
    front.shines()
    front.press()
    box.wait(lambda: box.state() == "recording")
    front.blinks()
    # A panel that dies takes no take along, and the next one reads on.
    before = box.main_pid("oto-panel")
    box.must("systemctl", "kill", "--signal=KILL", "oto-panel")
    front.pull()
    box.wait(lambda: box.main_pid("oto-panel") not in (0, before))
    assert box.state() == "recording"
    front.plug_in()
    front.blinks()
    front.press()
    box.wait(lambda: box.state() == "idle")
    box.is_whole(box.takes()[-1])
    # Without an engine somebody has to come.
    front.shines()
    box.must("systemctl", "stop", "oto-engine")
    front.blinks()
    box.must("systemctl", "start", "oto-engine")
    box.wait(lambda: box.state() == "idle")
    front.pull()
    # However the panel ends, the light is the system's again.
    box.must("systemctl", "kill", "--signal=KILL", "oto-panel")
    box.must("systemctl", "stop", "oto-panel")
    assert (front.light / "trigger").read_text() == "mmc0"
