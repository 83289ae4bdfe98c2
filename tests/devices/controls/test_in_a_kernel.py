"""Foot switches, MIDI and lights of a real kernel, where there is one: devices made with uinput and snd-virmidi.

On a box: `sudo modprobe -a uinput snd-virmidi`, then run this as root. Elsewhere it skips.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.controls.finding import Control, find_controls
from devices.controls.opened import OpenControl
from devices.controls.touch import Presses, Touch
from devices.lamp import LEDS, Lamp

pytestmark = pytest.mark.rig

# linux/uinput.h: _IOW('U', 100, int), _IOW('U', 101, int), _IOW('U', 3, struct uinput_setup), _IO('U', 1), _IO('U', 2)
SET_EVENT, SET_KEY, SETUP, CREATE, DESTROY = 0x40045564, 0x40045565, 0x405C5503, 0x5501, 0x5502
USB = 3


class Pedal:
    """A USB device with keys, as the kernel sees it."""

    def __init__(self, name: bytes, keys: range | tuple[int, ...], product: int) -> None:
        self._file = os.open("/dev/uinput", os.O_WRONLY | os.O_NONBLOCK)
        fcntl.ioctl(self._file, SET_EVENT, 1)
        for code in keys:
            fcntl.ioctl(self._file, SET_KEY, code)
        fcntl.ioctl(self._file, SETUP, struct.pack("HHHH80sI", USB, 0x0C45, product, 1, name, 0))
        fcntl.ioctl(self._file, CREATE)

    def key(self, code: int, value: int) -> None:
        os.write(self._file, struct.pack("@llHHi", 0, 0, 1, code, value) + struct.pack("@llHHi", 0, 0, 0, 0, 0))

    def tap(self, code: int) -> None:
        self.key(code, 1)
        self.key(code, 0)

    def pull(self) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._file, DESTROY)
            os.close(self._file)


def until(look: Callable[[], object], what: str) -> object:
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited for {what}")


def plugged_in(product: int) -> Control | None:
    return next((one for one in find_controls() if one.id == f"keys:0c45:{product:04x}"), None)


@pytest.fixture
def plug() -> Iterator[Callable[..., Pedal]]:
    if not os.access("/dev/uinput", os.W_OK):
        pytest.skip("no /dev/uinput to write to")
    pedals: list[Pedal] = []

    def make(name: bytes, keys: range | tuple[int, ...], product: int) -> Pedal:
        pedals.append(Pedal(name, keys, product))
        until(lambda: plugged_in(product), "the kernel to show it")
        return pedals[-1]

    yield make
    for pedal in pedals:
        pedal.pull()


def touches(control: OpenControl) -> list[Touch]:
    return until(control.read, "a touch")  # type: ignore[return-value]


def test_a_pedal_is_taken_for_oto_alone_pulled_and_known_again(plug: Callable[..., Pedal]) -> None:
    pedal = plug(b"RDing \x1b[31mFootSwitch\x07", (48, 49, 50), 0x7403)
    control = plugged_in(0x7403)
    assert control is not None
    assert (control.name, control.keyboard) == ("RDing FootSwitch", False)
    other = os.open(control.path, os.O_RDONLY | os.O_NONBLOCK)
    opened = OpenControl(control)
    opened.grab()
    pedal.tap(48)
    assert touches(opened) == [Touch("key 48", True), Touch("key 48", False)]
    with pytest.raises(BlockingIOError):
        os.read(other, 24)
    opened.close()
    pedal.tap(48)
    assert until(lambda: os.read(other, 24), "others to hear it again")
    os.close(other)
    opened = OpenControl(control)
    pedal.pull()
    until(lambda: opened.read() is None, "the end of it")
    opened.close()
    plug(b"FootSwitch", (48, 49, 50), 0x7403)
    assert plugged_in(0x7403) is not None


def test_a_held_pedal_is_one_press(plug: Callable[..., Pedal]) -> None:
    pedal = plug(b"FootSwitch", (48,), 0x7404)
    control = plugged_in(0x7404)
    assert control is not None
    opened = OpenControl(control)
    pedal.key(48, 1)
    for _ in range(20):
        pedal.key(48, 2)
    pedal.key(48, 0)
    judge = Presses()
    assert sum(judge.counts(touch, 0.0) for touch in touches(opened)) == 1
    opened.close()


def test_a_pedal_that_came_up_while_nobody_had_time_to_read_is_up(plug: Callable[..., Pedal]) -> None:
    pedal = plug(b"FootSwitch", (48, 49), 0x7406)
    control = plugged_in(0x7406)
    assert control is not None
    opened = OpenControl(control)
    pedal.key(48, 1)
    assert touches(opened) == [Touch("key 48", True)]
    pedal.key(48, 0)
    for _ in range(1000):  # more than the kernel keeps
        pedal.tap(49)
    found = touches(opened)
    assert Touch("key 48", False) in found
    assert len(found) < 1000
    opened.close()


def test_a_keyboard_is_known_as_one(plug: Callable[..., Pedal]) -> None:
    plug(b"Typing machine", range(1, 120), 0x7405)
    control = plugged_in(0x7405)
    assert control is not None
    assert control.keyboard


def test_a_virtual_midi_port_brings_running_status() -> None:
    ports = [one for one in find_controls() if one.id.startswith("midi:VirMIDI")]
    if len(ports) < 2 or shutil.which("aconnect") is None:
        pytest.skip("needs snd-virmidi and aconnect (alsa-utils)")
    listed = subprocess.run(["aconnect", "-i"], capture_output=True, text=True, check=True).stdout
    clients = re.findall(r"^client (\d+): 'Virtual Raw MIDI", listed, re.MULTILINE)
    subprocess.run(["aconnect", f"{clients[0]}:0", f"{clients[1]}:0"], check=True)
    opened = OpenControl(ports[1])
    assert opened.read() == []  # a port delivers from the first reading on
    Path(ports[0].path).write_bytes(b"\xb2\x40\x7f\x40\x00")
    found: list[Touch] = []
    control = "cc 64 on channel 3"
    until(lambda: len(found.extend(opened.read() or []) or found) >= 2, "both touches")
    assert found == [Touch(control, True), Touch(control, False)]
    opened.close()


def test_a_light_is_switched_and_given_back() -> None:
    lights = [path.name for path in LEDS.glob("*lock") if os.access(path / "brightness", os.W_OK)]
    if not lights:
        pytest.skip("no keyboard's light to switch")
    folder = LEDS / lights[0]
    before = (folder / "trigger").read_text()
    lamp = Lamp(lights[0])
    for on in (True, False, True):
        lamp.set(on)
        assert (folder / "brightness").read_text().strip() == ("1" if on else "0")
    lamp.close()
    assert (folder / "trigger").read_text() == before
