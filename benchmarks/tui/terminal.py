"""A studio on a pseudo-terminal beside an engine whose inputs swell: what every measurement here stands on."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from tests.rig.engine import REPOSITORY, EngineRig

RATE_HZ: Final = 48_000
STAGE_S: Final = 20
WARM_UP_S: Final = 3.0
PATIENCE_S: Final = 30.0
FIRST_PICTURE: Final = re.compile(rb"left|pre-roll")
TICKS_HZ: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Size:
    """Of a terminal, in cells."""

    columns: int
    rows: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """From "80x24"."""
        return cls(*map(int, text.split("x")))

    def __str__(self) -> str:
        return f"{self.columns} x {self.rows}"


@contextmanager
def stage(inputs: int) -> Iterator[EngineRig]:
    """An engine that hears as many inputs: noise whose level swells, each at its own pace, as a band's does."""
    rng = np.random.default_rng(inputs)
    time_s = np.arange(STAGE_S * RATE_HZ) / RATE_HZ
    with tempfile.TemporaryDirectory(prefix="oto-tui-") as made:
        folder = Path(made) / "stage"
        folder.mkdir()
        for number in range(1, inputs + 1):
            level_db = -24.0 + 14.0 * np.sin(2 * np.pi * time_s * (0.3 + 0.13 * number) + number)
            noise = rng.normal(0.0, 0.3, len(time_s)) * 10 ** (level_db / 20)
            soundfile.write(folder / f"{number:02d} Input.wav", noise, RATE_HZ, subtype="PCM_24")
        with EngineRig(Path(made) / "home", f"sim:{folder}") as engine:
            yield engine


class Terminal:
    """The other end of the terminal of a studio, or of the program that goes there; it is ended with the block."""

    def __init__(self, home: Path, size: Size, command: Sequence[str] = (sys.executable, "-m", "tui")) -> None:
        compiled = bytecode()
        self.started_s = time.monotonic()
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ.update(OTO_HOME=str(home), TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
            os.environ.update(compiled)
            os.environ.pop("NO_COLOR", None)
            os.chdir(REPOSITORY)
            os.execvp(command[0], list(command))
        self.resize(size)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.pid, signal.SIGTERM)
        os.close(self.end)
        os.waitpid(self.pid, 0)

    def resize(self, size: Size) -> None:
        """As a window that is pulled."""
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """What a keyboard sends."""
        os.write(self.end, keys)

    def read(self, seconds: float, until: re.Pattern[bytes] | None = None) -> bytes:
        """What comes out within some seconds, or until something is in it."""
        data = b""
        deadline_s = time.monotonic() + seconds
        while (left_s := deadline_s - time.monotonic()) > 0:
            if select.select([self.end], [], [], left_s)[0]:
                data += os.read(self.end, 65_536)
                if until is not None and until.search(data):
                    break
        return data

    def first_picture_s(self) -> float:
        """Wait for the state to be on the screen; returns how long after the start of the program it was."""
        self.read(PATIENCE_S, FIRST_PICTURE)
        return time.monotonic() - self.started_s

    def cpu_s(self) -> float:
        """Processor seconds of the studio since it started, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_HZ

    def rss_mb(self) -> float:
        """The studio's resident set."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1e6


@cache
def bytecode() -> dict[str, str]:
    """Environment in which Python finds the studio compiled, as an installation has it, whatever this shell forbids."""
    folder = Path(tempfile.gettempdir()) / f"oto-bytecode-{os.getuid()}"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {"PYTHONPYCACHEPREFIX": str(folder)}
    subprocess.run([sys.executable, "-c", "import tui.app"], check=True, cwd=REPOSITORY, env={**os.environ, **found})
    return found
