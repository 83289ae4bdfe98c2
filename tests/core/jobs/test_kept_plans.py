"""A plan that is kept under a letter is rendered as it is, beside the one that stands."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import OtoError
from core.jobs import work
from core.jobs.overview import bounce_overview
from core.jobs.tasks import run_job
from core.plans.document import MixPlan, Setting, Strip
from core.protocol.topics import Job
from sessions.planshelf import fingerprint
from sessions.store import Library


def silent(_: float, __: str) -> bool:
    return True


def plan_with(fader_db: float) -> MixPlan:
    strips = (Strip(track="Bass", settings={"fader_db": Setting(value=fader_db, by="person")}), Strip(track="Vox"))
    return MixPlan(oto_version="0", strips=strips)


def rendered(library: Library, **options: str | bool) -> dict[str, object]:
    (session,) = library.sessions()
    return run_job(Job(id="j", kind="mix", session=session.id, take=1, options=options), library, silent)


def test_a_kept_plan_is_rendered_and_the_one_that_stands_stays(library: Library) -> None:
    (session,) = library.sessions()
    stands, kept = work.plan_bytes(plan_with(0.0)), work.plan_bytes(plan_with(-60.0))
    library.save_plan(session.id, "mix", 1, stands)
    library.keep_plan(session.id, "mix", 1, "B", kept)
    rendered(library)
    rendered(library, kept="B", stems=True)
    quiet, loud = library.bounces(session.id)
    assert (loud.plan_version, quiet.plan_version) == (fingerprint(stands), fingerprint(kept))
    assert library.kept_mix_plans(session.id) == [(1, "B", quiet.plan_version)]
    assert library.load_plan(session.id, "mix", 1) == stands
    assert quiet.integrated_lufs is not None
    assert loud.integrated_lufs is not None
    assert quiet.integrated_lufs < loud.integrated_lufs - 3.0
    overview = bounce_overview(quiet, library.bounce_path(session.id, quiet.id))
    assert set(overview.peaks) == {"mix", "Bass", "Vox"}
    assert min(overview.peaks["Bass"]) > min(overview.peaks["Vox"]) + 60  # half decibels


def test_a_proposal_is_told_by_the_plan_that_it_became(library: Library) -> None:
    (session,) = library.sessions()
    rendered(library, propose=True)
    data = library.load_plan(session.id, "mix", 1)
    assert data is not None
    (bounce,) = library.bounces(session.id)
    assert bounce.plan_version == fingerprint(work.plan_bytes(msgspec.json.decode(data, type=MixPlan)))


def test_a_letter_that_nothing_is_kept_under_is_refused(library: Library) -> None:
    with pytest.raises(OtoError, match="kept as C"):
        rendered(library, kept="C")
