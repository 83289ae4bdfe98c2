"""Folders for large files that nobody needs once the work on them is done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core import paths
from sessions.staging import clear_abandoned, staging

_START: Final = ".oto-work-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the disk, gone at the end, as are those that killed processes left. Raises OSError."""
    root = paths.scratch()
    clear_abandoned(root, _START)
    with staging(root, _START) as folder:
        folder.chmod(0o700)  # /var/tmp is everybody's
        yield folder
