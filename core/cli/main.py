"""`oto`: picks the command, runs it, prints its answer, and ends with an exit code that scripts can rely on.

Only the module of the command that was named is imported, so that a key press on a foot switch is not kept waiting by
what mastering needs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from core.cli.console import Console
from core.errors import EXIT_BY_CODE, Exit, OtoError, as_oto_error

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from core.cli.command import Command

GROUPS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        "Record",
        (
            ("devices", "devices"),
            ("record", "record"),
            ("rec", "transport"),
            ("stop", "transport"),
            ("mark", "transport"),
            ("next", "transport"),
            ("false-take", "transport"),
            ("keep", "transport"),
            ("status", "status"),
            ("latency", "devices"),
        ),
    ),
    (
        "Library",
        (
            ("sessions", "library"),
            ("takes", "library"),
            ("comp", "comp"),
            ("import", "library"),
            ("trash", "library"),
        ),
    ),
    (
        "Mix, master, export",
        (
            ("analyse", "work"),
            ("mix", "work"),
            ("master", "mastering"),
            ("meter", "meter"),
            ("report", "report"),
            ("taste", "taste"),
            ("motif", "motif"),
            ("export", "export"),
            ("eject", "eject"),
        ),
    ),
    (
        "The box",
        (
            ("demo", "demo"),
            ("doctor", "doctor"),
            ("backup", "backup"),
            ("restore", "backup"),
            ("settings", "settings"),
            ("controls", "controls"),
            ("panel", "controls"),
            ("models", "models"),
            ("engine", "service"),
            ("worker", "service"),
            ("appliance", "appliance"),
            ("keys", "keys"),
            ("completion", "completion"),
        ),
    ),
)
"""Every command by what it is for, with the module of core.cli that holds it."""

MODULE_OF: Final[dict[str, str]] = {name: module for _, commands in GROUPS for name, module in commands}

HELP_COLUMNS: Final = 110

ABOUT: Final = """\
usage: oto [--version] [--help] [COMMAND ...]

OTO is a studio on one small box: record a band, mix it, master it, take it home on a stick.
'oto' alone opens the studio; a command does one thing and can be scripted."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `oto` with these arguments and return its exit code."""
    if argv is None:
        _clean_up_when_ended()
    arguments = list(sys.argv[1:] if argv is None else argv)
    console = Console(as_json="--json" in arguments)
    try:
        code = _run(arguments, console)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SystemExit as ended:  # argparse has printed the help, or a signal ends us
        return int(ended.code or 0)
    except KeyboardInterrupt:
        return _fail(console, OtoError("interrupted", "Interrupted. What was finished is kept.", "", Exit.INTERRUPTED))
    except BrokenPipeError:
        _drop_what_nobody_takes()  # whoever read our output has seen enough
        return Exit.OK
    except Exception as error:
        if os.environ.get("OTO_TRACEBACK"):
            raise
        return _fail(console, as_oto_error(error))


def _clean_up_when_ended() -> None:
    """Let a closed terminal and SIGTERM end a command as Ctrl-C does: nothing half written stays behind.

    A take and a job of the engine go on, since only Ctrl-C asks it to end them.
    """

    def end(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def _fail(console: Console, error: OtoError) -> int:
    with contextlib.suppress(OSError):  # nobody can be told where stdout or stderr is full
        console.fail(error)
    _drop_what_nobody_takes()
    return int(error.exit_code if error.exit_code != Exit.FAILED else EXIT_BY_CODE.get(error.code, Exit.FAILED))


def _drop_what_nobody_takes() -> None:
    """Python would try once more at exit, complain, and end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: list[str], console: Console) -> int:
    words = [word for word in arguments if word != "--json"]
    if not words:
        return _open_studio()
    if words[0] in ("-h", "--help", "help"):
        if len(words) > 1 and words[1] in MODULE_OF:
            parser_of(words[1]).print_help()
        else:
            print(overview())
        return Exit.OK
    if words[0] == "--version":
        from core.version import VERSION

        print(f"oto {VERSION}")
        return Exit.OK
    name = words[0]
    if name not in MODULE_OF:
        raise OtoError(
            "usage", f"There is no command {name!r}.{_nearest(name)}", "'oto --help' lists them.", Exit.USAGE
        )
    options = parser_of(name).parse_args(words[1:])
    answer = command(name).run(options, console)
    console.answer(answer)
    return answer.exit_code


def _open_studio() -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tui"])


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, MODULE_OF, 1)
    return f" Did you mean {near[0]!r}?" if near else ""


def command(name: str) -> Command:
    """The command of this name; imports its module."""
    found: Command = import_module(f"core.cli.{MODULE_OF[name]}").COMMANDS[name]
    return found


def parser_of(name: str) -> ArgumentParser:
    """The parser of one command's options."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    class Parser(ArgumentParser):
        """Tells usage errors as every other error."""

        def error(self, message: str) -> NoReturn:
            raise OtoError("usage", f"oto {name}: {message}.", f"'oto {name} --help' explains it.", Exit.USAGE)

    chosen = command(name)
    parser = Parser(
        prog=f"oto {name}",
        description=chosen.about,
        epilog="examples:\n" + "\n".join(f"  {line}" for line in chosen.examples),
        # With a width given, argparse does not import what finds it out, which would cost a tenth of the start.
        formatter_class=lambda prog: RawDescriptionHelpFormatter(prog, width=_width()),
        allow_abbrev=False,
    )
    chosen.declare(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value on stdout, words on stderr")
    return parser


def _width() -> int:
    try:
        return min(os.get_terminal_size().columns, HELP_COLUMNS)
    except OSError:
        return HELP_COLUMNS


def overview() -> str:
    """The text of `oto --help`: every command with its line."""
    width = max(len(name) for name in MODULE_OF) + 2
    lines = [ABOUT]
    for title, commands in GROUPS:
        lines.append(f"\n{title}:")
        lines += [f"  {name:<{width}}{command(name).summary}" for name, _ in commands]
    lines.append(
        "\n'oto COMMAND --help' says more, with examples. OTO_HOME moves the library, settings and engine elsewhere."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
