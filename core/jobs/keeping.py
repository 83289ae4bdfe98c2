"""What is kept of one mix so that the next costs less: how many rendered strips, and how the tracks sound unmixed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from core import paths, settings
from core.desk.sources import Source, identity_of
from core.desk.stripcache import StripCache
from core.plans.document import Span
from core.progress import Progress
from core.report.make import tracks_portrait
from core.report.portrait import Portrait
from sessions.files import write_atomic

FOLDER: Final = "strips"
"""In the cache."""
PORTRAITS_FOLDER: Final = "portraits"
"""Too."""
MOST_PORTRAITS: Final = 40
"""Each of them takes some 30 kB."""
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


def kept_portrait(
    tracks: Sequence[Source], span: Span | None, progress: Progress | None = None, *, folder: Path
) -> Portrait:
    """`tracks_portrait` as it is kept in `folder`, or listened to now and kept. Raises the same."""
    identities = [identity_of(track) for track in tracks]
    if None in identities:
        return tracks_portrait(tracks, span, progress)
    named = hashlib.sha256(f"{_listening_version()} {identities} {span}".encode()).hexdigest()[:32]
    path = folder / f"{named}.json"
    try:
        portrait = msgspec.json.decode(path.read_bytes(), type=Portrait)
        os.utime(path)
        return portrait
    except (OSError, ValueError):
        pass
    portrait = tracks_portrait(tracks, span, progress)
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, msgspec.json.encode(portrait))
        by_age = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for old in by_age[:-MOST_PORTRAITS]:
            old.unlink(missing_ok=True)
    return portrait


@functools.cache
def _listening_version() -> str:
    """What the code that listens is."""
    digest = hashlib.sha256(np.__version__.encode())
    core = Path(__file__).parent.parent
    for room in ("analysis", "desk", "dsp", "report"):
        for path in sorted((core / room).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
