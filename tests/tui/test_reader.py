"""The studio for who does not see it: lines that say what changed, and nothing drawn."""

from __future__ import annotations

from pathlib import Path

from core.protocol import GetPlan, TransportTopic
from tests.tui.harness import Recorder, band_picture, band_plan, meters, topics_of
from tui.app import Studio
from tui.reader import LOOK, LineDriver, in_words
from tui.wishes import Wishes


async def test_screens_lines_states_and_refusals_are_said_once_each(monkeypatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(Studio, "speak", lambda _, line: lines.append(line))

    def new() -> str:
        said = " | ".join(lines)
        lines.clear()
        return said

    picture, recorder = band_picture(), Recorder({GetPlan: band_plan()})
    for topic in topics_of(picture):
        recorder.fed.put_nowait(topic)
    app = Studio(recorder.connect, LOOK, Wishes(screen_reader=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        said = new()
        assert "IDLE" in said
        assert "Input 1 Kick, kick, armed" in said
        recorder.fed.put_nowait(meters(10, position_s=3.0))
        await pilot.pause(0.3)
        assert new() == ""  # levels move all the time
        await pilot.press(*["down"] * 8)
        await pilot.pause(0.3)
        assert new().endswith("Input 9 Keys, keys, not armed")
        await pilot.press("3")
        await pilot.pause(0.3)
        said = new()
        assert "Mix" in said
        assert "Kick" in said
        await pilot.press("full_stop")
        await pilot.pause(0.3)
        assert new() == "Nothing is playing."
        await pilot.press("P", "b")
        await pilot.pause(0.3)
        said = new()
        assert "Propose in the style" in said
        assert "punchy drums and bass" in said
        await pilot.press("escape", "ctrl+l")
        await pilot.pause(0.3)
        assert "Lead Vocal" in new()
        recorder.fed.put_nowait(TransportTopic(state="recording", take=3))
        await pilot.pause(0.3)
        assert "REC take 3" in new()


def test_glyphs_become_words_and_drawings_are_left_out() -> None:
    assert in_words("● Kick █▆▒│ ■ -3.0 ⠉⠒") == "armed Kick locked -3.0"


def test_pictures_never_reach_the_terminal_but_lines_do(tmp_path: Path, monkeypatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("textual.drivers.linux_driver.LinuxDriver.write", lambda _, data: written.append(data))
    driver = LineDriver.__new__(LineDriver)
    driver.write("\x1b[?1049h\x1b[31mRED")
    driver.say("Take 3 is complete.")
    assert written == ["Take 3 is complete.\r\n"]
