"""A multichannel interface with no hardware: a JACK server with a dummy driver, and a client that plays into it.

`JackRig` is a context manager; the fixture `jack_rig` (tests/rig/fixtures.py) sets the environment as well, so that
whatever the test starts finds this server and no other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import soundfile

TOOLS = ("jackd", "jack_lsp", "jack_connect", "jack_disconnect", "ecasound")


def missing_tools() -> str:
    """Why the rig can't run here; empty when it can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"needs {', '.join(missing)} (apt install jackd2 ecasound)" if missing else ""


class JackRig:
    """A JACK server of its own name, with `channels` dummy inputs and outputs.

    `feed` adds a client "rig" that plays a file, one output port for each channel: an interface that PortAudio lists.
    """

    def __init__(self, channels: int = 18, rate_hz: int = 48_000, period_frames: int = 512) -> None:
        self.channels = channels
        self.rate_hz = rate_hz
        self.period_frames = period_frames
        self.name, self._slot = _free_name()
        self.env = {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_AUDIO_RESERVATION": "1"}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the rig
        self._server: subprocess.Popen[bytes] | None = None
        self._feeder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Of the server."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start the server, again if it was killed, and wait until it takes clients."""
        self._clear()
        # In real time where we may, and patient: a busy machine makes the server late, and late clients are thrown out.
        scheduling = "-R -P 70" if os.geteuid() == 0 else "-r"
        command = f"jackd {scheduling} -t 5000 -n {self.name} -d dummy -r {self.rate_hz} -p {self.period_frames}"
        command += f" -C {self.channels} -P {self.channels}"
        self._server = self._start(command.split())
        socket = Path(f"/dev/shm/jack_{self.name}_{os.getuid()}_0")
        deadline_s = time.monotonic() + 10.0
        while not socket.exists() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        self.wait_for_ports("system:", 2 * self.channels)

    def feed(self, path: Path, client: str = "rig", *, loop: bool = False) -> None:
        """Play a 16-bit file into the server, one port for each of its channels; returns when they are there.

        Playing begins at about the same time, so a file that must be caught whole starts with two seconds of silence.
        A `loop` has no seam if the file is a whole number of the server's periods long.
        """
        self.wait_for_ports(f"{client}:", 0)  # of one that was killed; JACK takes its time to notice
        channels = soundfile.info(path).channels
        source = f"-i:audioloop,{path}" if loop else f"-i:{path}"
        self._feeder = self._start(
            [
                *("ecasound", "-q", "-B:rt", f"-f:s16_le,{channels},{self.rate_hz}"),
                *(source, f"-o:jack,,{client}", f"-G:jack,{client},notransport"),
            ]
        )
        self.wait_for_ports(f"{client}:", channels)

    def wait_for_ports(self, prefix: str, count: int, seconds: float = 10.0) -> None:
        """Wait until there are at least so many ports with names like this; for 0, until there are none."""
        deadline_s = time.monotonic() + seconds
        while (there := sum(port.startswith(prefix) for port in self.ports())) < count or there > count == 0:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not {count} ports {prefix} on {self.name}: {self.log()}")
            time.sleep(0.05)

    def ports(self) -> list[str]:
        """Every port of every client."""
        return self.tool("jack_lsp").split("\n")

    def connect(self, source: str, target: str) -> None:
        """Patch an output to an input, and to nothing else."""
        wired = self.tool("jack_lsp", "-c", target).splitlines()[1:]
        for other in wired:
            self.tool("jack_disconnect", other.strip(), target)
        self.tool("jack_connect", source, target)

    def kill_feeder(self) -> None:
        """The interface vanishes: its ports are gone, the server lives."""
        self._feeder = _kill(self._feeder)

    def kill_server(self) -> None:
        """The whole audio system vanishes."""
        self._server = _kill(self._server)

    def close(self) -> None:
        """Take everything down and leave nothing behind."""
        # The server takes seconds to get over clients that were killed.
        for process in (self._feeder, self._server):
            if process is not None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=3)
        self.kill_feeder()
        self.kill_server()
        self._log.close()
        self._clear()
        self._slot.close()

    def _clear(self) -> None:
        """Remove what a killed server of this name left behind."""
        for left in Path("/dev/shm").glob(f"jack*_{self.name}_*"):
            left.unlink(missing_ok=True)

    def tool(self, *command: str) -> str:
        """Run one of JACK's own programs against this server; returns what it prints."""
        done = subprocess.run(
            command, env={**os.environ, **self.env}, capture_output=True, text=True, timeout=15, check=True
        )
        return done.stdout.strip()

    def log(self) -> str:
        """What server and feeder have printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )


def _free_name() -> tuple[str, IO[bytes]]:
    """A server name that no other test run uses, and the open file that keeps it ours.

    JACK counts eight servers in all and takes a killed one's place only for another of the same name.
    """
    for number in range(6):
        lock = (Path(tempfile.gettempdir()) / f"oto-rig-{number}.lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return f"oto-rig-{number}", lock
    raise RuntimeError("six JACK rigs are running already")


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=5)
