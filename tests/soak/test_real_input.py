"""Eighteen channels through a real interface are what was played, sample for sample, whatever else the box does.

A file is played by ecasound into a JACK server and recorded with `oto record` through PortAudio.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from core.client import Client
from core.errors import OtoError
from core.protocol.requests import Shutdown
from tests.rig.jack import JackRig
from tests.rig.load import REPOSITORY, busy_processes, studio_on_a_stopped_terminal
from tests.rig.played import Played
from tests.rig.signals import write_long_noise
from tests.soak.conftest import INPUTS, PERIOD_FRAMES

pytestmark = [pytest.mark.soak, pytest.mark.rig]

RATE = 48_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Of a studio whose engine, started by whoever needs it first, ends with the test."""
    home = tmp_path / "studio"
    yield home
    with contextlib.suppress(OtoError), Client(home / "engine.sock") as client:
        client.call(Shutdown())
        for _ in client.topics():
            continue


def oto(home: Path, *words: object, seconds: float) -> Any:
    """Run a command; returns its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "core.cli.main", *map(str, words), "--json"],
        cwd=REPOSITORY,
        env={**os.environ, "OTO_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def record(home: Path, rig: JackRig, source: Path, seconds: int, *, loop: bool = True) -> None:
    """Record for so long, and hold every file against what was played.

    Where the machine stalls, the JACK server itself loses audio and says so (an xrun). That may happen once a minute
    and has to be told as a gap; everything between the gaps must be there.
    """
    began_s = time.monotonic()
    take = oto(home, "record", "--device", "jack:rig", "--session", "Rehearsal", "--seconds", seconds, seconds=seconds)
    took_s = time.monotonic() - began_s
    log = f"JACK says: {rig.log()[-1000:]}"
    assert take["frames"] == seconds * RATE, log
    assert (take["ring_overruns"], take["disk_errors"]) == (0, 0), log
    assert take["gaps"] <= (max(1, seconds // 60) if "XRun" in rig.log() else 0), log
    assert len(take["files"]) == INPUTS
    assert seconds <= took_s < seconds + 15, "time did not pass as the take says"
    files = [Path(file) for file in take["files"]]
    gaps = json.loads((files[0].parent / "take.json").read_text())["gaps"]
    with Played(source, loop=loop) as played:
        for start, end in between(gaps, take["frames"]):
            played.assert_same(files, start=start, frames=end - start, why=log)


def between(gaps: list[dict[str, Any]], frames: int) -> Iterator[tuple[int, int]]:
    """Where audio is whole: from half a second after each gap (it is found by the clock) to half a second before."""
    start = 0
    for gap in gaps:
        if start < gap["at_samples"] - RATE // 2:
            yield start, gap["at_samples"] - RATE // 2
        start = gap["at_samples"] + (gap["frames"] or 0) + RATE // 2
    if start < frames:
        yield start, frames


def test_what_is_recorded_equals_what_was_played(jack_rig: Callable[..., JackRig], home: Path, noise: Path) -> None:
    rig = jack_rig(INPUTS, period_frames=PERIOD_FRAMES)
    rig.feed(noise, loop=True)
    record(home, rig, noise, 30)


def test_also_with_two_busy_processes_beside_it(jack_rig: Callable[..., JackRig], home: Path, noise: Path) -> None:
    rig = jack_rig(INPUTS, period_frames=PERIOD_FRAMES)
    rig.feed(noise, loop=True)
    with busy_processes(2):
        record(home, rig, noise, 30)


def test_also_with_a_studio_attached_whose_terminal_is_stopped(
    jack_rig: Callable[..., JackRig], home: Path, noise: Path
) -> None:
    rig = jack_rig(INPUTS, period_frames=PERIOD_FRAMES)
    rig.feed(noise, loop=True)
    with studio_on_a_stopped_terminal(home):
        record(home, rig, noise, 30)


@pytest.mark.timeout(900)
def test_ten_minutes_lose_nothing_with_all_of_that_at_once(
    jack_rig: Callable[..., JackRig], home: Path, tmp_path: Path
) -> None:
    source = tmp_path / "long.wav"
    write_long_noise(source, channels=INPUTS, seconds=680.0)
    rig = jack_rig(INPUTS, period_frames=PERIOD_FRAMES)
    rig.feed(source)
    with ExitStack() as beside:
        beside.enter_context(studio_on_a_stopped_terminal(home))
        beside.enter_context(busy_processes(2))
        record(home, rig, source, 600, loop=False)
    source.unlink()
    for file in home.rglob("*.wav"):
        file.unlink()
