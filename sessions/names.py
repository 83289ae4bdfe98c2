r"""Names that survive FAT, exFAT, Windows, macOS and any shell, and still read as the person wrote them.

Rules: Microsoft, "Naming Files, Paths, and Namespaces" (reserved characters and device names, trailing dots and
spaces). POSIX shells expand ``$ ` \ " !`` inside double quotes and cmd.exe expands ``%``, so a safe name in double
quotes is literal everywhere; a leading ``-`` or ``~`` would be read as an option or a home folder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_BYTES = 120
"""UTF-8 bytes of a safe name: leaves room for a date, a number and a suffix within the 255 of ext4."""

_REPLACED = str.maketrans(dict.fromkeys("/\\:|", "-") | dict.fromkeys("*?$`!%") | {'"': "'", "<": "(", ">": ")"})
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)


def safe_name(text: str, fallback: str = "untitled", max_bytes: int = MAX_BYTES) -> str:
    """Turn what a person typed into one component of a path: NFC, at most `max_bytes` of UTF-8, never empty.

    Applying it twice changes nothing. `fallback` stands in when nothing printable is left.
    """
    # NFC first, because it can turn harmless-looking characters into reserved ones (U+1FEF is a backtick).
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _DROPPED_CATEGORIES).translate(_REPLACED)
    name = _trim(unicodedata.normalize("NFC", " ".join(kept.split())))
    if _RESERVED.match(name):
        name = "_" + name
    name = _trim(name.encode()[:max_bytes].decode(errors="ignore"))
    return name or fallback


def collision_key(name: str) -> str:
    """Equal for two names that a case-insensitive or normalising file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def unique_name(name: str, taken: Iterable[str], suffix: str = "") -> str:
    """`name` + `suffix`, or "name (2)" + `suffix` and so on until it collides with none of `taken`."""
    keys = {collision_key(other) for other in taken}
    candidate, number = name + suffix, 1
    while collision_key(candidate) in keys:
        number += 1
        candidate = f"{name} ({number}){suffix}"
    return candidate


def track_file_name(order: int, track_name: str, clip: int = 1) -> str:
    """File name of a track's clip: "01 Kick.wav", its second clip "01 Kick (2).wav". Both count from 1."""
    name = safe_name(track_name, "Track")
    return f"{order:02d} {name}.wav" if clip == 1 else f"{order:02d} {name} ({clip}).wav"


def _trim(name: str) -> str:
    return name.lstrip(". -~").rstrip(". ")
