"""Input devices where the kernel makes none: umockdev stands between libevdev and the kernel, and answers as one would.

It does so for the programs that it starts, so what is tested runs in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MISSING: Final = "" if shutil.which("umockdev-run") else "needs umockdev-run (apt install umockdev)"

NODE: Final = "/dev/input/event7"
EV_SYN, EV_KEY, EV_REL, EV_MSC = 0, 1, 2, 4
SYN_REPORT, SYN_DROPPED = 0, 3

Event = tuple[int, int, int]
"""Type, code, value (linux/input.h)."""

ABOUT: Final = f"""\
P: /devices/usb1/1-2/input/input7/event7
N: {NODE.removeprefix("/dev/")}
E: DEVNAME={NODE}
E: MAJOR=13
E: MINOR=71
E: SUBSYSTEM=input
A: dev=13:71
L: device=../../input7

P: /devices/usb1/1-2/input/input7
E: SUBSYSTEM=input
A: name=FootSwitch
A: phys=usb-0000:01:00.0-1.2/input0
A: uniq=
A: capabilities/key={{keys:x}}
A: id/bustype=0003
A: id/vendor=0c45
A: id/product=7403

"""

READER: Final = """
import select, sys
from devices.controls.finding import find_controls
from devices.controls.opened import OpenControl

(control,) = find_controls()
print(control.id, control.name)
opened = OpenControl(control)
opened.grab()
touches = []
while len(touches) < int(sys.argv[1]):
    select.select([opened.descriptor], [], [])
    touches += opened.read()
for touch in touches:
    print(touch.control, "down" if touch.down else "up")
"""


def read(folder: Path, keys: Iterable[int], events: Iterable[Event], touches: int) -> list[str]:
    """What a reader says of a USB device with these keys that tells this: its name, and so many touches or more.

    `folder` takes the files that describe it.
    """
    described, answers, told = folder / "about.umockdev", folder / "answers.ioctl", folder / "told.events"
    bits = sum(1 << code for code in keys)
    described.write_text(ABOUT.format(keys=bits))
    answers.write_text("\n".join([f"@DEV {NODE}", *_answers(bits), ""]))
    told.write_text("".join(f"E: 0.0 {kind:04x} {code:04x} {value}\n" for kind, code, value in events))
    command = ["umockdev-run", "-d", described, "-i", f"{NODE}={answers}", "-e", f"{NODE}={told}"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    reader = [sys.executable, "-c", READER, str(touches)]
    done = subprocess.run([*command, "--", *reader], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _answers(keys: int) -> Iterable[str]:
    """What the kernel answers to the questions that libevdev asks of a new device."""
    longs = 8
    kinds = 1 << EV_SYN | 1 << EV_KEY | 1 << EV_REL | 1 << EV_MSC
    yield _answer("EVIOCGBIT(0)", kinds, longs)
    yield _answer("EVIOCGVERSION", 0x010001, 4)
    yield _answer("EVIOCGID", 0x0001_7403_0C45_0003, 8)
    for text in ("NAME", "PHYS", "UNIQ"):
        yield _answer(f"EVIOCG{text}(0)", ord("x"), 255)
    yield _answer("EVIOCGPROP(0)", 0, longs)
    yield _answer("EVIOCGBIT(1)", keys, 96)
    for kind, bits in ((EV_REL, 0b11), (3, 0), (EV_MSC, 1 << 4), (5, 0), (17, 0), (18, 0)):
        yield _answer(f"EVIOCGBIT({kind})", bits, longs)
    yield _answer("EVIOCGBIT(21)", 0, 16)
    yield _answer("EVIOCGKEY(0)", 0, 96)
    yield _answer("EVIOCGLED(0)", 0, longs)
    yield _answer("EVIOCGSW(0)", 0, longs)


def _answer(name: str, value: int, size: int) -> str:
    return f"{name} {size} {value.to_bytes(size, 'little').hex()}"
