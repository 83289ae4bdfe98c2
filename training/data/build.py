"""Builds all that is learned from out of packages of Debian and npm and shared data: `python -m training.data.build`.

Stage after stage; each keeps what it made, so that this can be stopped and called again. `--list` says what would run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

from training.data.places import REPOSITORY, music, shared_data


def stages() -> list[list[str]]:
    """Modules with their arguments, in the order in which they need each other."""
    return [
        ["training.data.packages"],
        ["training.data.npm"],
        ["training.data.pictures"],
        ["training.mix.songs"],
        ["training.mix.rehearsals"],
        ["training.master.songs", str(shared_data()), "--music", str(music())],
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the stages; the first that fails ends it, and calling again goes on from there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="only say what would run")
    options = parser.parse_args(arguments)
    for stage in stages():
        print(" ".join(["python", "-m", *stage]), flush=True)
        if options.list:
            continue
        begun_s = time.monotonic()
        if subprocess.run([sys.executable, "-m", *stage], cwd=REPOSITORY, check=False).returncode:
            raise SystemExit(f"{stage[0]} failed; what was made before it is kept.")
        print(f"{stage[0]}: {(time.monotonic() - begun_s) / 60.0:.0f} minutes", flush=True)


if __name__ == "__main__":
    main()
