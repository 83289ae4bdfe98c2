"""Python processes of our own that hold what can hang or crash, so that whoever started them never does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules with this interpreter, whatever the current folder holds."""
    return [sys.executable, "-P", "-m", module, *arguments]


def start(
    command: Sequence[str], *, pass_fds: Sequence[int] = (), stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that is the head of its own group, finds our modules, and reads nothing but the end of its stdin.

    Its own group keeps a terminal's Ctrl+C from it and lets `kill` reach whatever it starts in turn.
    """
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if stdout is None else stdout,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_fds,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    """Close a process's stdin, which asks it to end, and kill it when it has not within the time."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=timeout_s)
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group at once and collect it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1.0)


def quiet_stdout() -> int:
    """Keep stdout for ourselves, send what C libraries print to nowhere, and return the descriptor to write to."""
    ours = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return ours
