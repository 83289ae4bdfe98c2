"""The Debian package: a release with its files where packages put them, and a few lines of shell that activate it.

It is written with dpkg-deb alone. Everything from Python comes with it, so that a box needs no network but for what
Debian brings, and the same tree makes it for every processor and Debian.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from core.appliance.install import PACKAGED_COMMAND
from core.appliance.release import HOME, Say, build, release_of
from core.errors import OtoError
from core.version import VERSION

PROCESSORS: Final = {"amd64": "x86_64", "arm64": "aarch64"}
DEBIANS: Final = {"3.11": "deb12", "3.13": "deb13"}
MOVED: Final = {
    "etc/systemd/system": "usr/lib/systemd/system",
    "etc/sysusers.d": "usr/lib/sysusers.d",
    "etc/tmpfiles.d": "usr/lib/tmpfiles.d",
    "etc/udev/rules.d": "usr/lib/udev/rules.d",
    "etc/ssh/sshd_config.d": "etc/ssh/sshd_config.d",
}
"""Where a package puts what the installer puts into /etc. What sshd reads stays a file for the box's owner to edit."""

NAME: Final = "release"
"""File in the folder of releases that names the one which the package holds."""

MAINTAINER: Final = "OTO <oto@localhost>"

_NO_ADDRESS: Final = "There is no address to write to: whoever gives the package on is its maintainer."
_WHEELS: Final = (
    "Wheels are unpacked as they were published and hashed in requirements/run.lock; nothing in them is changed."
)
OVERRIDES: Final = {
    "bogus-mail-host": _NO_ADDRESS,
    "bogus-mail-host-in-debian-changelog": _NO_ADDRESS,
    "command-with-path-in-maintainer-script": "The Python of the release itself, which is not on the PATH.",
    "copyright-not-using-common-license-for-lgpl": "Texts of licences lie beside the wheels that they are for.",
    "custom-library-search-path": _WHEELS,
    "dir-or-file-in-opt": "Releases lie whole in a folder each; policy leaves /opt to software that is added.",
    "embedded-library": _WHEELS,
    "library-not-linked-against-libc": _WHEELS,
    "maintainer-script-calls-systemctl": "Written without debhelper, by dpkg-deb alone; failing is allowed.",
    "malformed-deb-archive": "zstd, which the dpkg of Debian 12 and 13 reads and a small box unpacks quickly.",
    "no-manual-page": "'oto --help' and 'oto COMMAND --help' are written from the commands themselves.",
    "script-not-executable": _WHEELS,
    "shared-library-lacks-prerequisites": _WHEELS,
    "systemd-service-file-refers-to-unusual-wantedby-target": "It ties our services together.",
    "unstripped-binary-or-object": _WHEELS,
    "unusual-interpreter": _WHEELS,
}
"""What lintian may say of the package, by tag, with the reason. tests/image holds the package to this list."""

PREINST: Final = """\
#!/bin/sh
set -e
if [ -e /etc/systemd/system/oto-engine.service ]; then
    echo "oto: this box was set up by 'oto appliance install': 'sudo oto appliance remove' first; recordings stay" >&2
    exit 1
fi
# A running engine must not lose its program in the middle of a take.
if PYTHONDONTWRITEBYTECODE=1 oto status --json 2>/dev/null | grep -qE '"state": "(recording|counting_in)"'; then
    echo "oto: a take is being recorded, and it goes on; install this after 'oto stop'" >&2
    exit 1
fi
"""
POSTINST: Final = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    {release}/bin/python -I -m core.cli.main appliance activate >/dev/null
fi
"""
PRERM: Final = """\
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl stop oto.target oto-engine.service oto-worker.service oto-panel.service oto-console@tty1.service || true
fi
if [ "$1" = remove ]; then
    systemctl --quiet disable oto.target oto-console@tty1.service || true
    find {release} -name __pycache__ -prune -exec rm -rf {} +
fi
"""
POSTRM: Final = """\
#!/bin/sh
set -e
# dpkg has unpacked the next version, and takes the files of this one away after this: whenever the power goes, the box
# has one of them whole.
if [ "$1" = upgrade ] && [ -s {home}/{name} ]; then
    ln -sfn "$(cat {home}/{name})" {home}/.current
    mv -fT {home}/.current {home}/current
    # What Python wrote beside its modules.
    find {release} -name __pycache__ -prune -exec rm -rf {} +
fi
if [ "$1" = remove ] || [ "$1" = purge ]; then
    rm -rf {release} /run/oto
    rm -f {home}/current {home}/previous
    rmdir --ignore-fail-on-non-empty {home} 2>/dev/null || true
    if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
fi
"""


def this_processor() -> str:
    """Processor of this machine, as Debian names it."""
    return next((name for name, each in PROCESSORS.items() if each == platform.machine()), "amd64")


def make_package(source: Path, out: Path, *, python: str, arch: str | None = None, say: Say = lambda _: None) -> Path:
    """Write the package of a source tree into the folder `out` and return its path.

    `python` is "3.11" (Debian 12) or "3.13" (Debian 13), `arch` amd64 or arm64, this machine's when None. Raises
    OtoError("not_found") without dpkg-deb.
    """
    if shutil.which("dpkg-deb") is None:
        raise OtoError("not_found", "There is no dpkg-deb here, which writes packages.", "apt install dpkg")
    chosen = arch or this_processor()
    release = release_of(source)
    made_s = _time_of(source)
    version = f"{VERSION}+{time.strftime('%Y%m%d%H%M', time.gmtime(made_s))}~{DEBIANS[python]}"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="oto-package-") as folder:
        root = Path(folder) / "root"
        place = root / HOME.lstrip("/") / release
        place.parent.mkdir(parents=True)
        build(source, place, python=python, processor=PROCESSORS[chosen], say=say)
        (place.parent / NAME).write_text(f"{release}\n")
        _move_system_files(place, root)
        (root / PACKAGED_COMMAND.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / PACKAGED_COMMAND.lstrip("/")).symlink_to(f"{HOME}/current/bin/oto")
        _documents(source, root, version, made_s)
        _make_modes_plain(root)
        _control(root, version, chosen, python, f"{HOME}/{release}")
        path = out / f"oto_{version}_{chosen}.deb"
        say(f"packing {path.name}")
        command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build", str(root), str(path)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(made_s)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise OtoError("failed", f"The package could not be written: {done.stderr.strip()}", "Look at the disk.")
    return path


def _time_of(source: Path) -> int:
    """When the tree was last changed: by its history where it has one, so that the same tree gives the same package."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-c", f"safe.directory={source}", "-C", str(source), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("git") else None
    if done is not None and done.returncode == 0 and done.stdout.strip():
        return int(done.stdout)
    return int(time.time())


def _move_system_files(release: Path, root: Path) -> None:
    tree = release / "share" / "system"
    for source, target in MOVED.items():
        (root / target).mkdir(parents=True)
        for path in (tree / source).iterdir():
            path.rename(root / target / path.name)
    shutil.rmtree(tree)


def _documents(source: Path, root: Path, version: str, made_s: int) -> None:
    documents = root / "usr/share/doc/oto"
    documents.mkdir(parents=True)
    for name in ("CHANGELOG.md", "docs/appliance.md", "docs/security.md"):
        shutil.copyfile(source / name, documents / Path(name).name)
    licences = [(source / name).read_text() for name in ("LICENSE", "docs/licences.md")]
    (documents / "copyright").write_text("\n".join(licences))
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(made_s))
    what = f"oto ({version}) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md."
    changes = f"{what}\n\n -- {MAINTAINER}  {date}\n"
    (documents / "changelog.gz").write_bytes(gzip.compress(changes.encode(), 9, mtime=0))
    overrides = root / "usr/share/lintian/overrides/oto"
    overrides.parent.mkdir(parents=True)
    overrides.write_text("".join(f"# {reason}\noto: {tag} *\n" for tag, reason in OVERRIDES.items()))


def _make_modes_plain(root: Path) -> None:
    for path in root.rglob("*"):
        if not path.is_symlink():
            runs = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if runs else 0o644)
    root.chmod(0o755)


def _control(root: Path, version: str, arch: str, python: str, release: str) -> None:
    bytes_ = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file())
    following = f"3.{int(python.removeprefix('3.')) + 1}"
    control = f"""\
Package: oto
Version: {version}
Architecture: {arch}
Maintainer: {MAINTAINER}
Installed-Size: {bytes_ // 1024}
Depends: python3 (>= {python}), python3 (<< {following}), libportaudio2, libevdev2, libc6, systemd (>= 252), udev
Recommends: openssh-server
Suggests: exfatprogs, ntfs-3g
Section: sound
Priority: optional
Description: music studio for one small box, with an engineer in it
 Records a band, mixes it, masters it, and writes the song to a stick, on a
 computer that is nothing but a studio: with the services, users, rules for
 drives and SSH that this takes. Everything happens on the box.
"""
    folder = root / "DEBIAN"
    folder.mkdir()
    (folder / "control").write_text(re.sub(r"\n+$", "\n", control))
    conffiles = [f"/{path.relative_to(root)}\n" for path in sorted((root / "etc").rglob("*")) if path.is_file()]
    (folder / "conffiles").write_text("".join(conffiles))
    for name, text in (("preinst", PREINST), ("postinst", POSTINST), ("prerm", PRERM), ("postrm", POSTRM)):
        text = text.replace("{release}", release).replace("{home}", HOME).replace("{name}", NAME)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
