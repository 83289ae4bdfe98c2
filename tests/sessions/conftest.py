from __future__ import annotations

from pathlib import Path

import pytest

from sessions.model import Session, Track
from sessions.store import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def session(library: Library) -> Session:
    return library.create_session(
        "Rehearsal", tracks=[Track(id="t1", name="Kick", input=1), Track(id="t2", name="Snare", input=2)]
    )
