from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions import journal
from sessions.errors import LibraryError
from sessions.journal import (
    ClipEnded,
    ClipStarted,
    Event,
    GapFound,
    Journal,
    LossCounted,
    MarkerAdded,
    TakeEnded,
    fold,
    in_use,
    read_journal,
)
from sessions.model import Clip, Gap, Losses, Marker, Session
from tests.sessions.helpers import new_take

SESSION = Session(id="2026-11-22 Rehearsal", name="Rehearsal", created_utc="")
NAMES = st.text(max_size=20)
PLACES = st.integers(0, 1 << 40)
FILES = st.sampled_from(["01 Kick.wav", "02 Snare.wav", "01 Kick (2).wav"])
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(ClipStarted, track=st.sampled_from(["t1", "t2"]), file=FILES, start_samples=PLACES),
    st.builds(ClipEnded, file=FILES, frames=PLACES),
    st.builds(MarkerAdded, at_samples=PLACES, name=NAMES),
    st.builds(GapFound, at_samples=PLACES, frames=st.none() | PLACES, cause=st.just("overflow")),
    st.builds(LossCounted, kind=st.sampled_from(["overflows", "disk_errors"]), count=st.integers(1, 9)),
    st.builds(TakeEnded, frames=PLACES),
)
IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


@given(events=st.lists(EVENTS, max_size=8), cut=st.integers(0, 10_000))
@IN_ONE_FOLDER
def test_a_torn_journal_gives_every_whole_line_before_the_tear_and_after_it(
    tmp_path: Path, events: list[Event], cut: int
) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    lines = Journal(path)
    for event in events:
        lines.append(event)
    lines.close()
    assert read_journal(path) == events

    torn = path.read_bytes()[:cut]
    path.write_bytes(torn)
    whole = torn.count(b"\n")
    # A line that only lost its line end still counts.
    survived = [events[:whole], events[: whole + 1]]
    assert read_journal(path) in survived
    lines = Journal(path)
    lines.append(MarkerAdded(at_samples=5, name="after"))
    lines.close()
    assert read_journal(path) in [[*kept, MarkerAdded(at_samples=5, name="after")] for kept in survived]


@given(events=st.lists(EVENTS, max_size=12))
def test_folding_again_or_from_a_checkpoint_changes_nothing(events: list[Event]) -> None:
    take = new_take(SESSION)
    once = fold(take, events)
    assert fold(once, events) == once
    resumed = fold(take, [*events, journal.checkpoint(once)])
    assert msgspec.structs.replace(resumed, frames=0) == msgspec.structs.replace(once, frames=0)


def test_a_take_is_what_its_journal_tells() -> None:
    take = fold(
        new_take(SESSION, name="Blue Monday", starred=True),
        [
            ClipStarted(track="t1", file="01 Kick.wav", start_samples=0),
            MarkerAdded(at_samples=900, name="Refrain"),
            MarkerAdded(at_samples=100, name="Strophe"),
            GapFound(at_samples=500, frames=20, cause="ring_overrun"),
            LossCounted(kind="ring_overruns"),
            LossCounted(kind="overflows", count=2),
            LossCounted(kind="overflows"),
            ClipEnded(file="01 Kick.wav", frames=1000),
            ClipStarted(track="t1", file="01 Kick (2).wav", start_samples=3000),
            ClipEnded(file="01 Kick (2).wav", frames=500),
            TakeEnded(frames=3500),
        ],
    )
    assert take.clips == (
        Clip(track="t1", file="01 Kick.wav", start_samples=0, frames=1000),
        Clip(track="t1", file="01 Kick (2).wav", start_samples=3000, frames=500),
    )
    assert take.markers == (Marker(at_samples=100, name="Strophe"), Marker(at_samples=900, name="Refrain"))
    assert take.gaps == (Gap(at_samples=500, frames=20, cause="ring_overrun"),)
    assert take.losses == Losses(overflows=3, ring_overruns=1)
    assert (take.frames, take.name, take.starred) == (3500, "Blue Monday", True)


def test_a_journal_has_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert not in_use(path)
    lines = Journal(path)
    assert in_use(path)
    with pytest.raises(LibraryError) as caught:
        Journal(path)
    assert caught.value.code == "busy"
    lines.close()
    lines.close()
    assert not in_use(path)


@pytest.mark.parametrize("harm", [b"\xff", b"\xed\xa0\x80", b"\0", b"{", b"\x80"])
def test_a_line_that_the_disk_spoiled_costs_no_other(tmp_path: Path, harm: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    lines = Journal(path)
    before, spoiled, after = (MarkerAdded(at_samples=at, name="Solo") for at in (1, 2, 3))
    for event in (before, spoiled, after):
        lines.append(event)
    lines.close()
    whole = path.read_bytes().split(b"\n")
    for at in range(1, len(whole[1])):
        line = whole[1][:at] + harm + whole[1][at + 1 :]
        path.write_bytes(b"\n".join([whole[0], line, *whole[2:]]))
        events = read_journal(path)
        assert (events[0], events[-1]) == (before, after)


def test_a_journal_that_is_not_there_has_no_events(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "journal.jsonl") == []
