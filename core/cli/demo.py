"""`oto demo`: the whole path on the simulated band."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import Answer, Command, number, place
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--seconds", type=number, metavar="N", help="how much of the song (default: all of it)")
    parser.add_argument(
        "--out", type=place, default=Path("oto-demo"), metavar="FOLDER", help="where it goes (default: ./%(default)s)"
    )


def _demo(options: Namespace, console: Console) -> Answer:
    if options.seconds is not None and options.seconds <= 0:
        raise OtoError("usage", "--seconds is more than 0.", "", Exit.USAGE)
    from core.demo import run

    value = run(options.out.absolute(), options.seconds, console)
    return Answer(value, "Listen to:\n  " + "\n  ".join(value["exports"]))


COMMANDS = {
    "demo": Command(
        "record, mix, master and export a simulated band",
        "Do everything once without any hardware: a simulated band plays, an engine records it, a worker mixes and\n"
        "masters it for streaming, and the song is exported as WAV and FLAC. All of it, with a studio of its own,\n"
        "goes into one folder; your library and settings are not touched.",
        ("oto demo", "oto demo --seconds 20 --out /tmp/demo --json"),
        _options,
        _demo,
    ),
}
