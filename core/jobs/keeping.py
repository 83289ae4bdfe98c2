"""How many rendered strips are kept, and where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from core import paths, settings
from core.desk.stripcache import StripCache

FOLDER: Final = "strips"
"""In the cache."""
AUTO_MB: Final = 2_000
"""Two songs of sixteen tracks and four minutes."""
_MB: Final = 1_000_000


def strip_cache() -> StripCache:
    """The cache that the settings ask for. Raises OtoError("bad_input") for settings that can't be read."""
    wanted = settings.load(paths.settings_file()).strip_cache_mb
    folder = paths.cache() / FOLDER
    if wanted == "auto":
        limit_mb = 0 if on_a_card(paths.home()) else AUTO_MB
    else:
        limit_mb = 0 if wanted == "off" else int(wanted)
    return StripCache(folder, limit_mb * _MB)


def on_a_card(path: Path, sys_block: Path = Path("/sys/dev/block")) -> bool:
    """Whether files there lie on an SD card or a removable disk.

    A card reads so slowly that a mix of kept strips, which are a third larger than their recordings, comes no sooner,
    and wears with every strip that is written.
    """
    try:
        number = path.stat().st_dev
        device = (sys_block / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:
        return False
    for disk in (device, device.parent):
        if (disk / "device" / "type").is_file() and (disk / "device" / "type").read_text().strip() == "SD":
            return True
        if (disk / "removable").is_file() and (disk / "removable").read_text().strip() == "1":
            return True
    return False
