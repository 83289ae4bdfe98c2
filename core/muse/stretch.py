"""The bars that a motif is made for: what sounds there, where it is struck, and a draw that a seed decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.muse.harmony import Chord, Key
from core.muse.motif import Mood, MotifChord, Note, Part
from core.muse.song import CHORDS_PER_BAR, SLOTS, Song

Floats = NDArray[np.float64]

METRE: Final[Floats] = np.array([8, 1, 2, 1, 4, 1, 2, 1, 6, 1, 2, 1, 4, 1, 2, 1]) / 8.0
"""How strong each sixteenth of a bar is (Lerdahl and Jackendoff, 1983)."""
STRONG: Final = 0.75
"""From here on a step of the bar wants a tone of the chord: the first and the third beat."""
BEAT: Final = "the strokes that the beat is counted by"


@dataclass(frozen=True)
class Feel:
    """What a mood changes."""

    density: float
    """Added to the density."""
    semitones: int
    """Added to the register of melody and chords."""
    offbeat: float
    """How much of the bar's metre is ignored, 0..1."""
    velocity: int
    length: float
    """Times as long as until the next note."""


FEELS: Final[dict[Mood, Feel]] = {
    "plain": Feel(0.0, 0, 0.2, 84, 0.9),
    "calm": Feel(-0.2, -2, 0.0, 66, 1.0),
    "bright": Feel(0.1, 5, 0.2, 92, 0.7),
    "dark": Feel(-0.1, -7, 0.1, 76, 1.0),
    "driving": Feel(0.25, 0, 0.5, 100, 0.6),
}


@dataclass(frozen=True)
class Wish:
    """What a person asked for."""

    part: Part = "melody"
    bars: int = 4
    density: float = 0.4
    mood: Mood = "plain"
    seed: int = 1


@dataclass(frozen=True)
class Composed:
    """Notes, the chords under them, and why they are so."""

    notes: tuple[Note, ...]
    chords: tuple[MotifChord, ...]
    why: tuple[str, ...]


class Stretch:
    """The bars, and what every part needs of them."""

    def __init__(self, song: Song, first_bar: int, wish: Wish) -> None:
        self.wish, self.feel = wish, FEELS[wish.mood]
        self.random = np.random.default_rng(wish.seed)
        self.density = min(max(wish.density + self.feel.density, 0.0), 1.0)
        bars = slice(first_bar, first_bar + wish.bars)
        self.groove = shares(song.groove[bars].sum(axis=0))
        self.low = shares(song.low_groove[bars].sum(axis=0))
        self.struck = bool(song.groove[bars].any()), bool(song.low_groove[bars].any())
        self.chords = song.chords[bars.start * CHORDS_PER_BAR : bars.stop * CHORDS_PER_BAR]
        self.key = song.key
        self.singer_midi = song.singer_midi
        self.per_beat = SLOTS // song.beats_per_bar

    def home(self) -> Key:
        """The key, which all but a rhythm need."""
        assert self.key is not None
        return self.key

    def chord(self, bar: int, slot: int) -> Chord:
        """What sounds at a step of a bar; beyond the last bar what sounds at its end."""
        at = bar * CHORDS_PER_BAR + slot * CHORDS_PER_BAR // SLOTS
        return self.chords[min(at, len(self.chords) - 1)]

    def slots(self, count: int, *, low: bool = False) -> list[int]:
        """Steps of the bar to play on: strong ones and those that the band plays, by a draw."""
        groove = self.low if low else self.groove
        metre = METRE * (1.0 - self.feel.offbeat) + METRE.mean() * self.feel.offbeat
        return self.chosen(metre * (0.25 + groove / max(groove.max(), 1e-9)), count)

    def chosen(self, weight: Floats, count: int) -> list[int]:
        """A draw without putting back, the heavier the likelier (Gumbel's trick)."""
        drawn = np.log(np.maximum(weight, 1e-9)) + self.random.gumbel(0.0, 0.5, weight.size)
        return sorted(int(slot) for slot in np.argsort(drawn)[::-1][: max(count, 1)])

    def notes(self, bar: int, slots: Sequence[int], pitches: Sequence[int], *, softer: int = 0) -> list[Note]:
        """Notes of a bar, each held towards the next, the last towards the bar's end."""
        ends = [*slots[1:], SLOTS]
        return [
            Note(
                at_beats=(bar * SLOTS + slot) / self.per_beat,
                beats=max((end - slot) * self.feel.length, 0.5) / self.per_beat,
                pitch=pitch,
                velocity=round(self.feel.velocity - softer + 16 * (METRE[slot] - 0.5)),
            )
            for slot, end, pitch in zip(slots, ends, pitches, strict=True)
        ]

    def heard_chords(self, proposed: Sequence[Chord] | None = None) -> tuple[MotifChord, ...]:
        """The chords under the motif: those that were heard, or those proposed beside what was heard."""
        chords = proposed or self.chords
        found: list[MotifChord] = []
        for n, (chord, heard) in enumerate(zip(chords, self.chords, strict=True)):
            name, instead = chord.name_in(self.key), "" if heard.name == chord.name else heard.name_in(self.key)
            if found and (found[-1].name, found[-1].heard) == (name, instead):
                continue
            at = n * SLOTS / CHORDS_PER_BAR / self.per_beat
            found.append(MotifChord(at_beats=at, root=chord.root, mode=chord.mode, name=name, heard=instead))
        return tuple(found)

    def why_groove(self, what: str, slots: Sequence[int], groove: Floats, struck: bool, whose: str) -> str:
        """Where a part plays in the bar, and what share of the strokes of others is there."""
        where = ", ".join(slot_name(slot) for slot in slots)
        if not struck:
            return f"{what} on {where}."
        share, most = float(groove[list(slots)].sum()), slot_name(int(np.argmax(groove)))
        return f"{what} on {where}, where {share:.0%} of {whose} fall in these bars; most fall on {most}."


def shares(counts: Floats) -> Floats:
    """Counts as parts of their sum; even where there is none."""
    total = float(counts.sum())
    return counts / total if total > 0.0 else np.full(counts.size, 1.0 / counts.size)


def slot_name(slot: int) -> str:
    """A sixteenth of a bar of four as musicians count it: 1, 1e, 1+, 1a, 2."""
    return f"{slot // 4 + 1}{('', 'e', '+', 'a')[slot % 4]}"
