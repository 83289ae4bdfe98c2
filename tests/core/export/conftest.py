"""Drives to export to: real file systems on loop devices."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MakeDrive = Callable[[int], Path]


@pytest.fixture
def make_drive(tmp_path: Path) -> Iterator[MakeDrive]:
    """Make and mount an ext4 drive of so many bytes; unmounted at the end."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting a drive needs root and mkfs.ext4")
    mounted: list[Path] = []

    def make(count: int) -> Path:
        image, place = tmp_path / f"drive-{len(mounted)}.img", tmp_path / f"drive-{len(mounted)}"
        with image.open("wb") as file:
            file.truncate(count)
        place.mkdir()
        subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", image], check=True, timeout=30)
        done = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            pytest.skip(f"no loop device to mount: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", place], capture_output=True, timeout=30)
