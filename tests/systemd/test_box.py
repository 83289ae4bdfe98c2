"""A box set up as docs/appliance.md says, booted in a container, on which a band plays one evening."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.box.fresh import REPOSITORY, FreshDebian, why_not

pytestmark = [pytest.mark.box, pytest.mark.timeout(1500)]

STAGE = "/opt/stage"
RESULTS = "/root/evening"
RATE_HZ = 48_000
TRACKS = ("Kick", "Bass", "Lead Vocal")

UNIT = """\
[Unit]
Description=One evening
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
Environment=HOME=/root
ExecStart=/bin/sh /root/evening.sh
ExecStopPost=/bin/systemctl --force poweroff
StandardOutput=append:/root/evening.log
StandardError=inherit
TimeoutStartSec=400
"""

EVENING = f"""\
set -eux
{{setup}}
useradd --create-home --groups oto anna
anna() {{{{ runuser -u anna -- /opt/oto/oto "$@"; }}}}
is() {{{{ anna status | grep -q "^state  *$1"; }}}}
reached() {{{{ for _ in $(seq 100); do is "$1" && return; sleep 0.3; done; return 1; }}}}
mkdir -p {RESULTS} /media/STICK
chown oto:oto /media/STICK
anna settings device sim:{STAGE}
reached idle
anna rec
sleep 4
kill -9 "$(systemctl show -p MainPID --value oto-engine)"
sleep 1
reached recording
sleep 2
anna stop
session=$(ls /var/lib/oto/library)
anna takes "$session" --json >{RESULTS}/killed.json
anna mix "$session" --json >{RESULTS}/mix.json
anna export "$session" --to /media/STICK --format flac --format mp3 --json >{RESULTS}/export.json
anna rec
sleep 3
systemctl restart oto-engine
reached idle
anna takes "$session" --json >{RESULTS}/restarted.json
systemctl show oto-engine oto-worker -p Id -p ActiveState -p NRestarts -p StatusText >{RESULTS}/services.txt
ls /home/anna >{RESULTS}/anna.txt
"""


def commands_of_the_page() -> list[str]:
    """What the page tells to type once OTO is cloned and its environment is made, as root types it."""
    page = (REPOSITORY / "docs/appliance.md").read_text()
    block = re.findall(r"^```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
    lines = [line.removeprefix("sudo ") for line in block.splitlines()]
    return lines[lines.index("/opt/oto/oto doctor") + 1 :]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshDebian]:
    reason = why_not() or ("" if shutil.which("systemd-nspawn") else "needs systemd-nspawn")
    if reason:
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("box")
    box = FreshDebian("bookworm", root)
    for command in ("apt-get -qq update", "apt-get -qq -y --no-install-recommends install systemd-sysv"):
        done = box.run(*command.split())
        assert done.returncode == 0, done.stderr
    subprocess.run(["git", "clone", "--quiet", "--no-local", REPOSITORY, box.outside("/opt/oto")], check=True)
    doctor = box.run("./oto", "doctor", folder="/opt/oto")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    box.outside(STAGE).mkdir()
    for number, name in enumerate(TRACKS, start=1):
        tone = 0.2 * np.sin(2 * np.pi * 110 * number * np.arange(10 * RATE_HZ) / RATE_HZ)
        soundfile.write(box.outside(f"{STAGE}/{number:02d} {name}.wav"), tone, RATE_HZ, subtype="PCM_24")
    box.outside("/root/evening.sh").write_text(EVENING.format(setup="\n".join(commands_of_the_page())))
    box.outside("/etc/systemd/system/evening.service").write_text(UNIT)
    nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={root}", "--boot"]
    booted = subprocess.run(
        [*nspawn, "systemd.unit=evening.service"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    log = box.outside("/root/evening.log")
    if not log.exists():
        pytest.skip(f"no system can be booted here: {(booted.stderr or booted.stdout)[-300:]}")
    assert box.outside(f"{RESULTS}/anna.txt").exists(), log.read_text()[-4000:] + journal(box)
    yield box
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True, timeout=120)


def journal(box: FreshDebian) -> str:
    command = ["journalctl", f"--root={box.root}", "-u", "oto-engine", "-u", "oto-worker", "--no-pager", "-n", "60"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def result(box: FreshDebian, name: str) -> Any:
    return json.loads(box.outside(f"{RESULTS}/{name}.json").read_text())


def test_a_killed_engine_comes_back_and_goes_on_with_its_take(evening: FreshDebian) -> None:
    (take,) = result(evening, "killed")
    assert take["status"] == "complete"
    assert [gap["cause"] for gap in take["gaps"]] == ["device_lost"]
    assert len(take["clips"]) == 2 * len(TRACKS)
    assert take["frames"] > 6 * RATE_HZ


def test_the_worker_mixes_and_exports_inside_its_walls(evening: FreshDebian) -> None:
    assert result(evening, "mix")["integrated_lufs"] < 0
    exported = [evening.outside(path) for path in result(evening, "export")["exports"]]
    assert [path.suffix for path in exported] == [".flac", ".mp3"]
    assert all(soundfile.info(path).frames > 6 * RATE_HZ for path in exported)


def test_a_restart_finishes_the_running_take_first(evening: FreshDebian) -> None:
    takes = result(evening, "restarted")
    assert [take["status"] for take in takes] == ["complete", "complete"]
    assert takes[1]["gaps"] == []


def test_systemd_knows_how_the_services_are(evening: FreshDebian) -> None:
    blocks = evening.outside(f"{RESULTS}/services.txt").read_text().split("\n\n")
    engine, worker = (dict(line.split("=", 1) for line in block.split()) for block in blocks)
    assert (engine["ActiveState"], worker["ActiveState"]) == ("active", "active")
    # Said anew whenever the watchdog is fed, so it may be some seconds old.
    assert engine["StatusText"] in ("no_device", "idle")


def test_a_member_of_the_group_needs_no_studio_of_its_own(evening: FreshDebian) -> None:
    assert evening.outside(f"{RESULTS}/anna.txt").read_text() == ""
