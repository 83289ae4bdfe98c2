"""A box that is up: a Debian with OTO in it, booted by systemd-nspawn, with a screen that can be read.

The container has a network of its own (its loopback alone) and this machine's processors and kernel. Commands run in
its namespaces, so that nothing has to be let in.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import soundfile

from tests.box.fresh import REPOSITORY, FreshDebian, why_not

STAGE: Final = "/opt/stage"
RATE_HZ: Final = 48_000
TRACKS: Final = ("Kick", "Bass", "Lead Vocal")
LIBRARY: Final = "/var/lib/oto/library"
PATIENCE_S: Final = 90.0
MEMORY: Final = Path("/sys/fs/cgroup/memory")
"""Where this machine limits memory by folders, if it is one with control groups of the first kind."""
ENVIRONMENT: Final = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TERM=dumb", "HOME=/root")


def why_not_booted() -> str:
    """Why no box can be booted here; empty when one can."""
    missing = [tool for tool in ("systemd-nspawn", "nsenter", "tmux", "dpkg-deb") if shutil.which(tool) is None]
    return why_not() or (f"needs {', '.join(missing)}" if missing else "")


def made(what: str, out: Path, *options: str, timeout_s: float = 540.0) -> Path:
    """The package or the image of this tree, for Debian 12."""
    command = [sys.executable, "-m", "core.cli.main", "appliance", what, "--python", "3.11", "--out", str(out)]
    done = subprocess.run(
        [*command, *options, "--json"], capture_output=True, text=True, cwd=REPOSITORY, timeout=timeout_s
    )
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)[what])


class Box:
    """A box in the folder `root`; `boot` starts it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._screen = f"oto-box-{os.getpid()}"
        self.memory = MEMORY / self._screen

    @classmethod
    def with_package(cls, root: Path, deb: Path) -> Self:
        """A fresh Debian in this folder with the package installed, and a stage for its simulated interface."""
        debian = FreshDebian("bookworm", root)
        shutil.copy(deb, debian.outside("/root"))
        # Packages wait for the disk after every file, which says nothing about OTO.
        apt = ["apt-get", "-qq", "-y", "--no-install-recommends", "-o", "DPkg::Options::=--force-unsafe-io", "install"]
        for command in (
            ["apt-get", "-qq", "update"],
            [*apt, "systemd-sysv", "udev", "openssh-server", "procps", "jackd2"],
            [*apt, f"/root/{deb.name}"],
        ):
            done = debian.run(*command, env={"DEBIAN_FRONTEND": "noninteractive"})
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        made = cls(root)
        made.build_stage()
        return made

    def build_stage(self) -> None:
        """Three tracks for its simulated interface."""
        self.outside(STAGE).mkdir()
        for number, name in enumerate(TRACKS, start=1):
            tone = 0.2 * np.sin(2 * np.pi * 110 * number * np.arange(10 * RATE_HZ) / RATE_HZ)
            soundfile.write(self.outside(f"{STAGE}/{number:02d} {name}.wav"), tone, RATE_HZ, subtype="PCM_24")

    def outside(self, path: str) -> Path:
        """Where a path of the box lies on this machine."""
        return self.root / path.lstrip("/")

    def inside(self, path: str) -> Path:
        """Where a path of the box lies for us while it is up, with what is mounted in it."""
        return Path(f"/proc/{self._leader()}/root") / path.lstrip("/")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-L", self._screen, *words], capture_output=True, text=True, timeout=30)
        return done.stdout

    def boot(self, *options: str) -> None:
        """Switch it on, with these options of systemd-nspawn as well, and wait until the engine answers."""
        words = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--boot", *options]
        nspawn = f"exec {shlex.join([*words, '-D', str(self.root)])}"
        if MEMORY.is_dir():
            self.memory.mkdir(exist_ok=True)
            nspawn = f"echo $$ >{self.memory}/cgroup.procs; {nspawn}"
        self._tmux("new-session", "-d", "-x", "100", "-y", "32", nspawn)
        self.wait(lambda: self.state() is not None)

    def choose_stage(self) -> None:
        """Let it hear the simulated stage."""
        self.oto("settings", "device", f"sim:{STAGE}")
        self.wait(lambda: self.state() == "idle")

    def cut_power(self) -> None:
        """Everything in the box ends at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._leader(), signal.SIGKILL)
        self._gone()

    def switch_off(self) -> None:
        """Shut it down as its power button does; by force if it does not."""
        if self._tmux("list-panes"):
            self.run("systemctl", "poweroff")
            self._gone()

    def _gone(self) -> None:
        try:
            self.wait(lambda: not self._tmux("list-panes"))
        finally:
            self._tmux("kill-server")

    def _leader(self) -> int:
        pane = self._tmux("list-panes", "-F", "#{pane_pid}").strip()
        children = Path(f"/proc/{pane}/task/{pane}/children") if pane else None
        found = children.read_text().split() if children is not None and children.exists() else []
        if not found:
            raise ProcessLookupError
        return int(found[0])

    def run(self, *command: str, stdin: str = "", timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command in the box, as root."""
        enter = ("nsenter", f"--target={self._leader()}", "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--", *ENVIRONMENT)
        return subprocess.run([*enter, *command], input=stdin, capture_output=True, text=True, timeout=timeout_s)

    def must(self, *command: str) -> str:
        """What a command prints, which must end well."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout[-1000:]}{done.stderr[-1000:]}{self.journal()}"
        return done.stdout

    def oto(self, *words: str) -> Any:
        """The answer of a command that a person at the box gives."""
        return json.loads(self.must("runuser", "-u", "oto", "--", "/usr/bin/oto", *words, "--json"))

    def state(self) -> str | None:
        """What the tape does; None when no engine answers."""
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired, ValueError):
            done = self.run("runuser", "-u", "oto", "--", "/usr/bin/oto", "status", "--json")
            if done.returncode == 0:
                return str(json.loads(done.stdout)["transport"]["state"])
        return None

    def wait(self, reached: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Wait until something is so; the journal is the reason when it never is."""
        deadline = time.monotonic() + patience_s
        while not reached():
            assert time.monotonic() < deadline, self.journal()
            time.sleep(0.2)

    def takes(self) -> list[dict[str, Any]]:
        """The takes of its one session, oldest first."""
        (session,) = self.oto("sessions")
        return list(self.oto("takes", session["id"]))

    def notices(self) -> list[str]:
        """What the engine has told whoever looks, oldest first."""
        return [str(notice["message"]) for notice in self.oto("status")["notices"]["notices"]]

    def tells(self, words: str) -> None:
        """Assert that whoever looks is told this, and whoever comes later finds it in the journal."""
        assert any(words in notice for notice in self.notices()), self.notices()
        assert words in self.must("journalctl", "-u", "oto-engine", "-b", "--no-pager", "-n", "100", "-o", "cat")

    def record(self, seconds: float = 2.0) -> None:
        """Start a take and wait until that much of it is on the disk."""
        take = self.oto("rec", "--pre-roll", "0")["take"]
        self.wait(lambda: self.recorded_frames(take) >= seconds * RATE_HZ)

    def recorded_frames(self, take: int) -> int:
        """Frames in the newest file of a take, as any program reads it."""
        files = sorted(self.inside(LIBRARY).glob(f"*/takes/{take:03d}/*.wav"), key=lambda path: path.stat().st_mtime_ns)
        return int(soundfile.info(files[-1]).frames) if files else 0

    def is_whole(self, take: dict[str, Any], tracks: int = len(TRACKS)) -> None:
        """Assert that a take is complete, and that its files hold what it says."""
        assert take["status"] == "complete"
        assert len(take["tracks"]) == tracks
        for clip, path in zip(take["clips"], take["files"], strict=True):
            assert soundfile.info(self.inside(path)).frames == clip["frames"]

    def absence_s(self) -> float:
        """How long the engine was away when it last ended by itself, by the service manager's own clock."""
        names = ("ActiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic")
        left, back = (int(self.must("systemctl", "show", f"--property={n}", "--value", "oto-engine")) for n in names)
        return (back - left) / 1e6

    def main_pid(self, unit: str) -> int:
        """Number of a service's process in the box; 0 when it has none."""
        return int(self.must("systemctl", "show", "--property=MainPID", "--value", unit))

    def engine_pid(self) -> int:
        """Number of the engine's process in the box."""
        return self.main_pid("oto-engine")

    def screen(self) -> str:
        """What the box's own screen shows."""
        return self._tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Press keys at the box itself."""
        self._tmux("send-keys", *keys)

    def journal(self) -> str:
        """The last words of OTO's services, and of the JACK server of a test."""
        command = ["journalctl", f"--root={self.root}", "-u", "oto*", "-u", "jack", "--no-pager", "-n", "40"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout

    def force_off(self) -> None:
        """Switch it off, whatever it does."""
        with contextlib.suppress(Exception):
            self.cut_power()
        with contextlib.suppress(OSError):
            self.memory.rmdir()

    def remove(self) -> None:
        """Switch it off, whatever it does, and remove it."""
        self.force_off()
        subprocess.run(["rm", "-rf", "--one-file-system", str(self.root)], check=True, timeout=120)
