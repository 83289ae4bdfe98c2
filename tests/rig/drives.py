"""A stick with no hardware: a file with a file system in it, mounted through a loop device."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAKERS = {
    "ext4": ("mkfs.ext4", "-q", "-m", "0", "-L"),
    "vfat": ("mkfs.vfat", "-F", "32", "-n"),
    "exfat": ("mkfs.exfat", "-L"),
    "ntfs": ("mkfs.ntfs", "-Q", "-F", "-L"),
}
"""The file systems of drives, with what makes one; a label and an image follow."""

HELPERS = {"exfat": "mount.exfat-fuse", "ntfs": "ntfs-3g"}
"""What mounts those that the kernel does not know, through FUSE."""


def why_not(file_system: str = "ext4") -> str:
    """Why no such drive can be mounted here; empty when it can."""
    if os.geteuid() != 0:
        return "mounting a drive needs root"
    missing = [tool for tool in (MAKERS[file_system][0], "mount", "umount", "losetup") if shutil.which(tool) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    if not _in_kernel(file_system) and not shutil.which(HELPERS.get(file_system, "")):
        helper = f" and there is no {HELPERS[file_system]}" if file_system in HELPERS else ""
        return f"this kernel has no {file_system}{helper}"
    free = subprocess.run(["losetup", "-f"], capture_output=True, check=False)
    return "" if free.returncode == 0 else "this kernel has no free loop device"


@contextmanager
def mounted_drive(folder: Path, mebibytes: int, label: str = "STICK", file_system: str = "ext4") -> Iterator[Path]:
    """A drive of this size, mounted inside `folder` and taken away again; yields where it is mounted."""
    image, mount_point = folder / f"{label}.img", folder / label
    mount_point.mkdir()
    with image.open("wb") as file:
        file.truncate(mebibytes * 1024**2)
    device = _run("losetup", "-f", "--show", str(image)).strip()
    try:
        _run(*MAKERS[file_system], label, device)
        _mount(device, mount_point, file_system)
        yield mount_point
    finally:
        # Lazily, since a test that failed may still have a file open there.
        subprocess.run(["umount", "-l", str(mount_point)], check=False, capture_output=True, timeout=60)
        subprocess.run(["losetup", "-d", device], check=False, capture_output=True, timeout=60)
        image.unlink()


def plugged_in_again(mount_point: Path, file_system: str = "ext4") -> None:
    """Mount a drive that was pulled out once more, as the next computer would see it."""
    device = _run("losetup", "-n", "-O", "NAME", "-j", str(mount_point.with_name(mount_point.name + ".img"))).strip()
    subprocess.run(["umount", "-l", str(mount_point)], check=False, capture_output=True, timeout=60)
    for _ in range(100):  # whoever served it may hold the device for a moment
        if subprocess.run(["fuser", "-s", device], check=False, capture_output=True, timeout=60).returncode != 0:
            break
        time.sleep(0.05)
    _mount(device, mount_point, file_system)


def pull_out(mount_point: Path) -> None:
    """Do to a mounted drive what pulling it out does: from now on every access fails, and nothing unsynced is kept.

    The kernel's own ways to test that: FS_IOC_SHUTDOWN without flushing the journal, and FUSE's abort.
    """
    device = mount_point.stat().st_dev
    if _is_fuse(mount_point):
        with tempfile.TemporaryDirectory() as control:
            _run("mount", "-t", "fusectl", "none", control)
            try:
                # Named after the kernel's own number of the device.
                (Path(control) / str(os.major(device) << 20 | os.minor(device)) / "abort").write_text("1")
            finally:
                _run("umount", control)
        return
    shutdown, without_flushing = 0x8004587D, struct.pack("I", 2)
    descriptor = os.open(mount_point, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, shutdown, without_flushing)
    finally:
        os.close(descriptor)


def _is_fuse(mount_point: Path) -> bool:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(line.split()[4] == str(mount_point) and " - fuse" in line for line in lines)


def _in_kernel(file_system: str) -> bool:
    known = Path("/proc/filesystems").read_text().split()
    return file_system in known or (file_system == "ntfs" and "ntfs3" in known)


def _mount(device: str, mount_point: Path, file_system: str) -> None:
    if file_system == "ext4" or _in_kernel(file_system):
        kind = "ntfs3" if file_system == "ntfs" else file_system
        _run("mount", "-t", kind, device, str(mount_point))
    else:
        _run(HELPERS[file_system], device, str(mount_point))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
