"""Who comes over a link may ask for what is offered, and for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.appliance.login import EVERYWHERE, HOME, OFFERED, asked_for, clean, words_of
from core.cli.main import MODULE_OF, parser_of
from core.errors import Exit, OtoError

REFUSED = [
    "bash",
    "sh -c id",
    "/bin/sh",
    "oto /bin/sh",
    "scp -t /tmp",
    "/usr/lib/openssh/sftp-server",
    "rsync --server . /",
    "engine",
    "worker --once",
    "appliance remove",
    "settings mirror_folder /etc",
    "doctor",
    "import /etc",
    "record",
    "trash --empty",
    "completion bash",
    "mix /etc/passwd",
    "mix ./song.wav",
    "mix ~/song.wav",
    "mix Rehearsal --plan=/etc/shadow",
    "mix Rehearsal --out x",
    "mix Rehearsal --stems x",
    "master Rehearsal --reference /etc/shadow",
    "export Rehearsal --to /etc",
    "export Rehearsal --to=/etc",
    "export Rehearsal --to ../..",
    "export Rehearsal --to=..",
    "meter song.wav",
    "status\nbash",
    "status\x1b[2J",
    "stop 'an open quote",
    "mark " + "x" * 3000,
    "-c id",
    "--help rec",
]

ALLOWED = {
    "": [],
    "oto": [],
    "status --json": ["status", "--json"],
    "oto rec --name 'Slow; rm -rf $HOME `id`'": ["rec", "--name", "Slow; rm -rf $HOME `id`"],
    "stop": ["stop"],
    "mark 'second chorus'": ["mark", "second chorus"],
    "export Rehearsal --to STICK --format flac,mp3": ["export", "Rehearsal", "--to", "STICK", "--format", "flac,mp3"],
    "--version": ["--version"],
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_offered_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(OtoError) as refused:
        words_of(text)
    assert refused.value.exit_code == Exit.USAGE
    assert refused.value.message.startswith("That is refused. ")
    assert "status, rec, stop" in refused.value.hint


@pytest.mark.parametrize(("text", "words"), ALLOWED.items())
def test_what_is_offered_arrives_as_words_that_no_shell_has_seen(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text(max_size=200))
def test_whatever_is_asked_is_offered_or_refused_and_names_no_file(text: str) -> None:
    try:
        words = words_of(text)
    except OtoError:
        return
    assert not words or words[0] in {*OFFERED, "--help", "--version"}
    assert not [word for word in words[1:] if "/" in word or word.startswith((".", "~"))]


def test_every_command_and_option_that_is_offered_exists() -> None:
    assert set(OFFERED) <= set(MODULE_OF)
    for name, options in OFFERED.items():
        known = {option for action in parser_of(name)._actions for option in action.option_strings}
        assert options | EVERYWHERE <= known, name


def test_no_option_that_names_a_file_is_offered() -> None:
    """Options whose help speaks of a file or folder, but for a drive's name."""
    for name, options in OFFERED.items():
        for action in parser_of(name)._actions:
            if set(action.option_strings) & options - {"--to"}:
                assert action.type is not Path
                assert "FILE" not in str(action.metavar), (name, action.option_strings)
                assert "FOLDER" not in str(action.metavar), (name, action.option_strings)


def test_over_ssh_only_what_sshd_says_was_asked_counts() -> None:
    from_sshd = {"SSH_CONNECTION": "::1 1 ::1 22", "SSH_ORIGINAL_COMMAND": "status"}
    assert asked_for(["-c", "oto-login"], from_sshd) == "status"
    assert asked_for(["-c", "oto-login"], {"SSH_CONNECTION": "::1 1 ::1 22"}) == ""
    assert asked_for(["-c", "bash"], {}) == "bash"
    assert asked_for(["-l"], {}) == ""


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["TERM", "LANG", "LD_PRELOAD", "PYTHONPATH", "OTO_HOME", "PATH"]), st.text()))
def test_nothing_of_the_callers_environment_arrives_but_terminal_and_language(environment: dict[str, str]) -> None:
    passed = clean(environment)
    assert set(passed) <= {"TERM", "LANG", "PATH", "HOME", "PYTHONDONTWRITEBYTECODE"}
    assert passed["PATH"] == "/usr/bin:/bin"
    assert passed["HOME"] == str(HOME)
    assert all("/" not in passed.get(name, "") for name in ("TERM", "LANG"))


def test_the_program_itself_refuses_and_ends_with_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core.appliance.login", "-c", "bash -i"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        env={name: value for name, value in os.environ.items() if not name.startswith("SSH_")},
    )
    assert done.returncode == Exit.USAGE
    assert "'bash' is not offered here" in done.stderr
    assert done.stdout == ""
