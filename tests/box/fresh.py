"""A box on which nothing of ours has ever been: Debian's minimum in a folder, with this repository cloned into it.

Needs root and debootstrap. What happens in the box happens in namespaces of its own, so that every mount and process
is gone when a command ends, however it ends. Packages come from wherever this machine gets its own.
"""

from __future__ import annotations

import fnmatch
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oto-box"
CACHE_DAYS: Final = 30
HAS: Final = "python3,ca-certificates"

# How a machine reaches its registries, when it needs help with that.
CONFIGURATION: Final = (
    "etc/apt/apt.conf",
    "etc/apt/apt.conf.d",
    "etc/apt/auth.conf",
    "etc/apt/auth.conf.d",
    "etc/hosts",
    "etc/pip.conf",
    "etc/resolv.conf",
    "etc/ssl/certs/ca-certificates.crt",
    "usr/local/share/ca-certificates",
)
VARIABLES: Final = ("*_proxy", "*_PROXY", "PIP_*", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CI")

NAMESPACES: Final = ("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc")

# In memory, since a package manager waits for the disk after every file.
MAKING: Final = f"""
root=$1 archive=$2 release=$3
shift 3
mount -t tmpfs tmpfs "$root"
debootstrap --variant=minbase --include={HAS} "$release" "$root" "$@"
rm -f "$root"/var/cache/apt/archives/*.deb
tar -C "$root" --numeric-owner --one-file-system -cf "$archive" .
"""

# The shell is the namespace's first process: it collects the orphans, and when it ends the kernel ends the rest.
INSIDE: Final = """
root=$1 user=$2 folder=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
done
shift
chroot --userspec="$user" "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"
"""


class FreshDebian:
    """One box of a Debian release ("bookworm", "trixie"), in the folder `root`, which it fills."""

    user: Final = "musician"
    home: Final = f"/home/{user}"
    studio: Final = f"{home}/my studio"

    def __init__(self, release: str, root: Path) -> None:
        _unpack(release, root)
        _configure(release, root)
        self.root = root
        self._folders = _folders_of_pip()
        self._must("useradd", "--create-home", self.user)
        clone = ["git", "clone", "--quiet", "--no-local", str(REPOSITORY), str(self.outside(self.studio))]
        subprocess.run(clone, check=True, timeout=120)

    def outside(self, path: str) -> Path:
        """Where a path in the box lies on this machine."""
        return self.root / path.lstrip("/")

    def run(
        self,
        *command: str,
        user: str = "root",
        folder: str = "/",
        env: Mapping[str, str] | None = None,
        timeout_s: float = 600.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the box, without a terminal; raises TimeoutExpired with everything in it ended."""
        inside = ["sh", "-euc", INSIDE, "sh", str(self.root), user, folder, *self._folders, "--", *command]
        home = "/root" if user == "root" else self.home
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        passed = {name: value for name, value in os.environ.items() if _any(name, VARIABLES)}
        return subprocess.run(
            [*NAMESPACES, *inside],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**passed, "HOME": home, "PATH": path, "LANG": "C.UTF-8", **(env or {})},
        )

    def oto(self, *words: str, user: str = "root", timeout_s: float = 600.0) -> subprocess.CompletedProcess[str]:
        """Run `./oto words...` in the clone."""
        return self.run("./oto", *words, user=user, folder=self.studio, timeout_s=timeout_s)

    def _must(self, *command: str) -> None:
        done = self.run(*command)
        assert done.returncode == 0, done.stderr


def why_not() -> str:
    """Why no box can be made here; empty when one can."""
    if os.geteuid() != 0:
        return "making a Debian in a folder needs root"
    missing = [tool for tool in ("debootstrap", "unshare", "chroot", "tar", "git") if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else ""


def _unpack(release: str, root: Path) -> None:
    archive = CACHE / f"{release}.tar"
    if not archive.exists() or time.time() - archive.stat().st_mtime > CACHE_DAYS * 86_400:
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(".partial")
        mirrors = [uri for uri, suite in _sources(release) if suite == release]
        _run(*NAMESPACES, "sh", "-euc", MAKING, "sh", str(root), str(partial), release, *mirrors[:1])
        partial.rename(archive)
    _run("tar", "-C", str(root), "--numeric-owner", "-xpf", str(archive))
    root.chmod(0o755)  # memory, in which it was made, is open to all, and sshd trusts nothing under such a root


def _configure(release: str, root: Path) -> None:
    """Let the box reach package registries the way this machine does."""
    for name in CONFIGURATION:
        _copy(Path("/", name), root / name)
    _copy(Path.home() / ".config" / "pip", root / "root/.config/pip")
    if sources := _sources(release):
        lines = [f"deb {uri} {suite} main\n" for uri, suite in sources]
        (root / "etc/apt/sources.list").write_text("".join(lines))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)


def _sources(release: str) -> list[tuple[str, str]]:
    """This machine's Debian mirrors with their suites ("trixie", "trixie-security"), turned to a release."""
    host = _code_name()
    listed = _run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    ours = [f"{suite} main" for suite in (host, f"{host}-updates", f"{host}-security")]
    found = (line.partition(" ") for line in listed.splitlines())
    sources = {(uri, rest.split()[0].replace(host, release, 1)) for uri, _, rest in found if rest in ours}
    return sorted(sources, key=lambda source: len(source[1]))


def _code_name() -> str:
    """The code name of this machine's own Debian, "" elsewhere."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return next((line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME=")), "")


def _folders_of_pip() -> list[str]:
    """Folders of this machine in which its pip looks for packages; an index may lie beside its files."""
    values = (line.partition("=")[2] for line in _run(sys.executable, "-m", "pip", "config", "list").splitlines())
    words = [word for value in values for word in shlex.split(value)[0].split()]
    indexes = [Path(word.removeprefix("file://")).parent for word in words if word.startswith("file:///")]
    links = [Path(word) for word in words if word.startswith("/")]
    return sorted({str(folder) for folder in [*indexes, *links] if folder.is_dir()})


def _any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=900)
    assert done.returncode == 0, f"{command[0]}: {(done.stderr or done.stdout)[-2000:]}"
    return done.stdout
