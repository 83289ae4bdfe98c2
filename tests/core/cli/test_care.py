"""`oto doctor --library` and `--repair`: what scripts see of a library's health."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec
import pytest

from core import paths
from core.cli.doctor import bytes_per_day
from core.client import ensure_engine
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
        {"state": "ok", "library": str(home / "library"), "mended": [], "left": [], "hashed": []},
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


def grown(folder: Path, ages_days: list[float], now_s: float) -> Path:
    folder.mkdir()
    for number, age in enumerate(ages_days):
        path = folder / f"{number}.wav"
        path.write_bytes(bytes(1_000))
        os.utime(path, (now_s - age * 86_400, now_s - age * 86_400))
    return folder


@pytest.mark.parametrize(
    ("ages_days", "expected"),
    [
        ([], None),
        ([0.0, 1.0, 6.0], None),
        ([0.0, 13.9, 14.0], 3_000 / 14),
        ([1.0, 27.0, 100.0, 400.0], 2_000 / 28),
        ([40.0], 0.0),
        ([-400.0, 20.0], None),
    ],
    ids=["empty", "too young", "two weeks", "older is not counted", "nothing lately", "the clock was wrong"],
)
def test_how_fast_a_library_grows_is_said_only_where_its_files_tell(
    ages_days: list[float], expected: float | None, tmp_path: Path
) -> None:
    now_s = 1_800_000_000.0
    found = bytes_per_day(grown(tmp_path / "library", ages_days, now_s), now_s)
    assert found == (expected if expected is None else pytest.approx(expected, rel=0.01))


def test_a_session_whose_document_is_damaged_is_not_simply_gone(oto: Oto, stage: Path, home: Path) -> None:
    assert oto("import", stage, "--name", "Rehearsal").code == 0
    document = next((home / "library").glob("*/session.json"))
    document.write_bytes(b"")
    listed = oto("sessions", "--json")
    assert (listed.code, listed.json) == (0, [])
    assert document.parent.name in listed.err
    assert "oto doctor --repair" in listed.err
    asked = oto("takes", "Rehearsal", "--json")
    assert asked.code == Exit.NOT_FOUND
    assert document.parent.name in asked.json["error"]["hint"]
    oto("doctor", "--repair")
    assert oto("sessions").err == ""


def test_a_take_whose_document_is_damaged_is_not_simply_gone(oto: Oto, stage: Path, home: Path) -> None:
    assert oto("import", stage, "--name", "Rehearsal").code == 0
    next((home / "library").glob("*/takes/001/take.json")).write_bytes(b"{")
    listed = oto("takes", "Rehearsal", "--json")
    assert (listed.code, listed.json) == (0, [])
    assert "takes/001 can't be read" in listed.err
    assert "oto takes" in oto("mix", "Rehearsal", "--json").json["error"]["hint"]


def test_what_is_lost_in_the_library_of_a_box_is_told_and_nobody_gets_a_studio_of_their_own(
    oto: Oto, stage: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Rehearsal", "Concert"):
        assert oto("import", stage, "--name", name).code == 0
    next((home / "library").glob("*Concert/takes/001/take.json")).write_bytes(b"{")
    socket = ensure_engine()
    monkeypatch.delenv("OTO_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "people"))
    monkeypatch.setattr(paths, "SYSTEM_SOCKET", socket)
    listed = oto("sessions", "--json")
    assert {session["name"] for session in listed.json} == {"Rehearsal", "Concert"}
    assert "Concert/takes/001 can't be read" in listed.err
    assert "Concert" not in oto("takes", "Rehearsal").err
    assert not (tmp_path / "people").exists()
    monkeypatch.setenv("OTO_HOME", str(home))
