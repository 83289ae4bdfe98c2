"""Settings that a disk or a hand has spoiled keep nobody from recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import settings as settings_file
from core.engine.board import Board
from core.engine.preferences import Preferences
from core.protocol.topics import NoticesTopic
from core.settings import Settings

KEPT = Settings(device="sim:band", preroll_s=2.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTO_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("spoiled", [b"", b"\0\0\0", b"[]", b"null", b"{", b'{"device": "\xff"}'])
def test_a_file_that_is_none_of_settings_gives_way_to_defaults_and_is_kept(home: Path, spoiled: bytes) -> None:
    file = home / "settings.json"
    file.write_bytes(spoiled)
    board = Board()
    assert Preferences(board).now() == settings_file.load(file) == Settings()
    assert (home / "settings.json.damaged").read_bytes() == spoiled
    (notice,) = board.get(NoticesTopic).notices
    assert notice.level == "warning"
    assert str(file) in notice.message


def test_one_wrong_setting_costs_no_other(home: Path) -> None:
    file = home / "settings.json"
    settings_file.save(KEPT, file)
    file.write_text(file.read_text().replace("48000", '"fast"'))
    assert Preferences(Board()).now() == KEPT


def test_a_second_mishap_keeps_the_first_file_too(home: Path) -> None:
    for mishap in (b"1", b"2"):
        (home / "settings.json").write_bytes(mishap)
        Preferences(Board())
    assert [path.read_bytes() for path in sorted(home.glob("*.damaged*"))] == [b"1", b"2"]


def test_settings_in_order_are_left_as_they_are(home: Path) -> None:
    settings_file.save(KEPT, home / "settings.json")
    before = (home / "settings.json").read_bytes()
    board = Board()
    assert Preferences(board).now() == KEPT
    assert (home / "settings.json").read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["settings.json"]
    assert board.get(NoticesTopic).notices == ()
