"""Where OTO keeps things."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import paths


def test_work_on_plain_files_founds_no_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "studio"))
    assert paths.scratch().is_dir()
    assert not (tmp_path / "studio").exists()


def test_large_files_of_a_studio_lie_on_its_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTO_HOME", str(tmp_path))
    assert paths.scratch() == tmp_path / "cache"
    assert paths.scratch().is_dir()
