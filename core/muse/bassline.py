"""A bass line: roots where the kick is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.muse.harmony import Key
from core.muse.motif import Note
from core.muse.stretch import METRE, STRONG, Composed, Stretch

LOWEST: Final = 28
"""The open E string."""


def bass(bars: Stretch) -> Composed:
    """Roots where the kick is, and a step towards the next root."""
    key = bars.home()
    slots = sorted({0, *bars.slots(1 + round(7 * bars.density), low=True)})
    notes: list[Note] = []
    for bar in range(bars.wish.bars):
        pitches = [_bass_pitch(bars, key, bar, slots, n) for n in range(len(slots))]
        notes += bars.notes(bar, slots, pitches)
    why = "The first note of each chord is its root"
    if len(slots) > 1:
        why += "; more of them are root, fifth or octave, and the last leads to the next chord's root by a step"
    return Composed(
        tuple(notes),
        bars.heard_chords(),
        (bars.why_groove("It plays", slots, bars.low, bars.struck[1], "the strokes of kick and bass"), f"{why}."),
    )


def _bass_pitch(bars: Stretch, key: Key, bar: int, slots: Sequence[int], n: int) -> int:
    slot, chord = slots[n], bars.chord(bar, slots[n])
    root = _low_note(chord.root)
    if n == 0 or bars.chord(bar, slots[n - 1]).name != chord.name:
        return root
    following = bars.chord(bar, slots[n + 1]) if n + 1 < len(slots) else bars.chord(bar + 1, 0)
    if following.root != chord.root:
        target = _low_note(following.root)
        steps = (target + step for step in (-1, -2, 1, 2))
        return next(pitch for pitch in steps if pitch >= LOWEST and pitch % 12 in key.scale)
    return root + int(bars.random.choice((0, 7, 12), p=(0.5, 0.25, 0.25) if METRE[slot] < STRONG else (0.7, 0.2, 0.1)))


def _low_note(root: int) -> int:
    return LOWEST + (root - LOWEST) % 12
