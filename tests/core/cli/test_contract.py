"""What scripts rely on: one JSON value on stdout, words on stderr, exit codes, help worth reading, quick starts."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.cli import main as cli
from core.cli import transport, wire
from core.cli.console import Console
from core.errors import Exit, OtoError
from core.protocol import PROTOCOL
from core.protocol.wire import Call
from core.version import VERSION

ROOT = Path(__file__).parents[3]
LIGHT = ("rec", "stop", "mark", "next", "false-take", "keep", "status")
HEAVY = {"numpy", "scipy", "soundfile", "msgspec", "asyncio", "textual", "sounddevice", "psutil", "onnxruntime"}


def test_every_command_of_the_contract_is_there() -> None:
    contract = """
        devices sessions takes record rec stop mark next false-take import analyse mix master meter export status
        engine worker doctor demo
    """
    assert set(contract.split()) <= set(cli.MODULE_OF)


@pytest.mark.parametrize("name", cli.MODULE_OF)
def test_help_says_what_the_command_does_with_an_example_and_offers_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"usage: oto {name}" in out
    assert "--json" in out
    assert re.search(rf"examples:\n  .*oto {name}", out)


def test_the_overview_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^  {re.escape(name)} +\w", out, re.MULTILINE) for name in cli.MODULE_OF)


def test_the_documentation_has_every_command_and_every_exit_code() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    missing = [name for name in cli.MODULE_OF if f"`oto {name}" not in text]
    assert missing == []
    assert [code for code in Exit if f"| {code.value} |" not in text] == []


def test_the_version_is_the_one_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"oto {VERSION}\n"
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["status"], "no_engine", Exit.NO_ENGINE),
        (["stop"], "no_engine", Exit.NO_ENGINE),
        (["frobnicate"], "usage", Exit.USAGE),
        (["meter"], "usage", Exit.USAGE),
        (["meter", "--frob", "x"], "usage", Exit.USAGE),
        (["meter", "nothing.wav"], "not_found", Exit.NOT_FOUND),
        (["takes", "nowhere"], "not_found", Exit.NOT_FOUND),
        (["export", "nowhere", "--to", "./x"], "not_found", Exit.NOT_FOUND),
        (["mix", "nowhere"], "not_found", Exit.NOT_FOUND),
        (["record", "--seconds", "0"], "usage", Exit.USAGE),
        (["settings", "no_such"], "not_found", Exit.NOT_FOUND),
        (["settings", "preroll_s", "-3"], "bad_input", Exit.BAD_INPUT),
    ],
)
def test_an_error_is_a_sentence_on_stderr_a_value_on_stdout_and_an_exit_code(
    words: list[str],
    code: str,
    exit_code: Exit,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OTO_HOME", str(home))
    assert cli.main([*words, "--json"]) == exit_code
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert error["code"] == code
    assert set(error) == {"code", "message", "hint"}
    assert err.startswith(f"oto: {error['message']}")
    assert cli.main(words) == exit_code
    assert capsys.readouterr().out == ""


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(oto: Any) -> None:
    assert "'master'" in oto("mastr").err


@pytest.mark.parametrize("name", LIGHT)
def test_a_command_that_only_asks_the_engine_loads_nothing_heavy(name: str, home: Path) -> None:
    words = [name, "3"] if name == "keep" else [name]
    code = (
        "import sys; from core.cli.main import main; code = main(sys.argv[1:]); "
        "print(code, *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OTO_HOME": str(home)},
        timeout=60,
        check=True,
    )
    ended, *loaded = done.stdout.split()
    assert int(ended) == Exit.NO_ENGINE
    assert HEAVY & set(loaded) == set()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rec", ["--name", "A", "--pre-roll", "2", "--seconds", "5", "--overdub", "1", "--count-in", "2"]),
        ("rec", []),
        ("stop", []),
        ("mark", ["chorus"]),
        ("false-take", []),
        ("keep", ["30"]),
        ("next", ["B"]),
    ],
)
def test_what_light_commands_spell_out_is_what_the_protocol_means(
    name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def ask(do: str, **fields: Any) -> Any:
        asked.append({"do": do, **fields})
        return {"transport": {"state": "recording"}} if do == "status" else {} if do == "mark" else 3

    monkeypatch.setattr(transport, "ask", ask)
    transport.COMMANDS[name].run(cli.parser_of(name).parse_args(words), None)  # type: ignore[arg-type]
    for number, request in enumerate(asked):
        call = msgspec.json.decode(msgspec.json.encode({"id": number, "request": request}), type=Call)
        known = msgspec.to_builtins(call.request)
        assert {key: known[key] for key in request} == request
    assert wire.PROTOCOL == PROTOCOL


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_its_options(shell: str, oto: Any, tmp_path: Path) -> None:
    script = oto("completion", shell).out
    assert all(name in script for name in cli.MODULE_OF)
    assert "count-in" in script
    assert oto("completion", shell, "--json").json["script"] + "\n" == script


def test_bash_completes_commands_options_and_words(oto: Any, tmp_path: Path) -> None:
    (tmp_path / "complete.bash").write_text(oto("completion", "bash").out)

    def complete(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in words)
        script = (
            f"source complete.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _oto; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=30)
        assert done.stderr == ""
        return set(done.stdout.split())

    assert complete("oto", "ma") == {"mark", "master"}
    assert complete("oto", "master", "--ta") == {"--take", "--target"}
    assert "bash" in complete("oto", "completion", "b")
    assert "complete.bash" in complete("oto", "meter", "comp")


def test_a_reader_that_leaves_early_is_no_error(home: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -m core.cli.main completion fish | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OTO_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_with_130_and_a_sentence(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "core.cli.main", "worker", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OTO_HOME": str(home)},
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == Exit.INTERRUPTED
    assert msgspec.json.decode(out)["error"]["code"] == "interrupted"
    assert "Traceback" not in err
    assert "Interrupted" in err


PRESSED_WHILE_LOADING = """
import importlib, signal, sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == loading:
            signal.raise_signal(signal.SIGINT)
loading, module, function = sys.argv[1:4]
sys.meta_path.insert(0, Pressed())
sys.argv[1:] = ["status"]
sys.exit(getattr(importlib.import_module(module), function)())
"""


@pytest.mark.parametrize("loading", ["core.cli.main", "core.cli.console", "core.cli.status"])
def test_ctrl_c_is_as_quiet_while_oto_loads_its_modules(loading: str, home: Path) -> None:
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["oto"]
    done = subprocess.run(
        [sys.executable, "-c", PRESSED_WHILE_LOADING, loading, *entry.split(":")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OTO_HOME": str(home)},
        timeout=60,
    )
    assert done.returncode == Exit.INTERRUPTED
    assert "Traceback" not in done.stderr


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(tmp_path: Path, stage: Path, home: Path) -> None:
    command = [sys.executable, "-m", "core.cli.main", "meter", str(stage / "1 Kick.wav"), "--json"]
    environment = {**os.environ, "OTO_HOME": str(home)}
    piped = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60)
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, cwd=ROOT, env=environment, timeout=60)
    os.close(theirs)
    drawn = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "%" in drawn
    assert drawn.endswith("\r\x1b[K")
    assert msgspec.json.decode(shown.stdout) == msgspec.json.decode(piped.stdout)


def test_a_name_can_t_drive_the_terminal_that_progress_is_drawn_on() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        bar = Console(as_json=False, err=terminal)
        bar.progress(0.5, "Listening to V\x1b]0;HACK\x07\nox \udce4.wav")
    drawn = os.read(ours, 65_536).decode()
    os.close(ours)
    assert drawn.count("\x1b") == 1
    assert "Listening to V]0;HACK ox \ufffd.wa" in drawn


@pytest.mark.parametrize("redirected", ["2>&-", ">&-", "<&-", ">/dev/full"])
def test_a_terminal_that_is_gone_is_no_reason_to_fall_over(redirected: str, home: Path) -> None:
    program = f"{shlex.quote(sys.executable)} -m core.cli.main completion bash --json {redirected}"
    # Not every shell that runs tests leaves Python the buffer that people have.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ran = subprocess.run(["sh", "-c", program], capture_output=True, text=True, timeout=60, cwd=ROOT, env=env)
    assert ran.returncode == (Exit.NO_SPACE if "full" in redirected else Exit.OK)
    assert "Exception ignored" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_engine_that_went_away_has_the_exit_code_of_none(oto: Any) -> None:
    assert OtoError("disconnected", "Gone.").exit_code == Exit.NO_ENGINE
    ran = oto("worker", "--once", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (Exit.NO_ENGINE, "no_engine")


@pytest.mark.parametrize(
    "words",
    [
        *("mix ''", "analyse ''", "master ''", "meter ''", "import ''", "backup ''", "demo --out ''"),
        *("export S --to ''", "export S --to ./x --format ,"),
        *(f"mix stage {option} ''" for option in ("--out", "--stems", "--plan", "--report")),
    ],
)
def test_an_empty_name_is_not_the_folder_one_is_in(words: str, oto: Any, stage: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert oto(*shlex.split(words), "--json").code == Exit.USAGE
    assert sorted(tmp_path.rglob("*")) == before
