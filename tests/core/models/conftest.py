"""A toy model that can be broken, and a studio of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy")


@pytest.fixture(scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that the toy is tried out once in a module."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def home(_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTO_HOME", str(_home))
    return _home


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with the toy model and its card, to be changed at will."""
    return Path(shutil.copytree(TOY, tmp_path / "toy"))
