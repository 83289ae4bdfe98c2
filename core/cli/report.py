"""`oto report`: the page that says what a bounce is, and opening it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core import paths
from core.cli.command import Answer, Command
from core.cli.link import engine_if_any
from core.errors import Exit, OtoError
from core.protocol.requests import ListBounces, ListSessions
from core.protocol.topics import SessionSummary
from core.report import HTML_FILE
from sessions.model import Bounce
from sessions.store import Library

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="id or name")
    parser.add_argument("--take", type=int, metavar="N", help="which take's newest bounce (default: any take's)")
    parser.add_argument("--bounce", metavar="ID", help="this bounce")
    parser.add_argument("--open", action="store_true", help="show it in a browser on this computer")


def _report(options: Namespace, _console: Console) -> Answer:
    bounces, folder = _bounces(options.session)
    wanted = [
        bounce for bounce in bounces if options.take in (None, bounce.take) and options.bounce in (None, bounce.id)
    ]
    if not wanted:
        raise OtoError("not_found", "There is no such bounce yet.", "'oto mix' makes one.", Exit.NOT_FOUND)
    pages = [(bounce.id, folder / bounce.id / HTML_FILE) for bounce in wanted]
    found = next(((bounce, page) for bounce, page in pages if page.is_file()), None)
    if found is None:
        raise OtoError(
            "not_found",
            f"There is no report of {wanted[0].id}.",
            "Every new mix and master gets one; 'oto mix' or 'oto master' makes it.",
            Exit.NOT_FOUND,
        )
    bounce, page = found
    if options.open:
        import webbrowser

        if not webbrowser.open(page.as_uri()):
            raise OtoError("failed", "There is no browser here.", f"The report is {page}.")
    data = page.with_suffix(".json")
    return Answer({"bounce": bounce, "report": str(page), "data": str(data)}, str(page))


def _bounces(session: str) -> tuple[list[Bounce], Path]:
    """A session's bounces, newest first, and the folder they lie in; from the engine when one runs, else from disk."""
    client = engine_if_any()
    if client is not None:
        with client:
            bounces = client.call(ListBounces(session=session), type=list[Bounce])
            known = client.call(ListSessions(), type=list[SessionSummary])
        found = next(Path(each.path) for each in known if session in (each.id, each.name))
        return bounces, found / "bounces"
    library = Library(paths.library())
    session_id = library.session(session).id
    return list(library.bounces(session_id)), library.session_path(session_id) / "bounces"


COMMANDS = {
    "report": Command(
        "where the report of a mix or master is",
        "Say where the report of a session's newest bounce lies: one page with what it was before and is now, the\n"
        "meters, and every decision with its reason. --open shows it in a browser. Changes nothing.",
        ("oto report Rehearsal", "oto report Rehearsal --open", "oto report Rehearsal --bounce master-003-01 --json"),
        _options,
        _report,
    ),
}
