"""Phrases played by soundfonts: many phrases lie one after another in one MIDI file, so that a font is loaded once."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import mido
import numpy as np
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.general_midi import (
    AVL_KEYS,
    DRUM_PROGRAMS,
    HEARD_AS_KEY,
    OTHER_PROGRAMS,
    PERCUSSION_KEYS,
    programs_of,
)
from training.data.manifest import Source, Split
from training.data.phrases import PHRASE_S, Note, Phrase, groove, random_phrase, song_windows
from training.data.places import packages

RATE_HZ: Final = 48_000
GAP_S: Final = 2.0
"""Between phrases, for their tails."""
DRUM_CHANNEL: Final = 9
SONG_SHARE: Final = 0.35
"""Of the phrases are taken from songs where there are some, with any program of the role."""
TICKS_PER_S: Final = 960
MELODIC: Final = (
    "piano", "keys", "acoustic_guitar", "electric_guitar", "distorted_guitar", "bass", "strings", "lead_vocal", "brass",
    "woodwind", "synth_lead", "synth_pad",
)  # fmt: skip
DRUMS: Final = ("kick", "snare", "hihat", "toms", "cymbals", "drums", "percussion")


@dataclass(frozen=True)
class Slot:
    """A phrase with what plays it."""

    label: str
    channel: int
    program: int
    phrase: Phrase


def slots(split: Split, per_label: int, rng: Generator) -> list[Slot]:
    """What one soundfont is asked to play: `per_label` phrases of each role it knows, and a few effects."""
    songs = song_windows(split)
    planned = []
    for label in MELODIC:
        for _ in range(per_label):
            windows = songs.get(label)
            use_song = windows is not None and rng.random() < SONG_SHARE
            phrase = windows[rng.integers(len(windows))] if windows and use_song else random_phrase(label, rng)
            planned.append(Slot(label, 0, int(rng.choice(programs_of(label))), phrase))
    for label in DRUMS:
        planned += [
            Slot(label, DRUM_CHANNEL, int(rng.choice(DRUM_PROGRAMS)), _drum_phrase(label, split, rng))
            for _ in range(per_label // 2)
        ]
    effects = rng.choice(OTHER_PROGRAMS, size=per_label // 4)
    return planned + [Slot("other", 0, int(program), random_phrase("keys", rng)) for program in effects]


def kit_slots(split: Split, per_label: int, rng: Generator) -> list[Slot]:
    """What a soundfont that is one drum kit is asked to play; its only program lies on a melodic channel."""
    planned = []
    for label in DRUMS:
        if label != "percussion":
            for _ in range(per_label):
                notes = [replace(note, pitch=AVL_KEYS.get(note.pitch, note.pitch))
                         for note in _drum_phrase(label, split, rng)]  # fmt: skip
                planned.append(Slot(label, 0, 0, notes))
    return planned


def _drum_phrase(label: str, split: Split, rng: Generator) -> list[Note]:
    """A groove of which only the pieces of one label are played; percussion takes the groove's rhythm."""
    while True:
        hits = groove(split, rng)
        if label == "percussion":
            keys = rng.choice(PERCUSSION_KEYS, size=3)
            heard = {"kick": keys[0], "snare": keys[1], "hihat": keys[2]}
            notes = [Note(n.start_s, n.length_s, int(heard[p]), n.velocity) for p, n in hits if p in heard]
        else:
            wanted = {"snare", "sidestick"} if label == "snare" else {label}
            notes = [note for piece, note in hits if label == "drums" or piece in wanted]
        if len(notes) >= (3 if label in {"toms", "cymbals"} else 6):
            return [
                Note(n.start_s, max(n.length_s, 0.1), HEARD_AS_KEY.get(n.pitch, n.pitch), n.velocity) for n in notes
            ]


def play(source: Source, planned: Sequence[Slot]) -> Iterator[tuple[Slot, NDArray[np.float32]]]:
    """Each slot with its sound, mono float32 at 48 kHz, ten seconds long."""
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder) / "medley.mid", Path(folder) / "medley.wav"
        _medley(planned).save(midi)
        subprocess.run(_player(source, midi, sound), check=True, capture_output=True)
        step = round((PHRASE_S + GAP_S) * RATE_HZ)
        with soundfile.SoundFile(sound) as file:
            for slot in planned:
                audio = file.read(step, dtype="float32", always_2d=True).mean(axis=1)
                yield slot, audio[: round(PHRASE_S * RATE_HZ)]


def _medley(planned: Sequence[Slot]) -> mido.MidiFile:
    events: list[tuple[float, int, mido.Message]] = []
    for at, slot in enumerate(planned):
        start_s = at * (PHRASE_S + GAP_S)
        change = mido.Message("program_change", channel=slot.channel, program=slot.program)
        events.append((start_s, 1, change))
        for note in slot.phrase:
            end_s = start_s + min(note.start_s + note.length_s, PHRASE_S + 0.5)
            pitch = int(np.clip(note.pitch, 0, 127))
            events.append((start_s + note.start_s, 2, mido.Message(
                "note_on", channel=slot.channel, note=pitch, velocity=note.velocity)))  # fmt: skip
            events.append((end_s, 0, mido.Message("note_off", channel=slot.channel, note=pitch)))
    last_s = len(planned) * (PHRASE_S + GAP_S)
    events.append((last_s, 0, mido.Message("note_off", channel=0, note=0)))
    track = mido.MidiTrack()
    now = 0
    for time_s, _, message in sorted(events, key=lambda event: event[:2]):
        ticks = round(time_s * TICKS_PER_S)
        track.append(message.copy(time=ticks - now))
        now = ticks
    song = mido.MidiFile(ticks_per_beat=TICKS_PER_S // 2)  # 120 beats a minute, MIDI's default
    song.tracks.append(track)
    return song


def _player(source: Source, midi: Path, sound: Path) -> list[str]:
    if source.path.is_dir():
        config = midi.with_suffix(".cfg")
        listed = (packages() / "etc/timidity/freepats.cfg").read_text()
        config.write_text(listed.replace("dir /usr/share/midi/freepats", f"dir {source.path}"))
        return ["timidity", "-c", str(config), "-Ow", "-s", str(RATE_HZ), "-EFreverb=0", "-o", str(sound), str(midi)]
    quiet = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.4", "-r", str(RATE_HZ), "-T", "wav", "-O", "s16"]
    return [*quiet, "-F", str(sound), str(source.path), str(midi)]
