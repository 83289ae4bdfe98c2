"""Puts releases on a box and takes them off again, in steps that can be told before they are done.

Every function looks at the box and returns the steps that it still needs: none when all is as it should be. A box is a
folder: "/", or the root of an image, whose services start when it boots. What was recorded and set is never touched.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.appliance.release import HOME, PLACES, Say, build, compile_modules, release_of, system_files
from core.errors import OtoError

TARGET: Final = "oto.target"
CONSOLE: Final = "oto-console@tty1.service"
SERVICES: Final = ("oto-engine.service", "oto-worker.service", "oto-panel.service", CONSOLE)
COMMAND: Final = "/usr/local/bin/oto"
PACKAGED_COMMAND: Final = "/usr/bin/oto"
KEPT: Final = ("/var/lib/oto", "/etc/oto", "/srv/oto")
"""What people made; it stays when OTO is removed."""


class Step(NamedTuple):
    """One thing to do."""

    words: str
    """What it does, as an order."""
    do: Callable[[], object]


class Box(NamedTuple):
    """A box, by the folder that is its root."""

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Where a path of the box lies for us."""
        return self.root / path.lstrip("/")

    @property
    def releases(self) -> Path:
        """The folder of releases."""
        return self.at(HOME)

    @property
    def here(self) -> bool:
        """Whether this is the system that runs here, with systemd."""
        return self.root == Path("/") and Path("/run/systemd/system").is_dir()

    def release(self, link: str) -> str | None:
        """Name of the release that `current` or `previous` leads to; None when it is not there."""
        path = self.releases / link
        return path.readlink().name if path.is_symlink() and path.is_dir() else None

    def python(self) -> str:
        """Minor version of the box's own Python ("3.11"). Raises OtoError("not_found") when it has none."""
        program = self.at("/usr/bin/python3")
        if not program.is_symlink():
            raise OtoError("not_found", f"There is no {program}, which the services need.", "apt install python3")
        return program.readlink().name.removeprefix("python")


def require_root_and_systemd(box: Box) -> None:
    """Raise OtoError: "refused" when we are not root, "not_found" on a box without systemd."""
    if os.geteuid() != 0:
        raise OtoError("refused", "Setting up a box needs root.", "Run it with sudo. --dry-run needs none.")
    missing = [name for name in ("systemctl", "systemd-sysusers", "systemd-tmpfiles") if shutil.which(name) is None]
    if missing or not box.at("/usr/lib/systemd/systemd").exists():
        raise OtoError(
            "not_found",
            "There is no systemd on this box, and OTO's services need it.",
            "Without it, 'oto' works as a program of your own; or run 'oto engine' under another service manager.",
        )


def install(box: Box, source: Path, *, console: bool = True, say: Say = lambda _: None) -> list[Step]:
    """Steps that make a source tree the release in use. A release that is there already is not made again."""
    _refuse_packaged(box)
    name = release_of(source)
    folder = box.releases / name
    steps = []
    if not folder.is_dir():
        python = box.python()

        def make() -> None:
            box.releases.mkdir(parents=True, exist_ok=True)
            build(source, folder, python=python, say=say)
            if box.root == Path("/"):
                compile_modules(folder)

        steps.append(Step(f"put OTO {name} for Python {python} into {folder}", make))
    return steps + activate(box, name, system_files(source), console=console)


def activate(box: Box, name: str, system: Mapping[str, Path], *, console: bool = True) -> list[Step]:
    """Steps that make an installed release the one in use: its files, users, folders and services."""
    files = _files(box, name, system)
    links = _links(box, name)
    missing = [unit for unit in (TARGET, *([CONSOLE] if console else [])) if not _is_enabled(box, unit)]
    # A package has placed its files already, and over an older one the link too.
    if not (files or links or missing or _is_packaged(box)):
        return []
    root = [] if box.root == Path("/") else [f"--root={box.root}"]
    # The link comes late: until then the release in use works on, and a second run sees that something is left to do.
    return [
        *files,
        _run("make OTO's users and groups", "systemd-sysusers", *root, "oto.conf"),
        _run("make OTO's folders", "systemd-tmpfiles", *root, "--create", "oto.conf"),
        *_reloads(box),
        *(_run(f"start {unit} with the box", "systemctl", *root, "--quiet", "enable", unit) for unit in missing),
        *links,
        *([_run("start OTO's services anew", "systemctl", "restart", TARGET, *SERVICES[:3])] if box.here else []),
        *_prune(box, name),
    ]


def rollback(box: Box) -> list[Step]:
    """Steps back to the release that was in use before; once more leads forward again.

    Raises OtoError: "not_found" when there is none, "refused" where a package brought it.
    """
    _refuse_packaged(box)
    name = box.release("previous")
    if name is None:
        raise OtoError(
            "not_found",
            "There is no version before this one on the box.",
            "'oto appliance install' in the source tree of another version changes to that.",
        )
    return activate(box, name, _system_of(box, name))


def remove(box: Box) -> list[Step]:
    """Steps that take OTO off the box; recordings, settings, keys and users stay."""
    _refuse_packaged(box)
    root = [] if box.root == Path("/") else [f"--root={box.root}"]
    steps = []
    if box.here and box.at("/etc/systemd/system/oto.target").exists():
        steps.append(_run("end OTO's services", "systemctl", "stop", TARGET, *SERVICES))
    steps += [
        _run(f"no longer start {unit} with the box", "systemctl", *root, "--quiet", "disable", unit)
        for unit in (TARGET, CONSOLE)
        if _is_enabled(box, unit)
    ]
    name = box.release("current")
    places = {*PLACES.values(), *(_system_of(box, name) if name else ())}
    links = [box.at(COMMAND), box.releases / "current", box.releases / "previous"]
    files = [*(box.at(place) for place in sorted(places)), *links]
    steps += [_remove(path) for path in files if path.is_symlink() or path.exists()]
    # That one alone says that this box has an engine of its own.
    kept = [box.at("/run/oto")] if box.at("/run/oto").is_dir() else []
    steps += [Step(f"remove {path}", partial(shutil.rmtree, path)) for path in [*_releases(box), *kept]]
    return steps + (_reloads(box) if steps else [])


def _is_packaged(box: Box) -> bool:
    return box.at(PACKAGED_COMMAND).is_symlink()


def _refuse_packaged(box: Box) -> None:
    if _is_packaged(box):
        raise OtoError(
            "refused",
            "On this box OTO came as a package, and a package changes it.",
            "'apt install ./oto_OTHER.deb' changes the version, also to an older one with --allow-downgrades; "
            "'apt remove oto' takes it off. Recordings stay.",
        )


def _releases(box: Box) -> list[Path]:
    return sorted(box.releases.glob("[0-9]*/"))


def status(box: Box) -> dict[str, Any]:
    """What is installed and how it is: releases, files that are not the release's, services."""
    name = box.release("current")
    changed = [] if name is None else [step.words for step in _files(box, name, _system_of(box, name))]
    services = {}
    if box.here:
        for unit in SERVICES:
            done = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
            services[unit] = done.stdout.strip()
    return {
        "release": name,
        "previous": box.release("previous"),
        "releases": [path.name for path in _releases(box)],
        "starts_with_the_box": _is_enabled(box, TARGET),
        "to_do": changed,
        "services": services,
    }


def _system_of(box: Box, name: str) -> dict[str, Path]:
    tree = box.releases / name / "share" / "system"
    return {str(path.relative_to(tree)): path for path in sorted(tree.rglob("*")) if path.is_file()}


def _files(box: Box, name: str, system: Mapping[str, Path]) -> list[Step]:
    """Write what differs, and take away what the release in use has placed and this one no longer has."""
    steps = []
    for place, source in system.items():
        target = box.at(place)
        if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
            # The release itself is the source: the tree that it came from may be gone before the step is done.
            steps.append(_write(target, box.releases / name / "share" / "system" / place))
    current = box.release("current")
    stale = set(_system_of(box, current)) - set(system) if current else set()
    return steps + [_remove(box.at(place)) for place in sorted(stale) if box.at(place).exists()]


def _links(box: Box, name: str) -> list[Step]:
    current = box.release("current")
    steps = []
    if current != name:
        if current is not None:
            steps.append(_link(box.releases / "previous", current))
        steps.append(_link(box.releases / "current", name))
    command = box.at(COMMAND)
    if not command.is_symlink() and not _is_packaged(box):
        steps.append(_link(command, f"{HOME}/current/bin/oto"))
    return steps


def _reloads(box: Box) -> list[Step]:
    if not box.here:
        return []
    steps = [_run("let systemd read its units again", "systemctl", "daemon-reload")]
    if Path("/run/udev/control").exists():
        steps.append(_run("let udev read its rules again", "udevadm", "control", "--reload"))
    if subprocess.run(["systemctl", "--quiet", "is-active", "ssh.service"], check=False).returncode == 0:
        steps.append(_run("let sshd read its configuration again", "systemctl", "reload", "ssh.service"))
    return steps


def _prune(box: Box, name: str) -> list[Step]:
    """Remove releases that are neither this one nor the one before it."""
    current = box.release("current")
    keep = {name, current if current != name else box.release("previous")}
    old = [path for path in _releases(box) if path.name not in keep]
    return [Step(f"remove {path}", partial(shutil.rmtree, path)) for path in old]


def _is_enabled(box: Box, unit: str) -> bool:
    wanted_by = "multi-user.target" if unit == TARGET else TARGET
    return box.at(f"/etc/systemd/system/{wanted_by}.wants/{unit}").is_symlink()


def _run(words: str, *command: str) -> Step:
    def do() -> None:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise OtoError(
                "failed",
                f"'{' '.join(command)}' failed: {said[-1] if said else done.returncode}",
                "Recordings and settings are untouched. When that is put right, run this again: it goes on from here.",
            )

    return Step(words, do)


def _write(target: Path, source: Path) -> Step:
    def do() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.oto-new")
        shutil.copyfile(source, beside)
        beside.chmod(0o644)
        beside.rename(target)

    return Step(f"write {target}", do)


def _link(path: Path, to: str) -> Step:
    def do() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.oto-new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(to)
        beside.rename(path)

    return Step(f"let {path} lead to {to}", do)


def _remove(path: Path) -> Step:
    return Step(f"remove {path}", lambda: path.unlink(missing_ok=True))
