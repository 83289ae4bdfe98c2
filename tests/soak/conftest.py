"""Long proofs of the recorder: `./oto test soak`."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from tests.rig.fixtures import jack_rig, loop_drive, start_engine
from tests.rig.signals import write_long_noise

__all__ = ["jack_rig", "loop_drive", "start_engine"]

INPUTS = 18
PERIOD_FRAMES = 1024
"""A server that waits so long for its clients, 21 ms, stands a busy box; what is recorded is the same."""


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise on 18 channels, as one file: a whole number of periods, so that it repeats without a seam."""
    path = tmp_path_factory.mktemp("noise") / "noise.wav"
    write_long_noise(path, channels=INPUTS, seconds=20.48)
    return path


@pytest.fixture(scope="session")
def stage(noise: Path) -> Path:
    """The same noise as a folder of 18 files, for the simulated interface."""
    folder = noise.parent / "stage"
    folder.mkdir()
    audio, rate_hz = soundfile.read(noise, dtype="int16")
    for channel in range(INPUTS):
        soundfile.write(folder / f"{channel + 1:02d} Mic.wav", audio[:, channel], rate_hz, subtype="PCM_16")
    return folder
