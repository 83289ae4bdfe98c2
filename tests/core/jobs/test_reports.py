"""Every bounce gets its report; one that can't be drawn costs nobody a bounce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from core.jobs import reports
from core.jobs.tasks import run_job
from core.master.styles import STYLES
from core.protocol.topics import Job, JobKind
from core.report.document import Report
from core.report.make import read_report
from sessions.store import Library


def go_on(_fraction: float, _doing: str) -> bool:
    return True


def run(library: Library, kind: JobKind, **options: Any) -> dict[str, Any]:
    session = library.sessions()[0].id
    return run_job(Job(id="x", kind=kind, session=session, take=1, options=options), library, go_on)


def report_of(result: dict[str, Any]) -> Report:
    page = Path(result["report"])
    assert page.read_text().startswith("<!doctype html>")
    assert page.parent.name == result["bounce"]
    return read_report(page.with_suffix(".json"))


def test_a_mix_and_its_master_have_reports_that_agree_with_the_bounces(library: Library) -> None:
    mixed, mastered = run(library, "mix"), run(library, "master", target="cd")
    mix, master = report_of(mixed), report_of(mastered)
    assert (mix.title, mix.made) == ("Duo", f"Duo, take 1, {mixed['bounce']}")
    for report, result in ((mix, mixed), (master, mastered)):
        assert report.after.portrait.loudness.integrated_lufs == pytest.approx(result["integrated_lufs"], abs=1e-6)
        assert report.after.portrait.loudness.true_peak_dbtp == pytest.approx(result["true_peak_dbtp"], abs=1e-6)
    before, after = master.before.portrait, mix.after.portrait
    # The mix was measured as it was made, in other blocks than the file is read in.
    assert asdict(before.loudness) == pytest.approx(asdict(after.loudness), abs=1e-9)
    assert replace(before, loudness=after.loudness, plr_db=after.plr_db) == after
    assert (mix.before.audio, mix.after.audio) == (None, "mix.wav")
    assert (master.before.audio, master.after.audio) == (f"../{mixed['bounce']}/mix.wav", "master.wav")
    assert [check.name for check in master.checks] == [check["name"] for check in mastered["delivery"]["checks"]]
    assert master.gain is not None
    assert master.tone is not None


def test_a_report_that_cannot_be_drawn_is_a_note(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Report:
        raise ZeroDivisionError("too flat")

    monkeypatch.setattr(reports, "mix_report", fail)
    result = run(library, "mix")
    assert result["report"] is None
    assert result["notes"][-1] == "The report could not be drawn: too flat"
    assert [bounce.id for bounce in library.bounces(result["session"])] == [result["bounce"]]


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_a_usual_spectrum(style: str) -> None:
    band = reports.usual_tone(style)
    assert len(band.centre_hz) == len(band.low_db) == len(band.middle_db) == len(band.high_db) > 20
    for low, middle, high in zip(band.low_db, band.middle_db, band.high_db, strict=True):
        assert low <= middle <= high
