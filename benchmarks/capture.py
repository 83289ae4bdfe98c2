"""What recording costs, beside jack_capture and ecasound on the same rig, and how many channels come through whole.

    python benchmarks/capture.py [--channels 2 18 32] [--seconds 30] [--limits 32 64 96 128] [--only OTO]

A JACK server on its dummy driver, and ecasound playing noise into it, are the interface. Each recorder in turn writes
24-bit files of every channel; it is looked at once it runs, at two moments so many seconds apart. Processor seconds
are those of all its processes (user and system, /proc/PID/stat), as are memory (proportional and resident set,
/proc/PID/smaps_rollup) and memory files that no process has mapped, in which OTO keeps its pre-roll.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import soundfile

from core.protocol.requests import ListTakes, Record, Stop
from core.protocol.topics import Take
from tests.rig.engine import EngineRig
from tests.rig.jack import JackRig
from tests.rig.played import Played
from tests.rig.signals import write_long_noise

RATE_HZ = 48_000
PERIOD_FRAMES = 1024
LOOP_S = 20.48
WARM_UP_S = 6.0
TICKS_HZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Of one recorder, once running."""

    cpu_percent: float
    """Of one core: processor seconds per recorded second, times 100."""
    pss_mb: float
    rss_mb: float
    memory_files_mb: float


def processes_of(pid: int) -> list[int]:
    """A process and all that came from it."""
    children = [child for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    return [pid, *(one for child in children for one in processes_of(int(child)))]


def cpu_s(pid: int) -> float:
    """Processor seconds of a process since it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_HZ


def memory_mb(pids: Sequence[int]) -> tuple[float, float, float]:
    """Proportional set, resident set, and memory files that are open but not mapped (those mapped are in the sets)."""
    pss = rss = 0
    files: dict[int, int] = {}
    mapped: set[int] = set()
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            pss += int(value.split()[0]) if name == "Pss" else 0
            rss += int(value.split()[0]) if name == "Rss" else 0
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if "/memfd:" in line:
                mapped.add(int(line.split()[4]))
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if str(descriptor.readlink()).startswith("/memfd:"):
                facts = descriptor.stat()
                files[facts.st_ino] = facts.st_blocks * 512
    return pss / 1024, rss / 1024, sum(size for inode, size in files.items() if inode not in mapped) / 2**20


def look(pid: int, seconds: float) -> Cost:
    """Watch a recorder that is running."""
    time.sleep(WARM_UP_S)
    before, began_s = {one: cpu_s(one) for one in processes_of(pid)}, time.monotonic()
    time.sleep(seconds)
    # Those that came or went between are no part of recording.
    pids = [one for one in processes_of(pid) if one in before]
    used_s, took_s = sum(cpu_s(one) - before[one] for one in pids), time.monotonic() - began_s
    return Cost(100 * used_s / took_s, *memory_mb(pids))


@contextmanager
def command(*words: str) -> Iterator[int]:
    """A recorder that is one program; yields its process id."""
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running.pid
        if running.poll() is not None:
            raise SystemExit(f"{words[0]} ended by itself with {running.returncode}")
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(20)


def oto(_: int, seconds: float, folder: Path) -> Cost:
    with EngineRig(folder / "home", "jack:rig", "--no-workers") as engine:
        engine.call(Record(preroll_s=0.0))
        cost = look(engine.pid, seconds)
        engine.call(Stop())
    return cost


def jack_capture(channels: int, seconds: float, folder: Path) -> Cost:
    words = ("-dc", "-ns", "-b", "24", "-c", str(channels), "-p", "rig:*", str(folder / "take.wav"))
    with command("jack_capture", *words) as pid:
        return look(pid, seconds)


def ecasound(channels: int, seconds: float, folder: Path) -> Cost:
    form = f"-f:s24_le,{channels},{RATE_HZ}"
    words = ("-q", "-B:rt", form, "-i:jack,rig", f"-o:{folder / 'take.wav'}", "-G:jack,recorder,notransport")
    with command("ecasound", *words) as pid:
        return look(pid, seconds)


RECORDERS: dict[str, Callable[[int, float, Path], Cost]] = {
    "OTO": oto,
    "jack_capture": jack_capture,
    "ecasound": ecasound,
}


@contextmanager
def rig(channels: int, folder: Path) -> Iterator[Path]:
    """An interface with so many inputs, for this process and those it starts; yields what is played."""
    source = folder / f"noise-{channels}.wav"
    write_long_noise(source, channels=channels, seconds=LOOP_S)
    with JackRig(channels, RATE_HZ, PERIOD_FRAMES) as server:
        os.environ.update(server.env)
        server.feed(source, loop=True)
        yield source


def compare(channels: int, seconds: float, names: Sequence[str]) -> dict[str, Cost]:
    """Every recorder in turn on one rig."""
    costs = {}
    with tempfile.TemporaryDirectory() as name, rig(channels, Path(name)):
        for recorder in names:
            folder = Path(name) / recorder
            folder.mkdir()
            costs[recorder] = RECORDERS[recorder](channels, seconds, folder)
    return costs


def comes_through(channels: int, seconds: float) -> str:
    """What happens to so many channels: "whole", or what was lost."""
    with tempfile.TemporaryDirectory() as name, rig(channels, Path(name)) as source:
        with EngineRig(Path(name) / "home", "jack:rig", "--no-workers") as engine:
            engine.call(Record(preroll_s=0.0))
            cost = look(engine.pid, seconds)
            engine.call(Stop())
            (take,) = engine.call(ListTakes(), list[Take])
            folder = Path(engine.status().session.path) / "takes" / "001"
        files = [folder / clip.file for clip in take.clips]
        seconds_kept = min(soundfile.info(path).duration for path in files)
        verdict = f"{len(take.gaps)} gaps"
        if not take.gaps:
            with Played(source, loop=True) as played:
                played.assert_same(files)
            verdict = "every sample as played"
    return f"| {channels} | {seconds_kept:.0f} s | {verdict} | {cost.cpu_percent:.1f} | {cost.pss_mb:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, nargs="*", default=[2, 18, 32])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--limits", type=int, nargs="*", default=[32, 64, 96, 128])
    parser.add_argument("--only", choices=sorted(RECORDERS))
    options = parser.parse_args()
    names = [options.only] if options.only else list(RECORDERS)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; {options.seconds:.0f} s each\n")
    if options.channels:
        print(
            "| channels | recorder | % of a core | per channel | x jack_capture | PSS MB | RSS MB | memory files MB |"
        )
        print("|---|---|---|---|---|---|---|---|")
    for channels in options.channels:
        costs = compare(channels, options.seconds, names)
        for name, cost in costs.items():
            ratio = f"{cost.cpu_percent / costs['jack_capture'].cpu_percent:.2f}" if "jack_capture" in costs else "-"
            print(
                f"| {channels} | {name} | {cost.cpu_percent:.2f} | {cost.cpu_percent / channels:.3f} | {ratio} "
                f"| {cost.pss_mb:.0f} | {cost.rss_mb:.0f} | {cost.memory_files_mb:.0f} |",
                flush=True,
            )
    if options.limits:
        print("\n| channels | recorded | came through | % of a core | PSS MB |\n|---|---|---|---|---|")
    for channels in options.limits:
        print(comes_through(channels, options.seconds), flush=True)


if __name__ == "__main__":
    main()
