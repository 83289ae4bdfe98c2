"""`oto doctor --library` and `--repair`: what scripts see of a library's health."""

from __future__ import annotations

import fcntl
from pathlib import Path

import msgspec
import pytest

from core.errors import Exit
from core.plans.document import MixPlan
from sessions.model import TakeTrack, Track
from sessions.store import Library
from tests.core.cli.conftest import Oto
from tests.sessions.helpers import new_take


@pytest.fixture
def session_folder(home: Path) -> Path:
    """A session with an empty take and a plan."""
    library = Library(home / "library")
    session = library.create_session("Rehearsal", tracks=[Track(id="t1", name="Kick", input=1)])
    library.begin_take(new_take(session, status="complete", tracks=(TakeTrack(id="t1", name="Kick"),)))
    library.save_plan(session.id, "mix", 1, msgspec.json.encode(MixPlan(oto_version="0", strips=())))
    return library.session_path(session.id)


def test_a_library_in_order_is_ok(oto: Oto, session_folder: Path, home: Path) -> None:
    ran = oto("doctor", "--library", "--json")
    assert (ran.code, ran.json) == (
        Exit.OK,
        {"state": "ok", "library": str(home / "library"), "mended": [], "left": []},
    )


def test_what_is_wrong_is_named_with_its_remedy_and_then_mended(oto: Oto, session_folder: Path) -> None:
    (session_folder / "session.json").write_text("{")
    plan = session_folder / "plans" / "mix-001.json"
    plan.write_text('{"kind":"mix"}')
    looked = oto("doctor", "--library", "--json")
    assert (looked.code, looked.json["state"]) == (Exit.FAILED, "fail")
    assert {one["code"] for one in looked.json["left"]} == {"session_document", "plan"}
    assert all(one["remedy"] for one in looked.json["left"])
    assert plan.read_text() == '{"kind":"mix"}'
    repaired = oto("doctor", "--repair", "--json")
    assert (repaired.code, repaired.json["state"], repaired.json["left"]) == (Exit.OK, "warn", [])
    assert {one["path"] for one in repaired.json["mended"]} == {one["path"] for one in looked.json["left"]}
    assert oto("doctor", "--repair", "--json").json["state"] == "ok"


def test_what_only_a_person_can_decide_is_left_and_ends_with_1(oto: Oto, session_folder: Path) -> None:
    (session_folder / "takes" / "001" / "loop.wav").write_bytes(b"not ours")
    ran = oto("doctor", "--repair")
    assert ran.code == Exit.FAILED
    assert "takes/001/loop.wav lies in a take that doesn't know of it" in ran.out
    assert (session_folder / "takes" / "001" / "loop.wav").read_bytes() == b"not ours"


def test_nothing_is_mended_under_the_hands_of_an_engine(oto: Oto, session_folder: Path, home: Path) -> None:
    (session_folder / "session.json").write_text("{")
    with (home / "engine.lock").open("w") as engine:
        fcntl.flock(engine, fcntl.LOCK_EX)
        ran = oto("doctor", "--repair", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (Exit.BUSY, "busy")
    assert (session_folder / "session.json").read_text() == "{"


def test_without_a_library_all_is_well(oto: Oto) -> None:
    assert oto("doctor", "--repair", "--json").json["state"] == "ok"
