"""The song played by people: chords voiced, bass led, timing and touch humanised, as timed events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from devices.simulated.song import BEATS_PER_BAR, RING_OUT_S, SONG, STEPS_PER_BAR, STYLES, Section

DRUMS = ("sticks", "kick", "snare", "hat", "hat_open", "hat_pedal", "rack_tom", "floor_tom", "crash", "ride")

_NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "m6": (0, 3, 7, 9),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "7sus4": (0, 5, 7, 10),
}
_TOUCH = {"X": 1.0, "x": 0.8, "o": 0.6, "-": 0.42, "g": 0.2}
_LATE_S = {"snare": 0.006, "bass": 0.004, "keys": 0.005, "clean": 0.003, "hat": -0.002}
"""Where each player sits against the beat; the snare lies back."""
_LOOSE_S = 0.0035
"""Standard deviation of a player's timing."""
_STRUM_S = 0.011
"""From string to string."""


@dataclass(frozen=True)
class Hit:
    """A stroke on the kit."""

    at_s: float
    piece: str
    velocity: float
    """0..1."""


@dataclass(frozen=True)
class Note:
    """A note of a pitched part."""

    at_s: float
    duration_s: float
    pitch: int
    """MIDI number."""
    velocity: float
    """0..1."""
    muted: bool = False
    """Damped by the palm."""
    syllable: str = ""
    """What is sung."""


@dataclass(frozen=True)
class Score:
    """Everything that is played, sorted by time within each part."""

    hits: tuple[Hit, ...]
    bass: tuple[Note, ...]
    clean: tuple[Note, ...]
    amp: tuple[Note, ...]
    keys: tuple[Note, ...]
    lead: tuple[Note, ...]
    low_backing: tuple[Note, ...]
    high_backing: tuple[Note, ...]
    sections: tuple[tuple[str, float, float], ...]
    """(name, start_s, end_s)."""
    duration_s: float


@dataclass(frozen=True)
class Chord:
    """A chord by its pitch classes."""

    root: int
    tones: tuple[int, ...]
    bass: int


def pitch_hz(pitch: float) -> float:
    """Equal temperament, A4 (MIDI 69) = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


def parse_pitch(name: str) -> int:
    """MIDI number of a name like "F#4"; middle C is C4 = 60."""
    return _pitch_class(name[:-1]) + 12 * (int(name[-1]) + 1)


def parse_chord(symbol: str) -> Chord:
    """Read a chord symbol like "A/C#" or "Em7"."""
    match = re.fullmatch(r"([A-G][#b]?)([^/]*)(?:/([A-G][#b]?))?", symbol)
    if match is None:
        raise ValueError(f"{symbol!r} is no chord.")
    root = _pitch_class(match[1])
    tones = tuple((root + interval) % 12 for interval in _QUALITIES[match[2]])
    return Chord(root, tones, _pitch_class(match[3]) if match[3] else root)


def arrange(seed: int = 1) -> Score:
    """Play the song; another seed is another take by the same people."""
    return _Band(Random(seed)).play()


class _Band:
    """What the players remember while they go through the song: where they are and how they voiced the last chord."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.hits: list[Hit] = []
        self.notes: dict[str, list[Note]] = {
            part: [] for part in ("bass", "clean", "amp", "keys", "lead", "low_backing", "high_backing")
        }
        self.keys_voicing: tuple[int, ...] = (57, 62, 66, 69)

    def play(self) -> Score:
        sections: list[tuple[str, float, float]] = []
        start_s = 0.0
        for index, section in enumerate(SONG):
            following = SONG[index + 1].chords[0] if index + 1 < len(SONG) else section.chords[-1]
            end_s = start_s + len(section.chords) * BEATS_PER_BAR * 60 / section.bpm
            self._play_section(section, following, start_s)
            sections.append((section.name, start_s, end_s))
            start_s = end_s
        for part in self.notes.values():
            part.sort(key=lambda note: (note.at_s, note.pitch))
        return Score(
            hits=tuple(sorted(self.hits, key=lambda hit: (hit.at_s, hit.piece))),
            **{part: tuple(notes) for part, notes in self.notes.items()},
            sections=tuple(sections),
            duration_s=start_s + RING_OUT_S,
        )

    def _play_section(self, section: Section, following: str, start_s: float) -> None:
        step_s = BEATS_PER_BAR * 60 / section.bpm / STEPS_PER_BAR
        for bar, symbols in enumerate(section.chords):
            last = bar == len(section.chords) - 1
            patterns = {**STYLES[section.style], **(section.last_bar if last else {})}
            upcoming = (following if last else section.chords[bar + 1]).split()[0]
            bar_s = start_s + bar * STEPS_PER_BAR * step_s
            if bar == 0 and section.crash:
                self._hit("crash", bar_s, 0.95, section.dynamic)
                patterns["ride"] = "." * 4 + patterns["ride"][4:] if "ride" in patterns else ""
            self._play_bar(patterns, symbols.split(), upcoming, bar_s, step_s, section.dynamic)
        self._sing(section, start_s)

    def _play_bar(
        self,
        patterns: dict[str, str],
        symbols: list[str],
        upcoming: str,
        bar_s: float,
        step_s: float,
        dynamic: float,
    ) -> None:
        for part, pattern in patterns.items():
            for step, length, token in _tokens(pattern):
                at_s = bar_s + step * step_s
                if part in DRUMS:
                    self._hit(part, at_s, _TOUCH[token], dynamic)
                    continue
                chord = parse_chord(symbols[step * len(symbols) // STEPS_PER_BAR])
                velocity = dynamic * (1.0 if step % 8 == 0 else 0.88)
                if part == "bass":
                    self._bass(token, chord, upcoming, at_s, length * step_s, velocity)
                elif part == "clean":
                    self._clean(token, chord, at_s, step_s, (STEPS_PER_BAR - step) * step_s, velocity)
                elif part == "amp":
                    self._amp(token, chord, at_s, length * step_s, velocity)
                else:
                    self._keys(token, chord, at_s, length * step_s, velocity)

    def _hit(self, piece: str, at_s: float, touch: float, dynamic: float) -> None:
        velocity = touch * (0.55 + 0.45 * dynamic) * self.chance.gauss(1.0, 0.05)
        self.hits.append(Hit(self._human_s(piece, at_s), piece, min(max(velocity, 0.05), 1.0)))

    def _human_s(self, part: str, at_s: float) -> float:
        return max(at_s + _LATE_S.get(part, 0.0) + self.chance.gauss(0.0, _LOOSE_S), 0.0)

    def _add(
        self, part: str, at_s: float, duration_s: float, pitch: int, velocity: float, *, muted: bool = False
    ) -> None:
        velocity = min(max(velocity * self.chance.gauss(1.0, 0.06), 0.05), 1.0)
        self.notes[part].append(Note(self._human_s(part, at_s), duration_s, pitch, velocity, muted))

    def _bass(self, token: str, chord: Chord, upcoming: str, at_s: float, length_s: float, velocity: float) -> None:
        root = _at_or_above(28, chord.bass)
        target = _at_or_above(28, parse_chord(upcoming).bass)
        if token == "a":
            # A step of the scale of D from the side we come from: never two notes at once in the same place.
            pitch = target + 2 if root > target else target - 2
            pitch += (-1 if root > target else 1) * (pitch % 12 not in _D_MAJOR)
        else:
            pitch = {"R": root, "5": root + 7, "8": root + 12}[token]
        self._add("bass", at_s, length_s * 0.92, pitch, velocity)

    def _clean(
        self, token: str, chord: Chord, at_s: float, step_s: float, rest_of_bar_s: float, velocity: float
    ) -> None:
        voicing = _guitar_voicing(chord)
        if token.isdigit():
            # The strings of an arpeggio ring into each other until the chord changes.
            self._add("clean", at_s, rest_of_bar_s, voicing[int(token)], velocity * (1.0 if token == "0" else 0.8))
            return
        strings = voicing if token == "D" else tuple(reversed(voicing[2:]))
        length_s = rest_of_bar_s if rest_of_bar_s == STEPS_PER_BAR * step_s else 3 * step_s
        for order, pitch in enumerate(strings):
            self._add("clean", at_s + order * _STRUM_S, length_s, pitch, velocity * (0.7 if token == "D" else 0.5))

    def _amp(self, token: str, chord: Chord, at_s: float, length_s: float, velocity: float) -> None:
        root = _at_or_above(40, chord.root)
        muted = token == "m"
        for order, interval in enumerate((0, 7) if muted else (0, 7, 12)):
            self._add("amp", at_s + order * 0.004, length_s * 0.97, root + interval, velocity, muted=muted)

    def _keys(self, token: str, chord: Chord, at_s: float, length_s: float, velocity: float) -> None:
        self.keys_voicing = _nearest_voicing(chord, self.keys_voicing)
        for pitch in (_at_or_above(43, chord.bass), *self.keys_voicing):
            self._add("keys", at_s, length_s, pitch, velocity * (0.9 if token == "C" else 0.65))

    def _sing(self, section: Section, start_s: float) -> None:
        beat_s = 60 / section.bpm
        for beat, beats, pitch, syllable in _tune(section):
            at_s = start_s + beat * beat_s + self.chance.gauss(0.012, 0.006)
            velocity = min(section.dynamic * (0.8 + 0.2 * min(beats, 1.5) / 1.5), 1.0)
            note = Note(at_s, beats * beat_s, pitch, velocity, syllable=syllable)
            self.notes["lead"].append(note)
            if not section.backing:
                continue
            bar, within = divmod(beat, BEATS_PER_BAR)
            symbols = section.chords[int(bar)].split()
            chord = parse_chord(symbols[int(within * len(symbols) / BEATS_PER_BAR)])
            # One voice takes the chord tone under the tune, the other the one above it.
            for part, harmony in (
                ("low_backing", max(p for p in range(pitch - 12, pitch - 2) if p % 12 in chord.tones)),
                ("high_backing", min(p for p in range(pitch + 3, pitch + 13) if p % 12 in chord.tones)),
            ):
                late_s = abs(self.chance.gauss(0.0, 0.012))
                self.notes[part].append(
                    Note(at_s + late_s, beats * beat_s * 0.97, harmony, velocity * 0.85, syllable=syllable)
                )


_D_MAJOR = {2, 4, 6, 7, 9, 11, 1}


def _pitch_class(name: str) -> int:
    return (_NAMES[name[0]] + name.count("#") - name.count("b")) % 12


def _at_or_above(lowest: int, pitch_class: int) -> int:
    return lowest + (pitch_class - lowest) % 12


def _tokens(pattern: str) -> Iterator[tuple[int, int, str]]:
    """Yield (step, steps until the next token or the bar's end, token)."""
    steps = [step for step, token in enumerate(pattern) if token != "."]
    for step, following in pairwise([*steps, STEPS_PER_BAR]):
        yield step, following - step, pattern[step]


def _tune(section: Section) -> Iterator[tuple[float, float, int, str]]:
    """Yield (beat, beats, pitch, syllable) of each sung note."""
    beat = 0.0
    for word in section.tune.replace("|", " ").split():
        sound, _, syllable = word.partition(":")
        name, _, beats = sound.partition("/")
        if name != "r":
            yield beat, float(beats), parse_pitch(name), syllable
        beat += float(beats)


def _guitar_voicing(chord: Chord) -> tuple[int, ...]:
    """Five strings: the bass note low, a wide step, then the chord's tones in thirds and fourths."""
    voicing = [_at_or_above(40, chord.bass)]
    for least in (5, 3, 3, 3):
        voicing.append(next(p for p in range(voicing[-1] + least, 90) if p % 12 in chord.tones))
    return tuple(voicing)


def _nearest_voicing(chord: Chord, previous: tuple[int, ...]) -> tuple[int, ...]:
    """The close position in which the four voices move least from the previous chord."""
    candidates = []
    for lowest in range(52, 65):
        if lowest % 12 in chord.tones:
            voicing = [lowest]
            while len(voicing) < 4:
                voicing.append(next(p for p in range(voicing[-1] + 1, 90) if p % 12 in chord.tones))
            candidates.append(tuple(voicing))
    return min(candidates, key=lambda v: (sum(abs(a - b) for a, b in zip(v, previous, strict=True)), v))
