"""Drives that finished music can go to: what is mounted, what it is called and how much room it has.

Everything is read from /proc and /sys; a drive whose cable was pulled can block whoever asks it for its free space, so
that question is asked on a thread of its own and given up.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from devices.errors import DeviceError
from devices.text import printable

T = TypeVar("T")

ROOT: Final = Path("/")
FAT_MAX_FILE_BYTES: Final = 4 * 1024**3 - 1
ANSWER_WITHIN_S: Final = 2.0
MARK: Final = "oto-export"
"""Label of a drive, or name of a file or folder at its top, that asks for finished music."""

_FAT: Final = frozenset({"vfat", "msdos"})
_FILE_SYSTEMS: Final = _FAT | {
    *("exfat", "fuseblk", "ntfs", "ntfs3", "hfs", "hfsplus", "udf"),
    *("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "nilfs2"),
}
"""Those that live on a drive; every other is a part of the system or of the network."""

_SYSTEM_FOLDERS: Final = ("/boot", "/efi", "/usr", "/var", "/etc", "/home", "/nix", "/snap", "/sysroot")


@dataclass(frozen=True)
class Drive:
    """Somewhere finished music can go."""

    path: str
    """Where it is mounted, or the folder that serves as one."""
    label: str
    """Made safe to show."""
    file_system: str
    size_bytes: int
    free_bytes: int
    removable: bool
    writable: bool
    max_file_bytes: int | None = None
    """4 GiB - 1 on FAT; None where no file of ours gets too big."""
    marked: bool = False
    """Finished music may be brought there unasked: it is labelled so, or has a file or folder of that name."""


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo (proc_pid_mountinfo(5))."""

    device: str
    """Kernel's number of the device, "MAJOR:MINOR"."""
    root: str
    """Folder of the file system that is mounted: "/" unless it is a bind mount or a subvolume."""
    path: str
    file_system: str
    source: str
    read_only: bool


def parse_mountinfo(text: str) -> list[Mount]:
    """Read /proc/self/mountinfo; lines that make no sense are left out."""
    mounts = []
    for line in text.splitlines():
        mounted, separator, file_system = line.partition(" - ")
        fields, kind = mounted.split(" "), file_system.split(" ")
        if not separator or len(fields) < 6 or len(kind) < 3:
            continue
        options = {*fields[5].split(","), *kind[2].split(",")}
        mounts.append(
            Mount(
                device=fields[2],
                root=_unescape(fields[3]),
                path=_unescape(fields[4]),
                file_system=kind[0],
                source=_unescape(kind[1]),
                read_only="ro" in options,
            )
        )
    return mounts


def drive_mounts(mounts: Iterable[Mount]) -> list[Mount]:
    """The mounts that are drives: one for each device, the root and the system's own folders left out.

    Of several places where a device is mounted the whole file system counts before a bind mount, and the later before
    the earlier; a mount that another one covers is not there.
    """
    visible = {mount.path: mount for mount in mounts}
    system = {mount.device for mount in visible.values() if mount.path == "/"}
    by_device: dict[str, Mount] = {}
    for mount in visible.values():
        if mount.file_system not in _FILE_SYSTEMS or mount.device in system or _is_system(mount.path):
            continue
        other = by_device.get(mount.device)
        if other is None or mount.root == "/" or other.root != "/":
            by_device[mount.device] = mount
    return list(by_device.values())


def _is_system(path: str) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in _SYSTEM_FOLDERS)


def list_drives(root: Path = ROOT) -> list[Drive]:
    """Every drive that is mounted, removable ones first; those that do not answer are left out.

    `root` is where /proc, /sys and /dev are.
    """
    labels = _labels(root)
    drives = []
    for mount in drive_mounts(_mounts(root)):
        with contextlib.suppress(OSError):
            drives.append(_drive(mount, Path(mount.path), labels, root))
    return sorted(drives, key=lambda drive: (not drive.removable, drive.path))


def drive_at(path: Path | str) -> Drive:
    """Any folder as a drive: its own path, with the space and limits of the file system that it is on.

    Raises DeviceError: "not_found" when there is no such folder, "device_lost" when its drive does not answer.
    """
    folder = Path(path).expanduser().absolute()
    try:
        real = _answer(folder, lambda: folder.resolve(strict=True))
        if not _answer(folder, real.is_dir):
            raise NotADirectoryError(folder)
        # Inside a chroot the root need not be listed.
        mount = Mount("", "/", "/", "unknown", "", read_only=False)
        for other in _mounts(ROOT):
            if real.is_relative_to(other.path) and len(other.path) >= len(mount.path):
                mount = other
        return replace(_drive(mount, real, _labels(ROOT), ROOT), path=str(folder))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DeviceError("not_found", f"There is no folder {folder}.", "Make it, or choose another one.") from error
    except OSError as error:
        raise DeviceError(
            "device_lost",
            f"The drive with {folder} does not answer.",
            "Unplug it, plug it in again, and choose it once more.",
        ) from error


def _drive(mount: Mount, folder: Path, labels: dict[str, str], root: Path) -> Drive:
    space, writable, marked = _answer(
        folder,
        lambda: (os.statvfs(folder), os.access(folder, os.W_OK | os.X_OK), os.path.lexists(folder / MARK)),
    )
    device = _block_device(mount)
    label = labels.get(device, "") if folder == Path(mount.path) else ""
    return Drive(
        path=str(folder),
        label=printable(label) or printable(folder.name) or "Drive",
        file_system=mount.file_system,
        size_bytes=space.f_blocks * space.f_frsize,
        free_bytes=space.f_bavail * space.f_frsize,
        removable=_is_removable(device, root),
        writable=writable and not mount.read_only,
        max_file_bytes=FAT_MAX_FILE_BYTES if mount.file_system in _FAT else None,
        marked=marked or label.casefold() == MARK,
    )


def _mounts(root: Path) -> list[Mount]:
    try:
        return parse_mountinfo((root / "proc/self/mountinfo").read_text(errors="surrogateescape"))
    except OSError:
        return []


def _block_device(mount: Mount) -> str:
    """The disk's own number; btrfs and FUSE mount under a number that belongs to no disk."""
    if mount.device.startswith("0:") and mount.source.startswith("/dev/"):
        with contextlib.suppress(OSError):
            number = Path(mount.source).stat().st_rdev
            return f"{os.major(number)}:{os.minor(number)}"
    return mount.device


_unanswered: dict[Path, threading.Thread] = {}


def _answer(folder: Path, ask: Callable[[], T]) -> T:
    """What the file system says; raises the OSError it answers with, or TimeoutError when it does not answer.

    A question that hangs keeps its thread, and nothing more is asked there until that one has ended.
    """
    answers: list[T] = []
    errors: list[OSError] = []

    def run() -> None:
        try:
            answers.append(ask())
        except OSError as error:
            errors.append(error)

    waiting = _unanswered.get(folder)
    if waiting is not None and waiting.is_alive():
        raise TimeoutError(folder)
    thread = _unanswered[folder] = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(ANSWER_WITHIN_S)
    if not thread.is_alive():
        del _unanswered[folder]
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError(folder)
    return answers[0]


def _is_removable(device: str, root: Path) -> bool:
    """Whether the kernel calls the disk removable, or it hangs on USB (which hard disks and many sticks deny)."""
    folder = (root / "sys/dev/block" / device).resolve()
    if any(re.fullmatch(r"usb\d+", part) for part in folder.parts):
        return True
    # A partition's folder is inside its disk's.
    for disk in (folder, folder.parent):
        with contextlib.suppress(OSError):
            return (disk / "removable").read_text().strip() == "1"
    return False


def _labels(root: Path) -> dict[str, str]:
    """Volume labels by device number, from the links that udev makes."""
    labels = {}
    with contextlib.suppress(OSError):
        for link in (root / "dev/disk/by-label").iterdir():
            number = link.stat().st_rdev
            labels[f"{os.major(number)}:{os.minor(number)}"] = _unescape_udev(link.name)
    return labels


def _unescape(field: str) -> str:
    r"""Spaces and the like are written as \040 in mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _unescape_udev(name: str) -> str:
    r"""Characters that udev takes for unsafe are written as the bytes of their UTF-8, "\x20"."""
    encoded = os.fsencode(name)
    raw = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), encoded)
    return raw.decode(errors="replace")
