"""The health of the box in a few cheap numbers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

ROOT: Final = Path("/")

_CPU_SENSORS: Final = ("cpu", "x86_pkg_temp", "soc", "package")
"""Words in the names of thermal zones that mean the processor."""


@dataclass(frozen=True)
class Health:
    """One look at the box."""

    cpu_percent: float
    """Of all cores together, since the look before; 0 at the first."""
    memory_percent: float
    """In use and not merely cached."""
    temperature_c: float | None
    """Of the processor; None where the box does not say."""
    disk_free_bytes: int
    disk_size_bytes: int


def read_health(path: Path, root: Path = ROOT) -> Health:
    """Look at the box, and at the disk that holds `path` (or will: its nearest folder that is there)."""
    folder = path.absolute()
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    return Health(
        cpu_percent=psutil.cpu_percent(None),
        memory_percent=psutil.virtual_memory().percent,
        temperature_c=processor_temperature_c(root),
        disk_free_bytes=disk.f_bavail * disk.f_frsize,
        disk_size_bytes=disk.f_blocks * disk.f_frsize,
    )


def processor_temperature_c(root: Path = ROOT) -> float | None:
    """The processor's temperature, else the hottest that the kernel knows; `root` is where /sys is."""
    readings: list[tuple[bool, float]] = []
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        try:
            kind = (zone / "type").read_text().lower()
            # In thousandths of a degree (Documentation/driver-api/thermal/sysfs-api.rst).
            celsius = int((zone / "temp").read_text()) / 1000
        except (OSError, ValueError):
            continue
        readings.append((any(word in kind for word in _CPU_SENSORS), celsius))
    return max(readings)[1] if readings else None
