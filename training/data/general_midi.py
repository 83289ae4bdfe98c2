"""What General MIDI's programs and drum keys are in the studio's vocabulary."""

from __future__ import annotations

from typing import Final

_PROGRAMS: Final[dict[str, tuple[int, ...]]] = {
    "piano": (0, 1, 2, 3),
    "keys": (4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 18, 19, 20, 21),
    "acoustic_guitar": (24, 25, 105),
    "electric_guitar": (26, 27, 28),
    "distorted_guitar": (29, 30),
    "bass": (32, 33, 34, 35, 36, 37, 38, 39),
    "strings": (40, 41, 42, 43, 44, 45, 48, 49, 110),
    "lead_vocal": (52, 53, 54),
    "brass": (56, 57, 58, 59, 60, 61),
    "woodwind": (64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 77, 78, 79),
    "synth_lead": (80, 81, 82, 83, 84, 86, 87),
    "synth_pad": (88, 89, 90, 92, 93, 94, 95),
}
"""Programs from 0, as in the General MIDI 1 sound set. Left out is what musicians would not agree on."""

OTHER_PROGRAMS: Final = (96, 97, 98, 99, 100, 101, 102, 103, 119, 120, 121, 122, 123, 124, 125, 126, 127)
"""Sound effects."""

PERCUSSION_KEYS: Final = (39, 54, 56, 58, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 73, 74, 75, 76, 77, 80, 81)

DRUM_PROGRAMS: Final = (0, 8, 16, 24, 25, 32, 40)
"""Standard, room, power, electronic, 808, jazz and brush kits (GS)."""

_PIECES: Final[dict[str, tuple[int, ...]]] = {
    "kick": (35, 36),
    "snare": (38, 40),
    "sidestick": (37,),
    "hihat": (42, 44, 46, 22, 26),
    "toms": (41, 43, 45, 47, 48, 50, 58),
    "cymbals": (49, 51, 52, 53, 55, 57, 59),
}
PIECE_OF_KEY: Final = {key: piece for piece, keys in _PIECES.items() for key in keys}
"""General MIDI percussion keys and those that the groove recordings' drum module adds (22, 26, 58)."""

HEARD_AS_KEY: Final = {22: 42, 26: 46, 58: 43}
"""The module's own keys in General MIDI."""

AVL_KEYS: Final = {22: 42, 26: 46, 48: 47, 50: 45, 52: 51, 58: 43, 59: 51}
"""Keys of a groove on the kits of avldrums, where some of General MIDI's are choked cymbals and hands."""

_LABEL_OF: Final = {program: label for label, programs in _PROGRAMS.items() for program in programs}


def label_of_program(program: int) -> str | None:
    """The label of a melodic program (0..127), or None if it stands for no role."""
    return _LABEL_OF.get(program)


def programs_of(label: str) -> tuple[int, ...]:
    """The programs that play a role; KeyError if none does."""
    return _PROGRAMS[label]
