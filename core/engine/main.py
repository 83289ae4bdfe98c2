"""Starts and ends an engine: one per home, told what to do by arguments, signals and the service manager."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from core import paths
from core.engine import logs
from core.engine.notify import tell_systemd
from core.engine.studio import Studio
from core.errors import Exit, OtoError, as_oto_error

log = logging.getLogger("oto")

THREADS: Final = 32
SWITCH_INTERVAL_S: Final = 0.0005
"""How long one thread may keep the interpreter while another wants it; short, because capture is one that wants it."""


def parser() -> argparse.ArgumentParser:
    """The engine's arguments."""
    made = argparse.ArgumentParser(
        prog="oto engine", description="Run the engine in the foreground until it is told to end."
    )
    made.add_argument("--device", help="interface to use instead of the one in the settings")
    made.add_argument("--socket", type=Path, help="where to listen (default: engine.sock in OTO_HOME)")
    made.add_argument("--no-workers", action="store_true", help="leave jobs to workers that are started elsewhere")
    made.add_argument("--resume", action="store_true", help="go on with a take that a crash interrupted a moment ago")
    made.add_argument(
        "--exit-when-idle", type=float, metavar="S", help="end after S seconds without clients, take or job"
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run an engine; returns the exit code."""
    arguments = parser().parse_args(argv)
    logs.start()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        with _only_one(paths.home()):
            asyncio.run(_run(arguments))
    except Exception as error:
        known = as_oto_error(error)
        if known is not error and known.code == "failed":
            log.exception("the engine failed")
        print(f"{known.message} {known.hint}".strip(), file=sys.stderr)
        return int(known.exit_code)
    return int(Exit.OK)


class _only_one:  # noqa: N801 - reads as a statement
    """Hold the home's lock, so that two engines never record into one library."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._file = (home / "engine.lock").open("w")

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OtoError(
                "busy",
                f"An engine already runs in {paths.home()}.",
                "Use it, or set OTO_HOME for a second studio.",
            ) from error

    def __exit__(self, *_: object) -> None:
        self._file.close()


async def _run(arguments: argparse.Namespace) -> None:
    studio = Studio(spawn_workers=not arguments.no_workers, resume=arguments.resume, device=arguments.device)
    loop = asyncio.get_running_loop()
    # A dead drive or a slow listing may hold a few threads for long; takes must still find one.
    loop.set_default_executor(ThreadPoolExecutor(THREADS))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, studio.ended.set)
    await studio.start(arguments.socket or paths.home() / "engine.sock")
    tell_systemd("READY=1")
    log.info("ready in %s", paths.home())
    tasks = [asyncio.create_task(_feed_watchdog(studio))]
    if arguments.exit_when_idle is not None:
        tasks.append(asyncio.create_task(_end_when_idle(studio, arguments.exit_when_idle)))
    await studio.ended.wait()
    tell_systemd("STOPPING=1")
    log.info("ending")
    for task in tasks:
        task.cancel()
    await studio.close()


async def _feed_watchdog(studio: Studio) -> None:
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    every_s = microseconds / 3e6 if microseconds else 1.0
    while True:
        if studio.alive():
            tell_systemd(f"WATCHDOG=1\nSTATUS={studio.status_line()}")
        await asyncio.sleep(every_s)


async def _end_when_idle(studio: Studio, seconds: float) -> None:
    while True:
        await asyncio.sleep(min(seconds, 1.0))
        since_s = studio.idle_since_s
        if since_s is not None and time.monotonic() - since_s >= seconds:
            studio.ended.set()
            return
