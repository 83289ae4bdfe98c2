"""What is painted past Textual looks as if Textual had written it, on every theme, and behind dialogs too."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.geometry import Size
from textual.pilot import Pilot

from core.protocol.topics import Meters
from tests.tui.harness import recording_picture, studio
from tests.tui.terminal import Terminal
from tui.app import FRAME_BEHIND_S, Studio
from tui.look import PALETTES, Look
from tui.screens.base import StudioScreen
from tui.sparing import SparingDriver

SIZE = (80, 24)
FRAMES = 3


class Log:
    """Where a driver's writing ends."""

    def __init__(self) -> None:
        self.sent = ""

    def write(self, data: str) -> None:
        self.sent += data


class Wire(SparingDriver):
    """The studio's driver, with the other end of its wire in the hand."""

    def start_application_mode(self) -> None:
        self._writer_thread = Log()  # type: ignore[assignment]
        resize = events.Resize(Size(*SIZE), Size(*SIZE))
        self.task = asyncio.get_running_loop().create_task(self._app._post_message(resize))

    def taken(self) -> str:
        """What was sent since the last time."""
        log, self._writer_thread = self._writer_thread, Log()  # type: ignore[assignment]
        return log.sent

    def disable_input(self) -> None:
        pass

    def stop_application_mode(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _get_terminal_size(self) -> tuple[int, int]:
        return SIZE


def frame(number: int, inputs: int) -> Meters:
    """Levels that all differ from the frame before."""
    levels = tuple(-60.0 + (7.3 * number + 11.0 * at) % 60.0 for at in range(inputs))
    softer = tuple(level - 6.0 for level in levels)
    return Meters(
        peak_dbfs=levels, hold_dbfs=levels, rms_dbfs=softer, clips=(number % 2,) * inputs, position_s=300.0 + number
    )


async def sent(app: Studio, pilot: Pilot[None]) -> str:
    """What is sent until nothing more comes."""
    wire = app._driver
    assert isinstance(wire, Wire)
    everything = ""
    quiet = 0
    while quiet < 2:
        await pilot.pause(0.1 if isinstance(app.screen, StudioScreen) else 1.5 * FRAME_BEHIND_S)
        more = wire.taken()
        quiet = 0 if more else quiet + 1
        everything += more
    return everything


@pytest.mark.parametrize(("theme", "dialog"), [*((theme, False) for theme in PALETTES), ("night", True)])
async def test_a_screen_that_was_painted_looks_like_one_that_was_sent_whole(theme, dialog) -> None:
    app, recorder = studio(recording_picture(18), Look(theme=theme))
    app.driver_class = Wire
    async with app.run_test(headless=False, size=SIZE) as pilot:
        while app.picture.meters is None or app.screen.size != Size(*SIZE):
            await pilot.pause(0.01)
        if dialog:
            await pilot.press("colon")
        followed, whole = Terminal(SIZE[0]), Terminal(SIZE[0])
        followed.take(await sent(app, pilot))
        before = dict(followed.cells)
        for number in range(FRAMES):
            recorder.fed.put_nowait(frame(number, 18))
            while app.picture.position_s != 300.0 + number:
                await pilot.pause(0.01)
            followed.take(await sent(app, pilot))
        app.redraw()
        whole.take(await sent(app, pilot))
    assert followed.cells == whole.cells
    assert len(whole.cells) == SIZE[0] * SIZE[1]
    assert followed.cells != before
