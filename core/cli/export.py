"""`oto export`: finished music onto a drive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command
from core.cli.console import size
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console
    from devices.drives import Drive


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="id or name")
    parser.add_argument("--to", required=True, metavar="DRIVE|FOLDER", help="a drive's label, or any folder")
    parser.add_argument(
        "--format",
        action="append",
        metavar="F",
        help="wav16, wav24, flac, mp3, ogg, opus, stems; more than once or with commas (default: wav24)",
    )
    parser.add_argument("--take", type=int, metavar="N", help="which take's bounce (default: the newest bounce)")
    parser.add_argument("--bounce", action="append", metavar="ID", help="this bounce; more than once for several")
    parser.add_argument("--rate", type=int, metavar="HZ", help="convert to this sample rate")


def _export(options: Namespace, console: Console) -> Answer:
    from core.cli.link import do

    wanted: dict[str, Any] = {"to": str(destination(options.to))}
    if options.format:
        wanted["formats"] = [name for word in options.format for name in word.split(",") if name]
        if not wanted["formats"]:
            raise OtoError("usage", "--format names no format.", "'oto export --help' lists them.", Exit.USAGE)
    if options.bounce:
        wanted["bounces"] = options.bounce
    if options.rate:
        wanted["rate_hz"] = options.rate
    value = do("export", options.session, options.take, wanted, console)
    lines = [f"{file['path']}  {size(file['bytes'])}" for file in value["files"]]
    return Answer(value, "Written and read back:\n  " + "\n  ".join(lines))


def destination(word: str) -> Path:
    """The folder that a person means: a path if it has a slash or exists, else a drive by its label."""
    if not word:  # a script's variable that is not set would else mean the folder that one is in
        raise OtoError("usage", "Which drive or folder? The name is empty.", "", Exit.USAGE)
    path = Path(word).expanduser()
    if "/" in word or path.exists():
        return path.absolute()
    return Path(drive_named(word).path)


def drive_named(word: str) -> Drive:
    """The drive with this label or mount point. Raises OtoError("not_found") when there is not exactly one."""
    from devices.drives import list_drives

    drives = list_drives()
    named = [drive for drive in drives if word == drive.path or word.casefold() == drive.label.casefold()]
    if len(named) == 1:
        return named[0]
    labels = ", ".join(repr(drive.label) for drive in drives) or "none"
    raise OtoError(
        "not_found",
        f"There is no drive or folder {word!r}.",
        f"Drives: {labels}. Write ./{word} for a new folder here.",
        Exit.NOT_FOUND,
    )


COMMANDS = {
    "export": Command(
        "write finished music to a drive or folder",
        "Write a session's newest master (or else its newest mix) to a drive, in one or more formats, tagged.\n\n"
        "Each file is written under a partial name, forced onto the drive, read back and compared, and only then\n"
        "named; nothing there is replaced. What can't fit (free space, 4 GiB on FAT) is refused\n"
        "before anything is written.",
        (
            "oto export Rehearsal --to STICK",
            "oto export Rehearsal --to /media/stick --format wav16,flac,mp3",
            "oto export Rehearsal --to ~/Music --format stems --json",
        ),
        _options,
        _export,
    ),
}
