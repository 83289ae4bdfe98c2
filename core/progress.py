"""How long work says how far it is, and learns that it is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable

from core.errors import OtoError

Progress = Callable[[float, str], bool]
"""Called with the fraction done (0..1) and what is being done; returns False when the work shall end."""


def report(progress: Progress | None, fraction: float, doing: str) -> None:
    """Tell `progress`, if there is one. Raises OtoError("cancelled") when it no longer wants the work."""
    if progress is not None and not progress(fraction, doing):
        raise OtoError("cancelled", "The work was cancelled. Nothing that existed before was changed.")


def part(progress: Progress | None, start: float, share: float) -> Progress | None:
    """A step's own progress as a part of the whole's: from `start`, `share` of it."""
    if progress is None:
        return None
    return lambda fraction, doing: progress(start + share * fraction, doing)
