"""Keys become requests: the same ones that every other client sends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.errors import OtoError
from core.plans.document import MixPlan
from core.protocol import requests, topics
from tests.tui.harness import (
    SETTINGS,
    Recorder,
    band_picture,
    band_plan,
    overview,
    recording_picture,
    screen_lines,
    studio,
    take,
)
from tui import knobs
from tui.picture import Picture, Said


class PlanKeeper(Recorder):
    """Answers about one plan as an engine would."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: MixPlan | None = band_plan()
        self.answers = {
            requests.GetPlan: self._get,
            requests.SetPlanValue: self._set,
            requests.StepPlan: self._step,
            requests.SetPriority: self._prioritise,
        }
        self.past: list[MixPlan] = []
        self.future: list[MixPlan] = []

    def _get(self, _: requests.GetPlan) -> MixPlan | OtoError:
        return self.plan or OtoError("not_found", "No plan.")

    def _set(self, request: requests.SetPlanValue) -> MixPlan:
        assert self.plan is not None
        self.past.append(self.plan)
        section = "master" if request.strip is None else f"strip {request.strip}"
        if request.value is not None:
            self.plan = knobs.with_value(self.plan, section, request.name, request.value)
        return self.plan

    def _step(self, request: requests.StepPlan) -> MixPlan | None:
        source, target = (self.future, self.past) if request.redo else (self.past, self.future)
        if not source or self.plan is None:
            return None
        target.append(self.plan)
        self.plan = source.pop()
        return self.plan

    def _prioritise(self, request: requests.SetPriority) -> MixPlan:
        assert self.plan is not None
        strips = tuple(
            msgspec.structs.replace(strip, priority=request.priority) if strip.track == request.strip else strip
            for strip in self.plan.strips
        )
        self.plan = msgspec.structs.replace(self.plan, strips=strips)
        return self.plan


async def asked(picture: Picture, *keys: str, recorder: Recorder | None = None) -> list[Any]:
    """The requests that a row of keys causes, without the reading of plans."""
    app, recorder = studio(picture, None, recorder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()
    return [
        request for request in recorder.requests if not isinstance(request, requests.GetPlan | requests.GetOverview)
    ]


async def test_record_works_from_every_screen() -> None:
    assert await asked(band_picture(), "r", "3", "r", "5", "r", "question_mark", "r") == [requests.Record()] * 4


async def test_record_and_stop_work_even_while_something_is_typed() -> None:
    dialogs = [key for dialog in ("n", "colon", "N", "d") for key in (dialog, "r", "s", "f2", "escape")]
    assert await asked(band_picture(), *dialogs) == [requests.Record()] * 4
    assert await asked(recording_picture(), "n", "f2", "f3") == [requests.Record(), requests.Stop()]


async def test_the_transport_while_recording() -> None:
    assert await asked(recording_picture(), "m", "r", "f", "s") == [
        requests.Mark(),
        requests.Record(),
        requests.FalseTake(),
        requests.Stop(),
    ]


async def test_space_plays_the_selected_take_and_stops_it_again() -> None:
    assert await asked(band_picture(), "space", "tab", "down", "space") == [
        requests.Play(take=2),
        requests.Play(take=1),
    ]
    playing = band_picture(transport=topics.TransportTopic(state="playing", take=2))
    assert await asked(playing, "space") == [requests.Stop()]


async def test_space_leaves_a_recording_alone_and_says_so() -> None:
    app, recorder = studio(recording_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("space")
        await pilot.pause()
        assert "Recording goes on" in "\n".join(screen_lines(app))
    assert recorder.requests == []


async def test_arming() -> None:
    assert await asked(band_picture(), "a", *["down"] * 8, "a", "A") == [
        requests.EditTrack(track="t1", armed=False),
        requests.EditTrack(track="t9", armed=True),
        requests.ArmAll(armed=True),
    ]
    assert await asked(recording_picture(), "a", "A") == []


async def test_naming_a_track_and_a_take() -> None:
    clear = ["end", *["backspace"] * 8]
    track, take = ["n", *clear, "B", "D", "enter"], ["tab", "n", "x", "enter"]
    assert await asked(band_picture(), "n", "x", "escape", *track, *take) == [
        requests.EditTrack(track="t1", name="BD"),
        requests.EditTake(take=2, name="x"),
    ]


async def test_setting_a_role() -> None:
    assert await asked(band_picture(), "i", *"snare", "enter", "i", *"listen", "enter") == [
        requests.EditTrack(track="t1", role="snare"),
        requests.EditTrack(track="t1", role=""),
    ]


async def test_takes_can_be_starred_played_over_and_trashed() -> None:
    assert await asked(band_picture(), "asterisk", "v", "delete") == [
        requests.EditTake(take=2, starred=True),
        requests.Record(overdub_of=2),
        requests.TrashTake(take=2),
    ]


async def test_a_false_take_is_not_mistaken_for_the_one_that_has_its_number_now() -> None:
    false_one = ["tab", "down", "down"]
    assert await asked(band_picture(), *false_one, "space", "v", "asterisk", "delete") == [
        requests.Play(take=1, false_number=1),
        requests.EditTake(take=1, false_number=1, starred=True),
        requests.TrashTake(take=1, false_number=1),
    ]


async def test_keeping_what_was_played_reaches_as_far_as_the_engine_does() -> None:
    assert await asked(band_picture(), "k", "enter", "k", "up", "enter") == [
        requests.KeepLast(seconds=300.0),
        requests.KeepLast(seconds=120.0),
    ]


async def test_sessions_and_interfaces() -> None:
    summary = topics.SessionSummary(
        id="old", name="Old song", created_utc="2026-01-01", takes=3, tracks=8, bytes=10**9, path="/x"
    )
    keys = ["N", *"Gig", "enter", "O", "enter", "d", *"simul", "enter"]
    assert await asked(band_picture(), *keys, recorder=Recorder({requests.ListSessions: [summary]})) == [
        requests.CreateSession(name="Gig"),
        requests.ListSessions(),
        requests.OpenSession(session="old"),
        requests.SelectDevice(device="sim"),
    ]
    assert await asked(recording_picture(), "N", "O", "d") == []


async def test_the_palette_does_what_the_key_does() -> None:
    assert await asked(band_picture(), "colon", *"clear clips", "enter") == [requests.ClearClips()]


async def test_leaving_while_recording_asks_and_stops_nothing() -> None:
    app, recorder = studio(recording_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("q")
        await pilot.pause()
        assert "goes on" in "\n".join(screen_lines(app))
        await pilot.press("enter")
        await pilot.pause()
        assert app.is_running
        await pilot.press("q", "down", "enter")
        await pilot.pause()
    assert not app.is_running
    assert recorder.requests == []
    assert recorder.closed


async def test_esc_leads_back_to_record_from_everywhere() -> None:
    app, _ = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for keys in (["3"], ["5"], ["question_mark"], ["3", "colon", "escape"], ["n"], ["5", "g", "escape"]):
            await pilot.press(*keys, "escape")
            await pilot.pause()
            assert "Takes" in "\n".join(screen_lines(app))


# ------------------------------------------------------------------ takes


async def test_a_take_is_played_from_the_place_that_arrows_choose() -> None:
    keys = ["2", "right", "greater_than_sign", "left", "enter", "down", "space"]
    assert await asked(band_picture(), *keys) == [
        requests.Play(take=2, at_s=pytest.approx(18.7)),
        requests.Play(take=1, at_s=0.0),
    ]


async def test_a_marker_is_a_place_to_play_from_and_can_be_named_and_taken_away() -> None:
    keys = ["2", "tab", "down", "enter", "n", "B", "enter", "delete", "up", "space"]
    assert await asked(band_picture(), *keys) == [
        requests.Play(take=2, at_s=95.0),
        requests.EditMarker(take=2, at_samples=95 * 48_000, name="B"),
        requests.EditMarker(take=2, at_samples=95 * 48_000, name=None),
        requests.Play(take=2, at_s=61.0),
    ]


async def test_a_marker_that_was_taken_away_is_set_again_before_the_comp_is_undone() -> None:
    keys = ["2", "tab", "delete", "u", "u"]
    assert await asked(band_picture(), *keys, recorder=Recorder({requests.StepComp: None})) == [
        requests.EditMarker(take=2, at_samples=61 * 48_000, name=None),
        requests.EditMarker(take=2, at_samples=61 * 48_000, name="Chorus", again=True),
        requests.StepComp(),
    ]


@pytest.mark.parametrize(("code", "tries"), [("disconnected", 2), ("timeout", 2), ("no_such_take", 1)])
async def test_a_marker_that_a_lost_engine_could_not_set_again_waits_for_it(code: str, tries: int) -> None:
    def answer(request: requests.EditMarker) -> OtoError | None:
        return OtoError(code, "Not now.") if request.again else None

    answers = {requests.EditMarker: answer, requests.StepComp: None}
    sent = await asked(band_picture(), "2", "tab", "delete", "u", "u", recorder=Recorder(answers))
    again = requests.EditMarker(take=2, at_samples=61 * 48_000, name="Chorus", again=True)
    assert sent[1:] == ([again, again] if tries == 2 else [again, requests.StepComp()])


async def test_takes_are_named_noted_set_aside_trashed_and_brought_back() -> None:
    entry = topics.TrashEntry(id="0001", kind="take", title="take 7", path="x", bytes=5, trashed_utc="2026-11-22")
    edits = ["n", "x", "enter", "w", "y", "enter", "asterisk", "f", "delete", "down", "down", "f", "R", "enter"]
    assert await asked(band_picture(), "2", *edits, recorder=Recorder({requests.ListTrash: [entry]})) == [
        requests.EditTake(take=2, name="x"),
        requests.EditTake(take=2, notes="y"),
        requests.EditTake(take=2, starred=True),
        requests.EditTake(take=2, false_take=True),
        requests.TrashTake(take=2),
        requests.EditTake(take=1, false_number=1, false_take=False),
        requests.ListTrash(),
        requests.Restore(entry="0001"),
    ]


async def test_a_false_take_while_recording_is_the_one_that_runs_on_every_screen() -> None:
    assert await asked(recording_picture(), "2", "f", "asterisk", "delete") == [requests.FalseTake()]


async def test_an_overview_is_asked_for_once_and_again_when_its_worker_is_done() -> None:
    job = topics.Job(id="j1", kind="overview", session="rehearsal", take=2, state="running")
    recorder = Recorder({requests.GetOverview: None})
    app, _ = studio(band_picture(), None, recorder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        recorder.fed.put_nowait(topics.JobsTopic(jobs=(job,)))
        await pilot.pause(0.1)
        await pilot.press("2")
        await pilot.pause(0.1)
        assert "waveform is being made" in "\n".join(screen_lines(app))
        app.paint()
        await pilot.pause()
        assert recorder.requests == [requests.GetOverview(take=2)]
        recorder.answers[requests.GetOverview] = overview()
        recorder.fed.put_nowait(topics.JobsTopic())
        for _ in range(40):
            await pilot.pause(0.05)
            if "▅" in "\n".join(screen_lines(app)):
                break
        assert "waveform" not in "\n".join(screen_lines(app))
    assert recorder.requests == [requests.GetOverview(take=2)] * 2


# ------------------------------------------------------------------ mix


async def test_arrows_turn_the_fader_of_the_selected_strip() -> None:
    sent = await asked(band_picture(), "3", "right", "down", "less_than_sign", recorder=PlanKeeper())
    kick = requests.SetPlanValue(kind="mix", take=2, session="rehearsal", strip="Kick", name="fader_db", value=-3.0)
    assert sent[0] == kick
    assert (sent[-1].strip, sent[-1].name, sent[-1].value) == ("Snare", "fader_db", -5.0)


async def test_arrows_among_the_settings_turn_the_selected_one() -> None:
    sent = await asked(band_picture(), "3", "tab", "down", "left", recorder=PlanKeeper())
    assert (sent[-1].name, sent[-1].value) == ("eq2_gain_db", -3.5)


async def test_a_value_can_be_typed() -> None:
    nonsense = ["enter", "end", *["backspace"] * 8, *"loud", "enter"]
    typed = ["enter", "end", *["backspace"] * 8, *"-12", "enter"]
    sent = await asked(band_picture(), "3", *nonsense, *typed, recorder=PlanKeeper())
    assert [(request.name, request.value) for request in sent] == [("fader_db", -12.0)]


async def test_lock_and_neutral() -> None:
    keeper = PlanKeeper()
    sent = await asked(band_picture(), "3", "tab", "l", "backspace", recorder=keeper)
    assert (sent[0].name, sent[0].value, sent[0].locked) == ("highpass_hz", 32.0, True)
    assert (sent[1].name, sent[1].value) == ("highpass_hz", None)


async def test_undo_and_redo_are_steps_that_the_engine_keeps() -> None:
    back, forth = (requests.StepPlan(kind="mix", take=2, redo=redo, session="rehearsal") for redo in (False, True))
    keeper = PlanKeeper()
    old = keeper.plan
    app, _ = studio(band_picture(), None, keeper)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        await pilot.pause()
        await pilot.press("right")
        await pilot.pause()
        await pilot.press("u")
        await pilot.pause()
        assert keeper.plan == old
        assert "-3.5" in "\n".join(screen_lines(app))
        await pilot.press("U")
        await pilot.pause()
        assert "-3.0" in "\n".join(screen_lines(app))
        await pilot.press("U")
        await pilot.pause()
        assert "Nothing to redo" in "\n".join(screen_lines(app))
    assert [request for request in keeper.requests if isinstance(request, requests.StepPlan)] == [back, forth, forth]


async def test_priority_goes_round_and_hands_and_style_propose_again() -> None:
    keeper = PlanKeeper()
    keys = ["3", "j", "j", "j", "h", "down", "down", "enter", "P", *"warm", "enter"]
    sent = await asked(band_picture(), *keys, recorder=keeper)
    assert [request.priority for request in sent[:3]] == ["background", "lead", "normal"]
    assert sent[3:] == [
        requests.StartJob(kind="mix", take=2, options={"propose": True, "stems": False, "hands": 0.5}),
        requests.StartJob(kind="mix", take=2, options={"propose": True, "stems": False, "style": "warm"}),
    ]


async def test_solo_and_mute_play_stems_from_where_the_mix_is() -> None:
    picture = band_picture(transport=topics.TransportTopic(state="playing", bounce="mix-002-01", position_s=12.0))
    master, mix = picture.bounces.bounces
    mix = msgspec.structs.replace(mix, returns={"plate": "stems/plate return.wav"})
    picture = msgspec.structs.replace(picture, bounces=topics.BouncesTopic(bounces=(master, mix)))
    sent = await asked(picture, "3", "o", "down", "o", "o", "up", "o", "minus", "minus", recorder=PlanKeeper())
    assert [request.stems for request in sent[:4]] == [("Kick",), ("Kick", "Snare"), ("Kick",), ()]
    assert sent[4].stems == (*mix.stems, "plate")[1:]
    assert sent[5] == requests.Play(bounce="mix-002-01")
    bare = msgspec.structs.replace(mix, stems={}, returns={})
    without = msgspec.structs.replace(picture, bounces=topics.BouncesTopic(bounces=(master, bare)))
    assert await asked(without, "3", "o", "minus", recorder=PlanKeeper()) == []


async def test_solo_goes_on_when_a_mix_is_played_again_and_ends_with_one_that_has_no_stems() -> None:
    picture = band_picture()
    master, mix = picture.bounces.bounces
    bare = msgspec.structs.replace(mix, id="mix-002-02", stems={})
    picture = msgspec.structs.replace(picture, bounces=topics.BouncesTopic(bounces=(master, bare, mix)))
    app, recorder = studio(picture, None, PlanKeeper())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("3", "o", "tab", "tab", "end", "space")
        await pilot.pause()
        played = [request for request in recorder.requests if isinstance(request, requests.Play)]
        assert [(request.bounce, request.stems) for request in played] == [("mix-002-01", ("Kick",))] * 2
        assert "solo: Kick" in "\n".join(screen_lines(app))
        await pilot.press("up", "space")
        await pilot.pause()
        assert recorder.requests[-1] == requests.Play(bounce="mix-002-02")
        assert "solo: Kick" not in "\n".join(screen_lines(app))
        assert "All of it is heard" in "\n".join(screen_lines(app))


async def test_what_was_said_while_the_engine_was_away_is_over_when_it_is_back() -> None:
    picture = band_picture().linked("lost").saying(Said("warning", "The engine is away."))
    assert picture.linked("lost").said is not None
    assert picture.linked("up").said is None
    assert band_picture().saying(Said("info", "Done.")).linked("up").said is not None


async def test_what_another_studio_changed_is_seen() -> None:
    keeper = PlanKeeper()
    app, _ = studio(band_picture(), None, keeper)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("3")
        await pilot.pause(0.2)
        assert keeper.plan is not None
        keeper.plan = knobs.with_value(keeper.plan, "strip Hat", "fader_db", -44.0)
        keeper.fed.put_nowait(topics.PlansTopic(plans=(topics.PlanVersion(kind="mix", take=2, version="2"),)))
        for _ in range(40):
            await pilot.pause(0.1)
            if "-44.0" in "\n".join(screen_lines(app)):
                break
        assert "-44.0" in "\n".join(screen_lines(app))


async def test_proposing_rendering_and_mastering_are_jobs() -> None:
    keeper = PlanKeeper()
    sent = await asked(band_picture(), "3", "p", "b", "t", "B", "enter", recorder=keeper)
    assert sent == [
        requests.StartJob(kind="mix", take=2, options={"propose": True, "stems": False}),
        requests.StartJob(kind="mix", take=2, options={"propose": False, "stems": False}),
        requests.StartJob(kind="mix", take=2, options={"propose": False, "stems": True}),
        requests.StartJob(kind="master", take=2, options={"target": "streaming", "bounce": "mix-002-01"}),
    ]


async def test_the_first_bounce_of_a_take_proposes_a_plan() -> None:
    keeper = PlanKeeper()
    keeper.plan = None
    assert (await asked(band_picture(), "3", "b", recorder=keeper))[-1].options["propose"] is True


async def test_the_take_to_mix_can_be_chosen() -> None:
    sent = await asked(band_picture(), "3", "left_square_bracket", "p", recorder=PlanKeeper())
    assert sent[-1].take == 1


async def test_comparing_keeps_the_place_and_matches_loudness() -> None:
    playing = band_picture(transport=topics.TransportTopic(state="playing", bounce="mix-002-01", position_s=12.0))
    sent = await asked(playing, "3", "x", recorder=PlanKeeper())
    assert sent == [requests.Play(bounce="master-002-01", gain_db=-6.0)]
    stopped = await asked(band_picture(), "3", "x", recorder=PlanKeeper())
    assert stopped == [requests.Play(bounce="master-002-01", gain_db=-6.0)]


async def test_bounces_of_unequal_length_are_compared_at_the_same_second() -> None:
    picture = band_picture(
        transport=topics.TransportTopic(state="playing", bounce="mix-002-01", position_s=12.0), meters=None
    )
    longer, mix = picture.bounces.bounces
    bounces = (msgspec.structs.replace(longer, frames=longer.frames + 1), mix)
    sent = await asked(msgspec.structs.replace(picture, bounces=topics.BouncesTopic(bounces=bounces)), "3", "x")
    assert sent[-1].at_s == 12.0


async def test_work_can_be_cancelled() -> None:
    job = topics.Job(id="j7", kind="mix", session="rehearsal", state="running")
    assert await asked(band_picture(jobs=topics.JobsTopic(jobs=(job,))), "C") == [requests.CancelJob(job="j7")]
    assert await asked(band_picture(), "C") == []


# ------------------------------------------------------------------ master


async def test_a_master_is_made_again_of_its_mix_for_a_target_and_like_a_song() -> None:
    keys = ["4", "B", "down", "enter", "L", *"/srv/song.flac", "enter", "enter"]
    assert await asked(band_picture(), *keys) == [
        requests.StartJob(kind="master", take=2, options={"target": "cd", "bounce": "mix-002-01"}),
        requests.StartJob(
            kind="master",
            take=2,
            options={"target": "streaming", "bounce": "mix-002-01", "reference": "/srv/song.flac"},
        ),
    ]


async def test_masters_and_mixes_are_heard_equally_loud_and_compared() -> None:
    playing = band_picture(transport=topics.TransportTopic(state="playing", bounce="mix-002-01", position_s=12.0))
    assert await asked(playing, "4", "x") == [requests.Play(bounce="master-002-01", gain_db=-6.0)]
    assert await asked(band_picture(), "4", "enter", "down", "space") == [
        requests.Play(bounce="master-002-01", gain_db=-6.0),
        requests.Play(bounce="mix-002-01"),
    ]


# ------------------------------------------------------------------ export


async def test_the_newest_master_goes_to_the_stick_as_wav_and_flac_unless_told_otherwise() -> None:
    options = {"to": "/media/stick", "formats": ["wav24", "flac"], "bounces": ["master-002-01"]}
    assert await asked(band_picture(), "5", "e") == [requests.StartJob(kind="export", options=options)]


async def test_choosing_what_as_what_and_where_to() -> None:
    keys = ["5", "down", "enter", "tab", "enter", "down", "down", "down", "enter", "g", *"/srv/x", "enter", "e"]
    options = {"to": "/srv/x", "formats": ["flac", "mp3"], "bounces": ["master-002-01", "mix-002-01"]}
    assert await asked(band_picture(), *keys) == [requests.StartJob(kind="export", options=options)]


async def test_an_export_that_can_not_be_done_says_why() -> None:
    app, recorder = studio(band_picture(drives=topics.DrivesTopic()))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5", "e")
        await pilot.pause()
        assert "Plug in a drive" in "\n".join(screen_lines(app))
    assert recorder.requests == []


async def test_a_finished_export_says_that_the_drive_may_go() -> None:
    done = topics.Job(id="j", kind="export", session="rehearsal", state="done")
    record = topics.ExportRecord(created_utc="", destination="/media/stick", files=())
    picture = band_picture(jobs=topics.JobsTopic(jobs=(done,)), bounces=topics.BouncesTopic(exports=(record,)))
    app, _ = studio(picture)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        assert "SAFE TO REMOVE" in "\n".join(screen_lines(app))


# ------------------------------------------------------------------ box


def boxed() -> Recorder:
    return Recorder({requests.DescribeSettings: SETTINGS})


async def test_settings_are_changed_by_what_they_are() -> None:
    clear = ["end", *["backspace"] * 8]
    format_, preroll = ["down", "enter", *"flo", "enter"], ["down", "enter", *clear, *"12.5", "enter"]
    click, back = ["down", "down", "enter"], ["up", "backspace"]
    asked_for = await asked(band_picture(), "6", *format_, *preroll, *click, *back, recorder=boxed())
    assert asked_for == [
        requests.DescribeSettings(),
        requests.EditSettings(changes={"sample_format": "float32"}),
        requests.EditSettings(changes={"preroll_s": 12.5}),
        requests.EditSettings(changes={"click": True}),
        requests.EditSettings(changes={"retro_s": 0.0}),
    ]


async def test_a_setting_that_can_not_be_says_what_can() -> None:
    app, recorder = studio(band_picture(), None, boxed())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("6")
        await pilot.pause()
        await pilot.press("down", "down", "enter", "end", *["backspace"] * 8, *"99", "enter")
        await pilot.pause()
        assert "A number from 0 to 60 s. Nothing was changed." in "\n".join(screen_lines(app))
    assert recorder.requests == [requests.DescribeSettings()]


async def test_switching_off_asks_first_and_waits_for_a_recording() -> None:
    assert await asked(band_picture(), "6", "Q", "enter", "Q", "escape", recorder=boxed()) == [
        requests.DescribeSettings()
    ]
    assert await asked(band_picture(), "6", "Q", "down", "enter", recorder=boxed()) == [
        requests.DescribeSettings(),
        requests.PowerOff(),
    ]
    assert await asked(recording_picture(), "6", "Q", "down", "enter", recorder=boxed()) == [
        requests.DescribeSettings()
    ]


# ------------------------------------------------------------------ the link


async def test_a_refusal_is_shown_with_its_hint() -> None:
    refused = OtoError("no_space", "The disk is full.", "Empty the trash.")
    app, _ = studio(band_picture(), None, Recorder({requests.Record: refused}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("r")
        await pilot.pause(0.1)
        assert "The disk is full. Empty the trash." in "\n".join(screen_lines(app))


async def test_a_lost_engine_is_said_and_the_same_screen_comes_back() -> None:
    app, recorder = studio(band_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        recorder.fed.put_nowait(OtoError("disconnected", "Gone."))
        await pilot.pause(0.1)
        text = "\n".join(screen_lines(app))
        assert "PROBLEM" in text
        assert "Reconnecting" in text
        recorder.fed.put_nowait(topics.TakesTopic(takes=(take(9),)))
        for _ in range(40):
            await pilot.pause(0.1)
            if "Reconnecting" not in "\n".join(screen_lines(app)):
                break
        text = "\n".join(screen_lines(app))
        assert "IDLE" in text
        assert "next take 10" in text
        assert "Where to" in text


async def test_stale_meter_frames_are_dropped_not_queued() -> None:
    app, recorder = studio(recording_picture())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        painted = 0
        paint = app.paint

        def counting(*, only_meters: bool = False) -> None:
            nonlocal painted
            painted += 1
            paint(only_meters=only_meters)

        app.paint = counting  # type: ignore[method-assign]
        meters = recording_picture().meters
        assert meters is not None
        for n in range(500):
            recorder.fed.put_nowait(msgspec.structs.replace(meters, position_s=300.0 + n))
        await pilot.pause(0.3)
        assert app.picture.position_s == 799.0
        assert painted < 20
