"""What happens to a person who clones OTO onto a new box and types one command, in the order in which it happens."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.box.fresh import FreshDebian, why_not

pytestmark = [pytest.mark.box, pytest.mark.timeout(1500)]

SHOW = f"{FreshDebian.home}/the show"

# Debian 12 brings Python 3.11 and gets every test. Debian 13 brings Python 3.13; there the rooms in which another
# Python, C library or Debian package could matter get theirs, so that both fit into one sitting.
SUITES = {"bookworm": [], "trixie": ["tests/test_house.py", "tests/devices", "tests/sessions", "tests/core/export"]}


@pytest.fixture(scope="module", params=SUITES)
def box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshDebian]:
    if reason := why_not():
        pytest.skip(reason)
    root = tmp_path_factory.mktemp(request.param)
    try:
        yield FreshDebian(request.param, root)
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True, timeout=120)


def test_someone_without_root_is_told_which_packages_to_install(box: FreshDebian) -> None:
    done = box.oto("demo", user=box.user)
    assert done.returncode == 1
    assert "sudo apt-get install python3-venv libportaudio2 libevdev2" in done.stderr
    assert not box.outside(box.studio).joinpath(".venv").exists()


def test_one_command_makes_a_mastered_song(box: FreshDebian) -> None:
    done = box.oto("demo", "--seconds", "40", "--json", "--out", SHOW)
    assert done.returncode == 0, done.stderr
    assert "installing from Debian: python3-venv libportaudio2 libevdev2" in done.stderr
    value = json.loads(done.stdout)
    take, master = value["take"], value["master"]
    assert len(take["files"]) >= 10
    assert take["frames"] == 40 * take["rate_hz"]
    assert (take["gaps"], take["overflows"]) == (0, 0)
    assert {Path(path).suffix for path in value["exports"]} == {".wav", ".flac"}
    for path in [master["out"], *value["exports"]]:
        loudness, peak = ebur128(box.outside(path))
        assert loudness == pytest.approx(master["target"]["integrated_lufs"], abs=0.2)
        assert peak <= master["target"]["true_peak_dbtp"] + 0.1


def test_the_next_start_installs_nothing(box: FreshDebian) -> None:
    done = box.oto("--version")
    assert done.returncode == 0
    assert done.stderr == ""


def test_anyone_on_the_box_can_use_what_root_installed(box: FreshDebian) -> None:
    done = box.run(f"{box.studio}/oto", "meter", a_song(box), "--json", user=box.user, folder=box.home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["integrated_lufs"] == pytest.approx(-14, abs=0.2)


def test_with_no_engine_running_status_says_so(box: FreshDebian) -> None:
    done = box.oto("status", "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["code"] == "no_engine"
    assert "No engine is running" in done.stderr


def test_its_tests_pass_there(box: FreshDebian, request: pytest.FixtureRequest) -> None:
    done = box.oto("test", "-q", *SUITES[request.node.callspec.params["box"]], timeout_s=1400)
    print(done.stdout[-6000:])
    for _ in range(2):  # as in CI: what failed beside other work gets a run of its own, and one more
        if done.returncode == 0:
            break
        done = box.oto("test", "-q", "--last-failed", "--last-failed-no-failures", "none", "-n", "0", timeout_s=600)
        print(done.stdout[-6000:])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"\d+ passed", done.stdout)
    assert not re.search(r"SKIPPED.*(not installed|apt install)", done.stdout), done.stdout[-6000:]


def test_a_command_that_hangs_leaves_neither_mounts_nor_processes(box: FreshDebian) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        box.run("sh", "-c", "setsid sleep 2718.28 & sleep 2718.28", timeout_s=2)
    # The kernel ends a namespace when its first process has ended, not before.
    deadline = time.monotonic() + 10
    while left_of(box):
        assert time.monotonic() < deadline, left_of(box)
        time.sleep(0.1)


def left_of(box: FreshDebian) -> list[str]:
    """Mounts of the box that this machine sees, and processes of the command that hung."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(box.root) in line]
    asleep = [one for one in psutil.process_iter(["cmdline"]) if "2718.28" in (one.info["cmdline"] or ())]
    return [*mounts, *map(str, asleep)]


def a_song(box: FreshDebian) -> str:
    """A finished song in the box."""
    song = next(box.outside(SHOW).glob("*.wav"))
    return f"{SHOW}/{song.name}"


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP, by this machine's ffmpeg."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path)]
    command += ["-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = dict(re.findall(r"^\s+(I|Peak):\s+(-?[\d.]+)", done.stderr.rpartition("Summary:")[2], re.MULTILINE))
    return float(found["I"]), float(found["Peak"])
