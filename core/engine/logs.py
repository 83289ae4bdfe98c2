"""The engine's log when it is a file: it keeps what was said last and never grows without end."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
from pathlib import Path
from typing import Final, TextIO

MAX_BYTES: Final = 1 << 20
KEPT_BYTES: Final = MAX_BYTES // 2


def start() -> None:
    """Log to stderr: the service manager's journal, a terminal, or a file that a command chose."""
    logging.basicConfig(
        handlers=[LimitedHandler(sys.stderr)], level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes to a stream; where that is a file, its older half goes whenever it is larger than `max_bytes`."""

    def __init__(self, stream: TextIO, max_bytes: int = MAX_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
        super().__init__(stream)
        self._max_bytes = max_bytes
        self._kept_bytes = kept_bytes

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        super().emit(record)
        with contextlib.suppress(OSError, ValueError):
            self._shorten(self.stream.fileno())

    def _shorten(self, descriptor: int) -> None:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size <= self._max_bytes:
            return
        # The stream is open for appending alone.
        with Path(f"/proc/self/fd/{descriptor}").open("rb") as file:
            file.seek(-self._kept_bytes, os.SEEK_END)
            kept = file.read().partition(b"\n")[2]
        os.ftruncate(descriptor, 0)
        os.write(descriptor, kept)
