"""A box without a clock of its own: its time jumps, and what was made later still comes later."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

import msgspec
import pytest

from sessions import store
from sessions.layout import clip_info
from sessions.model import Session, Track
from sessions.store import Library
from tests.sessions.helpers import new_bounce, new_take


@pytest.fixture
def years_back(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many years the clock is behind; a test changes it."""
    behind = [0]

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) - timedelta(days=365 * behind[0])

    monkeypatch.setattr(store, "datetime", Jumping)
    return behind


def test_sessions_stay_in_the_order_of_their_making(library: Library, years_back: list[int]) -> None:
    made = []
    for back in (0, 1, 5, 0, 2):
        years_back[0] = back
        made.append(library.create_session("Evening").id)
    assert [session.id for session in library.sessions()] == made[::-1]
    assert library.session("Evening").id == made[-1]


def test_takes_are_numbered_and_listed_in_the_order_of_their_making(library: Library, session: Session) -> None:
    numbers = []
    for year in (2026, 2025, 1970, 2026):
        number = library.next_take_number(session.id)
        library.begin_take(new_take(session, number, started_utc=f"{year}-06-01T10:00:00+00:00"))
        numbers.append(number)
    assert numbers == [take.number for take in library.takes(session.id)] == [1, 2, 3, 4]


def test_the_newest_bounce_is_the_one_that_was_made_last(library: Library, session: Session) -> None:
    made = []
    for year in ("2026", "2025", "1970"):
        bounce_id, _ = library.new_bounce(session.id, "mix", 1)
        library.save_bounce(new_bounce(session.id, bounce_id, created_utc=f"{year}-01-01T00:00:00+00:00"))
        made.append(bounce_id)
    assert [one.id for one in library.bounces(session.id)] == made[::-1]


def test_a_bounce_that_is_saved_again_keeps_its_place(library: Library, session: Session) -> None:
    for _ in range(2):
        library.save_bounce(new_bounce(session.id, library.new_bounce(session.id, "mix", 1)[0], created_utc=""))
    newest, first = library.bounces(session.id)
    library.save_bounce(msgspec.structs.replace(first, frames=2))
    assert [one.id for one in library.bounces(session.id)] == [newest.id, first.id]


def test_a_header_says_what_the_box_s_clock_said_and_clips_lie_apart_as_they_were_played(session: Session) -> None:
    take = new_take(session, tracks=(Track(id="t1", name="Kick"),), started_utc="1970-01-01T00:00:07+00:00")
    take = msgspec.structs.replace(take, time_reference_samples=7 * 48_000)
    first, second = (clip_info(take, take.tracks[0], session.name, start) for start in (0, 96_000))
    assert (first.started_utc, second.started_utc) == ("1970-01-01T00:00:07+00:00", "1970-01-01T00:00:09+00:00")
    assert second.time_reference_samples - first.time_reference_samples == 96_000
