"""How much can still be recorded, and what recording leaves free."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

MIN_RESERVE_BYTES: Final = 8 << 20
MAX_RESERVE_BYTES: Final = 512 << 20
RESERVE_SHARE: Final = 0.02
RESERVE_S: Final = 5.0


def reserve_bytes(disk_size_bytes: int, bytes_per_s: float) -> int:
    """What recording leaves free on a disk, so that files close and the system lives on."""
    share = min(max(int(RESERVE_SHARE * disk_size_bytes), MIN_RESERVE_BYTES), MAX_RESERVE_BYTES)
    return share + int(RESERVE_S * bytes_per_s)


def remaining_s(folder: Path, bytes_per_s: float) -> float | None:
    """How long the disk under `folder` lasts, short of the reserve; None when it can't be asked."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return max(0.0, (usage.free - reserve_bytes(usage.total, bytes_per_s)) / bytes_per_s)
