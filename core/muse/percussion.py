"""Hand percussion where the band leaves room."""

from __future__ import annotations

from core.muse.motif import Note
from core.muse.song import SLOTS
from core.muse.stretch import BEAT, METRE, Composed, Stretch, shares

SHAKER, LOW_CONGA, HIGH_CONGA = 82, 64, 63
"""General MIDI percussion keys."""


def rhythm(bars: Stretch) -> Composed:
    """Hand percussion where the band leaves room: a shaker that carries, congas that answer."""
    room = shares(METRE.max() - 0.6 * METRE + 0.2) * (1.15 - bars.groove / max(bars.groove.max(), 1e-9))
    every = 4 if bars.density < 0.3 else 2 if bars.density < 0.75 else 1
    shaker = list(range(0, SLOTS, every))
    congas = bars.chosen(room, 1 + round(6 * bars.density))
    notes: list[Note] = []
    for bar in range(bars.wish.bars):
        here = congas if bar % 4 != 3 else sorted({*congas, 14, 15})
        accents = [bars.feel.velocity - (0 if slot % 8 == 4 else 22) for slot in shaker]
        notes += [_hit(bars, bar, slot, SHAKER, one) for slot, one in zip(shaker, accents, strict=True)]
        notes += [
            _hit(bars, bar, slot, LOW_CONGA if METRE[slot] >= 0.25 else HIGH_CONGA, bars.feel.velocity) for slot in here
        ]
    why = "The shaker carries the pulse with its accents on two and four"
    if bars.wish.bars > 3:
        why += "; every fourth bar ends with a fill"
    return Composed(
        tuple(sorted(notes, key=lambda note: (note.at_beats, note.pitch))),
        bars.heard_chords(),
        (bars.why_groove("Congas answer", congas, bars.groove, bars.struck[0], BEAT), f"{why}."),
    )


def _hit(bars: Stretch, bar: int, slot: int, pitch: int, velocity: int) -> Note:
    at = (bar * SLOTS + slot) / bars.per_beat
    return Note(at_beats=at, beats=1 / bars.per_beat, pitch=pitch, velocity=min(max(velocity, 1), 127))
