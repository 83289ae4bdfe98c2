"""A library with one short take in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sessions.importing import import_recordings
from sessions.store import Library


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "studio"))
    return tmp_path / "studio"


@pytest.fixture
def library(home: Path, tmp_path: Path) -> Library:
    """A session "Duo" with take 1: a bass and a voice, two seconds."""
    time_s = np.arange(2 * 48_000) / 48_000
    stage = tmp_path / "stage"
    stage.mkdir()
    soundfile.write(stage / "Bass.wav", 0.3 * np.sin(2 * np.pi * 98 * time_s), 48_000, subtype="PCM_24")
    soundfile.write(stage / "Vox.wav", 0.1 * np.sin(2 * np.pi * 392 * time_s), 48_000, subtype="PCM_24")
    made = Library(home / "library")
    import_recordings(made, [stage], name="Duo")
    return made
