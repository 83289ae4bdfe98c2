"""Key and chords out of pitch classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mode = Literal["major", "minor"]

NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_SHARPS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_TONICS: Final[dict[Mode, tuple[str, ...]]] = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
"""The spelling of each key that has the fewest signs."""
SCALES: Final[dict[Mode, tuple[int, ...]]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
TRIADS: Final[dict[Mode, tuple[int, ...]]] = {"major": (0, 4, 7), "minor": (0, 3, 7)}

PROFILES: Final[dict[Mode, Floats]] = {
    mode: np.array([3.0 if tone in TRIADS[mode] else 2.0 if tone in SCALES[mode] else 0.0 for tone in range(12)])
    for mode in SCALES
}
"""How much of each tone a key has: most of its own triad, and of the rest of its scale more than of what is outside."""

BASS_SHARE: Final = 0.25
"""How much the lowest voice says about a chord's root, beside what all voices say about the chord."""
IN_KEY: Final = 0.02
"""What a chord of the key has ahead of one that is none, on the scale of likeness (0..1)."""
CHANGE: Final = 0.06
"""What a change of chord has to be worth."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What a song comes home to."""

    tonic: int
    """Pitch class, C is 0."""
    mode: Mode
    likeness: float = 1.0
    """Correlation with the key's profile; 1 where a person said the key."""
    next_name: str = ""
    """The key that fits next best,"""
    next_likeness: float = 0.0
    """and how well."""

    @property
    def name(self) -> str:
        """As musicians say it."""
        return f"{_TONICS[self.mode][self.tonic]} {self.mode}"

    @property
    def scale(self) -> tuple[int, ...]:
        """Its seven pitch classes, the tonic first."""
        return tuple((self.tonic + step) % 12 for step in SCALES[self.mode])


class Chord(msgspec.Struct, frozen=True, kw_only=True):
    """A triad."""

    root: int
    mode: Mode
    likeness: float = 1.0
    """How much of what sounded belongs to it, 0..1."""

    @property
    def name(self) -> str:
        """As in a lead sheet."""
        return self.name_in(None)

    def name_in(self, key: Key | None) -> str:
        """As in a lead sheet in this key."""
        return spelled(self.root, key) + ("m" if self.mode == "minor" else "")

    @property
    def tones(self) -> tuple[int, ...]:
        """Pitch classes: root, third, fifth."""
        return tuple((self.root + step) % 12 for step in TRIADS[self.mode])


def spelled(tone: int, key: Key | None) -> str:
    """A pitch class as it is written in a key: with its sharps or its flats."""
    if key is None:
        return NAMES[tone % 12]
    major = (key.tonic + (3 if key.mode == "minor" else 0)) % 12
    sharps = major * 7 % 12
    if not sharps:
        return NAMES[tone % 12]
    # F# major has six sharps, and its relative is called Eb minor, with six flats.
    return (_SHARPS if sharps < 6 or (sharps == 6 and key.mode == "major") else _FLATS)[tone % 12]


def note_name(pitch: int, key: Key | None = None) -> str:
    """A MIDI note as musicians write it: 60 is C4."""
    return f"{spelled(pitch, key)}{pitch // 12 - 1}"


def key_named(name: str) -> Key | None:
    """A key as people write it: "A minor", "Bb", "f# minor", "Am"; None when it is none."""
    word, _, mode = name.strip().partition(" ")
    if not mode and len(word) > 1 and word.endswith("m"):
        word, mode = word[:-1], "minor"
    mode = mode.strip().lower() or "major"
    steps = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
    if not word or word[0].lower() not in steps or mode not in SCALES:
        return None
    signs = {"": 0, "#": 1, "b": -1, "♯": 1, "♭": -1}
    if word[1:] not in signs:
        return None
    return Key(tonic=(steps[word[0].lower()] + signs[word[1:]]) % 12, mode="major" if mode == "major" else "minor")


def find_key(classes: Floats) -> Key | None:
    """The key whose profile the mean pitch classes resemble most; None when nothing sounds."""
    if np.ptp(classes) <= 0.0:
        return None
    found = sorted(
        (
            (float(np.corrcoef(classes, np.roll(profile, tonic))[0, 1]), tonic, mode)
            for mode, profile in PROFILES.items()
            for tonic in range(12)
        ),
        reverse=True,
    )
    (best, tonic, mode), (second, other, other_mode) = found[:2]
    return Key(
        tonic=tonic,
        mode=mode,
        likeness=round(best, 2),
        next_name=Key(tonic=other, mode=other_mode).name,
        next_likeness=round(second, 2),
    )


CHORDS: Final = tuple((root, mode) for mode in TRIADS for root in range(12))
TEMPLATES: Final[Floats] = np.array(
    [[1.0 if (tone - root) % 12 in TRIADS[mode] else 0.0 for tone in range(12)] for root, mode in CHORDS]
)


def find_chords(stretches: Sequence[tuple[Floats, Floats]], key: Key) -> list[Chord]:
    """A chord for every stretch (pitch classes of everything, and of the bass), no more changes than are heard.

    The best path through all chords by dynamic programming (Viterbi, 1967).
    """
    every = np.array([one for one, _ in stretches]).reshape(-1, 12)
    bass = np.array([one for _, one in stretches]).reshape(-1, 12)
    roots = np.array([root for root, _ in CHORDS])
    likeness = every @ TEMPLATES.T / np.maximum(every.sum(axis=1, keepdims=True), 1e-9)
    below = bass[:, roots] / np.maximum(bass.sum(axis=1, keepdims=True), 1e-9)
    at_home = np.array([IN_KEY if set(_tones(at)) <= set(key.scale) else 0.0 for at in range(len(CHORDS))])
    score = likeness + BASS_SHARE * below + at_home
    path = _best_path(score)
    return [
        Chord(root=CHORDS[at][0], mode=CHORDS[at][1], likeness=round(float(likeness[n, at]), 2))
        for n, at in enumerate(path)
    ]


def _tones(chord: int) -> list[int]:
    return [int(tone) for tone in np.flatnonzero(TEMPLATES[chord])]


def _best_path(score: Floats) -> list[int]:
    if not len(score):
        return []
    total = score[0]
    came: list[NDArray[np.int64]] = []
    for here in score[1:]:
        best = int(np.argmax(total))
        stays = total >= total[best] - CHANGE
        came.append(np.where(stays, np.arange(total.size), best))
        total = np.where(stays, total, total[best] - CHANGE) + here
    path = [int(np.argmax(total))]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return path[::-1]
