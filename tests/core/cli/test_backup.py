"""`oto backup` and `oto restore` as scripts see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import Exit
from sessions.store import Library
from tests.core.cli.conftest import Oto


@pytest.fixture
def stick(tmp_path: Path, home: Path) -> Path:
    """A folder to back up to; the studio has one session."""
    Library(home / "library").create_session("Rehearsal")
    (home / "settings.json").write_text("{}")
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def test_a_backup_and_a_restore_say_what_they_did(oto: Oto, stick: Path, home: Path) -> None:
    made = oto("backup", stick, "--json")
    assert (made.code, made.json["number"], made.json["files"], made.json["left_out"]) == (Exit.OK, 1, 2, [])
    assert oto("backup", stick, "--json").json["copied_files"] == 0
    (session,) = Library(home / "library").session_ids()
    listed = oto("restore", stick, "--list", "--json").json
    assert [(one["number"], one["sessions"]) for one in listed] == [(2, [session]), (1, [session])]
    (home / "library").rename(home / "lost")
    back = oto("restore", stick, "--from", 1, "--json")
    assert back.code == Exit.OK
    assert back.json["sessions"] == [{"name": session, "state": "restored", "here": session}]
    assert back.json["settings"] == [{"name": "settings.json", "state": "there", "here": "settings.json"}]
    assert Library(home / "library").session_ids() == [session]


def test_what_the_drive_has_lost_is_named_and_ends_with_9(oto: Oto, stick: Path, home: Path) -> None:
    oto("backup", stick)
    next(stick.rglob("session.json")).unlink()
    (home / "library").rename(home / "lost")
    ran = oto("restore", stick)
    assert ran.code == Exit.VERIFY_FAILED
    assert "damaged on the drive: library/" in ran.out


def test_a_place_without_a_backup_is_not_found(oto: Oto, stick: Path) -> None:
    assert oto("restore", stick).code == Exit.NOT_FOUND
    assert oto("backup", "./nowhere").code == Exit.NOT_FOUND
