"""Names that came from outside (a cable, a stick) made safe to show."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.DOTALL)
"""Terminal control sequences (ECMA-48): CSI, then the string kinds (OSC, DCS, ...), then the short ones."""

_NEUTRAL = str.maketrans("[]", "()")
"""Square brackets are markup on our screens."""


def printable(text: str, limit: int = 80) -> str:
    """A name without escape sequences, control or invisible characters and markup, in one line of at most `limit`."""
    text = unicodedata.normalize("NFC", _ESCAPE.sub("", text))
    text = "".join(" " if character.isspace() else character for character in text)
    text = "".join(character for character in text if unicodedata.category(character)[0] != "C")
    return " ".join(text.translate(_NEUTRAL).split())[:limit].rstrip()
