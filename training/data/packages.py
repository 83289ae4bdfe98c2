"""Fetches the Debian packages of sources.csv and unpacks them outside the system: `python -m training.data.packages`.

Programs come from the system: fluidsynth, timidity, espeak-ng and ffmpeg are installed with apt.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

from training.data.manifest import sources
from training.data.places import packages, training_root

PROGRAMS: Final = ("fluidsynth", "timidity", "espeak-ng", "ffmpeg", "apt-get", "dpkg-deb")


def missing_programs() -> list[str]:
    """Programs that the data needs and that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def fetch() -> None:
    """Download and unpack what was not unpacked to its end; raises CalledProcessError if a package can't be had."""
    archives = training_root() / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    packages().mkdir(exist_ok=True)
    for name in sorted({each.package for each in sources() if each.package}):
        unpacked = archives / f"{name}.unpacked"
        if unpacked.exists():
            continue
        subprocess.run(["apt-get", "download", "-qq", name], cwd=archives, check=True)
        for archive in archives.glob(f"{name}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(archive), str(packages())], check=True)
        unpacked.touch()
        print(f"{name}: unpacked", flush=True)


if __name__ == "__main__":
    if missing_programs():
        raise SystemExit(f"Install first: {' '.join(missing_programs())}")
    fetch()
