"""The units: systemd accepts them, they are as closed as docs/appliance.md says, and they start what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.appliance.release import PLACES, PROGRAMS
from core.cli.main import parser_of
from core.engine.main import parser as engine_parser

REPOSITORY = Path(__file__).parents[2]
UNITS = sorted((REPOSITORY / "systemd").glob("*.service"))
WIRING = sorted(path for kind in ("target", "path") for path in (REPOSITORY / "systemd").glob(f"*.{kind}"))
SHARING = [REPOSITORY / "systemd" / f"oto-{name}.service" for name in ("engine", "worker")]
INSTALLED_AT = "/opt/oto/current"
LIBRARY = "/var/lib/oto"

by_name = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def service(unit: Path) -> dict[str, list[str]]:
    """The settings of the [Service] section, each with all its values."""
    settings: dict[str, list[str]] = {}
    section = unit.read_text().partition("[Service]\n")[2].partition("\n[Install]")[0]
    for line in section.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return settings


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_analyze
@pytest.mark.parametrize("unit", [*UNITS, *WIRING], ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    # Verifying wants the programs and the other units to be there: this checkout, wherever it lies, stands in for an
    # installed one.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, program in (("python", Path(sys.executable)), ("oto", Path(sys.executable).with_name("oto"))):
        (programs / name).symlink_to(program)
    for path in [*UNITS, *WIRING]:
        text = path.read_text().replace(f"{INSTALLED_AT}/bin", str(programs))
        (tmp_path / path.name).write_text(text)
    here = tmp_path / unit.name.replace("@.", "@tty1.")
    here.write_text((tmp_path / unit.name).read_text())
    said = [line for line in analyze("verify", "--man=no", str(here)).splitlines() if "oto" in line]
    assert said == []


@needs_analyze
@by_name
def test_a_unit_is_as_closed_as_the_documentation_says(unit: Path) -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(unit))
    score = re.search(r"exposure level for \S+: (\d+\.\d)", said)
    told = re.search(rf"`{unit.name}` \| (\d+\.\d)", (REPOSITORY / "docs/appliance.md").read_text())
    assert score is not None
    assert told is not None
    # Other versions of systemd weigh a little differently.
    assert float(score[1]) <= min(float(told[1]) + 0.3, 2.0)


@by_name
def test_a_group_of_devices_is_known_before_a_unit_may_use_it(unit: Path) -> None:
    """A name that the kernel doesn't know at the start allows nothing, ever: systemd.resource-control(5)."""
    text = unit.read_text()
    if "DeviceAllow=char-alsa" in text:
        assert re.search(r"^Wants=.*\bmodprobe@snd\.service", text, re.MULTILINE)
        assert re.search(r"^After=.*\bmodprobe@snd\.service", text, re.MULTILINE)


def test_the_services_start_commands_that_there_are() -> None:
    engine = shlex.split(service(REPOSITORY / "systemd/oto-engine.service")["ExecStart"][0])
    assert engine[:4] == [f"{INSTALLED_AT}/bin/python", "-P", "-m", "core.engine"]
    arguments = engine_parser().parse_args(engine[4:])
    assert arguments.no_workers
    assert arguments.resume
    worker = shlex.split(service(REPOSITORY / "systemd/oto-worker.service")["ExecStart"][0])
    assert worker[:2] == [f"{INSTALLED_AT}/bin/oto", "worker"]
    parser_of("worker").parse_args(worker[2:])
    for setting in ("ExecStart", "ExecStopPost"):
        panel = shlex.split(service(REPOSITORY / "systemd/oto-panel.service")[setting][0].removeprefix("-"))
        assert panel[:2] == [f"{INSTALLED_AT}/bin/oto", "panel"]
        parser_of("panel").parse_args(panel[2:])


def test_engine_and_worker_share_user_and_home() -> None:
    for setting in ("User", "Group", "Environment", "StateDirectory"):
        values = {tuple(service(unit)[setting]) for unit in SHARING}
        assert len(values) == 1, setting
    assert service(SHARING[0])["Environment"] == [f"OTO_HOME={LIBRARY}"]
    assert LIBRARY in (REPOSITORY / "systemd/oto-sysusers.conf").read_text()


def test_every_relaxation_has_its_reason_above_it() -> None:
    for unit in UNITS:
        lines = unit.read_text().splitlines()
        for number, line in enumerate(lines):
            if re.fullmatch(r"[A-Z]\w+=no", line):
                assert lines[number - 1].startswith("#"), f"{unit.name}: {line}"


def test_only_what_is_named_as_such_runs_as_root() -> None:
    page = (REPOSITORY / "docs/security.md").read_text()
    for unit in UNITS:
        if service(unit)["User"] == ["root"]:
            assert f"`{unit.name}`" in page


def test_every_file_goes_somewhere_on_a_box_and_every_unit_belongs_to_the_target() -> None:
    assert set(PLACES) == {path.name for path in (REPOSITORY / "systemd").iterdir()}
    for unit in SHARING:
        assert "PartOf=oto.target\n" in unit.read_text()
        assert unit.name in (REPOSITORY / "systemd/oto.target").read_text()


def test_the_programs_that_units_rules_and_sshd_start_are_in_a_release() -> None:
    for path in (REPOSITORY / "systemd").iterdir():
        for name in re.findall(rf"{INSTALLED_AT}/bin/([\w-]+)", path.read_text()):
            assert name in {*PROGRAMS, "python"}, path.name
