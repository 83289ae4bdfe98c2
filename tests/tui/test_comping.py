"""The Takes and Sessions screens' keys: a comp put together, heard and made; takes compared; sessions in order."""

from __future__ import annotations

import math

import msgspec
import pytest

from core.protocol import requests, topics
from core.protocol.requests import Play, SetComp
from core.protocol.topics import Comp, CompTopic, Marker, Overview, TransportTopic
from tests.tui.harness import RATE_HZ, Recorder, band_picture, overview, screen_lines, studio, take
from tests.tui.test_keys_to_requests import asked
from tests.tui.test_screens import SESSIONS, comp_picture
from tests.tui.test_with_engine import engine, text_of, until  # noqa: F401 - a fixture
from tui.app import Studio
from tui.look import Look
from tui.picture import Picture

ONE, TWO, LENGTH = 1, 2, 187 * RATE_HZ


def laid(request: SetComp) -> Comp:
    """What an engine answers."""
    return Comp(parts=request.parts, fade_ms=request.fade_ms)


def answering(**more: object) -> Recorder:
    return Recorder({SetComp: laid, requests.GetOverview: overview(), **more})


async def asked_of(picture: Picture, *keys: str) -> list[object]:
    return await asked(picture, *keys, recorder=answering())


def parts_of(request: object) -> list[tuple[int, int, int]]:
    assert isinstance(request, SetComp)
    return [(part.take, part.start_samples, part.end_samples) for part in request.parts]


def comp_of(request: object) -> CompTopic:
    assert isinstance(request, SetComp)
    return CompTopic(comp=Comp(parts=request.parts, fade_ms=request.fade_ms))


async def test_the_first_take_is_taken_whole_and_a_stretch_is_chosen_by_keys() -> None:
    assert parts_of((await asked_of(band_picture(), "2", "plus"))[-1]) == [(TWO, 0, LENGTH)]
    keys = [
        "2",
        *["greater_than_sign"] * 3,
        "left_parenthesis",
        "greater_than_sign",
        "right_parenthesis",
        "down",
        "plus",
    ]
    start, end = (round(LENGTH * tenths / 10) for tenths in (3, 4))
    assert parts_of((await asked_of(band_picture(), *keys))[-1]) == [
        (TWO, 0, start),
        (ONE, start, end),
        (TWO, end, LENGTH),
    ]


async def test_without_a_stretch_nothing_is_put_into_a_comp_that_is_begun() -> None:
    app, recorder = studio(comp_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "plus")
        await pilot.pause(0.1)
        assert "No stretch is chosen. ( where it begins" in "\n".join(screen_lines(app))
    assert not [request for request in recorder.requests if isinstance(request, SetComp)]


async def test_the_same_stretch_is_tried_with_one_take_after_the_other() -> None:
    picture = band_picture()
    app, recorder = studio(picture, None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", *["greater_than_sign"] * 5, "left_parenthesis", "down", "plus")
        await pilot.pause(0.1)
        first = recorder.requests[-1]
        half = round(LENGTH / 2)
        assert parts_of(first) == [(TWO, 0, half), (ONE, half, LENGTH)]
        await pilot.press("up", "plus")
        await pilot.pause(0.1)
        assert parts_of(recorder.requests[-1]) == [(TWO, 0, LENGTH)]
        await pilot.press("escape")
        assert app.screen is app._screens["takes"]
        assert "from" not in "\n".join(screen_lines(app)[9:10])


async def test_a_marker_to_the_next_is_a_stretch() -> None:
    begun = band_picture(comp=comp_of(SetComp(parts=(topics.CompPart(take=ONE, start_samples=0, end_samples=LENGTH),))))
    sent = await asked_of(begun, "2", "tab", "plus")
    verse = 61 * RATE_HZ, 95 * RATE_HZ
    assert parts_of(sent[-1]) == [(ONE, 0, verse[0]), (TWO, *verse), (ONE, verse[1], LENGTH)]


async def test_parts_are_slipped_taken_away_undone_and_heard_at_their_seams() -> None:
    keys = ["2", "up", "tab", "right", "less_than_sign", "enter", "delete", "u", "U", "up", "up"]
    sent = await asked_of(comp_picture(), *keys)
    begin = 61 * RATE_HZ + 1_200
    assert parts_of(sent[0])[1] == (ONE, begin + 240, 100 * RATE_HZ + 240)
    assert parts_of(sent[1])[1] == (ONE, begin - 2_160, 100 * RATE_HZ - 2_160)
    assert sent[2] == Play(comp=True, at_s=59.0)
    assert parts_of(sent[3]) == [(TWO, 0, LENGTH)]
    assert sent[4:] == [requests.StepComp(), requests.StepComp(redo=True)]


async def test_how_long_seams_take_is_typed_and_shown() -> None:
    app, recorder = studio(comp_picture(), None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "up", "V", *["backspace"] * 2, *"40", "enter")
        await pilot.pause(0.1)
        assert recorder.requests[-1] == SetComp(parts=comp_picture().comp.comp.parts, fade_ms=40.0)
        assert "seams 40 ms" in text_of(app)
        asked_before = len(recorder.requests)
        await pilot.press("V", *["backspace"] * 2, *"4000", "enter")
        await pilot.pause(0.1)
        assert len(recorder.requests) == asked_before
        assert "'4000' does not do." in text_of(app)


async def test_a_part_is_put_where_it_belongs_by_a_number() -> None:
    sent = await asked_of(comp_picture(), "2", "up", "tab", "equals_sign", *["backspace"] * 6, *"40 ms", "enter")
    before = comp_picture().comp.comp.parts
    begin = parts_of(sent[-1])[1][1]
    seam = before[0].end_samples - before[0].start_samples
    assert begin == seam + round(0.040 * RATE_HZ)
    assert parts_of(sent[-1])[0] == (before[0].take, before[0].start_samples, before[0].end_samples)


async def test_a_change_while_something_plays_is_heard_at_once() -> None:
    playing = msgspec.structs.replace(
        comp_picture(), transport=TransportTopic(state="playing", comp=True, position_s=5.0)
    )
    sent = await asked_of(playing, "2", "up", "tab", "right")
    assert [type(request) for request in sent] == [SetComp, Play]
    assert sent[1] == Play(comp=True, at_s=59.0)


async def test_a_take_is_made_by_a_worker_and_taken_up_again() -> None:
    picture = comp_picture()
    made = take(3, origin="comp", comp=picture.comp.comp)
    picture = msgspec.structs.replace(picture, takes=topics.TakesTopic(takes=(*picture.takes.takes, made)))
    sent = await asked_of(picture, "2", "T", *"Best", "enter", "E", "delete", "up", "delete")
    assert sent[0] == requests.StartJob(kind="comp", options={"name": "Best"})
    assert sent[1] == SetComp(parts=picture.comp.comp.parts)
    assert sent[2] == requests.TrashTake(take=3)
    assert sent[3] == SetComp(parts=())


def loud(level_lufs: float | None) -> Overview:
    return msgspec.structs.replace(overview(), level_lufs=level_lufs)


@pytest.mark.parametrize(("levels", "gains"), [((-20.0, -26.0), (0.0, -6.0)), ((None, -26.0), (0.0, 0.0))])
async def test_two_takes_are_compared_at_the_same_place_and_equally_loud(
    levels: tuple[float | None, float], gains: tuple[float, float]
) -> None:
    marks = ((Marker(at_samples=50 * RATE_HZ, name="Chorus"),), (Marker(at_samples=60 * RATE_HZ, name="chorus"),))
    takes = tuple(take(n, markers=marks[n - 1]) for n in (1, 2))
    looks = {1: loud(levels[1]), 2: loud(levels[0])}
    playing = band_picture(
        takes=topics.TakesTopic(takes=takes),
        transport=TransportTopic(state="playing", take=2, position_s=70.0),
        meters=None,
    )
    app, recorder = studio(playing, None, Recorder({requests.GetOverview: lambda request: looks[request.take]}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await pilot.pause(0.1)
        await pilot.press("down")
        await pilot.pause(0.2)
        await pilot.press("x")
        await pilot.pause(0.1)
        assert recorder.requests[-1] == Play(take=1, at_s=60.0, gain_db=gains[0])
        recorder.fed.put_nowait(TransportTopic(state="playing", take=1, position_s=61.0))
        await pilot.pause(0.2)
        await pilot.press("x")
        await pilot.pause(0.1)
        assert recorder.requests[-1] == Play(take=2, at_s=71.0, gain_db=gains[1])


async def test_overdubs_are_compared_with_what_is_heard_under_them() -> None:
    base = take(1)
    over = [take(n, overdub_of=1, tracks=base.tracks[:2]) for n in (2, 3)]
    looks = {1: loud(-20.0), 2: loud(-14.0), 3: loud(-30.0)}
    playing = band_picture(
        takes=topics.TakesTopic(takes=(base, *over)),
        transport=TransportTopic(state="playing", take=3, position_s=70.0),
        meters=None,
    )
    app, recorder = studio(playing, None, Recorder({requests.GetOverview: lambda request: looks[request.take]}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2")
        await pilot.pause(0.1)
        await pilot.press("down")
        await pilot.pause(0.2)
        await pilot.press("x")
        await pilot.pause(0.1)
    request = recorder.requests[-1]
    assert isinstance(request, Play)
    powers = [(10 * 10**-2.0 + 2 * 10 ** (own / 10)) / 12 for own in (-14.0, -30.0)]
    assert request.take == 2
    assert request.gain_db == pytest.approx(10 * math.log10(powers[1] / powers[0]))


async def test_takes_are_found_by_words() -> None:
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("2", "slash", *"slow", "enter")
        await pilot.pause(0.1)
        listed = "\n".join(screen_lines(app)[1:9])
        assert "Takes with 'slow'" in listed
        assert "Slow" in listed
        assert "false" not in listed


# ------------------------------------------------------------------ sessions

LISTS = (requests.ListSessions, requests.ListUnreadable)


async def sessions(*keys: str, picture: Picture | None = None) -> list[object]:
    sent = await asked(picture or band_picture(), "S", *keys, recorder=Recorder({requests.ListSessions: SESSIONS}))
    return [request for request in sent if not isinstance(request, LISTS)]


async def test_sessions_are_opened_named_noted_and_put_into_the_trash() -> None:
    blue = SESSIONS[1].id
    assert await sessions("down", "n", "2", "enter", "w", "!", "enter", "delete", "enter") == [
        requests.EditSession(session=blue, name="2"),
        requests.EditSession(session=blue, notes="!"),
        requests.TrashSession(session=blue),
        requests.OpenSession(session=blue),
    ]


async def test_sessions_are_found_by_name_day_and_notes() -> None:
    for words in ("2026-11-20", "BORROWED amp"):
        assert await sessions("slash", *words, "enter", "enter") == [requests.OpenSession(session=SESSIONS[1].id)]


async def test_emptying_the_trash_alone_is_asked_twice() -> None:
    entry = topics.TrashEntry(
        id="0001", kind="session", title="session 'Gig'", path="x", bytes=5, trashed_utc="2026-11-22"
    )
    for keys, last in (
        (["R", "end", "down", "enter", "enter"], requests.ListTrash()),
        (["R", "down", "enter", "down", "enter"], requests.EmptyTrash()),
        (["R", "enter"], requests.Restore(entry="0001")),
    ):
        recorder = Recorder({requests.ListTrash: [entry], requests.ListSessions: SESSIONS})
        sent = await asked(band_picture(), "S", *keys, recorder=recorder)
        assert [one for one in sent if not isinstance(one, LISTS)][-1] == last


HARMED = topics.UnreadableSession(
    id="2026-11-18 Harmed",
    message="2026-11-18 Harmed/session.json can't be read (JSON is malformed: unexpected character (byte 17)). "
    "The audio files beside it are untouched.",
    hint="'oto doctor --repair' mends what it can, once the engine has ended.",
)


async def test_a_session_that_cannot_be_read_is_listed_says_why_and_is_not_opened() -> None:
    recorder = Recorder({requests.ListSessions: SESSIONS, requests.ListUnreadable: [HARMED]})
    app, _ = studio(band_picture(), None, recorder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("S")
        await pilot.pause(0.05)
        lines = screen_lines(app)
        assert any("1 at the end can't be read" in line for line in lines)
        assert any("can't be read" in line and "2026-11-18 Harmed" in line for line in lines)
        await pilot.press("end")
        await pilot.pause(0.05)
        shown = " ".join(" ".join(screen_lines(app)).split())
        assert HARMED.message in shown
        await pilot.press("enter", "n", "w", "delete")
        await pilot.pause(0.05)
        assert "'oto doctor --repair' mends what it can" in " ".join(" ".join(screen_lines(app)).split())
        assert [one for one in recorder.requests if not isinstance(one, (requests.Attach, *LISTS))] == []
        await pilot.press("slash", *"harmed", "enter")
        await pilot.pause(0.05)
        assert any("Sessions with 'harmed', 1 at the end can't be read" in line for line in screen_lines(app))


# ------------------------------------------------------------------ with an engine


async def test_two_takes_of_the_band_become_one(engine) -> None:  # noqa: F811
    app = Studio(look=Look())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.picture.device.current is not None and app.picture.meters is not None, "meters")
        for number in (1, 2):
            await pilot.press("r")
            await until(pilot, lambda: app.picture.recording and app.picture.position_s > 1.0, "a running take")
            await pilot.press("s")
            await until(pilot, lambda n=number: len(app.picture.finished_takes) == n, "the finished take")
        await pilot.press("2")
        await until(pilot, lambda: "Takes of" in text_of(app), "the screen")
        await pilot.press(*["greater_than_sign"] * 5, "left_parenthesis", "down", "plus")
        await until(pilot, lambda: "of 2, 1" in text_of(app), "the comp")
        await pilot.press("home", "space")
        await until(pilot, lambda: app.picture.transport.comp and app.picture.position_s > 0.1, "the comp being heard")
        await pilot.press("s")
        await pilot.press("T", *"Best", "enter")
        await until(pilot, lambda: len(app.picture.finished_takes) == 3, "the take that was made of it", 60.0)
        await until(pilot, lambda: "comp of 2, 1" in text_of(app), "it in the list")
        await pilot.press("u")
        await until(pilot, lambda: not app.picture.comp.comp.parts, "nothing again")
    made = engine.status().takes.takes[-1]
    assert (made.origin, made.name, len(made.clips)) == ("comp", "Best", 3)
    assert [part.take for part in made.comp.parts] == [2, 1]
