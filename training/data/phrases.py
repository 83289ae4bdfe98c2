"""Something to play: random phrases in the manner of each role, windows of real songs, grooves of human drummers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import mido
import numpy as np
from numpy.random import Generator

from training.data.general_midi import PIECE_OF_KEY, label_of_program
from training.data.manifest import Split
from training.data.places import shared_data

PHRASE_S: Final = 10.0


@dataclass(frozen=True)
class Note:
    """One note of a phrase; `pitch` is a MIDI key, `velocity` 1..127."""

    start_s: float
    length_s: float
    pitch: int
    velocity: int


Phrase = Sequence[Note]

SCALES: Final = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 7, 9),
    (0, 3, 5, 7, 10),
    (0, 2, 3, 5, 7, 9, 10),
)

MANNERS: Final[dict[str, tuple[tuple[str, ...], int, int]]] = {
    "piano": (("chords", "arpeggio", "melody", "two_hands"), 36, 88),
    "keys": (("chords", "held", "melody", "arpeggio"), 40, 84),
    "acoustic_guitar": (("strum", "arpeggio", "melody"), 40, 76),
    "electric_guitar": (("strum", "arpeggio", "melody", "chords"), 40, 79),
    "distorted_guitar": (("power", "power", "melody"), 38, 81),
    "bass": (("line", "line", "melody"), 26, 50),
    "synth_pad": (("held",), 43, 79),
    "synth_lead": (("melody", "arpeggio"), 55, 91),
    "strings": (("held", "melody", "chords"), 43, 86),
    "brass": (("melody", "chords", "held"), 46, 79),
    "woodwind": (("melody",), 55, 88),
    "lead_vocal": (("melody", "held"), 50, 76),
}
"""How each role plays, and between which MIDI keys."""


def random_phrase(label: str, rng: Generator, length_s: float = PHRASE_S) -> list[Note]:
    """A phrase of random notes of one key and tempo in the manner of a role."""
    manners, lowest, highest = MANNERS[label]
    manner = str(rng.choice(manners))
    beat_s = 60.0 / rng.uniform(65.0, 165.0)
    scale = np.asarray(SCALES[rng.integers(len(SCALES))])
    tonic = int(rng.integers(12))
    keys = np.array([key for key in range(lowest, highest + 1) if (key - tonic) % 12 in scale])
    if manner in {"melody", "line", "arpeggio"}:
        return _one_at_a_time(manner, keys, beat_s, length_s, rng)
    if manner == "two_hands":
        low, high = keys[: len(keys) // 2], keys[len(keys) // 2 :]
        return _one_at_a_time("line", low, beat_s, length_s, rng) + _together("chords", high, beat_s, length_s, rng)
    return _together(manner, keys, beat_s, length_s, rng)


def _one_at_a_time(manner: str, keys: np.ndarray, beat_s: float, length_s: float, rng: Generator) -> list[Note]:
    notes, at_s = [], float(rng.uniform(0.0, 0.3))
    step = int(rng.integers(len(keys)))
    loudness = rng.uniform(60.0, 115.0)
    lengths = (0.25, 0.5) if manner == "arpeggio" else (0.25, 0.5, 0.5, 1.0, 1.0, 2.0)
    legato = rng.uniform(0.5, 1.05)
    pulse = float(rng.choice(lengths))
    while at_s < length_s - 0.2:
        beats = pulse if rng.random() < 0.6 else float(rng.choice(lengths))
        if manner == "arpeggio":
            step = (step + int(rng.choice((1, 2, 2, 3)))) % len(keys)
        else:
            step = int(np.clip(step + rng.choice((-4, -2, -1, -1, 0, 1, 1, 2, 4)), 0, len(keys) - 1))
        if rng.random() > 0.12:
            velocity = int(np.clip(rng.normal(loudness, 9.0), 20, 127))
            notes.append(Note(at_s, beats * beat_s * legato, int(keys[step]), velocity))
        at_s += beats * beat_s
    return notes


def _together(manner: str, keys: np.ndarray, beat_s: float, length_s: float, rng: Generator) -> list[Note]:
    notes: list[Note] = []
    at_s = float(rng.uniform(0.0, 0.3))
    loudness = rng.uniform(60.0, 115.0)
    held = manner == "held"
    lengths = (2.0, 4.0, 4.0) if held else (0.5, 0.5, 1.0, 2.0) if manner != "power" else (0.25, 0.5, 0.5, 1.0)
    size = 6 if manner == "strum" else int(rng.integers(3, 5))
    root, last_change = 0, -99.0
    while at_s < length_s - 0.2:
        beats = float(rng.choice(lengths))
        if at_s - last_change > 2.0 * beat_s or held:
            root, last_change = int(rng.integers(max(1, len(keys) - 2 * size))), at_s
        chosen = keys[root : root + 2 * size : 2]
        if manner == "power":
            chosen = np.array([keys[root % max(1, len(keys) // 2)]])
            chosen = np.concatenate([chosen, chosen + 7, chosen + 12])
        strum_s = rng.uniform(0.004, 0.02) if manner == "strum" else 0.0
        sounding_s = beats * beat_s * rng.uniform(0.7 if not held else 0.95, 1.05)
        velocity = int(np.clip(rng.normal(loudness, 7.0), 20, 125))
        notes += [Note(at_s + i * strum_s, sounding_s, int(key), velocity) for i, key in enumerate(chosen)]
        at_s += beats * beat_s
    return notes


SONG_SIDES: Final[dict[int, Split]] = {0: "validation", 1: "test", 2: "train", 4: "train", 6: "train", 8: "train"}
"""By the last digit of a song's place in the list."""


def song_windows(split: Split) -> dict[str, list[list[Note]]]:
    """Windows of ten seconds of the General MIDI songs, per label; the songs are split by SONG_SIDES."""
    windows: dict[str, list[list[Note]]] = {}
    for at, path in enumerate(sorted((shared_data() / "midi" / "freedoom").rglob("*.mid"))):
        if SONG_SIDES.get(at % 10) == split:
            for label, phrase in _windows_of(path):
                windows.setdefault(label, []).append(phrase)
    return windows


def _windows_of(path: Path) -> list[tuple[str, list[Note]]]:
    found = []
    for (channel, program), notes in notes_of(path).items():
        label = label_of_program(program)
        if channel == 9 or label is None or label not in MANNERS:
            continue
        for start_s in np.arange(0.0, notes[-1].start_s, PHRASE_S):
            window = [replace(n, start_s=n.start_s - start_s, length_s=min(n.length_s, PHRASE_S - n.start_s + start_s))
                      for n in notes if start_s <= n.start_s < start_s + PHRASE_S - 0.1]  # fmt: skip
            if len(window) >= 6:
                found.append((label, window))
    return found


GROOVE_SIDES: Final[dict[str, Split]] = {
    "drummer5": "validation",
    "drummer9": "validation",
    "drummer8": "test",
    "drummer3": "test",
}
"""The other drummers are for training."""


@lru_cache(maxsize=4)
def groove_files(split: Split) -> list[Path]:
    """The performances of a split's drummers."""
    paths = sorted((shared_data() / "midi" / "groove").rglob("*.mid"))
    return [path for path in paths if GROOVE_SIDES.get(path.parts[-3], "train") == split]


def groove(split: Split, rng: Generator, length_s: float = PHRASE_S) -> list[tuple[str, Note]]:
    """A random stretch of a human drummer's performance: (piece, note), "piece" a label or "sidestick"."""
    files = groove_files(split)
    for _ in range(50):
        notes = [note for notes in notes_of(files[rng.integers(len(files))]).values() for note in notes]
        last_s = max((note.start_s for note in notes), default=0.0)
        start_s = rng.uniform(0.0, max(0.0, last_s - length_s))
        hits = [(PIECE_OF_KEY[n.pitch], replace(n, start_s=n.start_s - start_s)) for n in notes
                if start_s <= n.start_s < start_s + length_s and n.pitch in PIECE_OF_KEY]  # fmt: skip
        if len(hits) > 8:
            return hits
    raise LookupError("no performance of this split is long enough")


@lru_cache(maxsize=512)
def notes_of(path: Path) -> dict[tuple[int, int], list[Note]]:
    """Notes of a MIDI file per (channel, program), in order of time; a file that can't be read has none."""
    try:
        song = mido.MidiFile(path, clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError):
        return {}
    programs = dict.fromkeys(range(16), 0)
    open_notes: dict[tuple[int, int], tuple[float, int, int]] = {}
    found: dict[tuple[int, int], list[Note]] = {}
    now_s = 0.0
    for message in song:
        now_s += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in {"note_on", "note_off"}:
            key = (message.channel, message.note)
            if key in open_notes:
                start_s, velocity, program = open_notes.pop(key)
                note = Note(start_s, now_s - start_s, message.note, velocity)
                found.setdefault((message.channel, program), []).append(note)
            if message.type == "note_on" and message.velocity:
                open_notes[key] = (now_s, message.velocity, programs[message.channel])
    return {key: sorted(notes, key=lambda note: note.start_s) for key, notes in found.items()}


def sequenced(rng: Generator, length_s: float = PHRASE_S) -> list[tuple[str, Note]]:
    """A pattern of one bar in sixteen steps, over and over, as a sequencer plays it: (piece, note)."""
    step_s = 60.0 / rng.uniform(70.0, 175.0) / 4.0
    style = int(rng.integers(3))
    every = {
        "kick": (np.arange(0, 16, 4), np.array([0, 8]), np.array([0, 3, 6, 10]))[style],
        "snare": (np.array([4, 12]), np.array([4, 12]), np.array([8]))[style],
        "hihat": np.arange(int(rng.integers(3)), 16, int(rng.choice([1, 2, 2, 4]))),
        "toms": np.sort(rng.choice(16, int(rng.integers(1, 6)), replace=False)),
        "cymbals": np.array([0]) if rng.random() < 0.6 else np.arange(0, 16, int(rng.choice([2, 4]))),
        "percussion": np.sort(rng.choice(16, int(rng.integers(2, 9)), replace=False)),
    }
    found = []
    bars_between = {"cymbals": int(rng.choice([1, 2])), "toms": int(rng.choice([1, 2]))}
    for piece, steps in every.items():
        extra = (
            rng.choice(16, int(rng.integers(0, 3)), replace=False) if piece in {"kick", "snare", "percussion"} else ()
        )
        accent = rng.uniform(0.0, 40.0)
        for bar in range(0, int(length_s / (16 * step_s)) + 1, bars_between.get(piece, 1)):
            for step in sorted({*steps.tolist(), *np.asarray(extra, int).tolist()}):
                velocity = int(np.clip(110.0 - accent * (step % 4 > 0), 20, 127))
                at_s = (16 * bar + step) * step_s
                if at_s < length_s:
                    found.append((piece, Note(at_s, step_s, 36 + step, velocity)))
    return sorted(found, key=lambda hit: hit[1].start_s)
