"""A studio that is open for a week needs no more memory than on its first evening."""

from __future__ import annotations

import gc

from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.harness import band_picture, studio


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
