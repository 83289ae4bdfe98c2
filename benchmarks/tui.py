"""What the studio costs on a terminal: bytes to it, processor, memory, and how soon the first picture is there.

    python benchmarks/tui.py [--inputs 8 18 32] [--seconds 10] [--size 80x24] [--rows] [--echo 60]

An engine plays noise of slowly changing level on as many simulated inputs. The studio runs on a pseudo-terminal that is
read at once and only counted: nothing of what a real terminal or a network would do to it is in these figures. The
first picture is there when the state stands in what was sent. Processor seconds are user and system time of the
studio's process, memory its resident set. `--rows` says which kinds of control sequence the bytes are.

`--echo` measures instead how long a letter typed into the name of a track takes to be on the screen, over a link of
64 kB/s with 150 ms of delay in either direction: the pseudo-terminal is read no faster than the link would carry it,
so what it can't carry piles up where it would. The two delays are taken off; waiting behind meters is not.
"""

from __future__ import annotations

import argparse
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
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import soundfile

from core.protocol.requests import Record
from tests.rig.engine import EngineRig

RATE_HZ = 48_000
STAGE_S = 20
WARM_UP_S = 3.0
FIRST_PICTURE = re.compile(rb"left|pre-roll")
TICKS_HZ = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SEQUENCE = re.compile(rb"\x1b\[([0-9;?]*)([A-Za-z])")
LINK_BYTES_PER_S = 64_000
LINK_DELAY_S = 0.15
LINK_STEP_S = 0.002
LETTER, RUBOUT = b"q", b"\x7f"
ANY_SEQUENCE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
ECHO_TIMEOUT_S = 10.0
NAMES = {b"m": "colours", b"H": "cursor moves"}


@dataclass(frozen=True)
class Cost:
    """Of one studio with so many meters."""

    first_picture_s: float
    bytes_per_s: float
    cpu_percent: float
    rss_mb: float
    kinds: dict[str, float]
    """Bytes per second by kind: colours, cursor moves, other sequences, text."""


def write_stage(folder: Path, inputs: int) -> None:
    """A mono file per input: noise whose level swells, each at its own pace, as a band's does."""
    rng = np.random.default_rng(inputs)
    time_s = np.arange(STAGE_S * RATE_HZ) / RATE_HZ
    folder.mkdir()
    for number in range(1, inputs + 1):
        level_db = -24.0 + 14.0 * np.sin(2 * np.pi * time_s * (0.3 + 0.13 * number) + number)
        noise = rng.normal(0.0, 0.3, len(time_s)) * 10 ** (level_db / 20)
        soundfile.write(folder / f"{number:02d} Input.wav", noise, RATE_HZ, subtype="PCM_24")


def start_studio(home: Path, columns: int, rows: int) -> tuple[int, int]:
    """A studio on a pseudo-terminal; returns its process and the terminal's other end."""
    pid, end = pty.fork()
    if pid == 0:
        os.environ.update(OTO_HOME=str(home), TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
        os.environ.pop("NO_COLOR", None)
        os.chdir(Path(__file__).parents[1])
        os.execv(sys.executable, [sys.executable, "-m", "tui"])
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return pid, end


def read_for(end: int, seconds: float, until: re.Pattern[bytes] | None = None) -> bytes:
    """What comes out within some seconds, or until something is in it."""
    data = b""
    deadline_s = time.monotonic() + seconds
    while (left_s := deadline_s - time.monotonic()) > 0:
        if select.select([end], [], [], left_s)[0]:
            data += os.read(end, 65_536)
            if until is not None and until.search(data):
                break
    return data


def carry(end: int, seconds: float, key: tuple[float, bytes] | None = None, until: bytes | None = None) -> float | None:
    """Read no faster than the link; put `key` in at its time. Returns when `until` was read, as text, not as colour."""
    data, room = b"", 0.0
    last_s = time.monotonic()
    deadline_s = last_s + seconds
    while (now_s := time.monotonic()) < deadline_s:
        room = min(room + (now_s - last_s) * LINK_BYTES_PER_S, LINK_BYTES_PER_S * 5 * LINK_STEP_S)
        last_s = now_s
        if key is not None and now_s >= key[0]:
            os.write(end, key[1])
            key = None
        if room >= 1.0 and select.select([end], [], [], 0.0)[0]:
            data += (got := os.read(end, int(room)))
            room -= len(got)
            if until is not None and until in ANY_SEQUENCE.sub(b"", data):
                return time.monotonic()
            data = data[-32:]
        time.sleep(LINK_STEP_S)
    return None


def echoes_s(inputs: int, count: int, columns: int, rows: int) -> list[float]:
    """How long each letter took, less the link's delays, while a take with so many meters runs."""
    took: list[float] = []
    with tempfile.TemporaryDirectory(prefix="oto-tui-") as made:
        stage = Path(made) / "stage"
        write_stage(stage, inputs)
        with EngineRig(Path(made) / "home", f"sim:{stage}") as engine:
            engine.call(Record())
            pid, end = start_studio(engine.home, columns, rows)
            try:
                read_for(end, 20.0, FIRST_PICTURE)
                read_for(end, WARM_UP_S)
                carry(end, 2.0, (0.0, b"n"))
                for number in range(count):
                    pressed_s = time.monotonic()
                    seen_s = carry(end, ECHO_TIMEOUT_S, (pressed_s + LINK_DELAY_S, LETTER), LETTER)
                    took.append((ECHO_TIMEOUT_S if seen_s is None else seen_s - pressed_s) - LINK_DELAY_S)
                    carry(end, 0.3 + number % 7 * 0.013, (0.0, RUBOUT))
            finally:
                os.kill(pid, signal.SIGTERM)
                os.close(end)
                os.waitpid(pid, 0)
    return took


def cpu_s(pid: int) -> float:
    """Processor seconds of a process since it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_HZ


def kinds_of(data: bytes, seconds: float) -> dict[str, float]:
    """Bytes per second by what they are."""
    counted: Counter[str] = Counter()
    for found in SEQUENCE.finditer(data):
        counted[NAMES.get(found[2], "other sequences")] += len(found[0])
    counted["text"] = len(data) - sum(counted.values())
    return {name: count / seconds for name, count in counted.items()}


def measure(inputs: int, seconds: float, columns: int, rows: int) -> Cost:
    """Run an engine and a studio that shows a running take."""
    with tempfile.TemporaryDirectory(prefix="oto-tui-") as made:
        stage = Path(made) / "stage"
        write_stage(stage, inputs)
        with EngineRig(Path(made) / "home", f"sim:{stage}") as engine:
            engine.call(Record())
            started_s = time.monotonic()
            pid, end = start_studio(engine.home, columns, rows)
            try:
                read_for(end, 20.0, FIRST_PICTURE)
                first_s = time.monotonic() - started_s
                read_for(end, WARM_UP_S)
                before_s = cpu_s(pid)
                data = read_for(end, seconds)
                used_s = cpu_s(pid) - before_s
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            finally:
                os.kill(pid, signal.SIGTERM)
                os.close(end)
                os.waitpid(pid, 0)
    return Cost(
        first_picture_s=first_s,
        bytes_per_s=len(data) / seconds,
        cpu_percent=used_s / seconds * 100,
        rss_mb=pages * PAGE_BYTES / 1e6,
        kinds=kinds_of(data, seconds),
    )


def bare_start_s() -> float:
    """What starting Python and importing Textual's app alone takes: the floor of any studio in it."""
    began_s = time.monotonic()
    subprocess.run([sys.executable, "-c", "import textual.app, textual.screen"], check=True)
    return time.monotonic() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, nargs="+", default=[8, 18, 32])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--rows", action="store_true", help="say what the bytes are")
    parser.add_argument(
        "--echo", type=int, default=0, metavar="KEYS", help="measure key to echo on a slow link instead"
    )
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    load = os.getloadavg()[0]
    if options.echo:
        print(f"{options.size}, load {load:.1f}; {options.echo} keys over 64 kB/s and 150 ms, less the link's delays")
        print("| meters | median ms | 95th percentile ms | longest ms |\n|---|---|---|---|")
        for inputs in options.inputs:
            took_ms = np.array(echoes_s(inputs, options.echo, columns, rows)) * 1000
            print(
                f"| {inputs} | {np.median(took_ms):.0f} | {np.percentile(took_ms, 95):.0f} | {took_ms.max():.0f} |",
                flush=True,
            )
        return
    print(f"{options.size}, load {load:.1f}; Python with Textual alone starts in {bare_start_s():.2f} s")
    print("| meters | kB/s | % of a core | first picture s | RSS MB |\n|---|---|---|---|---|")
    for inputs in options.inputs:
        cost = measure(inputs, options.seconds, columns, rows)
        print(
            f"| {inputs} | {cost.bytes_per_s / 1000:.1f} | {cost.cpu_percent:.1f} | {cost.first_picture_s:.2f} "
            f"| {cost.rss_mb:.0f} |"
        )
        if options.rows:
            print("   ", ", ".join(f"{name} {rate / 1000:.1f} kB/s" for name, rate in sorted(cost.kinds.items())))


if __name__ == "__main__":
    main()
