"""What the studio loads, and what it says where there is no terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from core.errors import Exit
from tests.rig.engine import EngineRig

ROOT = Path(__file__).parents[2]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def test_without_a_terminal_there_is_a_sentence_and_an_exit_code() -> None:
    ended = python("-m", "tui")
    assert ended.returncode == Exit.USAGE
    assert "needs a terminal" in ended.stderr
    assert ended.stdout == ""


def test_it_ends_with_its_terminal_even_where_hangups_are_ignored(tmp_path: Path) -> None:
    with EngineRig(tmp_path, "sim"):
        studio, terminal = pty.fork()
        if studio == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.chdir(ROOT)
            os.environ.update(OTO_HOME=str(tmp_path), TERM="xterm-256color")
            os.execv(sys.executable, [sys.executable, "-m", "tui"])
        seen = b""
        while b"Quit" not in seen:
            seen += os.read(terminal, 65_536)
        os.close(terminal)
        _, status = os.waitpid(studio, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGHUP


def test_the_studio_loads_nothing_of_the_engine_or_the_desk() -> None:
    loaded = python("-c", "import sys, tui.app; print('\\n'.join(sys.modules))").stdout.split()
    assert "textual" in loaded
    heavy = {"numpy", "scipy", "onnxruntime", "sounddevice", "soundfile"}
    rooms = [name for name in loaded if name.startswith(("core.", "devices.", "sessions."))]
    assert not heavy & set(loaded)
    allowed = (
        "core.client",
        "core.errors",
        "core.network",
        "core.paths",
        "core.plans",
        "core.protocol",
        "sessions.model",
    )
    assert all(name.startswith(allowed) for name in rooms), rooms
