"""A mistake of the studio itself: a line in a log for whoever mends it, a sentence for whoever plays."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime

from rich.text import Text

from core import paths

UNHARMED = "The engine, a recording that runs and everything on the disk are untouched."


class MishapError(Exception):
    """Ends the studio with a sentence: what Textual prints when it is raised to the top."""

    def __init__(self, log: str) -> None:
        super().__init__("The studio stopped because of a mistake in it.")
        self._log = log

    def __rich__(self) -> Text:
        """The sentence, without anything of the program."""
        return Text(f"{self} {UNHARMED} 'oto' opens it again. What went wrong stands in {self._log}.")


def where(error: BaseException) -> str:
    """What it was and in which line, so that a mistake made twelve times a second is told once."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} {last.filename}:{last.lineno}"


def note(error: BaseException) -> str:
    """Write an error with where it happened to the studio's log; returns in words where it stands.

    Where that can't be written (a full disk, or the screen of a box, whose user owns no folder), the system's journal
    takes one line.
    """
    log = paths.studio_log()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as out:
            out.write(f"{now} {''.join(traceback.format_exception(error))}")
    except OSError:
        import syslog

        syslog.openlog("oto", syslog.LOG_PID)
        syslog.syslog(syslog.LOG_ERR, f"The studio made a mistake: {error!r}, {where(error)}")
        return "the system's journal (journalctl -t oto)"
    return str(log)
