"""A PC that is emulated whole, from its firmware on: qemu, with a screen that is read and a keyboard that is typed on.

Its processor is emulated too, so it is slow; nothing here says how fast a PC is.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shlex
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

FIRMWARE: Final = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
VARIABLES: Final = FIRMWARE.with_name("OVMF_VARS_4M.fd")
FONT: Final = Path("/usr/share/consolefonts/Lat15-VGA16.psf.gz")
"""Nearly all its letters are drawn as Linux draws them on a screen that nobody has given another font."""

EMULATORS: Final = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}
CELL: Final = (16, 8)
MEMORY_MIB: Final = 2048
PATIENCE_S: Final = 3600.0
KEYS: Final = {" ": "spc", "-": "minus", ".": "dot", ",": "comma", "/": "slash", "\n": "ret"}
SOUND_CARD: Final = ("-device", "intel-hda", "-device", "hda-duplex,audiodev=sound")


def why_no_computer(arch: str) -> str:
    """Why no computer with this processor can be emulated here; empty when one can."""
    there = (shutil.which(EMULATORS[arch]) is not None, FIRMWARE.exists(), FONT.exists())
    return "" if all(there) else f"needs {EMULATORS[arch]}, ovmf and console-setup-linux"


class Kernel(NamedTuple):
    """What a Raspberry Pi's firmware starts, once it has read its two files of settings."""

    kernel: Path
    initial: Path
    line: str


class Computer:
    """A computer with a network of its own that starts from `disk` once it is switched on.

    Without a kernel it is a PC, whose firmware finds what to start on the disk. With one it has the processor of a
    Raspberry Pi 4 and the devices of no real board, and is started as that board's firmware would.
    """

    def __init__(self, disk: Path, folder: Path, kernel: Kernel | None = None) -> None:
        self.disk, self.folder = disk, folder
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self._port = _free_port()
        self._kernel = kernel
        self._variables = folder / "variables"
        shutil.copy(VARIABLES, self._variables)
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor: socket.socket | None = None

    def _board(self) -> list[str]:
        """The program that emulates it, with what makes it a PC or nearly a Pi."""
        network = f"restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22"
        if self._kernel is None:
            # The oldest processor that NumPy runs on; the vector instructions of newer ones are emulated wrongly by
            # qemu 7.2, which numpy dies of.
            words = [EMULATORS["amd64"], "-machine", "q35", "-cpu", "Nehalem", "-vga", "std"]
            words += ["-device", "ide-hd,drive=card"]
            words += ["-nic", f"user,model=e1000e,{network}"]
            words += ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}"]
            return [*words, "-drive", f"if=pflash,format=raw,file={self._variables}"]
        kernel, initial, line = self._kernel
        words = [EMULATORS["arm64"], "-machine", "virt", "-cpu", "cortex-a72", "-device", "virtio-gpu-pci"]
        words += ["-device", "virtio-blk-pci,drive=card"]
        words += ["-nic", f"user,model=virtio-net-pci,{network}"]
        return [*words, "-kernel", str(kernel), "-initrd", str(initial), "-append", line]

    def switch_on(self, *, sound: bool = True) -> None:
        """Press the button; with or without a sound card in it."""
        monitor = self.folder / "monitor"
        with contextlib.suppress(FileNotFoundError):
            monitor.unlink()
        # Its clock counts what its processor has done, so that it is not late for a sound card however slow it is: a
        # billion instructions in a second. A second processor would only take turns with the first, for 0.1 s each.
        words = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on", "-smp", "1", "-m", str(MEMORY_MIB)]
        words += ["-drive", f"if=none,id=card,format=raw,cache=unsafe,file={self.disk}"]
        words += ["-device", "qemu-xhci,id=usb", "-device", "usb-kbd,bus=usb.0"]
        words += ["-device", "pcie-root-port,id=socket,chassis=1"]
        words += ["-audiodev", "none,id=sound", *(SOUND_CARD if sound else ())]
        words += ["-display", "none", "-serial", "none", "-rtc", "base=utc"]
        words += ["-qmp", f"unix:{monitor},server=on,wait=off"]
        words = ["nice", "-n", "19", *self._board(), *words]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
        self._monitor = _connected(monitor)
        self._lines = self._monitor.makefile("r")
        self._lines.readline()
        self._ask("qmp_capabilities")

    def plug(self, driver: str, bus: str) -> None:
        """Plug a sound card in while it runs: into its "socket", or "usb.0"."""
        self._ask("device_add", driver=driver, bus=bus, audiodev="sound", id=driver)

    def plug_stick(self, file: Path) -> None:
        """Plug in a stick for USB that holds what is in a file."""
        content = {"driver": "file", "filename": str(file)}
        self._ask("blockdev-add", **{"node-name": "stick", "driver": "raw", "file": content})
        self._ask("device_add", driver="usb-storage", bus="usb.0", drive="stick", removable=True, id="stick")

    def pull(self, name: str) -> None:
        """Pull something that was plugged in."""
        self._ask("device_del", id=name)

    def _ask(self, command: str, **arguments: Any) -> Any:
        assert self._monitor is not None
        self._monitor.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:  # what happens by itself is told in between
            answer = json.loads(self._lines.readline())
            if "return" in answer:
                return answer["return"]
            assert "error" not in answer, answer

    def screen(self) -> str:
        """What its screen shows, as far as that is text."""
        path = self.folder / "screen.ppm"
        self._ask("screendump", filename=str(path))
        return text_of(path.read_bytes())

    def shows(self, words: str) -> bool:
        """Whether these words are on its screen, most of their letters readable: a picture is read as "?" only."""
        found = re.finditer("".join(f"[?{re.escape(letter)}]" for letter in words), self.screen())
        return any(each[0].count("?") - words.count("?") <= 0.3 * len(words) for each in found)

    def wait(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so; what its screen shows is the reason when it never is."""
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < deadline, self.screen()
            time.sleep(2)

    def ssh(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Give one of OTO's commands as whoever has the key does, over the network."""
        options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=300"]
        command = ["ssh", "-i", str(self.key), "-p", str(self._port), *(f"-o{each}" for each in options)]
        command += ["oto@127.0.0.1", shlex.join(words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=1200)

    def must(self, *words: str) -> Any:
        """What a command prints as JSON; it has to succeed."""
        done = self.ssh(*words, "--json")
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def state(self) -> str | None:
        """What the tape does; None when no engine answers."""
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
            return str(json.loads(self.ssh("status", "--json").stdout)["transport"]["state"])
        return None

    def interfaces(self) -> list[str]:
        """Identities of the interfaces that `oto devices` lists."""
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
            return [str(each["id"]) for each in json.loads(self.ssh("devices", "--json").stdout)["interfaces"]]
        return []

    def listens_to(self) -> str:
        """Identity of the interface that the engine has open."""
        return str(self.must("status")["device"]["current"]["id"])

    def drives(self) -> list[dict[str, Any]]:
        """What is plugged in for finished music, as `oto devices --json` describes it."""
        return list(self.must("devices")["drives"])

    def session(self) -> str:
        """The newest session."""
        return str(self.must("sessions")[0]["id"])

    def last_take(self) -> dict[str, Any]:
        """The newest take, as `oto takes --json` describes it."""
        return dict(self.must("takes", self.session())[-1])

    def type(self, text: str) -> None:
        """Type on its keyboard, American as every PC's is at first."""
        for letter in text:
            keys = [KEYS.get(letter, letter.lower())]
            if letter.isupper():
                keys.insert(0, "shift")
            self._ask("send-key", keys=[{"type": "qcode", "data": key} for key in keys])
            time.sleep(0.5)  # it keeps a few keys only for a processor that is slow to ask

    def press_power(self) -> None:
        """Press the button again, and wait until it is off."""
        self._ask("system_powerdown")
        assert self._process is not None
        self._process.wait(timeout=PATIENCE_S)

    def force_off(self) -> None:
        """Pull its plug."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._monitor is not None:
            self._monitor.close()


def text_of(picture: bytes) -> str:
    """The text on a portable pixmap of a Linux console; "?" where something else is drawn."""
    kind, size, _, data = picture.split(b"\n", 3)
    assert kind == b"P6"
    columns, rows = (int(number) for number in size.split())
    pixels = np.frombuffer(data, np.uint8).reshape(rows, columns, 3).astype(np.uint32) @ (65_536, 256, 1)
    high, wide = CELL
    letters = _letters()
    lines = []
    for top in range(0, rows - high + 1, high):
        cells = [pixels[top : top + high, left : left + wide] for left in range(0, columns - wide + 1, wide)]
        # The background may be what is drawn in a corner, or what is not.
        drawn = [np.packbits(cell != cell[0, 0], axis=1).tobytes() for cell in cells]
        inverse = [bytes(255 - line for line in shape) for shape in drawn]
        lines.append("".join(letters.get(a) or letters.get(b) or "?" for a, b in zip(drawn, inverse, strict=True)))
    return "\n".join(line.rstrip() for line in lines)


@cache
def _letters() -> dict[bytes, str]:
    """Letters by their shape: PC Screen Font, version 1, whose table ends each shape's letters with FFFF."""
    data = gzip.decompress(FONT.read_bytes())
    count, size = 512 if data[2] & 1 else 256, data[3]
    shapes = [data[4 + number * size : 4 + (number + 1) * size] for number in range(count)]
    table = struct.unpack(f"<{(len(data) - 4 - count * size) // 2}H", data[4 + count * size :])
    found: dict[bytes, str] = {}
    number = 0
    for code in table:
        if code == 0xFFFF:
            number += 1
        else:
            found.setdefault(shapes[number], chr(code))
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _connected(path: Path) -> socket.socket:
    deadline = time.monotonic() + 60
    while True:
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(str(path))
        except OSError:
            made.close()
            assert time.monotonic() < deadline, "qemu did not start"
            time.sleep(0.1)
        else:
            return made
