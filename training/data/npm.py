"""Fetches recorded notes from the npm registry, each package pinned by hash: `python -m training.data.npm`.

npm.csv names them with the version, the hash that npm itself goes by and who recorded the notes. They are unpacked
under $OTO_TRAINING/packages/npm, beside Debian's; what was unpacked to its end is not fetched again.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import shutil
import tarfile
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from training.data.places import HERE, packages, training_root

REGISTRY: Final = "https://registry.npmjs.org"
INSIDE: Final = "package"
"""The folder that every archive of npm keeps its files in."""
LONGEST_WAIT_S: Final = 120.0


@dataclass(frozen=True)
class Archive:
    """A package as it is pinned."""

    package: str
    version: str
    integrity: str
    """Subresource integrity: "sha512-" and the digest in base64."""
    recorded_by: str

    @property
    def url(self) -> str:
        """Where the registry has it; a scope is no part of the file's name."""
        return f"{REGISTRY}/{self.package}/-/{self.package.split('/')[-1]}-{self.version}.tgz"

    @property
    def mark(self) -> str:
        """The name of the file that says it was unpacked."""
        return f"npm-{self.package.replace('/', '-')}-{self.version}.unpacked"


@lru_cache(maxsize=1)
def archives() -> dict[str, Archive]:
    """The rows of npm.csv by package."""
    with (HERE / "npm.csv").open(newline="") as table:
        return {row["package"]: Archive(**row) for row in csv.DictReader(table)}


def fetch(wanted: Iterable[Archive], root: Path) -> None:
    """Download and unpack under `root` what was not yet; ValueError for an archive that is not the pinned one."""
    marks = training_root() / "archives"
    marks.mkdir(parents=True, exist_ok=True)
    for archive in wanted:
        if (marks / archive.mark).exists():
            continue
        with urllib.request.urlopen(archive.url, timeout=LONGEST_WAIT_S) as answer:
            unpack(archive, answer.read(), root)
        (marks / archive.mark).touch()
        print(f"{archive.package} {archive.version}: unpacked", flush=True)


def unpack(archive: Archive, content: bytes, root: Path) -> None:
    """The files of an archive under its package's name, in place of what was there; ValueError if the hash differs."""
    found = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    if found != archive.integrity:
        raise ValueError(f"{archive.package} {archive.version} is not what was pinned: its hash is {found}.")
    place, part = root / archive.package, root / f"{archive.package}.part"
    for stale in (place, part):
        shutil.rmtree(stale, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as files:
        files.extractall(part, filter="data")
    (part / INSIDE).rename(place)
    part.rmdir()


def main() -> None:
    """Fetch everything."""
    fetch(archives().values(), packages() / "npm")


if __name__ == "__main__":
    main()
