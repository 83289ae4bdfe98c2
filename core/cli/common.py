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


def files_or_session(words: list[str]) -> Files | InLibrary:
    """Files or session, asking the library on disk only where a word could be either."""
    return resolve(words, is_session=len(words) == 1 and _is_session(words[0]))


def _is_session(word: str) -> bool:
    from core.cli.link import engine_if_any
    from core.protocol.requests import ListSessions
    from core.protocol.topics import SessionSummary

    client = engine_if_any()
    if client is not None:
        with client:
            known = client.call(ListSessions(), type=list[SessionSummary])
        return any(word in (session.id, session.name) for session in known)
    if not paths.library().is_dir():
        return False
    from sessions.store import Library

    return any(word in (session.id, session.name) for session in Library(paths.library()).sessions())


def only_files(options: Namespace) -> None:
    """Refuse the options that only a session has."""
    if options.take is not None:
        raise OtoError("usage", "--take goes with a session, not with files.", "", Exit.USAGE)


def loudness(value: dict[str, Any]) -> str:
    """Loudness and true peak of what was rendered."""
    return f"{level(value['integrated_lufs'], 'LUFS')}, true peak {level(value['true_peak_dbtp'], 'dBTP')}"
