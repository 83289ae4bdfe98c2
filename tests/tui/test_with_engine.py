"""The studio at a real engine: what a band does in an evening, and what goes wrong in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from core.client import Client
from core.errors import OtoError
from core.plans.document import MixPlan, Strip
from core.protocol.requests import ReplacePlan, Shutdown
from core.settings import Settings, save
from tests.rig.engine import EngineRig
from tests.tui.harness import screen_lines
from tui import kept
from tui.app import Studio
from tui.look import Look

RATE_HZ = 48_000
SIZE = (80, 24)


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """An engine on a stage of three inputs; an engine that a studio starts in its place ends with the test."""
    stage = tmp_path / "stage"
    stage.mkdir()
    for number, name in enumerate(("Kick", "Bass", "Voice"), start=1):
        tone = 0.2 * np.sin(2 * np.pi * 110 * number * np.arange(10 * RATE_HZ) / RATE_HZ)
        soundfile.write(stage / f"{number:02d} {name}.wav", tone, RATE_HZ, subtype="PCM_24")
    home = tmp_path / "home"
    monkeypatch.setenv("OTO_HOME", str(home))
    device = f"sim:{stage}"
    save(Settings(device=device, preroll_s=1.0), home / "settings.json")
    with EngineRig(home, device) as rig:
        yield rig
        with contextlib.suppress(OtoError), Client(rig.socket) as client:
            client.call(Shutdown())


def text_of(app: Studio) -> str:
    return "\n".join(screen_lines(app))


async def until(pilot: Pilot[None], true: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Let the studio run until something is true."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        if true():
            return
        await pilot.pause(0.05)
    raise AssertionError(f"waited {seconds:g} s for {what}; the screen says:\n{text_of(pilot.app)}")


async def test_a_take_is_recorded_marked_stopped_and_listed(engine) -> None:
    app = Studio(look=Look())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.picture.device.current is not None and app.picture.meters is not None, "meters")
        await pilot.press("G")
        await until(pilot, lambda: "The meters show who plays" in text_of(app), "the guide")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 1.5, "a running take")
        assert "m sets a marker" in text_of(app)
        await pilot.press("m")
        await until(pilot, lambda: bool(app.picture.takes.takes[-1].markers), "the marker")
        assert "REC" in text_of(app)
        assert "Kick" in text_of(app)
        await pilot.press("s")
        await until(pilot, lambda: bool(app.picture.finished_takes), "the finished take")
        await until(pilot, lambda: "Marker 1" in text_of(app), "its marker in the list")
        await pilot.press("tab", "n", *"Hit", "enter")
        await until(pilot, lambda: app.picture.takes.takes[-1].name == "Hit", "its name")
    (take,) = engine.status().takes.takes
    assert (take.status, take.name, len(take.markers), len(take.clips)) == ("complete", "Hit", 1, 3)


async def test_two_studios_see_the_same_and_leaving_stops_nothing(engine) -> None:
    one, two = Studio(look=Look()), Studio(look=Look())
    async with one.run_test(size=SIZE) as pilot_one:
        async with two.run_test(size=(120, 36)) as pilot_two:
            await until(pilot_one, lambda: one.picture.meters is not None, "meters")
            await until(pilot_two, lambda: two.picture.meters is not None, "meters in the other")
            await pilot_one.press("r")
            await until(
                pilot_two, lambda: two.picture.recording and two.picture.position_s > 0.5, "the take in the other"
            )
            await pilot_two.press("n", *"Bass drum", "enter")
            await until(pilot_one, lambda: "Bass drum" in text_of(one), "the name in the first")
        assert one.picture.recording
        assert engine.status().transport.state == "recording"
        await pilot_one.press("s")
        await until(pilot_one, lambda: bool(one.picture.finished_takes), "the finished take")


async def test_a_killed_engine_is_started_again_and_the_take_is_there(engine) -> None:
    app = Studio(look=Look())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.picture.meters is not None, "meters")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 2.0, "a running take")
        engine.kill()
        await until(pilot, lambda: app.picture.link == "up" and "rescued" in text_of(app), "the rescued take")
        await until(pilot, lambda: app.picture.device.current is not None, "the interface")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.transport.take == 2, "the next take")
        await pilot.press("s")
        await until(pilot, lambda: len(app.picture.finished_takes) == 2, "both takes")


async def test_two_plans_are_kept_rendered_and_heard_in_turn(engine) -> None:
    app = Studio(look=Look())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.picture.meters is not None, "meters")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 1.5, "a running take")
        await pilot.press("s")
        await until(pilot, lambda: bool(app.picture.finished_takes), "the finished take")
        session = engine.status().session.session
        strips = tuple(Strip(track=track.name) for track in session.tracks)
        engine.call(ReplacePlan(take=1, plan=MixPlan(oto_version="0", strips=strips)))
        await pilot.press("3", "Z")
        await until(pilot, lambda: "Kick: EQ" in text_of(app), "the console")
        await pilot.press("K", "enter")
        await until(pilot, lambda: len(app.picture.plans.kept) == 1, "plan A")
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "-5.0" in text_of(app), "the fader")
        await pilot.press("K", "enter")
        await until(pilot, lambda: len(app.picture.plans.kept) == 2, "plan B")
        await until(pilot, lambda: len(kept.letters(app.picture, 1)) == 2, "both bounces", 180.0)
        await pilot.press("X")
        await until(pilot, lambda: kept.playing(app.picture) == "A", "plan A to be heard")
        await pilot.press("X")
        await until(pilot, lambda: kept.playing(app.picture) == "B", "plan B to be heard")
        await until(pilot, lambda: "(plan B)" in text_of(app), "the plan's letter beside its bounce")
    louder, quieter = sorted(engine.status().bounces.bounces, key=lambda bounce: -(bounce.integrated_lufs or -99.0))
    assert louder.integrated_lufs is not None
    assert quieter.integrated_lufs is not None
    assert louder.plan_version != quieter.plan_version


async def test_an_overdub_goes_wrong_is_called_false_and_played_again(engine) -> None:
    app = Studio(look=Look())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.picture.device.current is not None and app.picture.meters is not None, "meters")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 2.5, "a running take")
        await pilot.press("s")
        await until(pilot, lambda: len(app.picture.finished_takes) == 1, "the finished take")
        await pilot.press("v")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 0.5, "the overdub")
        assert "over 1" in text_of(app)
        await pilot.press("f")
        await until(pilot, lambda: any(take.false_take for take in app.picture.takes.takes), "the false take")
        await until(pilot, lambda: not app.picture.recording and " false" in text_of(app), "the end of it")
        await pilot.press("v")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 0.5, "the overdub once more")
        assert app.picture.transport.take == 2
        await pilot.press("s")
        await until(pilot, lambda: len(app.picture.finished_takes) == 2, "both takes")
    takes = engine.status().takes.takes
    assert [(take.number, take.false_take, take.overdub_of) for take in takes if take.number == 2] == [
        (2, True, 1),
        (2, False, 1),
    ]
