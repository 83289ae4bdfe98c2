from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from sessions.model import Session, Track
from sessions.store import Library

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def session(library: Library) -> Session:
    return library.create_session(
        "Rehearsal", tracks=[Track(id="t1", name="Kick", input=1), Track(id="t2", name="Snare", input=2)]
    )
