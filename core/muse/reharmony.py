"""Other chords for what was played."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.muse.harmony import SCALES, Chord, Key
from core.muse.song import CHORDS_PER_BAR, SLOTS
from core.muse.stretch import Composed, Stretch

LOWEST: Final = 55


def harmony(bars: Stretch) -> Composed:
    """Other chords for the same bars: each shares two tones or more with what was heard there, or is it."""
    key = bars.home()
    proposed: list[Chord] = []
    words: list[str] = []
    for n, heard in enumerate(bars.chords):
        if n and heard.root == bars.chords[n - 1].root and heard.mode == bars.chords[n - 1].mode and n % 2:
            proposed.append(proposed[-1])
            continue
        other = _other(bars, key, heard, proposed[-1] if proposed else None)
        closes = n >= len(bars.chords) - CHORDS_PER_BAR
        chosen = heard if closes or bars.random.random() < 0.35 else other
        if chosen is not heard:
            shared = len(set(chosen.tones) & set(heard.tones))
            names = f"{chosen.name_in(key)} for {heard.name_in(key)}"
            words.append(f"{names} in its bar {n // CHORDS_PER_BAR + 1} ({shared} tones in common)")
        proposed.append(chosen)
    voiced = _voiced(bars, proposed)
    slots = sorted({0, 8, *(bars.slots(round(8 * bars.density)) if bars.density > 0.5 else [])})
    notes = [
        note
        for bar in range(bars.wish.bars)
        for part in range(3)
        for note in bars.notes(
            bar,
            slots,
            [voiced[bar * CHORDS_PER_BAR + slot * CHORDS_PER_BAR // SLOTS][part] for slot in slots],
            softer=12,
        )
    ]
    why = f"Other chords: {', '.join(words)}." if words else "The chords are those that were heard."
    return Composed(
        tuple(notes),
        bars.heard_chords(proposed),
        (why, "It ends on what the band plays, and its voices move as little as they can from chord to chord."),
    )


def _other(bars: Stretch, key: Key, heard: Chord, before: Chord | None) -> Chord:
    near = [
        chord for chord in _triads(key) if chord.name != heard.name and len(set(chord.tones) & set(heard.tones)) == 2
    ]
    if before is not None:
        near = [chord for chord in near if chord.name != before.name] or near
    return near[int(bars.random.integers(len(near)))] if near else heard


def _voiced(bars: Stretch, chords: Sequence[Chord]) -> list[tuple[int, int, int]]:
    low = LOWEST + bars.feel.semitones
    found: list[tuple[int, int, int]] = []
    for chord in chords:
        options = [
            tuple(sorted(low + (tone - low) % 12 + 12 * ((turn >> n) & 1) for n, tone in enumerate(chord.tones)))
            for turn in range(8)
        ]
        close = [(one[0], one[1], one[2]) for one in options if one[2] - one[0] <= 12]
        goal = found[-1] if found else (low + 2, low + 6, low + 9)
        found.append(min(close, key=lambda one: sum(abs(a - b) for a, b in zip(one, goal, strict=True))))
    return found


def _triads(key: Key) -> list[Chord]:
    """The major and minor triads of a key."""
    scale = set(key.scale)
    return [
        Chord(root=root, mode=mode)
        for root in key.scale
        for mode in SCALES
        if set(Chord(root=root, mode=mode).tones) <= scale
    ]
