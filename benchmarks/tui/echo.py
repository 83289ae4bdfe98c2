"""How long a key takes to be on the screen over SSH on a slow link, less the link's own time.

    python -m benchmarks.tui.echo [--inputs 18] [--keys 60] [--size 80x24]

A letter is typed into the name of a track while as many meters move. The terminal is at the end of a real ssh, which
reaches a real sshd over a link of 64 kB/s with 150 ms of delay in either direction. The two delays are taken off; what
SSH takes and waiting behind meters is not. Beside it the same keys, echoed by a bare terminal over the same way: what
the studio adds is the difference, also where other work makes everything slower.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.tui.link import DELAY_S, Link
from benchmarks.tui.terminal import WARM_UP_S, Size, Terminal, stage
from core.protocol.requests import Record
from tests.rig.ssh import Sshd, why_not

LETTER, RUBOUT = b"q", b"\x7f"
ECHO: Final = re.compile(rb"(?:^|[^;?\x1b\[0-9])q")
"""The letter as text, not as the end of a control sequence."""
TIMEOUT_S: Final = 10.0


@contextmanager
def at_the_far_end(home: Path, size: Size, command: str | None = None) -> Iterator[Terminal]:
    """A terminal that is logged in over the link, in the studio or in a command."""
    with (
        tempfile.TemporaryDirectory(prefix="oto-ssh-") as folder,
        Sshd(Path(folder), home, command) as sshd,
        Link(sshd.port) as link,
        Terminal(home, size, sshd.command(link.port).split()) as terminal,
    ):
        yield terminal


def echoes_ms(terminal: Terminal, count: int) -> np.ndarray:
    """How long each letter took to be seen, less the link's delays."""
    took_s: list[float] = []
    for number in range(count):
        pressed_s = time.monotonic()
        terminal.press(LETTER)
        seen = ECHO.search(terminal.read(TIMEOUT_S, ECHO))
        took_s.append((time.monotonic() - pressed_s if seen else TIMEOUT_S) - 2 * DELAY_S)
        terminal.press(RUBOUT)
        terminal.read(0.6 + number % 7 * 0.013)
    return np.array(took_s) * 1000


def measure(inputs: int, count: int, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of each letter in a bare terminal, and in the studio while a take with so many meters runs."""
    with stage(inputs) as engine:
        engine.call(Record())
        with at_the_far_end(engine.home, size, "cat") as bare:
            bare.read(WARM_UP_S)
            bare_ms = echoes_ms(bare, count)
        with at_the_far_end(engine.home, size) as studio:
            studio.first_picture_s()
            studio.read(WARM_UP_S)
            studio.press(b"n")
            studio.read(WARM_UP_S)
            return bare_ms, echoes_ms(studio, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, nargs="+", default=[18])
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--size", type=Size.parse, default=Size(80, 24))
    options = parser.parse_args()
    if missing := why_not():
        raise SystemExit(f"This measurement {missing}.")
    print(
        f"{options.size}, load {os.getloadavg()[0]:.1f}; {options.keys} keys over 64 kB/s and 150 ms, less the delays"
    )
    print("| meters | | median ms | 95th percentile ms | longest ms |\n|---|---|---|---|---|")
    for inputs in options.inputs:
        for name, took_ms in zip(("bare", "studio"), measure(inputs, options.keys, options.size), strict=True):
            median_ms, p95_ms = np.percentile(took_ms, (50, 95))
            print(f"| {inputs} | {name} | {median_ms:.0f} | {p95_ms:.0f} | {took_ms.max():.0f} |", flush=True)


if __name__ == "__main__":
    main()
