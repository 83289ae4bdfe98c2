"""SIGTERM as an exception that unwinds a job, kept back while something exists that nobody would take away yet."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

_held = False
_asked = False


def end_on_sigterm() -> None:
    """From now on SIGTERM raises SystemExit in the main thread, so that a half-rendered bounce is taken away."""
    signal.signal(signal.SIGTERM, _end)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """A SIGTERM in here takes effect at the end of it."""
    global _held
    _held = True
    try:
        yield
    finally:
        _held = False
        if _asked:
            sys.exit(0)


def _end(_signal: int, _frame: object) -> None:
    global _asked
    _asked = True
    if not _held:
        sys.exit(0)
