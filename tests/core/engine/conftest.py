"""Engines for this room's tests: real processes on the simulated interface, playing a small folder of known audio."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.rig.engine import EngineRig
from tests.rig.fixtures import jack_rig, loop_drive

__all__ = ["jack_rig", "loop_drive"]

RATE = 48_000


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """A folder that plays as four inputs for 20 s; every sample of each is different, so that any stretch is found."""
    folder = tmp_path_factory.mktemp("stage")
    chance = np.random.default_rng(7)
    for number, name in enumerate(("Kick", "Snare", "Bass", "Voice"), start=1):
        audio = chance.integers(-(2**22), 2**22, 20 * RATE, dtype=np.int32) << 8
        soundfile.write(folder / f"{number:02d} {name}.wav", audio, RATE, subtype="PCM_24")
    return folder


@pytest.fixture(scope="session")
def stage_audio(stage):
    """What the stage plays, (frames, inputs) of 24-bit integers."""
    return np.stack([soundfile.read(path, dtype="int32")[0] >> 8 for path in sorted(stage.iterdir())], axis=1)


@pytest.fixture
def start_engine(tmp_path):
    """Starts engines; each in a home of its own unless told."""
    with ExitStack() as running:

        def start(
            device: str, *arguments: str, home: Path | None = None, env: dict[str, str] | None = None
        ) -> EngineRig:
            return running.enter_context(EngineRig(home or tmp_path / "home", device, *arguments, env=env))

        yield start


@pytest.fixture
def engine(start_engine, stage):
    """One engine on the simulated stage, in real time."""
    return start_engine(f"sim:{stage}")


def take_audio(status, take):
    """A take's files, (frames, tracks) of 24-bit integers; clips laid on the timeline."""
    folder = Path(status.session.path) / "takes" / f"{take.number:03d}"
    order = {track.id: index for index, track in enumerate(take.tracks)}
    out = np.zeros((take.frames, len(take.tracks)), dtype=np.int32)
    for clip in take.clips:
        audio = soundfile.read(folder / clip.file, dtype="int32")[0] >> 8
        assert len(audio) == clip.frames
        out[clip.start_samples : clip.start_samples + clip.frames, order[clip.track]] = audio
    return out


def find_in(source, part):
    """Where `part` begins in `source`, which repeats; fails when it is nowhere."""
    first = np.flatnonzero(source[:, 0] == part[0, 0])
    for at in first:
        wanted = source[(at + np.arange(len(part))) % len(source)]
        if np.array_equal(wanted, part):
            return int(at)
    raise AssertionError("the recorded audio is not a stretch of what was played")
