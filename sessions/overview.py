"""What a take or a bounce looks like from afar: small, made once by a worker, kept beside the audio."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from sessions.files import write_atomic
from sessions.model import Document

OVERVIEW_FILE: Final = "overview.json"
COLUMNS: Final = 480
"""Into how many equal parts a timeline is cut."""
SILENCE: Final = 255


class Overview(Document, frozen=True, kw_only=True):
    """Peaks, and for a bounce its loudness, spectrum and what the limiter did; nothing that can't be made again."""

    schema: int = 1
    frames: int
    """Length of what it shows; another length means that it is out of date."""
    rate_hz: int
    peaks: dict[str, bytes]
    """Per track id (of a bounce: "mix"), for each of `COLUMNS` the sample peak in half decibels below full scale."""
    loudness_lufs: tuple[float | None, ...] = ()
    """Short-term loudness at the end of every second; None while it is silent."""
    loudness_range_lu: float | None = None
    band_hz: tuple[float, ...] = ()
    """Middles of the bands of `band_db`."""
    band_db: tuple[float, ...] = ()
    """Level of each band against the whole."""
    limiter_db: tuple[float, ...] = ()
    """Per second, how far the limiter turned down the loudest moment; positive."""


def load_overview(folder: Path, frames: int) -> Overview | None:
    """The overview kept in a take's or bounce's folder; None when there is none of audio this long."""
    try:
        overview = msgspec.json.decode((folder / OVERVIEW_FILE).read_bytes(), type=Overview)
    except (OSError, msgspec.DecodeError):
        return None
    return overview if overview.frames == frames and overview.schema == 1 else None


def save_overview(folder: Path, overview: Overview) -> None:
    """Keep an overview beside the audio. Raises OSError."""
    write_atomic(folder / OVERVIEW_FILE, msgspec.json.encode(overview))
