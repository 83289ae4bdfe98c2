"""`oto appliance`: makes a computer a studio and nothing else, and takes that back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.command import Answer, Command, place
from core.cli.console import size
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.appliance.install import Box, Step
    from core.cli.console import Console

ACTIONS: Final = ("install", "remove", "status", "rollback", "package", "image", "activate")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--root", type=place, default=Path("/"), metavar="FOLDER", help="an image instead of this box")
    parser.add_argument("--no-console", action="store_true", help="leave the box's own screen (tty1) to a login")
    parser.add_argument("--arch", choices=("amd64", "arm64"), help="package, image: processor (default: this one's)")
    parser.add_argument(
        "--python", choices=("3.11", "3.13"), default="3.11", help="package, image: 3.11 is Debian 12, 3.13 is 13"
    )
    parser.add_argument(
        "--out", type=place, default=Path(), metavar="FOLDER", help="package, image: where it goes (default: here)"
    )


def _appliance(options: Namespace, console: Console) -> Answer:
    from core.appliance import install
    from core.appliance.release import checkout

    if options.action in ("package", "image"):
        return (_package if options.action == "package" else _image)(options, console)
    box = install.Box(options.root.absolute())
    if options.action == "status":
        return _status(install.status(box))
    if not options.dry_run:
        install.require_root_and_systemd(box)
        _refuse_while_recording(box)
    if options.action == "install":
        steps = install.install(box, checkout(), console=not options.no_console, say=console.say)
    elif options.action == "activate":
        steps = _activate(box, console=not options.no_console)
    elif options.action == "rollback":
        steps = install.rollback(box)
    else:
        steps = install.remove(box)
    return _done(options, steps, console)


def _done(options: Namespace, steps: list[Step], console: Console) -> Answer:
    words = [step.words for step in steps]
    if not options.dry_run:
        for number, step in enumerate(steps):
            console.progress(number / len(steps), step.words)
            step.do()
    value = {"action": options.action, "dry_run": options.dry_run, "steps": words}
    if not words:
        return Answer(value, "Nothing to do: all is as it should be.")
    text = "\n".join(f"  {word}" for word in words)
    if options.dry_run:
        return Answer(value, f"Would do:\n{text}")
    after = f"\nKept: {', '.join(_kept())}." if options.action == "remove" else ""
    return Answer(value, f"Done:\n{text}{after}")


def _kept() -> tuple[str, ...]:
    from core.appliance.install import KEPT

    return KEPT


def _activate(box: Box, *, console: bool) -> list[Step]:
    """The release that this program is a part of; its package has placed its files already."""
    from core.appliance.install import activate
    from core.appliance.release import compile_modules

    folder = next((path for path in Path(__file__).resolve().parents if path.parent == box.releases), None)
    if folder is None:
        raise OtoError(
            "usage", "'activate' is what OTO's package does.", "From here: 'oto appliance install'.", Exit.USAGE
        )
    compile_modules(folder)
    return activate(box, folder.name, {}, console=console)


def _refuse_while_recording(box: Box) -> None:
    from core.cli.wire import ask

    if not box.here:
        return
    try:
        state = ask("status")["transport"].get("state")
    except OtoError:
        return
    if state in ("recording", "counting_in"):
        raise OtoError("busy", "A take is being recorded, and it goes on.", "Run this again after 'oto stop'.")


def _status(value: dict[str, Any]) -> Answer:
    if value["release"] is None:
        return Answer(value, "OTO is not installed as an appliance here. 'sudo ./oto appliance install' does it.")
    before = f"; before it {value['previous']}" if value["previous"] else ""
    lines = [f"release   {value['release']}{before}"]
    lines.append(f"starts    {'with the box' if value['starts_with_the_box'] else 'when told to'}")
    lines += [f"{unit.removesuffix('.service'):<22}{state}" for unit, state in value["services"].items()]
    lines += [f"to do: {words}" for words in value["to_do"]]
    return Answer(value, "\n".join(lines))


def _package(options: Namespace, console: Console) -> Answer:
    from core.appliance.package import make_package
    from core.appliance.release import checkout

    path = make_package(checkout(), options.out.absolute(), python=options.python, arch=options.arch, say=console.say)
    value = {"package": str(path), "bytes": path.stat().st_size}
    return Answer(value, f"{path}  {size(path.stat().st_size)}")


def _image(options: Namespace, console: Console) -> Answer:
    from core.appliance.image import make_image
    from core.appliance.package import make_package, this_processor
    from core.appliance.release import checkout

    out, arch = options.out.absolute(), options.arch or this_processor()
    package = make_package(checkout(), out, python=options.python, arch=arch, say=console.say)
    path = make_image(package, out, arch=arch, python=options.python, say=console.say)
    value = {"image": str(path), "bytes": path.stat().st_size, "package": str(package)}
    return Answer(value, f"{path}  {size(path.stat().st_size)}")


COMMANDS = {
    "appliance": Command(
        "make this computer a studio and nothing else",
        "install: put this source tree under /opt/oto as a release of its own, with users, folders, services, and\n"
        "rules for drives and SSH, and start it; run it again after an update. rollback: back to the release before.\n"
        "remove: take it all off again; recordings, settings and keys stay. status: what is installed and how it is.\n"
        "package: make a Debian package that does the same. image: a whole system with it, to be written onto a card.\n"
        "activate: what that package runs.",
        (
            "sudo ./oto appliance install --dry-run",
            "sudo ./oto appliance install",
            "oto appliance status",
            "./oto appliance package --arch arm64 --python 3.13",
            "sudo ./oto appliance image --arch arm64",
        ),
        _options,
        _appliance,
    ),
}
