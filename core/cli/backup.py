"""`oto backup`, `oto restore`: the library and the settings to a drive, and back on another box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command
from core.cli.console import size, table
from core.errors import Exit, OtoError
from devices.text import printable

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

LINE_CHARACTERS = 500
"""Names in a backup come from a drive, which may be anybody's: they are shown without what drives a terminal."""


def _backup_options(parser: ArgumentParser) -> None:
    parser.add_argument("to", metavar="DRIVE|FOLDER", help="a drive's label, or any folder that is there")
    parser.add_argument("--keep", type=int, metavar="N", help="afterwards remove all but the newest N whole backups")
    parser.add_argument("--dry-run", action="store_true", help="with --keep: say what would be removed, and do nothing")


def _backup(options: Namespace, console: Console) -> Answer:
    from core.cli.export import destination
    from core.cli.link import do_for_all

    place = destination(options.to)
    if options.keep is not None and options.keep < 1:
        raise OtoError("usage", "At least one backup has to stay.", "--keep 1 or more.", Exit.USAGE)
    if options.dry_run:
        if options.keep is None:
            raise OtoError("usage", "--dry-run goes with --keep.", "", Exit.USAGE)
        return _would_prune(str(place), options.keep)
    wanted: dict[str, Any] = {"to": str(place)}
    if options.keep is not None:
        wanted["keep"] = options.keep
    value = do_for_all("backup", wanted, console)
    lines = [
        f"Backup {value['number']} in {value['folder']}: {value['files']} files, {size(value['bytes'])}.",
        f"Copied and read back: {value['copied_files']} files, {size(value['copied_bytes'])}; the others were there.",
        *(f"Not in it: {what}." for what in value["left_out"]),
        *(f"No longer what was recorded: {path}; earlier backups may have it whole." for path in value["suffered"]),
        *([_pruned_words(value["pruned"], "Removed")] if value["pruned"] else []),
    ]
    return Answer(value, "\n".join(lines))


def _would_prune(place: str, keep: int) -> Answer:
    from dataclasses import asdict
    from pathlib import Path

    from core.backup.pruning import prune
    from core.backup.shelf import find

    value = asdict(prune(find(Path(place)), keep, dry_run=True))
    return Answer(value, _pruned_words(value, "Would be removed") + " Nothing was done.")


def _pruned_words(value: dict[str, Any], what: str) -> str:
    gone = ", ".join(map(str, value["removed"])) or "none"
    kept = ", ".join(map(str, value["kept"]))
    return (
        f"{what}: backups {gone}, {value['files']} files, {size(value['bytes'])}; {kept} stay. {value['note']}".strip()
    )


def _restore_options(parser: ArgumentParser) -> None:
    parser.add_argument("place", metavar="DRIVE|FOLDER", help="where the backup is")
    parser.add_argument(
        "--session", action="append", metavar="ID", help="only this session; more than once for several"
    )
    parser.add_argument("--from", type=int, metavar="N", dest="number", help="this backup (default: the newest)")
    parser.add_argument("--list", action="store_true", help="say which backups there are, and restore nothing")


def _restore(options: Namespace, console: Console) -> Answer:
    from core.cli.export import destination
    from core.cli.link import do_for_all

    place = destination(options.place)
    if options.list:
        return _list(str(place))
    wanted: dict[str, Any] = {"to": str(place)}
    if options.session:
        wanted["sessions"] = options.session
    if options.number is not None:
        wanted["number"] = options.number
    value = do_for_all("restore", wanted, console)
    words = {"there": "was here already", "restored": "is back", "renamed": "is back as"}
    lines = [
        f"{one['name']} {words[one['state']]}" + (f" {one['here']}" if one["state"] == "renamed" else "")
        for one in [*value["sessions"], *value["settings"]]
    ]
    lines += [f"damaged on the drive: {path}" for path in value["damaged"]]
    code = Exit.VERIFY_FAILED if value["damaged"] else Exit.OK
    return Answer(value, "\n".join(printable(line, LINE_CHARACTERS) for line in lines) or "The backup is empty.", code)


def _list(place: str) -> Answer:
    from pathlib import Path

    from core.backup.shelf import described, find

    found = described(find(Path(place)))
    rows = [
        (
            str(one["number"]),
            printable(one["created_utc"]),
            printable(one["host"]),
            str(len(one["sessions"])),
            size(one["bytes"]),
        )
        for one in found
    ]
    return Answer(found, table(("backup", "made", "box", "sessions", "size"), rows))


COMMANDS = {
    "backup": Command(
        "copy the library and the settings to a drive",
        "Copy every session and the settings to the folder 'OTO backup' of a drive. Files that are there already are\n"
        "not copied again; every new one is read back and compared. Nothing on the drive is replaced, and nothing\n"
        "removed without --keep, so earlier backups stay usable, also when this one is interrupted. What can't fit is\n"
        "refused before a byte is written. Not in it: the trash, and takes that are being recorded.\n\n"
        "--keep N removes what is older than the newest N whole backups, after this one is complete. Backups with\n"
        "missing files don't count, and when a list can't be read nothing is removed.",
        ("oto backup STICK", "oto backup STICK --keep 5", "oto backup STICK --keep 5 --dry-run"),
        _backup_options,
        _backup,
    ),
    "restore": Command(
        "bring a backup back, on this box or another one",
        "Bring the newest backup of a drive back. Sessions and settings that are here stay as they are; what differs\n"
        "comes back under a name of its own. Each session appears whole or not at all; it may be interrupted and\n"
        "repeated. Ends with 9 when files on the drive are missing or not what they were; those are named.",
        (
            "oto restore STICK",
            "oto restore STICK --list",
            "oto restore STICK --session '2026-11-22 Rehearsal' --from 3",
        ),
        _restore_options,
        _restore,
    ),
}
