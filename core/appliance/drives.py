"""Drives on a box: mounted when they are plugged in, and let go when somebody asks.

Both programs here run as root and are short: `mount` is started by udev, `release` by the service manager. Neither
takes more from outside than a kernel's name for a disk and the name of a file system; labels and contents are never
looked at. Mounting and unmounting is the service manager's work.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from core.errors import OtoError

MEDIA: Final = Path("/media")
REQUESTS: Final = Path("/run/oto-drives")
"""The group may put a file here that has the name of the mount point that is to go."""

KERNEL_NAME: Final = re.compile(r"(sd[a-z]{1,3}|mmcblk\d{1,3}p?|nvme\d{1,3}n\d{1,3}p?|loop\d{1,3}p?)\d{0,3}")
ALWAYS: Final = "nodev,nosuid,noexec,nosymfollow,noatime"
"""What is on a drive is data: no devices, no rights, no programs, no links to elsewhere."""

_OURS: Final = "uid=oto-studio,gid=oto,fmask=0137,dmask=0027"
OPTIONS: Final = {
    "vfat": f"{_OURS},flush,utf8,shortname=mixed",
    "exfat": f"{_OURS},errors=remount-ro",
    "ntfs": _OURS,
    "ext4": "errors=remount-ro",
    "ext3": "errors=remount-ro",
    "ext2": "errors=remount-ro",
    "xfs": "",
    "btrfs": "",
}
"""By file system as udev names it. Those without owners of their own belong to the services."""

EJECT_TIMEOUT_S: Final = 60.0


def mount_command(name: str, file_system: str) -> list[str]:
    """The command that has a disk mounted at /media/NAME. Raises OtoError("bad_input") for names that no disk has."""
    if not KERNEL_NAME.fullmatch(name) or file_system not in OPTIONS:
        raise OtoError("bad_input", f"{name!r} with {file_system!r} is not a drive that OTO mounts.")
    options = ",".join(part for part in (ALWAYS, OPTIONS[file_system]) if part)
    command = ["systemd-mount", "--no-block", "--collect", "--fsck=no", f"--type={file_system}"]
    return [*command, f"--options={options}", f"/dev/{name}", str(MEDIA / name)]


def unit_of(name: str) -> str:
    """The service manager's name for a mount point in /media (systemd.unit(5): "-" is written as an escape)."""
    return f"media-{name}.mount"


def let_go(requests: Path = REQUESTS) -> None:
    """Unmount what is asked for in the folder of requests and take each request away when it is done.

    A request that no drive can have is taken away at once. A drive that is busy keeps its mount; its request goes too,
    and whoever asked sees that it is still there.
    """
    for request in sorted(requests.iterdir()):
        if KERNEL_NAME.fullmatch(request.name) and os.path.ismount(MEDIA / request.name):
            with contextlib.suppress(subprocess.TimeoutExpired):
                command = ["systemctl", "stop", unit_of(request.name)]
                subprocess.run(command, check=False, timeout=EJECT_TIMEOUT_S)
        # Whatever it is, a folder included: a request that stays would start this again and again.
        if request.is_dir() and not request.is_symlink():
            shutil.rmtree(request, ignore_errors=True)
        else:
            request.unlink(missing_ok=True)


def ask_to_let_go(path: Path, *, media: Path = MEDIA, requests: Path = REQUESTS) -> None:
    """Ask for the drive at a mount point to be unmounted, and wait until it is.

    Raises OtoError: "bad_input" for what is not a drive that OTO mounted, "refused" without the right to ask, "busy"
    when something still uses it.
    """
    if path.parent != media or not KERNEL_NAME.fullmatch(path.name):
        raise OtoError("bad_input", f"{path} was not mounted by OTO, so it lets go of it no more.", f"umount {path}")
    try:
        (requests / path.name).touch()
    except OSError as error:
        raise OtoError(
            "refused", "Nobody takes requests to let go of drives here.", "That needs the services of a box."
        ) from error
    deadline = time.monotonic() + EJECT_TIMEOUT_S
    while os.path.ismount(path):
        refused = not (requests / path.name).exists() and os.path.ismount(path)
        if refused or time.monotonic() > deadline:
            raise OtoError(
                "busy",
                "The drive is still in use. What was written is safe once that has ended.",
                "Wait for exports and mirrors to end, then ask again.",
            )
        time.sleep(0.05)


def main() -> int:
    """`mount NAME FILE_SYSTEM` or `release`."""
    match sys.argv[1:]:
        case ["mount", name, file_system]:
            return subprocess.run(mount_command(name, file_system), check=False).returncode
        case ["release"]:
            let_go()
            return 0
    return 2


if __name__ == "__main__":
    sys.exit(main())
