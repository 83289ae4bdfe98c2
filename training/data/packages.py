"""Fetches Debian packages and unpacks them outside the system: `python -m training.data.packages`.

What is fetched: the sources of sources.csv and the finished music of the shared facts. Programs come from the system:
fluidsynth, timidity, espeak-ng and ffmpeg are installed with apt. What was unpacked to its end is not fetched again.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from training.data import npm
from training.data.manifest import sources
from training.data.places import music, packages, shared_data, training_root

PROGRAMS: Final = ("fluidsynth", "timidity", "espeak-ng", "ffmpeg", "apt-get", "dpkg-deb")
ZIPPED: Final = ".pk3"
"""Games that keep their files in zip archives of this name."""


def missing_programs() -> list[str]:
    """Programs that the data needs and that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def of_sources() -> list[str]:
    """Packages with soundfonts, kits, instruments and speakers."""
    return sorted({each.package for each in sources() if each.package} - npm.archives().keys())


def of_finished_music() -> list[str]:
    """Packages with finished songs."""
    with (shared_data() / "facts" / "finished_music.csv").open() as file:
        return sorted({row["source"] for row in csv.DictReader(file)})


def fetch(names: Iterable[str], root: Path) -> None:
    """Download and unpack under `root` what was not yet; raises CalledProcessError if a package can't be had."""
    archives = training_root() / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    for name in names:
        done = archives / f"{name}.unpacked"
        if done.exists():
            continue
        subprocess.run(["apt-get", "download", "-qq", name], cwd=archives, check=True)
        for archive in archives.glob(f"{name}_*.deb"):
            unpack(archive, root)
            archive.unlink()
        done.touch()
        print(f"{name}: unpacked", flush=True)


def unpack(archive: Path, root: Path) -> None:
    """A package's files, and what lies in zip archives of games beside these."""
    root.mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(["dpkg-deb", "-c", str(archive)], check=True, capture_output=True, text=True).stdout
    subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True)
    for line in listed.splitlines():
        if line.startswith("-") and line.endswith(ZIPPED):
            zipped = root / line.split(maxsplit=5)[5]
            with zipfile.ZipFile(zipped) as inner:
                inner.extractall(zipped.with_suffix(""))
            zipped.unlink()


def main() -> None:
    """Fetch everything."""
    if missing_programs():
        raise SystemExit(f"Install first: {' '.join(missing_programs())}")
    fetch(of_sources(), packages())
    fetch(of_finished_music(), music())


if __name__ == "__main__":
    main()
