"""What the screens ask for beside the transport: overviews, false takes, markers, steps of a plan, settings."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.errors import OtoError
from core.plans.document import MixPlan, Strip
from core.protocol.requests import (
    DescribeSettings,
    EditMarker,
    EditTake,
    FalseTake,
    GetOverview,
    GetPlan,
    ListSessions,
    ListUnreadable,
    Mark,
    Play,
    PowerOff,
    Record,
    ReplacePlan,
    SetPlanValue,
    SetPriority,
    StepPlan,
    Stop,
    TrashTake,
)
from core.protocol.topics import Overview, SessionSummary, SettingInfo, Take, UnreadableSession
from core.settings import Settings
from sessions.overview import COLUMNS


@pytest.fixture
def taken(engine):
    """An engine with one take of about a second, and a marker in it."""
    engine.call(Record(preroll_s=0.0))
    engine.wait(lambda status: status.transport.position_s > 0.5, "half a second")
    engine.call(Mark(name="Here"))
    engine.call(Stop())
    return engine


def test_an_overview_is_made_by_a_worker_once_and_follows_its_take(taken) -> None:
    assert taken.call(GetOverview(take=1), Overview | None) is None
    assert [job.kind for job in taken.status().jobs.jobs] == ["overview"]
    taken.call(GetOverview(take=1))
    assert len(taken.status().jobs.jobs) == 1
    taken.wait(lambda status: not status.jobs.jobs, "the overview", 60.0)
    overview = taken.call(GetOverview(take=1), Overview)
    (take,) = taken.status().takes.takes
    assert overview.frames == take.frames
    assert set(overview.peaks) == {"t1", "t2", "t3", "t4"}
    assert all(len(peaks) == COLUMNS and max(peaks) < 20 for peaks in overview.peaks.values())
    taken.call(FalseTake())
    assert taken.call(GetOverview(take=1, false_number=1), Overview) == overview


def test_a_session_whose_document_cannot_be_read_is_named_with_the_reason(taken) -> None:
    assert taken.call(ListUnreadable(), list[UnreadableSession]) == []
    (session,) = taken.call(ListSessions(), list[SessionSummary])
    (Path(session.path) / "session.json").write_bytes(b"{")
    (lost,) = taken.call(ListUnreadable(), list[UnreadableSession])
    assert (lost.id, "session.json can't be read" in lost.message) == (session.id, True)
    assert "oto doctor --repair" in lost.hint
    (Path(session.path) / "session.json").write_bytes(b'{"schema":99}')
    (lost,) = taken.call(ListUnreadable(), list[UnreadableSession])
    assert "Update OTO" in lost.hint
    (Path(session.path) / "session.json").unlink()
    assert [one.id for one in taken.call(ListUnreadable(), list[UnreadableSession])] == [session.id]


def test_an_overview_of_what_is_not_there_or_not_finished_is_refused(taken) -> None:
    for request, code in (
        (GetOverview(take=9), "not_found"),
        (GetOverview(bounce="mix-001-01"), "not_found"),
        (GetOverview(), "bad_input"),
    ):
        with pytest.raises(OtoError) as refused:
            taken.call(request)
        assert refused.value.code == code
    taken.call(Record())
    with pytest.raises(OtoError) as refused:
        taken.call(GetOverview(take=2))
    assert refused.value.code == "busy"


def test_a_false_take_is_played_named_and_counts_again(taken) -> None:
    taken.call(FalseTake())
    false_one = {"take": 1, "false_number": 1}
    taken.call(Play(**false_one))
    transport = taken.status().transport
    assert (transport.state, transport.take, transport.false_number) == ("playing", 1, 1)
    taken.call(Stop())
    assert taken.call(EditTake(**false_one, name="Not so bad"), Take).false_take
    take = taken.call(EditTake(**false_one, false_take=False), Take)
    assert (take.number, take.false_number, take.name) == (1, 0, "Not so bad")
    assert [take.false_take for take in taken.status().takes.takes] == [False]


def test_a_false_take_whose_number_was_given_away_gets_the_next(taken) -> None:
    taken.call(FalseTake())
    taken.call(Record(seconds=0.2, preroll_s=0.0))
    taken.wait(lambda status: [t.status for t in status.takes.takes] == ["complete"] * 2, "both takes")
    assert taken.call(EditTake(take=1, false_number=1, false_take=False), Take).number == 2
    taken.call(EditTake(take=2, false_take=True))
    taken.call(TrashTake(take=2, false_number=1))
    assert [take.number for take in taken.status().takes.takes] == [1]


def test_markers_are_named_and_taken_away(taken) -> None:
    (marker,) = taken.status().takes.takes[0].markers
    taken.call(EditMarker(take=1, at_samples=marker.at_samples, name="There"))
    assert [one.name for one in taken.status().takes.takes[0].markers] == ["There"]
    taken.call(EditMarker(take=1, at_samples=marker.at_samples, name=None))
    assert taken.status().takes.takes[0].markers == ()
    with pytest.raises(OtoError, match="no such marker"):
        taken.call(EditMarker(take=1, at_samples=marker.at_samples, name=None))
    for _ in range(2):
        taken.call(EditMarker(take=1, at_samples=marker.at_samples, name="Back", again=True))
    (back,) = taken.status().takes.takes[0].markers
    assert (back.at_samples, back.name) == (marker.at_samples, "Back")


def fader(plan: MixPlan) -> float | None:
    setting = plan.strips[0].settings.get("fader_db")
    return None if setting is None else float(setting.value)


def test_a_plan_is_undone_and_redone_step_by_step_and_every_change_is_told(taken) -> None:
    def turn(name: str, value: float) -> None:
        taken.call(SetPlanValue(kind="mix", take=1, strip="Kick", name=name, value=value))

    def version() -> str:
        (plan,) = taken.status().plans.plans
        return plan.version

    def undo(redo: bool = False) -> MixPlan | None:
        return taken.call(StepPlan(kind="mix", take=1, redo=redo), MixPlan | None)

    assert taken.status().plans.plans == ()
    start = MixPlan(oto_version="0", strips=(Strip(track="Kick"),))
    taken.call(ReplacePlan(take=1, plan=start))
    seen = [version()]
    turn("fader_db", -1.0)
    seen.append(version())
    turn("fader_db", -2.0)  # the same knob further: one step
    seen.append(version())
    turn("pan", 0.5)
    taken.call(SetPriority(take=1, strip="Kick", priority="lead"))
    seen.append(version())
    assert len(set(seen)) == len(seen)
    undone = [undo(), undo(), undo()]
    assert [plan and (fader(plan), "pan" in plan.strips[0].settings) for plan in undone] == [
        (-2.0, True), (-2.0, False), (None, False),
    ]  # fmt: skip
    assert undo() is None
    redone = undo(redo=True)
    assert redone is not None
    assert fader(redone) == -2.0
    turn("width", 0.5)
    assert undo(redo=True) is None
    assert taken.call(GetPlan(kind="mix", take=1), MixPlan).strips[0].priority == "normal"


def test_every_setting_is_explained_with_its_limits(engine) -> None:
    infos = {info.name: info for info in engine.call(DescribeSettings(), list[SettingInfo])}
    assert set(infos) == set(Settings.__struct_fields__) - {"round_trips", "controls"}
    assert all(info.explanation.endswith(".") for info in infos.values())
    assert (infos["preroll_s"].low, infos["preroll_s"].high, infos["preroll_s"].unit) == (0.0, 60.0, "s")
    assert set(infos["sample_format"].choices) == {"pcm24", "float32"}
    values = engine.status().settings.values
    assert {name for name, info in infos.items() if isinstance(values[name], bool)} == {
        name for name, info in infos.items() if info.kind == "switch"
    }
    assert msgspec.structs.asdict(Settings())["rate_hz"] == infos["rate_hz"].default


def test_an_engine_that_is_nobodys_box_switches_nothing_off(engine) -> None:
    with pytest.raises(OtoError) as refused:
        engine.call(PowerOff())
    assert refused.value.code == "refused"
    engine.call(Record())
    with pytest.raises(OtoError) as refused:
        engine.call(PowerOff())
    assert refused.value.code == "busy"
