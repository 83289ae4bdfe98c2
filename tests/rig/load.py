"""What else may happen on the box while it records."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that never rest."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@contextmanager
def studio_on_a_stopped_terminal(home: Path) -> Iterator[None]:
    """The studio, attached and drawn, on a terminal that nobody reads any more and that can take no more."""
    ours, theirs = os.openpty()
    studio = subprocess.Popen(
        [sys.executable, "-m", "tui"],
        cwd=REPOSITORY,
        env={**os.environ, "OTO_HOME": str(home), "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _read_until(ours, b"dBFS", 30.0)
        _wait_until_full(theirs, 30.0)
        yield
        assert studio.poll() is None, "the studio ended"
        assert not select.select([], [theirs], [], 0)[1], "the terminal was read by someone"
    finally:
        studio.kill()
        studio.wait()
        os.close(ours)
        os.close(theirs)


def _read_until(terminal: int, word: bytes, seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    seen = b""
    while word not in seen:
        assert select.select([terminal], [], [], max(0.0, deadline_s - time.monotonic()))[0], seen[-2000:]
        seen += os.read(terminal, 65_536)


def _wait_until_full(terminal: int, seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    while select.select([], [terminal], [], 0)[1]:
        assert time.monotonic() < deadline_s, "the studio does not draw enough to fill a terminal"
        time.sleep(0.1)
