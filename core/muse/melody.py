"""A melody: an idea that comes back over the next chords, is answered, and rests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.muse.harmony import Key, note_name
from core.muse.motif import Note
from core.muse.stretch import BEAT, METRE, STRONG, Composed, Floats, Stretch

CURVES: Final[dict[str, Sequence[float]]] = {
    "rises": (-1, 1),
    "falls": (1, -1),
    "rises and falls": (-1, 1, -1),
    "falls and rises": (1, -1, 1),
}
"""The course that an idea is drawn to, from its first note to its last."""
CURVE_SEMITONES: Final = 5.0
FOREIGN: Final = 3.0
"""What a tone costs that the chord has and the key has not, where the chord has others."""
MIDDLE: Final = 72
SINGER_NEAR: Final = 5.0
ABOVE_SINGER: Final = 9


def melody(bars: Stretch) -> Composed:
    """A phrase of four bars: an idea, the idea again over the next chords, something new, and a way home."""
    key = bars.home()
    low, why_register = _register(bars)
    course, other = (CURVES[str(one)] for one in bars.random.choice(list(CURVES), 2, replace=False))
    idea, turn = bars.slots(2 + round(7 * bars.density)), bars.slots(1 + round(6 * bars.density))
    notes: list[Note] = []
    shape: list[int] = []
    before = low + 7
    for bar in range(bars.wish.bars):
        closes, turns = 0 < bar == bars.wish.bars - 1, bar % 4 == 2
        slots = [0, 8][: 1 + (bars.density > 0.5)] if closes else turn if turns else idea
        again = shape if bar % 4 in (1, 3) and not closes else []
        pitches = _line(bars, key, bar, slots, low, before, again, other if turns else course)
        if bar % 4 == 0:
            shape = [pitch - pitches[0] for pitch in pitches]
        before = pitches[-1]
        notes += bars.notes(bar, slots, pitches)
    pitches = [note.pitch for note in notes]
    return Composed(
        tuple(notes),
        bars.heard_chords(),
        (
            bars.why_groove("The idea plays", idea, bars.groove, bars.struck[0], BEAT),
            "Notes on the first and the third beat belong to the chord that is played there; what lies between "
            f"them walks the scale of {key.name}.",
            _why_form(bars, pitches[: len(idea)]),
            f"It lies between {note_name(min(pitches), key)} and {note_name(max(pitches), key)}{why_register}.",
        ),
    )


def _why_form(bars: Stretch, idea: Sequence[int]) -> str:
    comes, goes = "it comes back in the second bar over the chords of that bar", "the last bar rests on its chord"
    said = (f"The idea {course_of(idea)}", comes, "the third answers", goes)
    told = {1: said[:1], 2: (said[0], goes), 3: (said[0], comes, goes)}.get(bars.wish.bars, said)
    return f"{'; '.join(told)}."


def _register(bars: Stretch) -> tuple[int, str]:
    """The lowest note of a melody, and why where that is for the singer's sake."""
    middle = MIDDLE + bars.feel.semitones
    if bars.singer_midi is not None and abs(bars.singer_midi - middle) < SINGER_NEAR:
        singer = round(bars.singer_midi)
        return singer + ABOVE_SINGER - 7, f", above the voice, which sings around {note_name(singer, bars.key)}"
    return middle - 7, ""


def _line(
    bars: Stretch,
    key: Key,
    bar: int,
    slots: Sequence[int],
    low: int,
    before: int,
    shape: Sequence[int],
    curve: Sequence[float],
) -> list[int]:
    """The pitches that cost least together (dynamic programming), with a little chance in each."""
    strong = {tone for slot in slots if METRE[slot] >= STRONG for tone in bars.chord(bar, slot).tones}
    pitches = np.array([pitch for pitch in range(low, low + 15) if pitch % 12 in strong | {*key.scale}])
    step = np.abs(pitches[:, None] - pitches[None, :])
    leap = np.choose(np.searchsorted((0.5, 2.5, 4.5, 7.5, 12.5), step), (0.9, 0.0, 0.4, 1.2, 2.5, 6.0))
    goals = low + 7 + CURVE_SEMITONES * np.interp(np.linspace(0, 1, len(slots)), np.linspace(0, 1, len(curve)), curve)
    start = np.abs(pitches - before)
    total = _costs(bars, key, bar, slots[0], pitches)
    total = total + 0.15 * np.maximum(start - 2, 0) + 0.2 * np.abs(pitches - goals[0])
    origin = int(pitches[np.argmin(total)])
    came: list[NDArray[np.int64]] = []
    for n, slot in enumerate(slots[1:], start=1):
        here = _costs(bars, key, bar, slot, pitches)
        wished = origin + shape[n] if n < len(shape) else goals[n]
        here = here + 0.4 * np.abs(pitches - wished)
        paths = total[:, None] + leap
        came.append(np.argmin(paths, axis=0))
        total = paths.min(axis=0) + here
    path = [int(np.argmin(total))]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return [int(pitches[at]) for at in reversed(path)]


def _costs(bars: Stretch, key: Key, bar: int, slot: int, pitches: NDArray[np.int64]) -> Floats:
    tones = bars.chord(bar, slot).tones
    outside = np.array([pitch % 12 not in tones for pitch in pitches])
    # A semitone above a tone of the chord grates even on a weak beat.
    grates = np.array([outside[n] and (pitch - 1) % 12 in tones for n, pitch in enumerate(pitches)])
    foreign = np.array([pitch % 12 not in key.scale for pitch in pitches])
    strict, strange = (100.0, FOREIGN) if METRE[slot] >= STRONG else (1.2 * METRE[slot], 100.0)
    chance = bars.random.gumbel(0.0, 0.35, pitches.size)
    return np.asarray(outside * strict + foreign * strange + grates * 0.8 + chance)


def course_of(pitches: Sequence[int]) -> str:
    """What a line does, in words: its furthest turn where it has one, else where it ends."""
    over, under = max(pitches) - max(pitches[0], pitches[-1]), min(pitches[0], pitches[-1]) - min(pitches)
    if over or under:
        return "rises and falls" if over >= under else "falls and rises"
    apart = pitches[-1] - pitches[0]
    return "rises" if apart > 0 else "falls" if apart < 0 else "stays on its note"
