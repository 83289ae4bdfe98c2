"""A key that does nothing says why: every action on its screens, with everything there and with nothing."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from core.protocol.requests import (
    DescribeSettings,
    GetOverview,
    GetPlan,
    ListSessions,
    ListTrash,
    SetComp,
    SetPlanValue,
    SetPriority,
    StepAlbum,
    StepComp,
    StepPlan,
)
from core.protocol.topics import BouncesTopic, Comp, DrivesTopic, PlansTopic, TakesTopic
from tests.tui.harness import SETTINGS, Recorder, band_picture, band_plan, overviews, screen_lines, studio
from tests.tui.test_screens import SESSIONS
from tui.actions import ACTIONS, SCREENS, ScreenName, actions_of
from tui.app import Studio
from tui.screens.dialogs import Dialog

MOVES = {"less", "less_much", "up", "down", "page_up", "page_down", "top", "bottom", "next_area", "area_before"}
"""What may have nowhere to go."""

PLAN = dict.fromkeys((GetPlan, SetPlanValue, SetPriority, StepPlan), band_plan())
ALWAYS = {DescribeSettings: SETTINGS, ListTrash: [], SetComp: Comp(), StepComp: Comp(), StepAlbum: None}
FULL = band_picture(), {**ALWAYS, **PLAN, GetOverview: overviews, ListSessions: SESSIONS}
EMPTY = (
    band_picture(takes=TakesTopic(), bounces=BouncesTopic(), plans=PlansTopic(), drives=DrivesTopic()),
    {**ALWAYS, GetPlan: None, ListSessions: []},
)


async def answered(pilot: Pilot[None], app: Studio, recorder: Recorder, action: str, name: ScreenName) -> bool:
    """Whether something came of an action: a request, a sentence, a dialog, another picture."""
    asked, lines, screen = len(recorder.requests), screen_lines(app), app.screen
    app.perform(action, app._screen_named(name))
    await pilot.pause()
    came = len(recorder.requests) > asked or app.picture.said is not None or app.screen is not screen
    came = came or screen_lines(app) != lines
    while isinstance(app.screen, Dialog):
        app.screen.dismiss(None)
        await pilot.pause()
    if app._place() != name:
        app.go(name)
        await pilot.pause()
    return came


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize(("picture", "answers"), [FULL, EMPTY], ids=["everything", "nothing"])
async def test_every_key_is_answered(name: ScreenName, picture, answers) -> None:
    app, recorder = studio(picture, None, Recorder(answers))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.go(name)
        await pilot.pause()
        own = [
            action.id
            for action in actions_of(name)
            if action.group != "Studio"
            and action.request is None
            and action.id not in MOVES
            and not action.when(picture)
        ]
        assert [action for action in own if not await answered(pilot, app, recorder, action, name)] == []


async def test_a_key_of_another_screen_says_which() -> None:
    app, recorder = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("p")
        assert app.picture.said is not None
        assert app.picture.said.message == "Propose is done on Mix (3)."
        await pilot.press("u")
        assert app.picture.said.message == "Undo is done on Takes (2), Mix (3) or Master (4)."
    assert recorder.requests == []
    keys = {key for action in ACTIONS for key in action.keys}
    for name in SCREENS:
        assert keys <= set(app._screen_named(name)._bindings.key_to_bindings)


async def test_the_mouse_does_what_the_keys_at_the_bottom_say() -> None:
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        row = next(y for y, line in enumerate(screen_lines(app)) if "3 Mix" in line)
        await pilot.click(offset=(screen_lines(app)[row].index("Mix"), row))
        await pilot.pause()
        assert app._place() == "mix"
        await pilot.click(offset=(screen_lines(app)[22].index("Stop"), 22))
        await pilot.pause()
        assert app.picture.said is not None
        assert app.picture.said.message == "Nothing is running."
