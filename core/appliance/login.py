"""The shell of the user `oto`: the studio, or one command of those that are offered. There is no other way in.

sshd starts it for every session (systemd/oto-sshd.conf), `login` and `su` start it too. What was asked for comes as
text; it is split into words, compared with the table below, and started without a shell in between. Nothing of the
caller's environment is handed on but the terminal's name and language.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from core.errors import Exit, OtoError

HOME: Final = Path("/var/lib/oto-people")
MAX_CHARACTERS: Final = 2_000

OFFERED: Final[dict[str, frozenset[str]]] = {
    "status": frozenset(),
    "rec": frozenset({"--name", "--pre-roll", "--seconds", "--overdub", "--count-in"}),
    "stop": frozenset(),
    "mark": frozenset(),
    "next": frozenset(),
    "false-take": frozenset(),
    "keep": frozenset(),
    "devices": frozenset(),
    "sessions": frozenset(),
    "takes": frozenset(),
    "trash": frozenset(),
    "analyse": frozenset({"--take"}),
    "mix": frozenset({"--take", "--style", "--hands", "--propose"}),
    "master": frozenset({"--take", "--target"}),
    "export": frozenset({"--to", "--format", "--take", "--bounce", "--rate"}),
    "backup": frozenset(),
    "eject": frozenset(),
}
"""Commands that may be asked for over a link, with the options that each may have: none that reads or writes a file
that is named, deletes for good, or changes how the box is set up. `--json` may always be there."""

EVERYWHERE: Final = frozenset({"--json", "--help", "-h"})
PASSED: Final = {"TERM": re.compile(r"[A-Za-z0-9.+-]{1,40}"), "LANG": re.compile(r"[A-Za-z0-9_.@-]{1,40}")}


def words_of(text: str) -> list[str]:
    """The words of a command that may be run, without a leading "oto"; none for the studio.

    Raises OtoError("refused") with the reason.
    """
    if len(text) > MAX_CHARACTERS or not text.isprintable():
        raise _refused("It is too long, or has characters that can't be typed.")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise _refused("A quote is not closed.") from error
    if words[:1] == ["oto"]:
        words = words[1:]
    if not words:
        return []
    name, *rest = words
    if name in ("--help", "--version") and not rest:
        return words
    if name not in OFFERED:
        raise _refused(f"{name!r} is not offered here.")
    for word in rest:
        option, _, value = word.partition("=")
        if word.startswith("-") and not re.fullmatch(r"-\d+(\.\d+)?", word):
            if option not in OFFERED[name] | EVERYWHERE:
                raise _refused(f"{name!r} has no option {option!r} here.")
        else:
            value = word
        # A drive or session is called by its name; every other word with these would be a file.
        if "/" in value or value.startswith((".", "~")):
            raise _refused(f"{value!r} looks like a file, and files can't be reached from here.")
    return words


def _refused(why: str) -> OtoError:
    return OtoError("refused", f"That is refused. {why}", f"Offered: {', '.join(OFFERED)}.", Exit.USAGE)


def asked_for(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """What the caller wants, as text: from sshd's variable, else after `-c`; empty for the studio."""
    if "SSH_CONNECTION" in environment:
        return environment.get("SSH_ORIGINAL_COMMAND", "")
    return arguments[1] if len(arguments) > 1 and arguments[0] == "-c" else ""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of what is started."""
    passed = {name: environment.get(name, "") for name in PASSED}
    known = {name: value for name, value in passed.items() if PASSED[name].fullmatch(value)}
    return {"LANG": "C.UTF-8", **known, "PATH": "/usr/bin:/bin", "HOME": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"}


def main() -> NoReturn:
    """Become the studio or the command; ends with 2 when that is refused."""
    try:
        words = words_of(asked_for(sys.argv[1:], os.environ))
        if not words and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise _refused("The studio needs a terminal ('ssh -t').")
    except OtoError as error:
        print(f"oto: {error.message}\n     {error.hint}", file=sys.stderr)
        sys.exit(int(error.exit_code))
    # An empty folder: no word can name a file in it.
    os.chdir(HOME)
    module = "core.cli.main" if words else "tui"
    os.execve(sys.executable, [sys.executable, "-I", "-m", module, *words], clean(os.environ))


if __name__ == "__main__":
    main()
