"""How long a key takes to be on the screen over a slow link, less the link's own time.

    python -m benchmarks.tui.echo [--inputs 18] [--keys 60] [--size 80x24]

A letter is typed into the name of a track while as many meters move, over a link of 64 kB/s with 150 ms of delay in
either direction: the pseudo-terminal is read no faster than the link would carry it, so what it can't carry piles up
where it would. The two delays are taken off; waiting behind meters is not.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import time
from typing import Final

import numpy as np

from benchmarks.tui.terminal import WARM_UP_S, Size, Terminal, stage
from core.protocol.requests import Record

LINK_BYTES_PER_S: Final = 64_000
LINK_DELAY_S: Final = 0.15
LINK_STEP_S: Final = 0.002
LETTER, RUBOUT = b"q", b"\x7f"
ANY_SEQUENCE: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
TIMEOUT_S: Final = 10.0


def carry(
    studio: Terminal, seconds: float, key: tuple[float, bytes] | None = None, until: bytes | None = None
) -> float | None:
    """Read no faster than the link; put `key` in at its time. Returns when `until` was read, as text, not as colour."""
    data, room = b"", 0.0
    last_s = time.monotonic()
    deadline_s = last_s + seconds
    while (now_s := time.monotonic()) < deadline_s:
        room = min(room + (now_s - last_s) * LINK_BYTES_PER_S, LINK_BYTES_PER_S * 5 * LINK_STEP_S)
        last_s = now_s
        if key is not None and now_s >= key[0]:
            studio.press(key[1])
            key = None
        if room >= 1.0 and select.select([studio.end], [], [], 0.0)[0]:
            data += (got := os.read(studio.end, int(room)))
            room -= len(got)
            if until is not None and until in ANY_SEQUENCE.sub(b"", data):
                return time.monotonic()
            data = data[-32:]
        time.sleep(LINK_STEP_S)
    return None


def echoes_s(inputs: int, count: int, size: Size) -> list[float]:
    """How long each letter took, less the link's delays, while a take with so many meters runs."""
    took: list[float] = []
    with stage(inputs) as engine:
        engine.call(Record())
        with Terminal(engine.home, size) as studio:
            studio.first_picture_s()
            studio.read(WARM_UP_S)
            carry(studio, 2.0, (0.0, b"n"))
            for number in range(count):
                pressed_s = time.monotonic()
                seen_s = carry(studio, TIMEOUT_S, (pressed_s + LINK_DELAY_S, LETTER), LETTER)
                took.append((TIMEOUT_S if seen_s is None else seen_s - pressed_s) - LINK_DELAY_S)
                carry(studio, 0.3 + number % 7 * 0.013, (0.0, RUBOUT))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, nargs="+", default=[18])
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--size", type=Size.parse, default=Size(80, 24))
    options = parser.parse_args()
    print(
        f"{options.size}, load {os.getloadavg()[0]:.1f}; {options.keys} keys over 64 kB/s and 150 ms, less the delays"
    )
    print("| meters | median ms | 95th percentile ms | longest ms |\n|---|---|---|---|")
    for inputs in options.inputs:
        took_ms = np.array(echoes_s(inputs, options.keys, options.size)) * 1000
        p95_ms = np.percentile(took_ms, 95)
        print(f"| {inputs} | {np.median(took_ms):.0f} | {p95_ms:.0f} | {took_ms.max():.0f} |", flush=True)


if __name__ == "__main__":
    main()
