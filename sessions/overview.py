"""What a take or a bounce looks like from afar: small, made once by a worker, kept beside the audio."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from sessions.files import write_atomic
from sessions.model import Overview

OVERVIEW_FILE: Final = "overview.json"
COLUMNS: Final = 480
"""Into how many equal parts a timeline is cut."""
SILENCE: Final = 255
SCHEMA: Final = 2
"""An overview of another shape is made again."""


def load_overview(folder: Path, frames: int) -> Overview | None:
    """The overview kept in a take's or bounce's folder; None when there is none of audio this long."""
    try:
        overview = msgspec.json.decode((folder / OVERVIEW_FILE).read_bytes(), type=Overview)
    except (OSError, ValueError):
        return None
    return overview if overview.frames == frames and overview.schema == SCHEMA else None


def save_overview(folder: Path, overview: Overview) -> None:
    """Keep an overview beside the audio. Raises OSError."""
    write_atomic(folder / OVERVIEW_FILE, msgspec.json.encode(overview))
