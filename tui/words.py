"""How names, times and figures are written on a screen. Pure functions; nothing here knows a terminal."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, direction overrides, surrogates, unassigned: what could move a cursor or reorder a line."""

OFF_DB = -90.0
SILENCE_DBFS = -120.0


@lru_cache(maxsize=256)
def clean(text: str) -> str:
    """A name from outside (a drive's label, a device, a track) as one line without control characters.

    Text is painted, never parsed, so brackets stay what they are.
    """
    spaced = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(c for c in spaced if unicodedata.category(c) not in DROPPED_CATEGORIES)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def fit(text: str, width: int, ellipsis: str = "~") -> str:
    """Exactly `width` cells: padded with spaces, or cut with `ellipsis` in the last cell."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + ellipsis


def wrap(text: str, width: int, rows: int) -> list[str]:
    """Break text at spaces into at most `rows` lines of at most `width` cells; the last is cut if need be."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        elif len(lines) == rows:
            lines[-1] = joined
            break
        else:
            lines.append(word)
    return [fit(line, width).rstrip() for line in lines]


def clock(seconds: float | None) -> str:
    """Hours, minutes and seconds as on a tape counter ("1:02:03"); unknown is "-:--:--"."""
    if seconds is None:
        return "-:--:--"
    whole = max(int(seconds), 0)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def short_clock(seconds: float) -> str:
    """Minutes and seconds, with hours only where there are some ("3:07")."""
    whole = max(int(seconds), 0)
    return clock(whole) if whole >= 3600 else f"{whole // 60}:{whole % 60:02d}"


def size(count: float) -> str:
    """Bytes as a person says them: three figures and a decimal unit, as drives are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if count >= 99.5 or unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def level(dbfs: float) -> str:
    """A level in dBFS to a tenth; silence is "-inf"."""
    return "-inf" if dbfs <= SILENCE_DBFS else f"{round(dbfs, 1) + 0.0:.1f}"


def gain(db: float) -> str:
    """A gain in dB with its sign; -90 and less is "off"."""
    return "off" if db <= OFF_DB else f"{db:+.1f}" if abs(db) >= 0.05 else "0.0"


def pan(position: float) -> str:
    """Pan -1..+1 as engineers write it: L100, C, R35."""
    percent = round(abs(position) * 100)
    return "C" if percent == 0 else f"{'L' if position < 0 else 'R'}{percent}"


def frequency(hz: float) -> str:
    """A frequency in Hz, in kHz from 1000 up ("2.5k")."""
    return f"{hz:.0f}" if hz < 999.5 else f"{hz / 1000:.3g}k"


def value(amount: float | bool | str, unit: str) -> str:
    """A parameter's value in its unit."""
    if isinstance(amount, bool):
        return "on" if amount else "off"
    if isinstance(amount, str):
        return clean(amount)
    if unit == "dB":
        return "off" if amount <= OFF_DB else f"{gain(amount)} dB"
    if unit == "Hz":
        return f"{amount / 1000:.3g} kHz" if amount >= 999.5 else f"{amount:.0f} Hz"
    digits = max(0, 2 - math.floor(math.log10(abs(amount)))) if amount else 1
    text = f"{amount:.{min(digits, 2)}f}"
    return f"{text}{unit}" if unit.startswith(":") else f"{text} {unit}".strip()


def loudness(lufs: float | None) -> str:
    """Integrated loudness; silence has none."""
    return "silent" if lufs is None else f"{lufs:.1f} LUFS"


def local_date(utc: str) -> str:
    """The day of an ISO 8601 moment ("2026-11-22"); nothing when it can't be read."""
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return ""
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone().date().isoformat()


def local_time(utc: str) -> str:
    """The wall clock of an ISO 8601 moment ("14:05"); nothing when it can't be read."""
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return ""
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone().strftime("%H:%M")
