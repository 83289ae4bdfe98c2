"""The guide goes from the first meter to the master, by what is seen, and never back."""

from __future__ import annotations

import msgspec

from core.protocol.requests import DescribeSettings
from core.protocol.topics import BouncesTopic, DeviceTopic, TakesTopic, TransportTopic
from tests.tui.harness import SETTINGS, Recorder, band_picture, bounce, recording_picture, screen_lines, studio, take
from tui.actions import SCREENS
from tui.guide import STEPS, advanced, sentence
from tui.picture import Picture


def guided(picture: Picture, step: int) -> Picture:
    return msgspec.structs.replace(picture, guide=step)


def test_an_evening_walks_through_every_step() -> None:
    nothing = band_picture(device=DeviceTopic(), takes=TakesTopic(), bounces=BouncesTopic())
    ready = band_picture(takes=TakesTopic(), bounces=BouncesTopic())
    running = take(1, status="recording", frames=0)
    rolling = msgspec.structs.replace(recording_picture(), takes=TakesTopic(takes=(running,)))
    marked = msgspec.structs.replace(rolling, takes=recording_picture().takes)
    stopped = band_picture(bounces=BouncesTopic())
    heard = msgspec.structs.replace(stopped, transport=TransportTopic(state="playing", take=2))
    mixed = band_picture(bounces=BouncesTopic(bounces=(bounce("mix-002-01"),)))
    mix_heard = msgspec.structs.replace(mixed, transport=TransportTopic(state="playing", bounce="mix-002-01"))
    evening = [
        (nothing, "record"), (ready, "record"), (rolling, "record"), (marked, "record"), (stopped, "record"),
        (stopped, "takes"), (heard, "takes"), (stopped, "mix"), (mixed, "mix"), (mix_heard, "mix"), (mixed, "master"),
        (band_picture(), "master"),
    ]  # fmt: skip
    step = 0
    seen = []
    for picture, screen in evening:
        picture = advanced(guided(picture, step), screen)
        assert picture.guide is not None
        seen.append(step := picture.guide)
    assert seen == list(range(len(STEPS)))


def test_nothing_that_was_done_is_asked_for_again() -> None:
    last = len(STEPS) - 1
    assert advanced(guided(band_picture(takes=TakesTopic()), last), "record").guide == last
    assert advanced(band_picture(), "mix").guide is None
    assert sentence(band_picture()) == ""


def test_every_sentence_fits_two_rows_of_the_smallest_screen() -> None:
    assert all(len(sentence(guided(Picture(), step))) <= 150 for step in range(len(STEPS)))


async def test_the_guide_is_on_every_screen_until_esc_ends_it() -> None:
    app, _ = studio(band_picture(takes=TakesTopic()), None, Recorder({DescribeSettings: SETTINGS}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("G")
        for key in ("2", "3", "4", "5", "6", "1"):
            await pilot.press(key)
            await pilot.pause(0.05)
            assert f"2/{len(STEPS)} The meters show" in "\n".join(screen_lines(app))
        await pilot.press("escape")
        await pilot.pause(0.05)
        assert "The meters show" not in "\n".join(screen_lines(app))
    assert len(SCREENS) == 8
