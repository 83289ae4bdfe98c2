"""What a job does to the library: a bounce with its plan and hash, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import OtoError
from core.jobs.tasks import run_job
from core.plans.document import MixPlan, Setting
from core.protocol.topics import Job, JobKind
from sessions.files import sha256_file
from sessions.store import Library

Run = Callable[..., dict[str, Any]]


def go_on(_fraction: float, _doing: str) -> bool:
    return True


@pytest.fixture
def run(library: Library) -> Run:
    session = library.sessions()[0].id

    def do(kind: JobKind, take: int | None = None, progress: Any = go_on, **options: Any) -> dict[str, Any]:
        return run_job(Job(id="x", kind=kind, session=session, take=take, options=options), library, progress)

    return do


def test_a_mix_is_kept_with_its_plan_its_figures_and_its_hash(run: Run, library: Library) -> None:
    result = run("mix", stems=True)
    (bounce,) = library.bounces(result["session"])
    folder = library.bounce_path(bounce.session, bounce.id)
    assert (bounce.id, bounce.kind, bounce.take) == (result["bounce"], "mix", 1)
    assert sha256_file(folder / bounce.file) == bounce.sha256
    assert bounce.integrated_lufs == result["integrated_lufs"]
    assert {name: str(folder / file) for name, file in bounce.stems.items()} == result["stems"]
    plan = msgspec.json.decode((folder / bounce.plan).read_bytes(), type=MixPlan)
    assert (plan.session, plan.take) == (bounce.session, 1)
    assert library.load_plan(bounce.session, "mix", 1) == (folder / bounce.plan).read_bytes()


def test_a_mix_renders_the_plan_the_take_has_and_proposes_only_when_asked(run: Run, library: Library) -> None:
    session = run("mix")["session"]
    plan = msgspec.json.decode(library.load_plan(session, "mix", 1) or b"", type=MixPlan)
    mine = Setting(value=-7.0, by="person", why="I like it so.")
    strips = tuple(msgspec.structs.replace(strip, settings={"fader_db": mine}) for strip in plan.strips)
    library.save_plan(session, "mix", 1, msgspec.json.encode(msgspec.structs.replace(plan, strips=strips)))
    rendered = json.loads(Path(run("mix")["plan"]).read_text())
    assert all(set(strip["settings"]) == {"fader_db"} for strip in rendered["strips"])
    proposed = json.loads(Path(run("mix", propose=True)["plan"]).read_text())
    assert all(strip["settings"]["fader_db"]["value"] == -7.0 for strip in proposed["strips"])
    assert any(len(strip["settings"]) > 1 for strip in proposed["strips"])
    assert len(library.plan_history(session, "mix", 1)) == 2


def test_a_master_is_made_of_the_newest_mix_or_the_one_that_is_named(run: Run, library: Library) -> None:
    first, second = run("mix")["bounce"], run("mix")["bounce"]
    assert first != second
    session = run("master")["session"]
    run("master", bounce=first, target="cd")
    masters = [bounce for bounce in library.bounces(session) if bounce.kind == "master"]
    assert [bounce.source_bounce for bounce in masters] == [first, second]


def test_an_export_takes_the_newest_master_and_is_remembered(run: Run, library: Library, tmp_path: Path) -> None:
    session = run("mix", stems=True)["session"]
    master = run("master")["bounce"]
    result = run("export", to=str(tmp_path / "stick"), formats=["wav16", "stems"])
    (record,) = library.exports(session)
    assert [file.path for file in record.files] == result["exports"]
    assert {file.source_bounce for file in record.files} == {master}
    assert [Path(path).name for path in result["exports"]] == ["Duo.wav", "Bass.wav", "Vox.wav"]


def test_the_newest_take_that_is_not_false_is_meant_when_none_is_named(run: Run, library: Library) -> None:
    session = library.sessions()[0].id
    library.mark_false(session, 1)
    with pytest.raises(OtoError, match="no finished take"):
        run("mix")


@pytest.mark.parametrize("at", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["mix", "master"])
def test_a_job_that_is_cancelled_leaves_the_library_as_it_was(
    kind: JobKind, at: float, run: Run, library: Library
) -> None:
    session = run("mix")["session"]
    before = sorted(path for path in library.session_path(session).rglob("*"))
    with pytest.raises(OtoError) as caught:
        run(kind, progress=lambda fraction, _doing: fraction < at)
    assert caught.value.code == "cancelled"
    assert sorted(path for path in library.session_path(session).rglob("*")) == before


def test_progress_rises_from_start_to_end(run: Run) -> None:
    heard: list[float] = []

    def listen(fraction: float, _doing: str) -> bool:
        heard.append(fraction)
        return True

    run("mix", progress=listen)
    assert heard == sorted(heard)
    assert 0.0 <= heard[0] < 0.5
    assert heard[-1] == 1.0


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("master", {}, "not_found"),
        ("export", {"to": "/tmp/x"}, "not_found"),
        ("export", {"to": "relative"}, "bad_input"),
        ("export", {"to": "/tmp/x", "formats": ["aac"]}, "bad_input"),
        ("mix", {"style": 3.0}, "bad_input"),
        ("master", {"bounce": "mix-009-09"}, "not_found"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(
    kind: JobKind, options: dict[str, Any], code: str, run: Run
) -> None:
    with pytest.raises(OtoError) as caught:
        run(kind, **options)
    assert caught.value.code == code


def test_analysing_says_what_is_in_which_file(run: Run, library: Library) -> None:
    result = run("analyse")
    assert [track["role"] for track in result["tracks"]] == ["bass", "lead_vocal"]
    assert all(Path(track["file"]).is_file() for track in result["tracks"])
    assert len(json.dumps(result)) < 20_000
