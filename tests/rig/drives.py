"""A stick with no hardware: a file with a file system in it, mounted through a loop device."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def why_not() -> str:
    """Why no drive can be mounted here; empty when it can."""
    if os.geteuid() != 0:
        return "mounting a drive needs root"
    missing = [tool for tool in ("mkfs.ext4", "mount", "umount", "losetup") if shutil.which(tool) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    free = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return "" if free.returncode == 0 else "this kernel has no free loop device"


@contextmanager
def mounted_drive(folder: Path, mebibytes: int, label: str = "STICK") -> Iterator[Path]:
    """An ext4 drive of this size, mounted inside `folder` and taken away again; yields where it is mounted."""
    image, mount_point = folder / f"{label}.img", folder / label
    mount_point.mkdir()
    with image.open("wb") as file:
        file.truncate(mebibytes * 1024**2)
    _run("mkfs.ext4", "-q", "-L", label, "-m", "0", str(image))
    _run("mount", "-o", "loop", str(image), str(mount_point))
    try:
        yield mount_point
    finally:
        # Lazily, since a test that failed may still have a file open there.
        _run("umount", "-l", str(mount_point))
        image.unlink()


def pull_out(mount_point: Path) -> None:
    """Do to a mounted drive what pulling it out does: from now on every write fails, and nothing unsynced is kept.

    The kernel's own way to test that (FS_IOC_SHUTDOWN without flushing the journal).
    """
    shutdown, without_flushing = 0x8004587D, struct.pack("I", 2)
    descriptor = os.open(mount_point, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, shutdown, without_flushing)
    finally:
        os.close(descriptor)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
