"""A curve as rows of cells: dots of braille where the font has them, half blocks, or a block per cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.look import Glyphs, Tier

DOTS: Final[dict[Tier, tuple[int, int]]] = {"unicode": (2, 4), "block": (1, 2), "console": (1, 1)}
"""How many columns and rows of dots a cell has."""

_BRAILLE: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot, row by row (Unicode 15.0, chapter 21.1)."""
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def columns(width: int, glyphs: Glyphs) -> int:
    """How many values fill `width` cells."""
    return width * DOTS[glyphs.tier][0]


def curve(values: Sequence[float], low: float, high: float, rows: int, glyphs: Glyphs) -> list[str]:
    """Values, left to right, as `rows` lines from `high` down to `low`; neighbours are joined, the rest is cut."""
    across, down = DOTS[glyphs.tier]
    levels = rows * down
    dots = [[False] * len(values) for _ in range(levels)]
    before: int | None = None
    for x, value in enumerate(values):
        at = round((high - value) / (high - low) * (levels - 1))
        first, last = sorted((at, at if before is None else before + (at > before) - (at < before)))
        for y in range(max(first, 0), min(last, levels - 1) + 1):
            dots[y][x] = True
        before = at
    lines: list[str] = []
    for top in range(0, levels, down):
        band = dots[top : top + down]
        lines.append(
            "".join(_cell([row[x : x + across] for row in band], glyphs) for x in range(0, len(values), across))
        )
    return lines


def row_of(value: float, low: float, high: float, rows: int, glyphs: Glyphs) -> int:
    """Which line a value is drawn on."""
    down = DOTS[glyphs.tier][1]
    return round((high - value) / (high - low) * (rows * down - 1)) // down


def _cell(dots: Sequence[Sequence[bool]], glyphs: Glyphs) -> str:
    match glyphs.tier:
        case "unicode":
            bits = sum(_BRAILLE[y][x] for y, row in enumerate(dots) for x, on in enumerate(row) if on)
            return chr(0x2800 + bits) if bits else " "
        case "block":
            return _HALVES[dots[0][0], dots[1][0]]
        case "console":
            return glyphs.full if dots[0][0] else " "
