"""The house itself: what is shipped, what is locked, what the front door says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.cli.main import MODULE_OF
from core.version import VERSION

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ROOMS = ("core", "devices", "sessions", "tui")
LOCKS = ("run", "dev", "training")
PYTHONS = ("3.11", "3.12", "3.13")
PROCESSORS = ("x86_64", "aarch64")


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=110, **options)


def locked(lock: str) -> dict[Requirement, list[str]]:
    """The requirements of a lock file with their hashes."""
    logical = (ROOT / "requirements" / f"{lock}.lock").read_text().replace("\\\n", " ").splitlines()
    lines = [line.split("#")[0] for line in logical if line.strip() and not line.lstrip().startswith("#")]
    return {Requirement(line.split("--hash=")[0]): re.findall(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines}


def installed_on(lock: str, python: str, processor: str) -> dict[str, str]:
    """Names and versions that a lock installs there."""
    there = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": processor,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    matching = [each for each in locked(lock) if each.marker is None or each.marker.evaluate(there)]
    names = [canonicalize_name(each.name) for each in matching]
    assert len(names) == len(set(names)), "a package is locked twice for the same machine"
    return {name: str(each.specifier) for name, each in zip(names, matching, strict=True)}


def wanted_by(lock: str) -> list[Requirement]:
    extra = PROJECT["optional-dependencies"].get(lock, [])
    return [Requirement(line) for line in [*PROJECT["dependencies"], *extra]]


# --- what is shipped ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files in the wheel, built from the files that git would commit."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = run("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    for name in filter(lambda name: (ROOT / name).is_file(), listed):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = run(*pip, "--wheel-dir", str(folder), str(source))
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    assert path.name.startswith(f"oto_studio-{VERSION}-py3-none-any")
    return zipfile.ZipFile(path).namelist()


def test_the_wheel_holds_every_module_style_and_model_of_the_rooms(wheel: list[str]) -> None:
    there = {str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    there |= {str(path.relative_to(ROOT)) for path in (ROOT / "tui").rglob("*.tcss")}
    models = (ROOT / "core/models/files").iterdir()
    there |= {str(path.relative_to(ROOT)) for path in models if path.suffix in {".onnx", ".json"}}
    assert there <= set(wheel)


def test_the_wheel_holds_nothing_else(wheel: list[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {*ROOMS, f"oto_studio-{VERSION}.dist-info"}


def test_the_project_and_the_program_have_one_version() -> None:
    assert PROJECT["version"] == VERSION


def test_the_change_log_knows_this_version() -> None:
    assert VERSION in (ROOT / "CHANGELOG.md").read_text()


# --- what is locked -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("processor", PROCESSORS)
def test_everything_that_the_project_names_is_locked_everywhere(lock: str, python: str, processor: str) -> None:
    there = installed_on(lock, python, processor)
    for requirement in wanted_by(lock):
        version = there[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version.removeprefix("=="), prereleases=True)


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_tested_is_what_is_run(python: str) -> None:
    for processor in PROCESSORS:
        run_with = installed_on("run", python, processor)
        assert run_with.items() <= installed_on("dev", python, processor).items()
        # Which builds the project, and is older where training needs it so.
        del run_with["setuptools"]
        assert run_with.items() <= installed_on("training", python, processor).items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_one_version_with_hashes(lock: str) -> None:
    for requirement, hashes in locked(lock).items():
        assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier)), requirement
        assert hashes, requirement


def test_the_product_never_carries_pytorch() -> None:
    for lock in LOCKS:
        assert not {"torch", "nvidia-cublas"} & {canonicalize_name(each.name) for each in locked(lock)}


# --- the front door -----------------------------------------------------------------------------------------


@pytest.fixture
def bare_oto(tmp_path: Path) -> Path:
    """A copy of the front door in a folder of its own, with a space in its name, where nothing is installed."""
    folder = tmp_path / "a studio"
    (folder / "requirements").mkdir(parents=True)
    for name in ("oto", "pyproject.toml", "requirements/run.lock", "requirements/dev.lock"):
        shutil.copy(ROOT / name, folder / name)
    return folder / "oto"


def path_with(folder: Path, tools: Sequence[str], **scripts: str) -> dict[str, str]:
    """An environment with a PATH on which there are only these tools, and these scripts."""
    folder.mkdir()
    written = {name.replace("_", "-"): text for name, text in scripts.items()}
    for name, text in written.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    for tool in {"sh", "readlink", "dirname", "cat", "cksum", "sed", "grep", "tr", "id", "flock", *tools} - set(
        written
    ):
        (folder / tool).symlink_to(shutil.which(tool) or pytest.skip(f"no {tool} here"))
    return {"PATH": str(folder)}


EVERYTHING_INSTALLED = 'for package; do echo "installed $package"; done'


def test_without_root_the_front_door_names_the_missing_packages(bare_oto: Path, tmp_path: Path) -> None:
    env = path_with(tmp_path / "bin", [], dpkg_query="exit 1", id="echo 1000")
    done = run(str(bare_oto), "demo", env=env)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "sudo apt-get install python3-venv libportaudio2 libevdev2" in done.stderr


def test_only_what_is_missing_is_asked_for(bare_oto: Path, tmp_path: Path) -> None:
    env = path_with(tmp_path / "bin", [], dpkg_query='echo "installed python3-venv"', id="echo 1000")
    assert "sudo apt-get install libportaudio2 libevdev2\n" in run(str(bare_oto), "demo", env=env).stderr


def test_a_box_without_python_gets_a_sentence(bare_oto: Path, tmp_path: Path) -> None:
    env = path_with(tmp_path / "bin", [], dpkg_query=EVERYTHING_INSTALLED)
    done = run(str(bare_oto), "demo", env=env)
    assert done.returncode == 1
    assert done.stderr == "oto: needs Python 3.11 or newer, but there is no python3 on the PATH\n"


def test_a_python_that_is_too_old_gets_a_sentence(bare_oto: Path, tmp_path: Path) -> None:
    old = 'case "$1" in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac'
    env = path_with(tmp_path / "bin", [], dpkg_query=EVERYTHING_INSTALLED, python3=old)
    done = run(str(bare_oto), "demo", env=env)
    assert done.returncode == 1
    assert re.fullmatch(r"oto: needs Python 3.11 or newer, as Debian 12 has; \S+ is Python 3.9.2\n", done.stderr)


# A Python that takes half a second to "install" anything and writes down what it was told.
SCRIBE = """
folder=$(dirname "$(readlink -f "$0")")
case "$*" in
-c*) exit 0 ;;
"-m venv --clear "*)
    echo venv >>"$LOG"
    mkdir -p "$4/bin"
    cat "$0" >"$4/bin/python"
    printf '#!/bin/sh\necho "the studio got $*"\n' >"$4/bin/oto"
    chmod +x "$4/bin/python" "$4/bin/oto"
    ;;
*"pip "*)
    [ -z "${FAIL:-}" ] || exit 1
    sleep 0.25
    echo pip >>"$LOG"
    ;;
esac
"""


@pytest.fixture
def setting_up(bare_oto: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which the front door sets itself up at once; what it had done is in the file LOG."""
    tools = ["mkdir", "chmod", "rm", "sleep", "sync"]
    env = path_with(tmp_path / "bin", tools, dpkg_query=EVERYTHING_INSTALLED, python3=SCRIBE)
    return {**env, "LOG": str(tmp_path / "log")}


def done_by(env: dict[str, str]) -> list[str]:
    return Path(env["LOG"]).read_text().split()


def test_a_first_start_sets_up_says_so_and_hands_over(bare_oto: Path, setting_up: dict[str, str]) -> None:
    done = run(str(bare_oto), "mix", "a  song.wav", env=setting_up)
    assert (done.returncode, done.stdout) == (0, "the studio got mix a  song.wav\n")
    assert f"oto: making a Python environment in {bare_oto.parent}/.venv\n" in done.stderr
    assert done_by(setting_up) == ["venv", "pip", "pip"]


def test_a_second_start_does_nothing_twice(bare_oto: Path, setting_up: dict[str, str]) -> None:
    run(str(bare_oto), "status", env=setting_up)
    assert run(str(bare_oto), "status", env=setting_up).stderr == ""
    assert done_by(setting_up) == ["venv", "pip", "pip"]


def test_an_installation_that_broke_off_is_made_again_from_nothing(bare_oto: Path, setting_up: dict[str, str]) -> None:
    broken = run(str(bare_oto), "status", env={**setting_up, "FAIL": "yes"})
    assert broken.returncode == 1
    assert "run this again to go on" in broken.stderr
    assert run(str(bare_oto), "status", env=setting_up).returncode == 0
    assert done_by(setting_up) == ["venv", "venv", "pip", "pip"]


def test_a_new_lock_is_installed_into_the_same_environment(bare_oto: Path, setting_up: dict[str, str]) -> None:
    run(str(bare_oto), "status", env=setting_up)
    with (bare_oto.parent / "requirements" / "run.lock").open("a") as lock:
        lock.write("# one more\n")
    run(str(bare_oto), "status", env=setting_up)
    assert done_by(setting_up) == ["venv", "pip", "pip", "pip", "pip"]


def test_a_folder_that_was_moved_gets_a_new_environment(bare_oto: Path, setting_up: dict[str, str]) -> None:
    run(str(bare_oto), "status", env=setting_up)
    moved = bare_oto.parent.rename(bare_oto.parent.with_name("moved")) / "oto"
    assert run(str(moved), "status", env=setting_up).returncode == 0
    assert done_by(setting_up) == ["venv", "pip", "pip"] * 2


def test_starts_at_the_same_time_set_up_once(bare_oto: Path, setting_up: dict[str, str]) -> None:
    command = [str(bare_oto), "status"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": setting_up}
    starts = [subprocess.Popen(command, **pipes) for _ in range(4)]
    assert [start.communicate(timeout=60)[0] for start in starts] == ["the studio got status\n"] * 4
    assert done_by(setting_up) == ["venv", "pip", "pip"]


def test_the_front_door_is_a_plain_shell_script() -> None:
    assert run("sh", "-n", str(ROOT / "oto")).returncode == 0
    assert (ROOT / "oto").stat().st_mode & 0o111


def test_an_installed_front_door_hands_over_at_once_from_anywhere(tmp_path: Path) -> None:
    if not (ROOT / ".venv" / "installed-run").exists():
        pytest.skip("this checkout was not set up by ./oto")
    link = tmp_path / "a link"
    link.symlink_to(ROOT / "oto")
    done = run(str(link), "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"oto {VERSION}\n", "")


# --- the commands -------------------------------------------------------------------------------------------


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """A folder with things in it that are called like our rooms."""
    for room in (*ROOMS, "textual", "numpy"):
        (tmp_path / room).mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('imported the wrong core')")
    return tmp_path


def oto(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OTO_HOME": str(cwd / "OTO")}
    return run(str(Path(sys.executable).with_name("oto")), *words, cwd=cwd, env=env)


def test_folders_called_like_our_rooms_hide_nothing(crowded: Path) -> None:
    assert json.loads(oto("sessions", "--json", cwd=crowded).stdout) == []
    assert {each["id"] for each in json.loads(oto("devices", "--json", cwd=crowded).stdout)["interfaces"]} >= {"sim"}
    assert "The studio needs a terminal" in oto(cwd=crowded).stderr


@pytest.mark.parametrize("name", sorted(MODULE_OF))
def test_every_command_is_described_for_scripts(name: str) -> None:
    assert re.search(rf"^### `oto [^`]*\b{name}\b", (ROOT / "docs" / "cli.md").read_text(), re.MULTILINE)
