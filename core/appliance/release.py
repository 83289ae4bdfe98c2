"""A release: OTO with everything it needs from Python in one folder, made whole or not at all.

The folder is a virtual environment, written out by hand: wheels can be unpacked for another processor and another
Python than this one, so that the package for a small box is made on a large one. The tree `share/system` in it is what
belongs elsewhere on the box: units, users, folders, rules.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from core.errors import Exit, OtoError
from core.version import VERSION

ROOMS: Final = ("core", "devices", "sessions", "tui")
HOME: Final = "/opt/oto"
"""Where releases are, one folder each, and the link `current`."""

GLIBC: Final = {"3.11": 36, "3.13": 41}
"""Minor version of the C library on the Debian that brings this Python (12, 13): wheels may want up to that."""

PLACES: Final = {
    "oto.target": "etc/systemd/system/oto.target",
    "oto-engine.service": "etc/systemd/system/oto-engine.service",
    "oto-worker.service": "etc/systemd/system/oto-worker.service",
    "oto-panel.service": "etc/systemd/system/oto-panel.service",
    "oto-console@.service": "etc/systemd/system/oto-console@.service",
    "oto-release-drive.path": "etc/systemd/system/oto-release-drive.path",
    "oto-release-drive.service": "etc/systemd/system/oto-release-drive.service",
    "oto-setup.service": "etc/systemd/system/oto-setup.service",
    "oto-sysusers.conf": "etc/sysusers.d/oto.conf",
    "oto-tmpfiles.conf": "etc/tmpfiles.d/oto.conf",
    "oto-drives.rules": "etc/udev/rules.d/90-oto-drives.rules",
    "oto-lamps.rules": "etc/udev/rules.d/90-oto-lamps.rules",
    "oto-sshd.conf": "etc/ssh/sshd_config.d/oto.conf",
}
"""Where each file of systemd/ goes on a box."""

PROGRAMS: Final = {
    "oto": "-P -m core.cli.start",
    "oto-login": "-I -m core.appliance.login",
    "oto-drive": "-I -m core.appliance.drives",
}
"""Commands of a release: what Python is started with. Those that strangers can reach take nothing from outside."""

Say = Callable[[str], None]


def checkout() -> Path:
    """The source tree that this program runs from. Raises OtoError("not_found") in a release, which has none."""
    source = Path(__file__).resolve().parents[2]
    if not (source / "requirements" / "run.lock").is_file():
        raise OtoError(
            "not_found",
            "This OTO is installed already; a new version is installed from its own source tree or package.",
            "Run './oto appliance install' there, or 'apt install ./oto_....deb'.",
        )
    return source


def system_files(source: Path) -> dict[str, Path]:
    """The files of a source tree that belong elsewhere on a box, by their place there, relative to its root."""
    return {place: source / "systemd" / name for name, place in PLACES.items()}


def release_of(source: Path) -> str:
    """Name of the release that a source tree makes: its version and a hash of every file that goes into it."""
    digest = hashlib.sha256()
    for path in _files(source):
        digest.update(f"{path.relative_to(source)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:8]}"


def _files(source: Path) -> Iterator[Path]:
    yield source / "requirements" / "run.lock"
    for folder in (*ROOMS, "systemd"):
        yield from sorted(
            path for path in (source / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        )


def build(source: Path, target: Path, *, python: str, processor: str = "", say: Say = lambda _: None) -> None:
    """Make the release of a source tree in the folder `target`, which appears when it is complete.

    `python` is "3.11" or another minor version, `processor` x86_64 (amd64) or aarch64 (arm64), this one's by default.
    Raises OtoError("failed") when packages can't be had.
    """
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    site = partial / "lib" / f"python{python}" / "site-packages"
    site.mkdir(parents=True)
    say(f"unpacking packages for Python {python} on {processor or platform.machine()}")
    chosen = processor or platform.machine()
    lock = (source / "requirements" / "run.lock").read_text()
    unpack(packages_for(lock, python=python, processor=chosen), site, python=python, processor=chosen)
    for room in ROOMS:
        shutil.copytree(source / room, site / room, ignore=shutil.ignore_patterns("__pycache__"))
    _write_programs(partial, python)
    for place, path in system_files(source).items():
        copy = partial / "share" / "system" / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    shutil.copyfile(source / "LICENSE", partial / "share" / "LICENSE")
    os.sync()
    partial.rename(target)


def compile_modules(release: Path) -> None:
    """Translate every module once, on the box itself, so that those who may not write here need not at each start."""
    command = [str(release / "bin" / "python"), "-m", "compileall", "-q", "-j", "0", str(release / "lib")]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)


def packages_for(lock: str, *, python: str, processor: str) -> list[str]:
    """The requirements of a lock file that count for one Python and processor, each with its hashes, without markers.

    pip weighs markers by the Python that it runs on, not by the one that it unpacks for.
    """
    from packaging.requirements import Requirement

    there = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": processor,
        "sys_platform": "linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    logical = (line.partition("#")[0].strip() for line in lock.replace("\\\n", " ").splitlines())
    found = []
    for requirement, *hashes in (line.split("--hash=") for line in logical if line):
        marker = Requirement(requirement).marker
        if marker is None or marker.evaluate(there):
            name = requirement.partition(";")[0].strip()
            found.append(" ".join([name, *(f"--hash={each.strip()}" for each in hashes)]))
    return found


def unpack(packages: list[str], site: Path, *, python: str, processor: str, dry_run: bool = False) -> None:
    """Put the wheels of these requirements into the folder `site`, or with `dry_run` only see that each is to be had.

    Raises OtoError("failed") when one can't be had for this Python and processor: nothing is built.
    """
    lock = site.with_name(f"{site.name}.lock")
    lock.write_text("\n".join(packages) + "\n")
    platforms = [f"manylinux_2_{minor}_{processor}" for minor in range(17, GLIBC.get(python, 36) + 1)]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--target", str(site)]
    pip += ["--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes", "-r", str(lock)]
    # The lock knows which Pythons its packages are for; older pips would ask it of the one that they run on.
    pip += ["--ignore-requires-python"]
    pip += ["--implementation", "cp", "--python-version", python, *(["--dry-run"] if dry_run else [])]
    pip += [word for each in (*platforms, f"manylinux2014_{processor}") for word in ("--platform", each)]
    done = subprocess.run(pip, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    lock.unlink()
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines()[-1:]
        raise OtoError(
            "failed",
            f"Python packages could not be had: {' '.join(said)}",
            "Nothing on this box was changed. Look at the network, then run this again.",
            Exit.FAILED,
        )
    # Commands of other packages, written for the Python that runs pip; and what tests those packages, a fifth of all.
    for folder in [site / "bin", *site.glob("*/**/tests/")]:
        shutil.rmtree(folder, ignore_errors=True)


def _write_programs(release: Path, python: str) -> None:
    (release / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n")
    (release / "bin").mkdir()
    (release / "bin" / "python").symlink_to(f"/usr/bin/python{python}")
    for name, arguments in PROGRAMS.items():
        program = release / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {HOME}/current/bin/python {arguments} "$@"\n')
        program.chmod(0o755)
