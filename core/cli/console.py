"""The one place where the command line prints: data on stdout, words on stderr, a progress bar on terminals only."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.cli.command import Answer
    from core.errors import OtoError

_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters and direction overrides: names may hold them, and a terminal would obey."""

_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python makes of the bytes of a file name that are no UTF-8; it can't be printed as it is."""

BAR_CELLS = 24
BAR_INTERVAL_S = 0.1


class Console:
    """Where a command's words, progress, answer and failure go."""

    def __init__(self, *, as_json: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr or io.StringIO()  # None where whoever called has closed it
        self._bar_shown = False
        self._bar_due = 0.0
        self._terminal = self._err.isatty()

    def say(self, text: str) -> None:
        """Tell a person something now, on stderr."""
        self._clear_bar()
        print(shown(text), file=self._err, flush=True)

    def progress(self, fraction: float, doing: str) -> bool:
        """Draw how far the work is, on a terminal only. Always True: Ctrl-C is what stops a command."""
        now = time.monotonic()
        if self._terminal and (now >= self._bar_due or fraction >= 1.0):
            self._bar_due = now + BAR_INTERVAL_S
            filled = round(min(max(fraction, 0.0), 1.0) * BAR_CELLS)
            line = f"{'#' * filled}{'.' * (BAR_CELLS - filled)} {fraction:4.0%} {' '.join(shown(doing).split())}"
            self._err.write("\r\x1b[K" + line[: os.get_terminal_size(self._err.fileno()).columns - 1])
            self._err.flush()
            self._bar_shown = True
        return True

    def answer(self, answer: Answer) -> None:
        """Print what the command answered."""
        self._clear_bar()
        text = dumps(answer.value) if self.as_json else shown(answer.text)
        if text:
            print(text, file=self._out, flush=True)

    def fail(self, error: OtoError) -> None:
        """Print why the command failed: a sentence on stderr and, with `--json`, the same as data on stdout."""
        self.say(f"oto: {error.message}" + (f"\n     {error.hint}" if error.hint else ""))
        if self.as_json:
            problem = {"code": error.code, "message": error.message, "hint": error.hint}
            print(dumps({"error": problem}), file=self._out, flush=True)

    def _clear_bar(self) -> None:
        if self._bar_shown:
            self._err.write("\r\x1b[K")
            self._bar_shown = False


def dumps(value: Any) -> str:
    """One JSON value on one line; numbers that JSON does not have (infinities) become null."""
    text = json.dumps(_finite(value), ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shown(text: str) -> str:
    """Text as a terminal may have it: names from outside can't drive it."""
    return _SURROGATE.sub("\ufffd", _UNSHOWN.sub("", text))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell, for a person to read."""
    lines = [heads, *(tuple(shown(" ".join(cell.split("\n"))) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def clock(seconds: float | None) -> str:
    """A duration as people read it: 3:07, 1:02:03."""
    if seconds is None:
        return "-"
    hours, rest = divmod(round(seconds), 3600)
    minutes, whole = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"


def size(count: float) -> str:
    """A number of bytes as people read it: 1.4 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def level(value: float | None, unit: str) -> str:
    """A level or loudness as people read it; silence has none."""
    return "silent" if value is None else f"{value:+.1f} {unit}"
