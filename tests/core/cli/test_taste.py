"""`oto taste`, with no engine running and with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from core.client import ensure_engine
from core.errors import Exit
from core.jobs.work import plan_bytes, read_plan
from core.plans.document import MixPlan
from core.plans.editing import Turn, with_turn
from sessions.importing import import_recordings
from sessions.store import Library


@pytest.fixture
def changed(oto: Any, home: Path, stage: Path) -> None:
    """One mix in which the bass was turned up by 3 dB."""
    library = Library(home / "library")
    import_recordings(library, [stage / "3 Bass.wav", stage / "1 Kick.wav"], name="Song")
    assert oto("mix", "Song", "--engineer", "rules").code == 0
    session = library.session("Song").id
    plan = read_plan(library.load_plan(session, "mix", 1) or b"", "the plan")
    assert isinstance(plan, MixPlan)
    bass = next(strip for strip in plan.strips if strip.role == "bass")
    louder = Turn(strip=bass.track, name="fader_db", value=float(bass.settings["fader_db"].value) + 3.0)
    library.save_plan(session, "mix", 1, plan_bytes(with_turn(plan, louder)))


def test_nothing_is_known_of_a_new_studio(oto: Any) -> None:
    assert oto("taste", "--json").json == {"on": True, "since_utc": None, "leans": []}
    assert "Nothing is known yet" in oto("taste").out


def test_what_was_changed_is_listed_and_can_be_forgotten(oto: Any, changed: None) -> None:
    leans = {(lean["role"], lean["knob"]): lean for lean in oto("taste", "--json").json["leans"]}
    assert leans["bass", "fader_db"]["mean_db"] == pytest.approx(1.5)  # against the middle of two faders
    assert (leans["bass", "fader_db"]["mixes"], leans["bass", "fader_db"]["followed"]) == (1, False)
    shown = oto("taste").out
    assert "+1.5 dB" in shown
    assert "+0.0 dB" not in shown
    told = oto("taste", "forget", "--json").json
    assert told["leans"] == []
    assert told["since_utc"] == oto("settings", "taste_since", "--json").json["taste_since"]


def test_the_moment_from_which_mixes_count_is_one_in_utc(oto: Any, changed: None) -> None:
    assert oto("settings", "taste_since", "yesterday", "--json").code == Exit.BAD_INPUT
    assert oto("taste", "--json").json["leans"]
    ahead = (datetime.now(UTC) - timedelta(hours=1)).astimezone(timezone(timedelta(hours=9)))
    assert oto("settings", "taste_since", ahead.isoformat()).code == 0
    assert oto("taste", "--json").json["leans"], "an hour ago, by a clock that is ahead"
    assert oto("settings", "taste_since", "").code == 0


def test_it_can_be_switched_off(oto: Any) -> None:
    assert oto("settings", "taste", "off").code == 0
    assert "don't lean" in oto("taste").out


def test_a_running_engine_has_a_worker_read_it(oto: Any, changed: None) -> None:
    ensure_engine()
    assert oto("taste", "--json").json["leans"]
