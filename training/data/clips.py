"""Every source as clips of sound with a label: what the pictures are drawn of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.random import Generator
from numpy.typing import NDArray

from training.data import effects, kits, machines, rehearsal, soundfonts, synths, voices
from training.data.manifest import Source, Split, Stem, sources, stems
from training.data.phrases import PHRASE_S, random_phrase
from training.data.places import shared_data

Audio = NDArray[np.float32]
RATE_HZ: Final = 48_000
QUIETEST: Final = 1e-3
PRODUCED: Final = ("stems_again", "machines", "synths")
"""Collections to learn from that carry effects as if they came out of a production."""
AGAIN_S: Final = 30
SHARD_KINDS: Final = (
    "speech", "drum_kit", "one_shots", "loops", "notes", "multimic_kit", "kit_soundfont", "soundfont"
)  # fmt: skip
HAND_DRUMS: Final = 6
"""A kit that is all of one role gives that role so many times more clips."""


@dataclass(frozen=True)
class Clip:
    """A sound of one role, mono float32 at 48 kHz."""

    label: str
    group: str
    """The song or the source: what a split and a bootstrap must not tear apart."""
    kind: str
    audio: Audio


@dataclass(frozen=True)
class Amount:
    """How many clips each kind of source gives per label."""

    soundfont: int
    kit: int
    microphones: int
    notes: int
    synth: int
    machine: int
    again: int
    """Times that a real stem is produced anew."""
    speech: int
    sung: int
    sung_prompts: int
    """Of each speaker."""


AMOUNTS: Final[dict[Split, Amount]] = {
    "train": Amount(soundfont=24, kit=4, microphones=20, notes=24, synth=20, machine=40, again=2, speech=25, sung=40,
                    sung_prompts=30),
    "validation": Amount(soundfont=4, kit=4, microphones=0, notes=8, synth=0, machine=0, again=0, speech=8, sung=6,
                         sung_prompts=0),
    "test": Amount(soundfont=6, kit=5, microphones=0, notes=10, synth=0, machine=0, again=0, speech=10, sung=0,
                   sung_prompts=0),
}  # fmt: skip


def collections(split: Split) -> list[str]:
    """Names of the shards of a split, the quick ones first; each can be made without the others."""
    named = [source.name for kind in SHARD_KINDS
             for source in sources(split, kind)]  # fmt: skip
    amount = AMOUNTS[split]
    made = {"stems_again": amount.again, "machines": amount.machine, "synths": amount.synth, "spoken": amount.sung,
            "sung": amount.sung, "sung_prompts": amount.sung_prompts}  # fmt: skip
    return ["stems", *(name for name, count in made.items() if count), *named]


def clips(split: Split, name: str, rng: Generator, amount: Amount | None = None) -> Iterator[Clip]:
    """The clips of one collection."""
    asked = amount or AMOUNTS[split]
    if name == "stems":
        yield from (_stem(stem) for stem in stems(split))
    elif name in PRODUCED:
        made = _stems_again if name == "stems_again" else _machines if name == "machines" else _synths
        yield from (replace(clip, audio=effects.produced(clip.audio, rng)) for clip in made(split, rng, asked))
    elif name == "spoken":
        yield from (Clip("speech", name, "synth", voices.spoken(split, rng)) for _ in range(asked.speech))
    elif name == "sung":
        yield from (Clip("lead_vocal", name, "synth", voices.sung(split, rng)) for _ in range(asked.sung))
    elif name == "sung_prompts":
        yield from (Clip("lead_vocal", name, "synth", voices.sung_prompts(source, rng))
                    for source in sources(split, "speech") for _ in range(asked.sung_prompts))  # fmt: skip
    else:
        source = next(each for each in sources(split) if each.name == name)
        for clip in _of_source(source, asked, rng):
            if float(np.abs(clip.audio).max(initial=0.0)) > QUIETEST:
                yield clip


def _stems_again(split: Split, rng: Generator, asked: Amount) -> Iterator[Clip]:
    """Half a minute of each stem, faster or slower, from other moments than those that are heard as they are."""
    for clip in map(_stem, stems(split)):
        for _ in range(asked.again):
            start = rng.integers(max(clip.audio.size - AGAIN_S * RATE_HZ, 0) + 1)
            part = clip.audio[start : start + AGAIN_S * RATE_HZ]
            yield replace(clip, audio=effects.at_another_speed(part, rng))


def _machines(split: Split, rng: Generator, asked: Amount) -> Iterator[Clip]:
    """Patterns on strokes by arithmetic and on bent strokes of all kits."""
    kit_banks = [kits.kit_bank(source) for source in sources(split, "drum_kit")]
    for label in (*kits.PIECES, "drums"):
        for at in range(asked.machine):
            wanted = kits.PIECES if label == "drums" else (label,)
            bank = machines.machine_bank(wanted, rng) if at % 2 else kit_banks[rng.integers(len(kit_banks))]
            audio = kits.play_bank(bank, label, split, rng, machine=True)
            if audio is not None:
                yield Clip(label, "machines", "synth", audio)


def _synths(_split: Split, rng: Generator, asked: Amount) -> Iterator[Clip]:
    for label in synths.SYNTHESISED:
        for _ in range(asked.synth):
            yield Clip(label, "synths", "synth", synths.play_synth(label, random_phrase(label, rng), rng))


@lru_cache(maxsize=1)
def song_stems(split: Split, song: str) -> list[Audio]:
    """All stems of a song, labelled or not: what bleeds into each other."""
    folder = shared_data() / "multitracks" / split / song
    meta = json.loads((folder / "meta.json").read_text())
    return [read(folder / stem["file"]) for stem in meta["stems"]]


def _stem(stem: Stem) -> Clip:
    return Clip(stem.role, stem.song, "stem", read(stem.path))


def read(path: object) -> Audio:
    """A recording as mono float32 at 48 kHz."""
    audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = audio.mean(axis=1)
    return np.asarray(mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ), dtype=np.float32)


def _of_source(source: Source, asked: Amount, rng: Generator) -> Iterator[Clip]:
    def clip(label: str, audio: Audio) -> Clip:
        return Clip(label, source.name, source.kind, audio)

    if source.kind == "soundfont":
        planned = soundfonts.slots(source.split, asked.soundfont, rng)
        yield from (clip(slot.label, audio) for slot, audio in soundfonts.play(source, planned))
    elif source.kind == "kit_soundfont":
        planned = soundfonts.kit_slots(source.split, asked.soundfont, rng)
        yield from (clip(slot.label, audio) for slot, audio in soundfonts.play(source, planned))
    elif source.kind in {"drum_kit", "one_shots"}:
        bank = kits.hits_bank(source) if source.kind == "one_shots" else kits.kit_bank(source)
        for label in (*kits.PIECES, "drums"):
            for _ in range(asked.kit * (HAND_DRUMS if source.role else 1)):
                audio = kits.play_bank(bank, label, source.split, rng)
                if audio is not None:
                    yield clip(label, audio)
    elif source.kind == "multimic_kit":
        for _ in range(asked.microphones):
            mics = [str(rng.choice([m for m, of in kits.MIC_LABELS.items() if of == label]))
                    for label in ("kick", "snare", "hihat", "toms", "cymbals", "drums")]  # fmt: skip
            heard = kits.play_microphones(source, mics, source.split, rng)
            yield from (clip(kits.MIC_LABELS[mic], audio) for mic, audio in heard.items())
    elif source.kind == "notes":
        for at in range(asked.notes):
            audio = kits.play_notes(source, random_phrase(source.role, rng), rng)
            yield clip(source.role, audio)
            if source.role == "electric_guitar" and at % 2 == 0:
                riff = kits.play_notes(source, random_phrase("distorted_guitar", rng), rng)
                yield clip("distorted_guitar", rehearsal.amplified(riff, rng))
    elif source.kind == "loops":
        for path in sorted(source.path.glob("loop_*.flac")):
            if not any(
                odd in path.stem for odd in ("drone", "3d_printer", "weirdo", "perc", "tabla", "safari", "garzul")
            ):
                yield clip(source.role, np.resize(read(path), round(PHRASE_S * RATE_HZ)).astype(np.float32))
    elif source.kind == "speech":
        yield from (clip(source.role, voices.prompts(source, rng)) for _ in range(asked.speech))
