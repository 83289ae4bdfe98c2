"""What else may happen on the box while it records."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import termios
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
    """The studio, attached and drawn, on a terminal that nobody reads any more: it is full."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (36, 120))
    studio = subprocess.Popen(
        [sys.executable, "-m", "tui"],
        cwd=REPOSITORY,
        env={**os.environ, "OTO_HOME": str(home), "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        _read_until(ours, b"Keys", 30.0)
        _fill(theirs)
        yield
        assert studio.poll() is None, "the studio ended"
        assert not select.select([], [theirs], [], 0)[1], "the terminal is not full: nothing was stopped"
    finally:
        studio.kill()
        studio.wait()
        os.close(ours)
        os.close(theirs)


def _fill(terminal: int) -> None:
    # Opened anew, because not to block is a property of the open file that the studio shares.
    full = os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(full, b" " * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(full, b" ")
    os.close(full)


def _read_until(terminal: int, word: bytes, seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    seen = b""
    while word not in seen:
        assert select.select([terminal], [], [], max(0.0, deadline_s - time.monotonic()))[0], seen[-2000:]
        seen += os.read(terminal, 65_536)
