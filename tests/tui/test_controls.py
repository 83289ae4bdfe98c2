"""Teaching pedals on the Box screen: what is offered, what is asked of the engine, and that typing does nothing."""

from __future__ import annotations

from typing import get_args

import msgspec

from core.protocol.requests import DescribeSettings, ListenToControls, TeachControl
from core.protocol.topics import ControlAction, ControlInfo, ControlsTopic, HeardControl, Learnt, SettingInfo
from tests.tui.harness import Recorder, band_picture, screen_lines, studio
from tui.screens.controls import LABELS, choices

PEDAL = ControlInfo(id="midi:0944:0111", name="nanoPAD2", kind="midi")
KEYBOARD = ControlInfo(id="keys:046d:c31c:input0", name="USB Keyboard", kind="keys", keyboard=True)
LAMP = SettingInfo(name="lamp", kind="text", explanation="The light.", default="")
HEARD = HeardControl(number=4, device=PEDAL.id, control="note 60 on channel 1")


def opened(topic: ControlsTopic):
    picture = msgspec.structs.replace(band_picture(), controls=topic)
    app, recorder = studio(picture, recorder=Recorder({DescribeSettings: [LAMP]}))
    recorder.fed.put_nowait(topic)
    return app, recorder


async def settled(pilot, requests: Recorder, count: int) -> list:
    """Wait until so many requests about controls were made; returns them."""
    for _ in range(200):
        made = [one for one in requests.requests if isinstance(one, ListenToControls | TeachControl)]
        if len(made) >= count:
            return made
        await pilot.pause(0.05)
    raise AssertionError(requests.requests)


def test_every_action_can_be_learnt_and_has_words() -> None:
    assert tuple(LABELS) == get_args(ControlAction)
    assert [one.key for one in choices(ControlsTopic())] == [f"learn {action}" for action in LABELS]


def test_what_was_learnt_is_shown_and_can_be_forgotten_also_when_it_is_not_plugged_in() -> None:
    learnt = (
        Learnt(device=PEDAL.id, control="note 60 on channel 1", action="mark"),
        Learnt(device="keys:dead:beef", control="key 48", action="stop"),
    )
    offered = {one.key: one for one in choices(ControlsTopic(present=(PEDAL,), learnt=learnt))}
    assert offered["learn mark"].detail == "note 60 on channel 1 of nanoPAD2"
    assert "not plugged in" in offered["forget 1"].label


async def test_a_pedal_is_learnt_by_pressing_it_and_what_is_typed_meanwhile_does_nothing() -> None:
    app, recorder = opened(ControlsTopic(panel=True, present=(PEDAL,)))
    async with app.run_test(size=(100, 30)) as pilot:
        app.go("box")
        await pilot.pause()
        await pilot.press("F")
        await pilot.pause()
        await pilot.press("enter")  # the first: record
        assert await settled(pilot, recorder, 1) == [ListenToControls(on=True)]
        for _ in range(100):
            if any("Press the pedal" in line for line in screen_lines(app)):
                break
            await pilot.pause(0.05)
        before = len(recorder.requests)
        await pilot.press("r", "s", "enter", "m")
        assert len(recorder.requests) == before
        recorder.fed.put_nowait(ControlsTopic(panel=True, present=(PEDAL,), listening=True, heard=HEARD))
        made = await settled(pilot, recorder, 3)
        assert made[1:] == [
            ListenToControls(on=False),
            TeachControl(device=PEDAL.id, control="note 60 on channel 1", action="record"),
        ]


async def test_a_keyboard_is_listened_to_only_when_it_is_chosen() -> None:
    app, recorder = opened(ControlsTopic(panel=True, present=(PEDAL, KEYBOARD)))
    async with app.run_test(size=(100, 30)) as pilot:
        app.go("box")
        await pilot.pause()
        await pilot.press("F")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press(*"usb", "enter")
        assert await settled(pilot, recorder, 1) == [ListenToControls(on=True, device=KEYBOARD.id)]


async def test_without_a_panel_it_says_how_to_have_one() -> None:
    app, _ = opened(ControlsTopic())
    async with app.run_test(size=(100, 30)) as pilot:
        app.go("box")
        await pilot.pause()
        await pilot.press("F")
        await pilot.pause()
        assert app.picture.said is not None
        assert "oto panel" in app.picture.said.hint
