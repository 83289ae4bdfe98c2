"""`oto report`, and `--report` of a mix and a master."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import Exit
from core.report.make import read_report
from tests.core.cli.conftest import Oto


def test_plain_files_get_a_report_when_it_is_asked_for(oto: Oto, stage: Path, tmp_path: Path) -> None:
    files = [stage / "1 Kick.wav", stage / "3 Bass.wav"]
    mixed = oto("mix", *files, "--out", "mix.wav", "--report", "r/mix.html", "--json").json
    assert mixed["report"] == str(tmp_path / "r" / "mix.html")
    mix = read_report(tmp_path / "r" / "mix.json")
    assert (mix.title, mix.made, mix.after.audio) == ("mix", "from 2 files", "../mix.wav")
    said = oto("master", "mix.wav", "--report", "master.html").out
    assert f"report {tmp_path / 'master.html'}" in said
    master = read_report(tmp_path / "master.json")
    assert (master.before.audio, master.after.audio) == ("mix.wav", "mix%20master.wav")
    assert oto("master", "mix.wav", "--json").json["report"] is None


def test_a_report_is_a_page(oto: Oto, stage: Path) -> None:
    assert oto("mix", stage / "1 Kick.wav", "--report", "mix.pdf").code == Exit.USAGE


def test_a_session_tells_where_its_newest_report_is(oto: Oto, stage: Path, tmp_path: Path) -> None:
    session = oto("import", stage / "3 Bass.wav", "--name", "Duo", "--json").json["session"]
    assert oto("report", "Duo", "--json").code == Exit.NOT_FOUND
    mixed = oto("mix", session, "--report", "copy.html", "--json").json
    found: dict[str, Any] = oto("report", "Duo", "--json").json
    page = Path(found["report"])
    assert (found["bounce"], page.name) == (mixed["bounce"], "report.html")
    assert found["data"] == str(page.with_suffix(".json"))
    assert mixed["report"] == str(tmp_path / "copy.html")
    assert read_report(tmp_path / "copy.json").plan == read_report(page.with_suffix(".json")).plan
    assert oto("report", session, "--take", 1).out.strip() == str(page)
    assert oto("report", session, "--bounce", "master-001-01").code == Exit.NOT_FOUND
    page.unlink()
    assert "no report" in oto("report", session).err
