"""Makes motifs: notes that go with the bars of a song that were heard. The same song, wishes and seed: the same notes.

A motif fits its song in four ways: it stands in its key, its strong notes belong to the chords, it plays where the band
plays (a rhythm: where the band leaves room), and it keeps out of the singer's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.muse.harmony import NAMES, SCALES, Chord, Key
from core.muse.motif import Mood, MotifChord, Note, Part
from core.muse.song import CHORDS_PER_BAR, SLOTS, Song

Floats = NDArray[np.float64]

METRE: Final[Floats] = np.array([8, 1, 2, 1, 4, 1, 2, 1, 6, 1, 2, 1, 4, 1, 2, 1]) / 8.0
"""How strong each sixteenth of a bar is (Lerdahl and Jackendoff, 1983)."""
STRONG: Final = 0.75
"""From here on a step of the bar wants a tone of the chord: the first and the third beat."""
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
BASS_LOWEST: Final = 28
CHORD_LOWEST: Final = 55

SHAKER, LOW_CONGA, HIGH_CONGA = 82, 64, 63
"""General MIDI percussion keys."""
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


def compose(song: Song, first_bar: int, wish: Wish) -> Composed:
    """A motif over bars [first_bar, first_bar + wish.bars) of the song; all but a rhythm need its key."""
    stretch = _Stretch(song, first_bar, wish)
    parts = {"melody": stretch.melody, "bass": stretch.bass, "chords": stretch.harmony, "rhythm": stretch.rhythm}
    return parts[wish.part]()


class _Stretch:
    """The bars that a motif is made for."""

    def __init__(self, song: Song, first_bar: int, wish: Wish) -> None:
        self.wish, self.feel = wish, FEELS[wish.mood]
        self.random = np.random.default_rng(wish.seed)
        self.density = min(max(wish.density + self.feel.density, 0.0), 1.0)
        bars = slice(first_bar, first_bar + wish.bars)
        self.groove = _shares(song.groove[bars].sum(axis=0))
        self.low = _shares(song.low_groove[bars].sum(axis=0))
        self.struck = bool(song.groove[bars].any()), bool(song.low_groove[bars].any())
        self.chords = song.chords[bars.start * CHORDS_PER_BAR : bars.stop * CHORDS_PER_BAR]
        self.key = song.key
        self.singer_midi = song.singer_midi
        self.per_beat = SLOTS // song.beats_per_bar

    # ------------------------------------------------------------ melody

    def melody(self) -> Composed:
        """A phrase of four bars: an idea, the idea again over the next chords, something new, and a way home."""
        key = self._home()
        low, why_register = self._register()
        course, other = (CURVES[str(one)] for one in self.random.choice(list(CURVES), 2, replace=False))
        idea, turn = self._slots(2 + round(7 * self.density)), self._slots(1 + round(6 * self.density))
        notes: list[Note] = []
        shape: list[int] = []
        before = low + 7
        for bar in range(self.wish.bars):
            closes, turns = 0 < bar == self.wish.bars - 1, bar % 4 == 2
            slots = [0, 8][: 1 + (self.density > 0.5)] if closes else turn if turns else idea
            again = shape if bar % 4 in (1, 3) and not closes else []
            pitches = self._line(key, bar, slots, low, before, again, other if turns else course)
            if bar % 4 == 0:
                shape = [pitch - pitches[0] for pitch in pitches]
            before = pitches[-1]
            notes += self._notes(bar, slots, pitches)
        pitches = [note.pitch for note in notes]
        return Composed(
            tuple(notes),
            self._heard_chords(),
            (
                self._why_groove("The idea plays", idea, self.groove, self.struck[0], BEAT),
                "Notes on the first and the third beat belong to the chord that is played there; what lies between "
                f"them walks the scale of {key.name}.",
                self._why_form(pitches[: len(idea)]),
                f"It lies between {note_name(min(pitches))} and {note_name(max(pitches))}{why_register}.",
            ),
        )

    def _why_form(self, idea: Sequence[int]) -> str:
        comes, goes = "it comes back in the second bar over the chords of that bar", "the last bar rests on its chord"
        said = (f"The idea {course_of(idea)}", comes, "the third answers", goes)
        told = {1: said[:1], 2: (said[0], goes), 3: (said[0], comes, goes)}.get(self.wish.bars, said)
        return f"{'; '.join(told)}."

    def _register(self) -> tuple[int, str]:
        """The lowest note of a melody, and why where that is for the singer's sake."""
        middle = MIDDLE + self.feel.semitones
        if self.singer_midi is not None and abs(self.singer_midi - middle) < SINGER_NEAR:
            singer = round(self.singer_midi)
            return singer + ABOVE_SINGER - 7, f", above the voice, which sings around {note_name(singer)}"
        return middle - 7, ""

    def _line(
        self,
        key: Key,
        bar: int,
        slots: Sequence[int],
        low: int,
        before: int,
        shape: Sequence[int],
        curve: Sequence[float],
    ) -> list[int]:
        """The pitches that cost least together (dynamic programming), with a little chance in each."""
        strong = {tone for slot in slots if METRE[slot] >= STRONG for tone in self._chord(bar, slot).tones}
        pitches = np.array([pitch for pitch in range(low, low + 15) if pitch % 12 in strong | {*key.scale}])
        step = np.abs(pitches[:, None] - pitches[None, :])
        leap = np.choose(np.searchsorted((0.5, 2.5, 4.5, 7.5, 12.5), step), (0.9, 0.0, 0.4, 1.2, 2.5, 6.0))
        goals = (
            low + 7 + CURVE_SEMITONES * np.interp(np.linspace(0, 1, len(slots)), np.linspace(0, 1, len(curve)), curve)
        )
        start = np.abs(pitches - before)
        total = self._costs(key, bar, slots[0], pitches)
        total = total + 0.15 * np.maximum(start - 2, 0) + 0.2 * np.abs(pitches - goals[0])
        origin = int(pitches[np.argmin(total)])
        came: list[NDArray[np.int64]] = []
        for n, slot in enumerate(slots[1:], start=1):
            here = self._costs(key, bar, slot, pitches)
            wished = origin + shape[n] if n < len(shape) else goals[n]
            here = here + 0.4 * np.abs(pitches - wished)
            paths = total[:, None] + leap
            came.append(np.argmin(paths, axis=0))
            total = paths.min(axis=0) + here
        path = [int(np.argmin(total))]
        for back in reversed(came):
            path.append(int(back[path[-1]]))
        return [int(pitches[at]) for at in reversed(path)]

    def _costs(self, key: Key, bar: int, slot: int, pitches: NDArray[np.int64]) -> Floats:
        tones = self._chord(bar, slot).tones
        outside = np.array([pitch % 12 not in tones for pitch in pitches])
        # A semitone above a tone of the chord grates even on a weak beat.
        grates = np.array([outside[n] and (pitch - 1) % 12 in tones for n, pitch in enumerate(pitches)])
        foreign = np.array([pitch % 12 not in key.scale for pitch in pitches])
        strict, strange = (100.0, FOREIGN) if METRE[slot] >= STRONG else (1.2 * METRE[slot], 100.0)
        chance = self.random.gumbel(0.0, 0.35, pitches.size)
        return np.asarray(outside * strict + foreign * strange + grates * 0.8 + chance)

    # ------------------------------------------------------------ bass

    def bass(self) -> Composed:
        """Roots where the kick is, and a step towards the next root."""
        key = self._home()
        slots = sorted({0, *self._slots(1 + round(7 * self.density), low=True)})
        notes: list[Note] = []
        for bar in range(self.wish.bars):
            pitches = [self._bass_pitch(key, bar, slots, n) for n in range(len(slots))]
            notes += self._notes(bar, slots, pitches)
        why = "The first note of each chord is its root"
        if len(slots) > 1:
            why += "; more of them are root, fifth or octave, and the last leads to the next chord's root by a step"
        return Composed(
            tuple(notes),
            self._heard_chords(),
            (self._why_groove("It plays", slots, self.low, self.struck[1], "the strokes of kick and bass"), f"{why}."),
        )

    def _bass_pitch(self, key: Key, bar: int, slots: Sequence[int], n: int) -> int:
        slot, chord = slots[n], self._chord(bar, slots[n])
        root = _low_note(chord.root)
        if n == 0 or self._chord(bar, slots[n - 1]).name != chord.name:
            return root
        following = self._chord(bar, slots[n + 1]) if n + 1 < len(slots) else self._chord(bar + 1, 0)
        if following.root != chord.root:
            target = _low_note(following.root)
            steps = (target + step for step in (-1, -2, 1, 2))
            return next(pitch for pitch in steps if pitch >= BASS_LOWEST and pitch % 12 in key.scale)
        return root + int(
            self.random.choice((0, 7, 12), p=(0.5, 0.25, 0.25) if METRE[slot] < STRONG else (0.7, 0.2, 0.1))
        )

    # ------------------------------------------------------------ chords

    def harmony(self) -> Composed:
        """Other chords for the same bars: each shares two tones or more with what was heard there, or is it."""
        key = self._home()
        proposed: list[Chord] = []
        words: list[str] = []
        for n, heard in enumerate(self.chords):
            if n and heard.root == self.chords[n - 1].root and heard.mode == self.chords[n - 1].mode and n % 2:
                proposed.append(proposed[-1])
                continue
            other = self._other(key, heard, proposed[-1] if proposed else None)
            closes = n >= len(self.chords) - CHORDS_PER_BAR
            chosen = heard if closes or self.random.random() < 0.35 else other
            if chosen is not heard:
                shared = len(set(chosen.tones) & set(heard.tones))
                words.append(
                    f"{chosen.name} for {heard.name} in its bar {n // CHORDS_PER_BAR + 1} ({shared} tones in common)"
                )
            proposed.append(chosen)
        voiced = self._voiced(proposed)
        slots = sorted({0, 8, *(self._slots(round(8 * self.density)) if self.density > 0.5 else [])})
        notes = [
            note
            for bar in range(self.wish.bars)
            for part in range(3)
            for note in self._notes(
                bar,
                slots,
                [voiced[bar * CHORDS_PER_BAR + slot * CHORDS_PER_BAR // SLOTS][part] for slot in slots],
                softer=12,
            )
        ]
        why = f"Other chords: {', '.join(words)}." if words else "The chords are those that were heard."
        return Composed(
            tuple(notes),
            self._heard_chords(proposed),
            (why, "It ends on what the band plays, and its voices move as little as they can from chord to chord."),
        )

    def _other(self, key: Key, heard: Chord, before: Chord | None) -> Chord:
        near = [
            chord
            for chord in _triads(key)
            if chord.name != heard.name and len(set(chord.tones) & set(heard.tones)) == 2
        ]
        if before is not None:
            near = [chord for chord in near if chord.name != before.name] or near
        return near[int(self.random.integers(len(near)))] if near else heard

    def _voiced(self, chords: Sequence[Chord]) -> list[tuple[int, int, int]]:
        low = CHORD_LOWEST + self.feel.semitones
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

    # ------------------------------------------------------------ rhythm

    def rhythm(self) -> Composed:
        """Hand percussion where the band leaves room: a shaker that carries, congas that answer."""
        room = _shares(METRE.max() - 0.6 * METRE + 0.2) * (1.15 - self.groove / max(self.groove.max(), 1e-9))
        every = 4 if self.density < 0.3 else 2 if self.density < 0.75 else 1
        shaker = list(range(0, SLOTS, every))
        congas = self._chosen(room, 1 + round(6 * self.density))
        notes: list[Note] = []
        for bar in range(self.wish.bars):
            here = congas if bar % 4 != 3 else sorted({*congas, 14, 15})
            accents = [self.feel.velocity - (0 if slot % 8 == 4 else 22) for slot in shaker]
            notes += [self._hit(bar, slot, SHAKER, one) for slot, one in zip(shaker, accents, strict=True)]
            notes += [
                self._hit(bar, slot, LOW_CONGA if METRE[slot] >= 0.25 else HIGH_CONGA, self.feel.velocity)
                for slot in here
            ]
        why = "The shaker carries the pulse with its accents on two and four"
        if self.wish.bars > 3:
            why += "; every fourth bar ends with a fill"
        return Composed(
            tuple(sorted(notes, key=lambda note: (note.at_beats, note.pitch))),
            self._heard_chords(),
            (self._why_groove("Congas answer", congas, self.groove, self.struck[0], BEAT), f"{why}."),
        )

    def _hit(self, bar: int, slot: int, pitch: int, velocity: int) -> Note:
        at = (bar * SLOTS + slot) / self.per_beat
        return Note(at_beats=at, beats=1 / self.per_beat, pitch=pitch, velocity=min(max(velocity, 1), 127))

    # ------------------------------------------------------------ common

    def _home(self) -> Key:
        assert self.key is not None
        return self.key

    def _chord(self, bar: int, slot: int) -> Chord:
        at = bar * CHORDS_PER_BAR + slot * CHORDS_PER_BAR // SLOTS
        return self.chords[min(at, len(self.chords) - 1)]

    def _slots(self, count: int, *, low: bool = False) -> list[int]:
        """Steps of the bar to play on: strong ones and those that the band plays, by a draw."""
        groove = self.low if low else self.groove
        metre = METRE * (1.0 - self.feel.offbeat) + METRE.mean() * self.feel.offbeat
        return self._chosen(metre * (0.25 + groove / max(groove.max(), 1e-9)), count)

    def _chosen(self, weight: Floats, count: int) -> list[int]:
        """A draw without putting back, the heavier the likelier (Gumbel's trick)."""
        drawn = np.log(np.maximum(weight, 1e-9)) + self.random.gumbel(0.0, 0.5, weight.size)
        return sorted(int(slot) for slot in np.argsort(drawn)[::-1][: max(count, 1)])

    def _notes(self, bar: int, slots: Sequence[int], pitches: Sequence[int], *, softer: int = 0) -> list[Note]:
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

    def _heard_chords(self, proposed: Sequence[Chord] | None = None) -> tuple[MotifChord, ...]:
        chords = proposed or self.chords
        found: list[MotifChord] = []
        for n, (chord, heard) in enumerate(zip(chords, self.chords, strict=True)):
            instead = heard.name if heard.name != chord.name else ""
            if found and found[-1].name == chord.name and found[-1].heard == instead:
                continue
            at = n * SLOTS / CHORDS_PER_BAR / self.per_beat
            found.append(MotifChord(at_beats=at, root=chord.root, mode=chord.mode, name=chord.name, heard=instead))
        return tuple(found)

    def _why_groove(self, what: str, slots: Sequence[int], groove: Floats, struck: bool, whose: str) -> str:
        where = ", ".join(slot_name(slot) for slot in slots)
        if not struck:
            return f"{what} on {where}."
        share, most = float(groove[list(slots)].sum()), slot_name(int(np.argmax(groove)))
        return f"{what} on {where}, where {share:.0%} of {whose} fall in these bars; most fall on {most}."


def _shares(counts: Floats) -> Floats:
    total = float(counts.sum())
    return counts / total if total > 0.0 else np.full(counts.size, 1.0 / counts.size)


def _triads(key: Key) -> list[Chord]:
    """The major and minor triads of a key."""
    scale = set(key.scale)
    return [
        Chord(root=root, mode=mode)
        for root in key.scale
        for mode in SCALES
        if set(Chord(root=root, mode=mode).tones) <= scale
    ]


def _low_note(root: int) -> int:
    return BASS_LOWEST + (root - BASS_LOWEST) % 12


def course_of(pitches: Sequence[int]) -> str:
    """What a line does, in words: its furthest turn where it has one, else where it ends."""
    over, under = max(pitches) - max(pitches[0], pitches[-1]), min(pitches[0], pitches[-1]) - min(pitches)
    if over or under:
        return "rises and falls" if over >= under else "falls and rises"
    apart = pitches[-1] - pitches[0]
    return "rises" if apart > 0 else "falls" if apart < 0 else "stays on its note"


def note_name(pitch: int) -> str:
    """A MIDI note as musicians write it: 60 is C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def slot_name(slot: int) -> str:
    """A sixteenth of a bar of four as musicians count it: 1, 1e, 1+, 1a, 2."""
    return f"{slot // 4 + 1}{('', 'e', '+', 'a')[slot % 4]}"


def best_bar(song: Song, bars: int) -> int:
    """Where the chords are clearest over that many bars, or the most is struck where there are none."""
    if not song.chords:
        played = song.groove.sum(axis=1)
        return int(np.argmax(np.convolve(played, np.ones(bars), mode="valid")))
    clear = np.array([chord.likeness for chord in song.chords]).reshape(-1, CHORDS_PER_BAR).mean(axis=1)
    return int(np.argmax(np.convolve(clear, np.ones(bars), mode="valid")))
