"""A studio that is open for a week needs no more memory than on its first evening."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from rich.cells import cached_cell_len, cell_len
from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.harness import band_picture, studio
from tui import app as studio_app


class Ring:
    """Something that holds on to itself, as a screen and its widgets do."""

    def __init__(self) -> None:
        self.itself = self


async def strips_after(pilot: Pilot[None], dialogs: int) -> int:
    """Painted lines that are still held after so many dialogs were opened and left."""
    for _ in range(dialogs):
        await pilot.press("colon")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
    gc.collect()
    return sum(isinstance(one, Strip) for one in gc.get_objects())


async def test_a_dialog_that_was_left_is_forgotten() -> None:
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        first = await strips_after(pilot, 5)
        assert await strips_after(pilot, 10) <= first + 20  # each that is held on to would be dozens


async def test_what_holds_on_to_itself_is_gone_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_app, "COLLECT_EVERY_S", 0.05)
    app, _ = studio(band_picture())
    gc.disable()
    try:
        async with app.run_test(size=(80, 24)):
            left = weakref.ref(Ring())
            assert left() is not None
            async with asyncio.timeout(30):
                while left() is not None:
                    await asyncio.sleep(0.02)
    finally:
        gc.enable()


async def test_texts_that_were_shown_once_are_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_app, "COLLECT_EVERY_S", 0.05)
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)):
        for second in range(1000):
            cell_len(f"0:{second // 60:02}:{second % 60:02} of a clock")
        async with asyncio.timeout(30):
            while cached_cell_len.cache_info().currsize > 500:
                await asyncio.sleep(0.02)
