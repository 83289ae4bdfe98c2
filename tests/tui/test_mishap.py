"""A mistake of the studio itself never shows the program: a sentence, and the rest in a log."""

from __future__ import annotations

import asyncio

import pytest

from tests.tui.harness import band_picture, screen_lines, studio
from tui.app import FRAME_S
from tui.mishap import MishapError
from tui.screens.record import RecordScreen
from tui.screens.takes import TakesScreen


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OTO_HOME", str(tmp_path))
    return tmp_path


def broken(*_: object) -> None:
    raise ZeroDivisionError("a bar of no beats")


async def test_a_key_that_fails_is_told_and_the_studio_goes_on(home, monkeypatch) -> None:
    monkeypatch.setattr(RecordScreen, "do_arm", broken)
    app, recorder = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert "The studio made a mistake and goes on." in text
        assert "Traceback" not in text
        await pilot.press("r")
        await pilot.pause()
        assert len(recorder.requests) == 1
    assert "ZeroDivisionError: a bar of no beats" in (home / "studio.log").read_text()


async def test_work_behind_a_key_that_fails_is_told(home, monkeypatch) -> None:
    async def later(_: object) -> None:
        broken()

    monkeypatch.setattr(RecordScreen, "do_rename", later)
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("n")
        await pilot.pause()
        assert "The studio made a mistake" in "\n".join(screen_lines(app))


async def test_a_screen_that_cannot_be_painted_is_told_once_and_the_others_go_on(home, monkeypatch) -> None:
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        monkeypatch.setattr(RecordScreen, "show_body", broken)
        for _ in range(3):
            app.paint()
            await pilot.pause()
        monkeypatch.undo()
        monkeypatch.setenv("OTO_HOME", str(home))
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(app.screen, TakesScreen)
    assert (home / "studio.log").read_text().count("Traceback") == 1


async def test_news_that_come_while_the_studio_is_left_are_no_mistake(home, monkeypatch) -> None:
    app, recorder = studio(band_picture())
    close_screens = app._close_all

    async def close_screens_and_hear_more() -> None:
        await close_screens()
        recorder.fed.put_nowait(band_picture().transport)
        await asyncio.sleep(4 * FRAME_S)

    monkeypatch.setattr(app, "_close_all", close_screens_and_hear_more)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
    assert not (home / "studio.log").exists()


async def test_where_no_log_can_be_written_the_journal_is_where_it_stands(home, monkeypatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("OTO_HOME", str(home / "file"))
    monkeypatch.setattr(RecordScreen, "do_arm", broken)
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        assert app.picture.said is not None
        assert "the system's journal" in app.picture.said.hint


async def test_what_nothing_can_catch_ends_the_studio_with_a_sentence(home, monkeypatch, capsys) -> None:
    app, _ = studio(band_picture())
    ended: BaseException | None = None
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            app.call_later(broken)
            await pilot.pause()
    except MishapError as error:  # a test's terminal hands on what a real one prints
        ended = error
    assert isinstance(ended, MishapError)
    assert "ZeroDivisionError" in (home / "studio.log").read_text()
    assert app.return_code == 1
    app._print_error_renderables()
    said = " ".join(capsys.readouterr().err.split())
    assert "'oto' opens it again" in said
    assert "Traceback" not in said
    assert "ZeroDivisionError" not in said
