"""Turns the names of recordings made elsewhere into names of tracks: "01_Kick-In_48k" is "Kick In". Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sessions.names import unique_name

_DECORATION: Final = re.compile(
    r"""
    (?<![^\s_.([-])
    (?: \d{2,3}(?:\.\d)?[ ]?k(?:hz)?                             # 48k, 44.1kHz
      | (?:44100|48000|88200|96000|176400|192000)(?:hz)?
      | (?:16|20|24|32)[ -]?b(?:its?)?f? | 32f | float32
      | (?:19|20)\d{6} | (?:19|20)\d{2}[-.]\d{2}[-.]\d{2} | \d{2}[-.]\d{2}[-.](?:19|20)\d{2}
      | \d{6}                                                    # 101530: a time of day or a short date
      | take[ ]?\d+ | tk\d+ | t\d{2,3}
      | \d{2,3}[ ]?bpm
      | (?:zoom|tascam|dr|ste|h\d|f\d)[_-]?\d{3,}                     # the recorder's own counter
    )
    (?![^\s_.)\]-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBERING: Final = re.compile(r"(?:\d{1,3}|\(\d+\)|\[\d+\]|#\d+)")
_CHANNEL_ONLY: Final = re.compile(r"(?:tr(?:ac)?k?|ch(?:annel)?|in(?:put)?|audio|mic)?[ _-]?0*(\d{1,3})", re.IGNORECASE)
_TOO_COMMON: Final = 4
"""A word that this many recordings or more all begin with is the song's or the recorder's name, not an instrument's."""


def track_names(stems: Sequence[str]) -> list[str]:
    """Track names for file names without their suffixes, in the same order, all different.

    Numbering, rates, bit depths, dates, take numbers, the recorder's counter and what all names begin with are left
    out; a name of which nothing is left stays as it is.
    """
    words = [_words(stem) for stem in stems]
    words = [split[_common_start(words) :] for split in words]
    names: list[str] = []
    for stem, split in zip(stems, words, strict=True):
        name = " ".join(split) or " ".join(stem.replace("_", " ").split()) or "Track"
        names.append(different(name, names))
    return names


def different(name: str, taken: Sequence[str]) -> str:
    """`name`, or "name 2" and so on when it is taken already."""
    number, candidate = 1, name
    while unique_name(candidate, taken) != candidate:
        number += 1
        candidate = f"{name} {number}"
    return candidate


def is_telling(name: str) -> bool:
    """Whether a name says more than a number does: "Kick" does; "Track 3", "Tr1" and "ZOOM0012" don't."""
    words = _words(name)
    return bool(words) and not _CHANNEL_ONLY.fullmatch(" ".join(words))


def channel_names(name: str, given: dict[int, str], channels: int) -> list[str]:
    """Names for the channels of one file: those that it gives itself, else "L" and "R", else numbers."""
    if channels == 1:
        return [given[1] if not is_telling(name) and is_telling(given.get(1, "")) else name]
    sides = [" L", " R"] if channels == 2 else [f" {number}" for number in range(1, channels + 1)]
    return [
        given[number] if is_telling(given.get(number, "")) else name + sides[number - 1]
        for number in range(1, channels + 1)
    ]


def _words(stem: str) -> list[str]:
    bare = _DECORATION.sub(" ", stem)
    words = [word for word in re.split(r"[\s_.]+|(?<=\w)-(?=\w)|^-|-$", bare) if word.strip("-()[]")]
    while len(words) > 1 and _NUMBERING.fullmatch(words[0]):
        words = words[1:]
    if len(words) == 1 and (found := _CHANNEL_ONLY.fullmatch(words[0])):
        return ["Track", found[1]] if not words[0].isdigit() else []
    return words


def _common_start(words: Sequence[Sequence[str]]) -> int:
    """How many leading words all names share, leaving each a telling rest."""
    if len(words) < _TOO_COMMON:
        return 0
    count = 0
    while all(len(split) > count + 1 for split in words) and len({split[count].casefold() for split in words}) == 1:
        count += 1
    rests = [" ".join(split[count:]) for split in words]
    return count if all(re.search(r"[^\W\d_]{2,}", rest) for rest in rests) else 0
