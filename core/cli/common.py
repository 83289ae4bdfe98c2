"""What `analyse`, `mix` and `master` have in common: words that name a session or files, options, and answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import paths
from core.cli.command import place
from core.cli.console import level
from core.cli.inputs import Files, InLibrary, resolve
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

SESSION_HELP = "a session by name, or audio files, or a folder of them"


def take_option(parser: ArgumentParser) -> None:
    """Declare --take."""
    parser.add_argument("--take", type=int, metavar="N", help="of a session: which take (default: the newest good one)")


def report_option(parser: ArgumentParser) -> None:
    """Declare --report."""
    parser.add_argument("--report", type=place, metavar="FILE.html", help="also write a report to read in a browser")


def report_file(options: Namespace) -> Path | None:
    """Where the report goes, if one is wanted."""
    wanted: Path | None = options.report
    if wanted is not None and wanted.suffix.lower() not in (".html", ".htm"):
        raise OtoError("usage", "--report wants a file that ends in .html.", "", Exit.USAGE)
    return None if wanted is None else wanted.absolute()


def take_report_along(value: dict[str, Any], report: Path | None) -> None:
    """Write a bounce's report again where a person wants it."""
    if report is not None and value["report"] is not None:
        from core.report.make import copy_report

        value["report"] = str(copy_report(Path(value["report"]), report))


def where_report(value: dict[str, Any]) -> str:
    """The line that names the report, if there is one."""
    return f"\n  report {value['report']}" if value["report"] else ""


def files_or_session(options: Namespace) -> Files | InLibrary:
    """What `analyse`, `mix` and `master` were given: files, or a session by name."""
    words: list[str] = options.what
    session = _session_folder(words[0]) if len(words) == 1 else None
    return resolve(words, session=session, has_take=options.take is not None)


def _session_folder(word: str) -> Path | None:
    """Where the session with this id or name lies; of several of a name the newest."""
    from core.cli.link import engine_if_any
    from core.protocol.requests import ListSessions
    from core.protocol.topics import SessionSummary

    client = engine_if_any()
    if client is not None:
        with client:
            known = client.call(ListSessions(), type=list[SessionSummary])
        return next((Path(session.path) for session in known if word in (session.id, session.name)), None)
    if not paths.library().is_dir():
        return None
    from sessions.store import Library

    library = Library(paths.library())
    found = (library.session_path(session.id) for session in library.sessions() if word in (session.id, session.name))
    return next(found, None)


def only_files(options: Namespace) -> None:
    """Refuse the options that only a session has."""
    if options.take is not None:
        raise OtoError(
            "usage",
            f"--take goes with a session, not with files, and {options.what[0]!r} is none that the library knows.",
            "Leave --take out, or name a session as 'oto sessions' lists it.",
            Exit.USAGE,
        )


def loudness(value: dict[str, Any]) -> str:
    """Loudness and true peak of what was rendered."""
    return f"{level(value['integrated_lufs'], 'LUFS')}, true peak {level(value['true_peak_dbtp'], 'dBTP')}"
