"""What the studio costs on a terminal: bytes to it, processor, memory, and how soon the first picture is there.

    python -m benchmarks.tui.meters [--inputs 8 18 32] [--seconds 10] [--size 80x24] [--rows] [--starts 5]

An engine plays noise of slowly changing level on as many simulated inputs. The studio runs on a pseudo-terminal that is
read at once and only counted: nothing of what a real terminal or a network would do to it is in these figures. The
first picture is there when the state stands in what was sent; it is given in seconds on the clock and in processor
seconds, the least of `--starts` starts, since other work can only add to it. Python finds the studio compiled, as it
does where it is installed. Memory is the resident set. `--rows` says which kinds of control sequence the bytes are.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Final

from benchmarks.tui.terminal import WARM_UP_S, Size, Terminal, bytecode, stage
from core.protocol.requests import Record

SEQUENCE: Final = re.compile(rb"\x1b\[([0-9;?]*)([A-Za-z])")
NAMES: Final = {b"m": "colours", b"H": "cursor moves", b"C": "cursor moves"}


@dataclass(frozen=True)
class Cost:
    """Of one studio with so many meters."""

    first_picture_s: float
    first_picture_cpu_s: float
    bytes_per_s: float
    cpu_percent: float
    rss_mb: float
    kinds: dict[str, float]
    """Bytes per second by kind: colours, cursor moves, other sequences, text."""


def kinds_of(data: bytes, seconds: float) -> dict[str, float]:
    """Bytes per second by what they are."""
    counted: Counter[str] = Counter()
    for found in SEQUENCE.finditer(data):
        counted[NAMES.get(found[2], "other sequences")] += len(found[0])
    counted["text"] = len(data) - sum(counted.values())
    return {name: count / seconds for name, count in counted.items()}


def measure(inputs: int, seconds: float, size: Size, starts: int) -> Cost:
    """Run an engine and a studio that shows a running take."""
    first: list[tuple[float, float]] = []
    with stage(inputs) as engine:
        engine.call(Record())
        for at in range(starts):
            with Terminal(engine.home, size) as studio:
                first.append((studio.first_picture_s(), studio.cpu_s()))
                if at == starts - 1:
                    studio.read(WARM_UP_S)
                    before_s = studio.cpu_s()
                    data = studio.read(seconds)
                    used_s, rss_mb = studio.cpu_s() - before_s, studio.rss_mb()
    return Cost(
        first_picture_s=min(clock_s for clock_s, _ in first),
        first_picture_cpu_s=min(cpu_s for _, cpu_s in first),
        bytes_per_s=len(data) / seconds,
        cpu_percent=used_s / seconds * 100,
        rss_mb=rss_mb,
        kinds=kinds_of(data, seconds),
    )


def bare_start_s(starts: int) -> float:
    """Processor seconds that starting Python and importing Textual's app alone takes: the floor of any studio in it."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", "import textual.app, textual.screen"]
        subprocess.run(command, check=True, env={**os.environ, **bytecode()})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(starts + 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, nargs="+", default=[8, 18, 32])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--size", type=Size.parse, default=Size(80, 24))
    parser.add_argument("--rows", action="store_true", help="say what the bytes are")
    options = parser.parse_args()
    bare_s = bare_start_s(options.starts)
    print(f"{options.size}, load {os.getloadavg()[0]:.1f}; Python with Textual alone takes {bare_s:.2f} CPU-s to start")
    print("| meters | kB/s | % of a core | first picture s | first picture CPU-s | RSS MB |\n|---|---|---|---|---|---|")
    for inputs in options.inputs:
        cost = measure(inputs, options.seconds, options.size, options.starts)
        print(
            f"| {inputs} | {cost.bytes_per_s / 1000:.1f} | {cost.cpu_percent:.1f} | {cost.first_picture_s:.2f} "
            f"| {cost.first_picture_cpu_s:.2f} | {cost.rss_mb:.0f} |",
            flush=True,
        )
        if options.rows:
            print("   ", ", ".join(f"{name} {rate / 1000:.1f} kB/s" for name, rate in sorted(cost.kinds.items())))


if __name__ == "__main__":
    main()
