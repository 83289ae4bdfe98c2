"""The owner's taste, out of real mixes in a library."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core import paths, settings
from core.jobs.tasks import run_job
from core.jobs.tasting import followed_taste, taste_of
from core.jobs.work import plan_bytes, read_plan
from core.plans.document import MixPlan, Setting
from core.plans.editing import Turn, with_turn
from core.protocol.topics import Job
from sessions.importing import import_recordings
from sessions.store import Library

SONGS = ("One", "Two", "Three", "Four")


@pytest.fixture
def songs(library: Library, tmp_path: Path) -> Library:
    """Sessions with the same two players; the last three are not mixed yet."""
    for name in SONGS[1:]:
        import_recordings(library, [tmp_path / "stage"], name=name)
    return library


def mix(library: Library, name: str) -> MixPlan:
    job = Job(id="1", kind="mix", session=library.session(name).id, take=1, options={"engineer": "rules"})
    run_job(job, library, lambda *_: True)
    return plan_of(library, name)


def plan_of(library: Library, name: str) -> MixPlan:
    data = library.load_plan(library.session(name).id, "mix", 1)
    assert data is not None
    plan = read_plan(data, name)
    assert isinstance(plan, MixPlan)
    return plan


def setting(plan: MixPlan, track: str, knob: str) -> Setting:
    return next(strip for strip in plan.strips if strip.track == track).settings[knob]


def with_settings(plan: MixPlan, track: str, **settings: Setting) -> MixPlan:
    strips = tuple(
        msgspec.structs.replace(strip, settings={**strip.settings, **settings}) if strip.track == track else strip
        for strip in plan.strips
    )
    return msgspec.structs.replace(plan, strips=strips)


def turn(library: Library, name: str, knob: str, by_db: float) -> None:
    plan = plan_of(library, name)
    value = float(setting(plan, "Vox", knob).value) + by_db
    library.save_plan(
        library.session(name).id, "mix", 1, plan_bytes(with_turn(plan, Turn(strip="Vox", name=knob, value=value)))
    )


def test_three_mixes_changed_alike_change_the_fourth_until_they_are_forgotten(songs: Library) -> None:
    mixed = ("Duo", *SONGS[1:3])
    for name in mixed:
        turn_by = 4.0 - (setting(mix(songs, name), "Vox", "fader_db").taste or 0.0)
        turn(songs, name, "fader_db", turn_by)
    fourth = setting(mix(songs, "Four"), "Vox", "fader_db")
    assert fourth.taste is not None
    assert fourth.taste > 1.0
    assert "In 3 mixes you left it" in fourth.why

    told = run_job(Job(id="2", kind="taste", session=""), songs, lambda *_: True)
    [vox] = [lean for lean in told["leans"] if (lean["role"], lean["knob"]) == ("lead_vocal", "fader_db")]
    assert (vox["mixes"], vox["followed"], vox["label"]) == (3, True, "Fader")

    newest = max(bounce.created_utc for session in songs.sessions() for bounce in songs.bounces(session.id))
    mix(songs, "Two")
    assert taste_of(songs, newest) == {}
    settings.save(settings.changed(settings.Settings(), {"taste_since": newest}), paths.settings_file())
    assert followed_taste(songs) == {}
    settings.save(settings.changed(settings.Settings(), {"taste": False}), paths.settings_file())
    assert followed_taste(songs) is None


def test_a_plan_that_was_never_mixed_and_one_that_nobody_can_read_say_nothing(library: Library) -> None:
    mix(library, "Duo")
    turn(library, "Duo", "fader_db", 3.0)
    session = library.session("Duo").id
    assert taste_of(library)["lead_vocal", "fader_db"].mixes == 1
    [bounce] = library.bounces(session)
    (library.bounce_path(session, bounce.id) / "bounce.json").unlink()
    assert taste_of(library) == {}
    library.save_bounce(msgspec.structs.replace(bounce))
    library.save_plan(session, "mix", 1, b"{}")
    assert taste_of(library) == {}


def test_a_plan_in_the_history_that_can_t_be_read_or_used_keeps_no_song_from_being_mixed(library: Library) -> None:
    mix(library, "Duo")
    session, plan = library.session("Duo").id, plan_of(library, "Duo")
    words = with_settings(plan, "Vox", fader_db=Setting(value="loud", by="person"))
    library.save_plan(session, "mix", 1, plan_bytes(words))
    assert ("lead_vocal", "fader_db") not in taste_of(library)
    library.save_plan(session, "mix", 1, plan_bytes(plan))
    turn(library, "Duo", "fader_db", 3.0)
    before = taste_of(library)
    assert before["lead_vocal", "fader_db"].mixes == 1
    history = library.plan_history(session, "mix", 1)
    history[1].unlink()
    history[1].mkdir()  # as good as a spot of the disk that is gone
    assert taste_of(library) == before
