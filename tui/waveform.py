"""A take's or a bounce's peaks as rows of cells. Pure functions over `core.protocol.Overview`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tui.look import Glyphs

SILENCE: Final = 255
"""In an overview's bytes: half decibels below full scale, up to this."""

_HEIGHT: Final = tuple(10.0 ** (-half_db / 80.0) if half_db < SILENCE else 0.0 for half_db in range(SILENCE + 1))
"""How high a peak is drawn, 0..1: the root of its amplitude, so that a whisper is seen beside a shout."""


def columns(peaks: bytes, width: int) -> list[float]:
    """Peaks spread over `width` columns as heights 0..1; each shows the loudest of its share."""
    if not peaks or width <= 0:
        return []
    count = len(peaks)
    shares = ((x * count // width, max((x + 1) * count // width, x * count // width + 1)) for x in range(width))
    return [_HEIGHT[min(peaks[start:end])] for start, end in shares]


def loudest(tracks: Iterable[bytes]) -> bytes:
    """All tracks as one: per column the loudest of them."""
    every = [track for track in tracks if track]
    return bytes(map(min, zip(*every, strict=True))) if every else b""


def bars(heights: Sequence[float], rows: int, glyphs: Glyphs) -> list[str]:
    """Columns standing on a common floor, as `rows` lines from top to bottom."""
    steps = len(glyphs.heights)
    filled = [round(height * rows * steps) for height in heights]
    lines: list[str] = []
    for row in range(rows - 1, -1, -1):
        above = (min(max(amount - row * steps, 0), steps) for amount in filled)
        lines.append("".join(glyphs.heights[step - 1] if step else " " for step in above))
    return lines
