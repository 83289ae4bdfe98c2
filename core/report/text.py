"""Words from outside (names of tracks, sessions and files) made safe to stand in a page."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Final

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control, format (which turn the direction of writing around), surrogate and unassigned characters."""
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def readable(text: str) -> str:
    """The text on one line, with every character that can't be seen replaced by one that can."""
    spaced = " ".join(text.split())
    if spaced.isprintable():
        return spaced
    return "".join(_REPLACEMENT if unicodedata.category(each) in _HIDDEN else each for each in spaced)


def escaped(text: str) -> str:
    """`readable` text that is no markup, as content or inside a quoted attribute."""
    return escape(readable(text), quote=True)


def minus(text: str) -> str:
    """Numbers with the sign that is as wide as a plus."""
    return text.replace("-", "\N{MINUS SIGN}")
