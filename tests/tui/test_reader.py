"""The studio for who does not see it: lines that say what changed, and nothing drawn."""

from __future__ import annotations

from pathlib import Path

from core.protocol.requests import GetPlan
from core.protocol.topics import TransportTopic
from tests.tui.harness import Recorder, band_picture, band_plan, meters, topics_of
from tui.app import Studio
from tui.reader import LOOK, LineDriver, in_words
from tui.wishes import Wishes


async def test_screens_lines_states_and_refusals_are_said_and_levels_are_not(monkeypatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(Studio, "speak", lambda _, line: lines.append(line))
    picture, recorder = band_picture(), Recorder({GetPlan: band_plan()})
    for topic in topics_of(picture):
        recorder.fed.put_nowait(topic)
    app = Studio(recorder.connect, LOOK, Wishes(screen_reader=True))

    async def said(*parts: str) -> list[str]:
        """What was said until every part was."""
        for _ in range(600):
            if all(any(part in line for line in lines) for part in parts):
                heard = lines.copy()
                lines.clear()
                return heard
            await pilot.pause(0.05)
        raise AssertionError(f"{parts} in {lines}")

    async with app.run_test(size=(80, 24)) as pilot:
        await said("IDLE next take 3", "Input 1 Kick, kick, armed")
        for position_s in (3.0, 4.0, 5.0):
            recorder.fed.put_nowait(meters(10, position_s=position_s, shift_db=-position_s))
        await pilot.press(*["down"] * 8)
        heard = await said("Input 9 Keys, keys, not armed")
        assert all(line.startswith("Input ") for line in heard)
        await pilot.press("3")
        await said("Mix", "Kick kick -3.5")
        await pilot.press("full_stop")
        await said("Nothing is playing.")
        await pilot.press("P", "b")
        await said("Propose in the style", "punchy drums and bass")
        await pilot.press("escape", "ctrl+l")
        await said("Snare snare", "Bounces, heard equally loud")
        recorder.fed.put_nowait(TransportTopic(state="recording", take=3))
        await said("REC take 3")


def test_glyphs_become_words_and_drawings_are_left_out() -> None:
    assert in_words("● Kick █▆▒│ ■ -3.0 ⠉⠒") == "armed Kick locked -3.0"


def test_pictures_never_reach_the_terminal_but_lines_do(tmp_path: Path, monkeypatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("textual.drivers.linux_driver.LinuxDriver.write", lambda _, data: written.append(data))
    driver = LineDriver.__new__(LineDriver)
    driver.write("\x1b[?1049h\x1b[31mRED")
    driver.say("Take 3 is complete.")
    assert written == ["Take 3 is complete.\r\n"]
