"""How soon the studio's first picture is there, beside other programs for the terminal.

    python -m benchmarks.tui.starts [--runs 7] [NAME PROGRAM WORD]...

Each program is started in turn on a pseudo-terminal of 120 x 36 and ended once WORD stands in what it sent; the studio
beside an engine that has a simulated band. Processor seconds are those of the program and what it started and waited
for; the least and the median of the runs are told, since other work can only add to them.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.tui.terminal import FIRST_PICTURE, PATIENCE_S, Size, Terminal, stage

SIZE: Final = Size(120, 36)
INPUTS: Final = 18
STUDIO: Final = (sys.executable, "-m", "tui")


def start_s(home: Path, command: Sequence[str], word: re.Pattern[bytes]) -> tuple[float, float]:
    """Seconds on the clock and of the processor until a word stands in what was sent. Raises TimeoutError."""
    with Terminal(home, SIZE, command) as terminal:
        if not word.search(terminal.read(PATIENCE_S, word)):
            raise TimeoutError(f"{command[0]} did not show {word.pattern.decode()!r}")
        return time.monotonic() - terminal.started_s, terminal.cpu_s()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument(
        "peers", nargs="*", help="name, program and a word of its first picture, for each of the others"
    )
    options = parser.parse_args()
    if len(options.peers) % 3:
        parser.error("each of the others needs a name, a program and a word")
    programs: dict[str, tuple[Sequence[str], re.Pattern[bytes]]] = {"OTO": (STUDIO, FIRST_PICTURE)}
    for name, program, word in zip(options.peers[::3], options.peers[1::3], options.peers[2::3], strict=True):
        programs[name] = (program,), re.compile(word.encode())
    print(f"{SIZE}, load {os.getloadavg()[0]:.1f}, {options.runs} runs")
    print("| program | first picture s, least | median | CPU-s, least | median |\n|---|---|---|---|---|")
    with stage(INPUTS) as engine:
        taken = {
            name: np.array([start_s(engine.home, *how) for _ in range(options.runs)]) for name, how in programs.items()
        }
    for name, runs in taken.items():
        (clock_s, cpu_s), (clock_median_s, cpu_median_s) = runs.min(axis=0), np.median(runs, axis=0)
        print(f"| {name} | {clock_s:.2f} | {clock_median_s:.2f} | {cpu_s:.2f} | {cpu_median_s:.2f} |")


if __name__ == "__main__":
    main()
