"""`oto eject`: lets go of a drive, so that it can be pulled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import Answer, Command

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("drive", metavar="DRIVE", help="its label, or where it is mounted")


def _eject(options: Namespace, _console: Console) -> Answer:
    from core.appliance.drives import ask_to_let_go
    from core.cli.export import drive_named

    drive = drive_named(options.drive)
    ask_to_let_go(Path(drive.path))
    return Answer({"path": drive.path, "label": drive.label}, f"{drive.label} can be pulled out.")


COMMANDS = {
    "eject": Command(
        "let go of a drive, so that it can be pulled out",
        "Have everything that was written forced onto a drive and the drive unmounted. Drives that are still in use\n"
        "are not let go. On a box that mounts drives by itself; needs no root.",
        ("oto eject STICK", "oto eject STICK --json"),
        _options,
        _eject,
    ),
}
