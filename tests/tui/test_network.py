"""Box tells how it is reached, and lives where nobody may look."""

from __future__ import annotations

from collections.abc import Callable

from core.network import Network
from core.protocol.requests import DescribeSettings
from tests.tui.harness import SETTINGS, Recorder, band_picture, screen_lines, studio, topics_of
from tui.app import Studio
from tui.look import Look


async def facts_of(app: Studio, enough: Callable[[str], bool]) -> str:
    """What Box says of the box, once it says enough."""
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("6")
        for _ in range(100):
            await pilot.pause(0.02)
            shown = "\n".join(screen_lines(app))
            if enough(shown):
                break
    return shown


async def test_what_to_type_elsewhere_is_on_box() -> None:
    app, _ = studio(band_picture(), recorder=Recorder({DescribeSettings: SETTINGS}))
    typed = "ssh oto@192.168.1.20"
    assert typed in await facts_of(app, lambda shown: typed in shown)


async def test_where_the_system_lets_nobody_look_nothing_is_claimed() -> None:
    asked = []

    def refused() -> Network:
        asked.append(True)
        raise OSError(97, "Address family not supported by protocol")

    recorder = Recorder({DescribeSettings: SETTINGS})
    for topic in topics_of(band_picture()):
        recorder.fed.put_nowait(topic)
    app = Studio(recorder.connect, Look(), read_network=refused)
    shown = await facts_of(app, lambda shown: bool(asked) and "Network" in shown)
    assert asked
    assert any(line.split() == ["Network", "-"] for line in shown.splitlines())
