"""A real sshd on this machine's loopback with keys of its own, and a terminal (tmux) that logs in through it."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.rig.engine import REPOSITORY

SSHD: Final = "/usr/sbin/sshd"
PRIVILEGES: Final = Path("/run/sshd")
"""An empty folder that sshd wants to lock itself into when it runs as root."""
START_S: Final = 20.0
ENDED: Final = "The command ended"
"""What a terminal shows when its command has ended; " with" and the exit code follow."""


def why_not() -> str:
    """Why there can be no such login here; empty when there can."""
    missing = [tool for tool in (SSHD, "ssh", "ssh-keygen", "tmux") if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}: apt install openssh-server openssh-client tmux" if missing else ""


class Sshd:
    """A login that lands in the studio of the engine at `home`, as `oto-login` does on a box, or in another command."""

    def __init__(self, folder: Path, home: Path, command: str | None = None) -> None:
        self._folder = folder
        here, there, python = (shlex.quote(str(path)) for path in (REPOSITORY, home, sys.executable))
        studio = f"cd {here} && OTO_HOME={there} LANG=C.UTF-8 exec {python} -m tui"
        self._lands_in = command or studio
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
        for name in ("host", "user"):
            key = str(self._folder / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        config = self._folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self._folder / 'host'}\nPidFile none\n"
            f"AuthorizedKeysFile {self._folder / 'user.pub'}\nStrictModes no\nUsePAM no\n"
            f"AuthenticationMethods publickey\nPermitRootLogin prohibit-password\nForceCommand {self._lands_in}\n"
        )
        with (self._folder / "sshd.log").open("wb") as log:
            self._process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stdout=log, stderr=log)
        deadline_s = time.monotonic() + START_S
        while not _answers(self.port):
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline_s, self.log()
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(START_S)

    def log(self) -> str:
        """What sshd said."""
        return (self._folder / "sshd.log").read_text()

    def command(self, port: int | None = None) -> str:
        """What a person types to come in, at another port if there is something on the way."""
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o IdentitiesOnly=yes"
        return f"ssh -tt {options} -i {self._folder / 'user'} -p {port or self.port} {getpass.getuser()}@127.0.0.1"


class Pane:
    """A terminal of 80 x 24 that runs a command; what it shows can be read, and keys pressed."""

    def __init__(self, command: str, name: str) -> None:
        self._tmux = ["tmux", "-L", f"oto-{os.getpid()}-{name}", "-f", "/dev/null"]
        self._command = command

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        # tmux itself does not always notice the end: a shell says it and stays.
        command = f"{self._command}; echo '{ENDED} with' $?; exec sleep infinity"
        start = [*self._tmux, "new-session", "-d", "-x", "80", "-y", "24", command]
        subprocess.run(start, check=True, env=environment, timeout=START_S)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names."""
        self._tell("send-keys", *keys)

    def text(self) -> str:
        """What is on the screen."""
        return self._tell("capture-pane", "-p")

    def until(self, pattern: str, seconds: float = 60.0) -> str:
        """Wait until the screen shows something; returns the screen."""
        deadline_s = time.monotonic() + seconds
        while not re.search(pattern, shown := self.text()):
            assert time.monotonic() < deadline_s, f"waited {seconds:g} s for {pattern!r}; the screen says:\n{shown}"
            time.sleep(0.1)
        return shown

    def _tell(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True, timeout=START_S)
        return done.stdout


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
