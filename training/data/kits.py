"""Recorded strokes and notes played again: drum kits, a kit under sixteen microphones, instruments note by note."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.random import Generator
from numpy.typing import NDArray

from core.analysis.names import role_of_name
from training.data.machines import bent
from training.data.manifest import Source, Split
from training.data.phrases import PHRASE_S, Note, groove, sequenced

Audio = NDArray[np.float32]
Bank = Mapping[str, Sequence[Audio]]
"""Piece to strokes, the softest first where layers are known."""

RATE_HZ: Final = 48_000
LONGEST_STROKE_S: Final = 4.0
PIECES: Final = ("kick", "snare", "hihat", "toms", "cymbals", "percussion")
MIC_LABELS: Final[dict[str, str]] = {
    "KdrumL": "kick", "KdrumR": "kick", "Snare_top": "snare", "Snare_bottom": "snare", "Hihat": "hihat", "Tom1": "toms",
    "Tom2": "toms", "Tom3": "toms", "Tom4": "toms", "RideL": "cymbals", "RideR": "cymbals", "OHL": "drums",
    "OHR": "drums", "AmbL": "drums", "AmbR": "drums",
}  # fmt: skip
"""What each microphone of the real kit is there for; all of them hear everything."""
STRUCK: Final[dict[str, tuple[str, ...]]] = {
    "kick": ("KdrumL", "KdrumR"), "snare": ("Snare",), "sidestick": ("SnareRest",),
    "hihat": ("HihatClosed", "HihatOpen"),
    "toms": ("Tom1", "Tom2", "Tom3", "Tom4"), "cymbals": ("CrashL", "CrashR", "RideL", "RideR", "RideRBell", "China"),
}  # fmt: skip
_HITS: Final = {"bd": "kick", "sn": "snare", "drum_heavy_kick": "kick", "drum_bass": "kick", "drum_snare": "snare",
                "drum_cymbal_closed": "hihat", "drum_cymbal_pedal": "hihat", "drum_cymbal": "cymbals",
                "drum_splash": "cymbals", "drum_tom": "toms", "drum_cowbell": "percussion", "tabla": "percussion",
                "elec_hi_snare": "snare", "elec_lo_snare": "snare", "elec_mid_snare": "snare", "elec_snare": "snare",
                "elec_cymbal": "cymbals", "elec_soft_kick": "kick", "elec_hollow_kick": "kick",
                "elec_fuzz_tom": "toms", "perc_snap": "percussion", "elec_triangle": "percussion",
                "elec_wood": "percussion"}  # fmt: skip
_PITCHES: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_BENDS: Final = {"": 0, "b": -1, "s": 1, "#": 1}


@lru_cache(maxsize=4096)
def load(path: Path, longest_s: float = LONGEST_STROKE_S) -> Audio:
    """A recording as mono float32 at 48 kHz, cut after `longest_s`; empty if it can't be read."""
    try:
        with soundfile.SoundFile(path) as file:
            audio = file.read(int(longest_s * file.samplerate), dtype="float32", always_2d=True).mean(axis=1)
            rate_hz = file.samplerate
    except soundfile.LibsndfileError:
        return np.zeros(0, np.float32)
    return np.asarray(audio if rate_hz == RATE_HZ else soxr.resample(audio, rate_hz, RATE_HZ), dtype=np.float32)


def kit_bank(source: Source) -> dict[str, list[Audio]]:
    """The strokes of a Hydrogen kit per label, by the names of its instruments; `source.role` overrides them."""
    bank: dict[str, list[Audio]] = {}
    text = (source.path / "drumkit.xml").read_text(errors="ignore")
    root = ElementTree.fromstring(re.sub(r'\sxmlns="[^"]+"', "", text, count=1))
    for instrument in root.iter("instrument"):
        label = source.role or _piece_of(instrument.findtext("name") or "")
        files = [each.text for each in instrument.iter("filename") if each.text]
        strokes = [load(source.path / file) for file in files] if label else []
        kept = [stroke for stroke in strokes if stroke.size and float(np.abs(stroke).max()) > 1e-4]
        if label and kept:
            bank.setdefault(label, []).append(kept[len(kept) // 2] if len(kept) > 1 else kept[0])
            bank[label] += [kept[0], kept[-1]] if len(kept) > 2 else []
    return bank


def _piece_of(name: str) -> str | None:
    """The label that an instrument's name says, if it is a drum."""
    plain = re.sub(r"\(.*?\)|^[a-g]#?\d - ", "", name.replace("HH", " hihat ").replace("Hat ", "hihat "))
    if re.search(r"stick|rim click", plain, re.I):
        return "snare"
    named = role_of_name(plain)
    return named[0] if named is not None and named[0] in PIECES else None


def hits_bank(source: Source) -> dict[str, list[Audio]]:
    """The strokes among Sonic Pi's samples, by the beginning of their names."""
    bank: dict[str, list[Audio]] = {}
    for path in sorted(source.path.glob("*.flac")):
        label = next((label for start, label in _HITS.items() if path.stem.startswith(start)), None)
        if label:
            bank.setdefault(label, []).append(load(path))
    return bank


def play_bank(bank: Bank, label: str, split: Split, rng: Generator, *, machine: bool = False) -> Audio | None:
    """A groove on a kit: the pieces of one label, or all for "drums"; None if the kit lacks it.

    A human drummer plays the strokes as they are; a machine plays a pattern on strokes that are bent into others.
    """
    wanted = set(bank) if label == "drums" else {label}
    if label != "drums" and label not in bank:
        return None
    if label == "drums" and not {"kick", "snare", "hihat"} <= wanted:
        return None
    chosen = {piece: bank[piece][int(rng.integers(len(bank[piece])))] for piece in bank}
    if machine:
        chosen |= {piece: bent(chosen[piece], rng) for piece in sorted(wanted)}
    several = label in {"toms", "cymbals", "percussion"} or rng.random() < 0.2
    out = np.zeros(round((PHRASE_S + LONGEST_STROKE_S + 1.0) * RATE_HZ), np.float32)
    struck = 0
    for _ in range(8):
        for piece, note in sequenced(rng) if machine else groove(split, rng):
            played = {"sidestick": "snare"}.get(piece, piece)
            if label == "percussion" and not machine:
                played = "percussion"
            if played not in wanted:
                continue
            strokes = bank[played]
            stroke = strokes[note.pitch % len(strokes)] if several and not machine else chosen[played]
            _add(out, stroke, note, rng)
            struck += 1
        if struck >= (3 if label in {"toms", "cymbals"} else 6):
            return out[: round(PHRASE_S * RATE_HZ)]
    return None


def _add(out: Audio, stroke: Audio, note: Note, rng: Generator) -> None:
    start = round(max(note.start_s, 0.0) * RATE_HZ)
    gain = (note.velocity / 127.0) ** 1.5 * rng.uniform(0.9, 1.1)
    length = min(stroke.size, out.size - start)
    out[start : start + length] += np.float32(gain) * stroke[:length]


def play_microphones(source: Source, mics: Sequence[str], split: Split, rng: Generator) -> dict[str, Audio]:
    """One groove as each of the microphones heard it, all sixteen's bleed in it; (mic, sound)."""
    hits = groove(split, rng)
    numbers = {piece: _stroke_numbers(source.path / piece) for pieces in STRUCK.values() for piece in pieces}
    heard = {mic: np.zeros(round((PHRASE_S + LONGEST_STROKE_S + 1.0) * RATE_HZ), np.float32) for mic in mics}
    for played, note in hits:
        pieces = STRUCK[played]
        piece = pieces[note.pitch % len(pieces)]
        number = numbers[piece][rng.integers(len(numbers[piece]))]
        for mic, out in heard.items():
            _add(out, load(source.path / piece / f"{number}-{piece}-{mic}.ogg"), note, rng)
    return {mic: out[: round(PHRASE_S * RATE_HZ)] for mic, out in heard.items()}


@lru_cache(maxsize=64)
def _stroke_numbers(folder: Path) -> tuple[int, ...]:
    return tuple(sorted({int(path.name.split("-")[0]) for path in folder.glob("*.ogg")}))


@lru_cache(maxsize=16)
def note_bank(folder: Path) -> tuple[tuple[int, Path], ...]:
    """(MIDI key, file) of every recorded note of an instrument by the file names ("ab2_vl1_rr1", "Gs2", "G#2v8")."""
    found = []
    for path in sorted([*folder.glob("*.ogg"), *folder.glob("*.mp3")]):
        match = re.search(r"(?:^|_)([a-g])([b#s]?)(\d)(?=[_v .])", path.name, re.I)
        if match:
            key = _PITCHES[match[1].lower()] + _BENDS[match[2]] + 12 * (int(match[3]) + 1)
            found.append((key, path))
    return tuple(found)


def play_notes(source: Source, phrase: Sequence[Note], rng: Generator) -> Audio:
    """A phrase on recorded notes, each the nearest in pitch, resampled to the one asked for."""
    notes = note_bank(source.path)
    keys = np.array([key for key, _ in notes])
    out = np.zeros(round((PHRASE_S + LONGEST_STROKE_S + 1.0) * RATE_HZ), np.float32)
    shift = 12 * round((float(np.median(keys)) - float(np.median([n.pitch for n in phrase]))) / 12)
    for note in phrase:
        pitch = note.pitch + shift
        nearest = np.flatnonzero(np.abs(keys - pitch) == np.abs(keys - pitch).min())
        key, path = notes[nearest[rng.integers(nearest.size)]]
        sound = load(path)
        ratio = 2.0 ** ((np.clip(pitch, keys.min() - 5, keys.max() + 5) - key) / 12.0)
        heard = np.interp(np.arange(0.0, sound.size - 1, ratio), np.arange(sound.size), sound)
        held = min(heard.size, round((note.length_s + 0.08) * RATE_HZ))
        faded = heard[:held].astype(np.float32)
        tail = min(held, round(0.06 * RATE_HZ))
        faded[held - tail :] *= np.linspace(1.0, 0.0, tail, dtype=np.float32)
        _add(out, faded, note, rng)
    return out[: round(PHRASE_S * RATE_HZ)]
