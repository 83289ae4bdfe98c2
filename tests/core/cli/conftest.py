"""Runs the real command, in a studio of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from core.cli import main as cli

ROOT = Path(__file__).parents[3]


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout; anything beside it is an error."""
        return json.loads(self.out)


Oto = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "studio"


@pytest.fixture
def oto(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Oto]:
    """`oto(*words)` runs a command in tmp_path, in this process; an engine that it started is ended afterwards."""
    monkeypatch.setenv("OTO_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Ran:
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        return Ran(code, *capsys.readouterr())

    yield run
    if (home / "engine.sock").exists():
        status = run("status", "--json")
        if status.code == 0:
            os.kill(status.json["pid"], signal.SIGTERM)


@pytest.fixture
def shell_oto(tmp_path: Path, home: Path) -> Oto:
    """The same in a process of its own, as a shell starts it."""

    def run(*words: object) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "core.cli.main", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "OTO_HOME": str(home), "PYTHONPATH": str(ROOT)},
            timeout=100,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """A folder of five short recordings that a simulated interface or a mix can take, exact in 24 bits."""
    folder = tmp_path / "stage"
    folder.mkdir()
    rate_hz, seconds = 48_000, 4
    time_s = np.arange(rate_hz * seconds) / rate_hz
    random = np.random.default_rng(3)
    beat = np.exp(-30 * (time_s % 0.5))
    tracks = {
        "1 Kick": 0.6 * beat * np.sin(2 * np.pi * 55 * time_s),
        "2 Snare": 0.3 * np.roll(beat, rate_hz // 4) * random.uniform(-1, 1, len(time_s)),
        "3 Bass": 0.3 * np.sin(2 * np.pi * 110 * time_s) * (0.6 + 0.4 * beat),
        "4 Guitar": 0.1 * np.sign(np.sin(2 * np.pi * 220 * time_s)),
        "5 Lead Vocal": 0.05 * np.sin(2 * np.pi * 440 * time_s + 3 * np.sin(2 * np.pi * 5 * time_s)),
    }
    for name, audio in tracks.items():
        whole = np.rint(audio * (1 << 23)).astype(np.int32)
        soundfile.write(folder / f"{name}.wav", whole << 8, rate_hz, subtype="PCM_24")
    return folder
