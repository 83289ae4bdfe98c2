"""Plans A, B and C: which is heard, which comes next, which has yet to be rendered."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from core.protocol import requests, topics
from tests.tui.harness import Recorder, band_picture, band_plan, bounce, overviews, screen_lines, studio
from tui import kept
from tui.picture import Picture


def with_plans(plans: str, rendered: str, heard: str = "", queued: str = "") -> Picture:
    """Take 2 with plans under these letters, bounces of some, one of them heard, others in the queue."""
    picture = band_picture(meters=None)
    bounces = tuple(
        bounce(f"mix-002-0{n}", plan_version=letter, integrated_lufs=-20.0 - n) for n, letter in enumerate(rendered)
    )
    jobs = tuple(
        topics.Job(id=letter, kind="mix", session="rehearsal", take=2, options={"kept": letter}) for letter in queued
    )
    versions = tuple(
        topics.KeptPlan(take=2, letter=letter, version=letter) for letter in kept.LETTERS if letter in plans
    )
    playing = next((one.id for one in bounces if one.plan_version == heard), None)
    transport = (
        topics.TransportTopic(state="playing", bounce=playing, position_s=61.0) if playing else picture.transport
    )
    return msgspec.structs.replace(
        picture,
        plans=msgspec.structs.replace(picture.plans, kept=versions),
        bounces=topics.BouncesTopic(bounces=bounces),
        jobs=topics.JobsTopic(jobs=jobs),
        transport=transport,
    )


LETTERS = st.text("ABC", max_size=3).map(lambda letters: "".join(sorted(set(letters))))


@given(LETTERS, LETTERS, LETTERS)
def test_one_key_goes_round_all_plans_that_can_be_heard(plans: str, rendered: str, queued: str) -> None:
    can_be_heard = [letter for letter in plans if letter in rendered]
    heard, picture = "", with_plans(plans, rendered, "", queued)
    visited: list[str] = []
    for _ in can_be_heard:
        chosen = kept.next_rendered(picture, 2)
        if chosen is None:
            break
        heard = chosen[0].letter
        visited.append(heard)
        picture = with_plans(plans, rendered, heard, queued)
        assert kept.playing(picture) == heard
    assert visited == can_be_heard
    missing = [plan.letter for plan in kept.missing(picture, 2)]
    assert missing == [letter for letter in plans if letter not in rendered and letter not in queued]


def test_a_bounce_of_another_plan_is_not_taken_for_it() -> None:
    picture = with_plans("A", "B")
    assert kept.letters(picture, 2) == {}
    assert kept.letters(with_plans("A", "A"), 1) == {}


async def pressed(picture: Picture, *keys: str, answers: dict[type, object] | None = None) -> tuple[list[object], str]:
    recorder = Recorder({requests.GetPlan: band_plan(), requests.GetOverview: overviews, **(answers or {})})
    app, _ = studio(picture, None, recorder)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("3", *keys)
        await pilot.pause(0.05)
        text = "\n".join(screen_lines(app))
    return [one for one in recorder.requests if not isinstance(one, requests.GetOverview)][1:], text


async def test_the_next_plan_plays_from_the_same_place_as_loud_as_the_others_and_is_named() -> None:
    sent, text = await pressed(with_plans("ABC", "ABC", "A"), "X")
    # -20 LUFS, -21 and -22: B comes down by one to the quietest.
    assert sent == [requests.Play(bounce="mix-002-01", at_s=None, gain_db=-1.0)]
    assert "Plan B plays, 1.0 dB down, as loud as the others." in text
    assert "mix-002-00 (plan A)" in text
    assert "Plans [A] B C plays" in text


async def test_plans_without_a_bounce_are_rendered_by_the_queue() -> None:
    sent, text = await pressed(with_plans("ABC", "A", "", "B"), "X")
    assert sent == [
        requests.StartJob(kind="mix", take=2, options={"kept": "C"}),
        requests.Play(bounce="mix-002-00", at_s=None, gain_db=0.0),
    ]
    assert "Plan C will follow when rendered." in text


async def test_with_nothing_kept_the_key_says_how() -> None:
    sent, text = await pressed(band_picture(), "X")
    assert sent == []
    assert "K keeps the one that stands" in text


async def test_a_plan_is_kept_and_its_rendering_queued() -> None:
    answer = {requests.KeepPlan: topics.KeptPlan(take=2, letter="B", version="new")}
    sent, text = await pressed(with_plans("A", "A"), "K", "enter", answers=answer)
    assert sent == [
        requests.KeepPlan(take=2, letter="B", session="rehearsal"),
        requests.StartJob(kind="mix", session="rehearsal", take=2, options={"kept": "B"}),
    ]
    assert "This is plan B now." in text


async def test_a_kept_plan_becomes_the_plan_again() -> None:
    sent, _ = await pressed(with_plans("AB", "A"), "K", *"go on with A", "enter")
    assert sent == [
        requests.GetPlan(kind="mix", take=2, session="rehearsal", kept="A"),
        requests.ReplacePlan(take=2, plan=band_plan(), session="rehearsal"),
    ]
