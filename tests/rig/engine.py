"""A real engine in a process of its own, in a home of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.client import Client
from core.errors import OtoError
from core.protocol.requests import GetStatus, Shutdown
from core.protocol.topics import Status

REPOSITORY = Path(__file__).parents[2]


class EngineRig:
    """`python -m core.engine` with this home and device, or with none; ended (by force if need be) with the block."""

    def __init__(self, home: Path, device: str | None, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.home = home
        self.socket = home / "engine.sock"
        chosen = () if device is None else ("--device", device)
        self._hears = device is not None
        self._command = [sys.executable, "-m", "core.engine", *chosen, *arguments]
        self._env = {**os.environ, **(env or {}), "OTO_HOME": str(home)}
        self._process: subprocess.Popen[bytes] | None = None
        self.log_path = home.parent / f"{home.name}.log"

    def __enter__(self) -> Self:
        try:
            self.start(wait_for_audio=self._hears)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Of the engine."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, wait_for_audio: bool = True) -> None:
        """Start it and wait until it answers and, usually, until audio comes in."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait(lambda status: status.device.current is not None or not wait_for_audio, "an open interface")

    def client(self) -> Client:
        """A new connection."""
        return Client(self.socket)

    def call(self, request: Any, type: Any = Any) -> Any:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.call(request, type)

    def status(self) -> Status:
        """Everything the engine says of itself."""
        status: Status = self.call(GetStatus(), Status)
        return status

    def wait(self, true: Any, what: str, seconds: float = 20.0) -> Status:
        """Wait until `true(status)`; fails with the engine's log."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OtoError):
                status = self.status()
                if true(status):
                    return status
            time.sleep(0.02)
        raise AssertionError(f"waited {seconds:g} s for {what}; the engine said:\n{self.log_path.read_text()[-4000:]}")

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """What a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def ended(self, seconds: float = 20.0) -> int:
        """Wait for its end; returns its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def end(self) -> None:
        """Ask it to end; make it end if it doesn't."""
        if self._process is None or self._process.poll() is not None:
            return
        with contextlib.suppress(OtoError):
            self.call(Shutdown())
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
            return
        self.signal(signal.SIGKILL)
        self._process.wait(10)
