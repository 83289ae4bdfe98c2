"""Whether the studio's memory stays what it was: hours of moving meters, every screen visited again and again.

    python -m benchmarks.tui.hours [--minutes 120] [--inputs 18] [--takes-minutes 120]

A studio on a pseudo-terminal shows a session with a mix and a master. Every few seconds a key is pressed: all screens
in turn, lists up and down, the console, help, a dialog that is left again; once a lap the terminal is resized and back,
every third lap a take of ten seconds is recorded, as long as `--takes-minutes` says: what grows after them grows not
with the library. The resident set is read twice a minute. The slope is that of the
straight line through everything after the first tenth of the time (least squares), and after its first half, each with
its standard error; 0 is flat.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np

from benchmarks.tui.terminal import Size, Terminal, stage
from core.protocol.requests import Record, StartJob, Stop
from core.protocol.topics import Status
from tests.rig.engine import EngineRig

STEP_S: Final = 4.0
SAMPLE_S: Final = 30.0
TAKE_S: Final = 10.0
PREPARE_S: Final = 600.0
DOWN, ESCAPE, RECORD, STOP = b"\x1b[B", b"\x1b", b"\x1bOQ", b"\x1bOR"
LAP: Final = (
    *(b"1", DOWN, b"2", DOWN, b"\t", b"3", DOWN, DOWN, b"Z", DOWN, b"Z", b"4", DOWN, b"5", DOWN),
    *(b"6", DOWN, b"S", ESCAPE, b"?", DOWN, ESCAPE, b":", b"mix", ESCAPE, b"1"),
)
SMALL, LARGE = Size(80, 24), Size(120, 36)


def prepare(engine: EngineRig) -> None:
    """A take with its mix and master, so that every screen has something to show."""

    def bounces(number: int) -> None:
        def there(status: Status) -> bool:
            return len(status.bounces.bounces) >= number

        engine.wait(there, f"bounce {number}", PREPARE_S)

    engine.call(Record())
    time.sleep(TAKE_S)
    engine.call(Stop())
    engine.call(StartJob(kind="mix", take=1, options={"propose": True, "stems": True}))
    bounces(1)
    engine.call(StartJob(kind="master", take=1, options={"target": "streaming"}))
    bounces(2)


def walk(studio: Terminal, takes_until_s: float) -> Iterator[None]:
    """Press the next key; a lap is every screen, a resize, and now and then a take, up to a moment (monotonic)."""
    for lap in count(1):
        for keys in LAP:
            studio.press(keys)
            yield
        studio.resize(LARGE)
        yield
        studio.resize(SMALL)
        yield
        if lap % 3 == 0 and time.monotonic() < takes_until_s:
            studio.press(RECORD)
            for _ in range(round(TAKE_S / STEP_S)):
                yield
            studio.press(STOP)
            yield


def slope(minutes: np.ndarray, megabytes: np.ndarray) -> tuple[float, float]:
    """Megabytes an hour of the straight line through the samples, and its standard error."""
    hours = minutes / 60
    (rate, offset), residual = np.polyfit(hours, megabytes, 1), 0.0
    residual = float(np.sum((megabytes - rate * hours - offset) ** 2))
    spread = float(np.sum((hours - hours.mean()) ** 2))
    return float(rate), float(np.sqrt(residual / max(len(hours) - 2, 1) / spread))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--inputs", type=int, default=18)
    parser.add_argument("--takes-minutes", type=float, default=float("inf"))
    options = parser.parse_args()
    samples: list[tuple[float, float]] = []
    with stage(options.inputs) as engine:
        prepare(engine)
        with Terminal(engine.home, SMALL) as studio:
            studio.first_picture_s()
            began_s, keys, sent = time.monotonic(), 0, 0
            steps = walk(studio, began_s + options.takes_minutes * 60)
            print(f"load {os.getloadavg()[0]:.1f}")
            print("| minutes | RSS MB | % of a core | keys | MB sent |\n|---|---|---|---|---|")
            used_s = studio.cpu_s()
            while (now_s := time.monotonic() - began_s) < options.minutes * 60:
                if now_s >= len(samples) * SAMPLE_S:
                    samples.append((now_s / 60, studio.rss_mb()))
                    share = (studio.cpu_s() - used_s) / max(now_s, SAMPLE_S) * 100
                    print(
                        f"| {now_s / 60:.1f} | {samples[-1][1]:.1f} | {share:.1f} | {keys} | {sent / 1e6:.1f} |",
                        flush=True,
                    )
                next(steps)
                keys += 1
                sent += len(studio.read(STEP_S))
    minutes, megabytes = np.array(samples).T
    first, most, last = megabytes[0], megabytes.max(), megabytes[-1]
    print(f"{minutes[-1]:.0f} minutes: first {first:.1f} MB, most {most:.1f} MB, last {last:.1f} MB")
    for name, part in (("tenth", 0.1), ("half", 0.5)):
        settled = minutes >= options.minutes * part
        rate, error = slope(minutes[settled], megabytes[settled])
        print(f"after the first {name}: {rate:+.2f} ± {error:.2f} MB an hour (standard error)")


if __name__ == "__main__":
    main()
