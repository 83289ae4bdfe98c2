"""`oto taste`: what OTO has learned of its owner's changes to proposals, and forgetting it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command
from core.cli.console import table
from core.cli.link import do_for_all
from core.cli.settings import change_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


LEAST_SHOWN_DB = 0.05
"""What was left as it was proposed is no news for a person."""


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("forget", nargs="?", choices=("forget",), help="mixes until now count no more")


def _taste(options: Namespace, console: Console) -> Answer:
    if options.forget is not None:
        change_settings({"taste_since": datetime.now(UTC).isoformat(timespec="milliseconds")})
    value = do_for_all("taste", {}, console)
    return Answer(value, _words(value))


def _words(value: dict[str, Any]) -> str:
    rows = [
        (
            lean["role"].replace("_", " "),
            lean["label"],
            f"{lean['mean_db']:+.1f} dB",
            str(lean["mixes"]),
            f"{lean['sure']:.0%}",
            f"{lean['shift_db']:+.1f} dB" if lean["followed"] else "-",
        )
        for lean in value["leans"]
        if abs(lean["mean_db"]) >= LEAST_SHOWN_DB
    ]
    heading = (
        "Proposals lean to what you changed in earlier mixes."
        if value["on"]
        else "Proposals don't lean to this: 'oto settings taste on' lets them."
    )
    if not rows:
        return f"{heading}\nNothing is known yet: turn faders, shelves or sends of proposed mixes."
    return f"{heading}\n" + table(("role", "knob", "you changed", "mixes", "sure", "proposals lean"), rows)


COMMANDS = {
    "taste": Command(
        "what OTO learned from your changes",
        "List what you changed in proposed mixes, by role and knob: how far on the mean, in how many mixes, how\n"
        "sure it is that this is taste and not the song, and by how much proposals lean to it. It is read from the\n"
        "plans in your library and nowhere else. 'forget' lets only mixes count that are made from now on.",
        ("oto taste", "oto taste --json", "oto taste forget", "oto settings taste off"),
        _options,
        _taste,
    ),
}
