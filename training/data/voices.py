"""Speech and singing: recorded prompts, a speech synthesizer, and its words sung through the WORLD vocoder.

The sung lines keep the synthesizer's spectral envelopes and get a melody with glides and vibrato (Morise et al. 2016).
"""

from __future__ import annotations

import io
import subprocess
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.manifest import Source, Split
from training.data.phrases import PHRASE_S, Phrase, random_phrase
from training.data.soundfonts import RATE_HZ

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyworld

Audio = NDArray[np.float32]

VARIANTS: Final[dict[Split, tuple[str, ...]]] = {
    "train": ("m1", "m2", "m3", "m4", "f1", "f2", "f3"),
    "validation": ("m5", "f4"),
    "test": ("m7", "f5"),
}
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl", "sv")
WORDS: Final = [
    "love",
    "night",
    "river",
    "shine",
    "tomorrow",
    "baby",
    "fire",
    "the",
    "way",
    "you",
    "move",
    "under",
    "water",
    "remember",
    "me",
    "hold",
    "on",
    "falling",
    "down",
    "summer",
    "la",
    "luna",
    "corazon",
    "siempre",
    "contigo",
    "mein",
    "herz",
    "die",
    "nacht",
    "und",
    "du",
    "amour",
    "toujours",
    "jamais",
    "la",
    "mer",
    "cielo",
    "vento",
    "sole",
    "stella",
    "sol",
    "amor",
    "saudade",
    "ooh",
    "yeah",
    "la",
    "la",
    "la",
    "oh",
    "never",
    "let",
    "me",
    "go",
    "higher",
    "dancing",
    "alone",
    "again",
]
FRAME_MS: Final = 5.0
SUNG_OF_PROMPTS_S: Final = 6.0


def spoken(split: Split, rng: Generator, words: int = 26) -> Audio:
    """A sentence of random words by the speech synthesizer; mono float32 at 48 kHz, ten seconds at most."""
    text = " ".join(rng.choice(WORDS, size=words))
    voice = f"{rng.choice(LANGUAGES)}+{rng.choice(VARIANTS[split])}"
    options = ["-s", str(rng.integers(110, 190)), "-p", str(rng.integers(20, 80)), "-v", voice]
    wav = subprocess.run(["espeak-ng", "--stdout", *options, text], check=True, capture_output=True).stdout
    audio, rate_hz = soundfile.read(io.BytesIO(wav), dtype="float32")
    return np.asarray(soxr.resample(audio, rate_hz, RATE_HZ)[: round(PHRASE_S * RATE_HZ)], dtype=np.float32)


def prompts(source: Source, rng: Generator) -> Audio:
    """Ten seconds of recorded telephone prompts of one speaker, with short pauses."""
    files = _files(source.path)
    parts: list[Audio] = []
    while sum(part.size for part in parts) < PHRASE_S * RATE_HZ:
        parts += [
            _prompt(files[rng.integers(len(files))]),
            np.zeros(round(rng.uniform(0.1, 0.5) * RATE_HZ), np.float32),
        ]
    return np.concatenate(parts)[: round(PHRASE_S * RATE_HZ)]


@lru_cache(maxsize=16)
def _files(folder: Path) -> list[Path]:
    long = [
        path for path in sorted(folder.rglob("*.g722")) if path.stat().st_size > 8_000 and "silence" not in path.parts
    ]
    return long[:: max(1, len(long) // 40)]


@lru_cache(maxsize=512)
def _prompt(path: Path) -> Audio:
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(path), "-ar", str(RATE_HZ), "-f", "f32le", "-"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    return np.frombuffer(raw, np.float32)


def sung(split: Split, rng: Generator) -> Audio:
    """A line that the speech synthesizer says, sung; mono float32 at 48 kHz."""
    return _sung(spoken(split, rng, words=9), rng)


def sung_prompts(source: Source, rng: Generator) -> Audio:
    """Telephone prompts of a speaker, sung: a real voice with a melody; mono float32 at 48 kHz."""
    return _sung(prompts(source, rng)[: round(SUNG_OF_PROMPTS_S * RATE_HZ)], rng)


def _sung(line: Audio, rng: Generator) -> Audio:
    """A sung line, or a small choir of one to four voices in thirds and octaves."""
    rate_hz = 22_050
    spoken_line = np.asarray(soxr.resample(line, RATE_HZ, rate_hz), dtype=np.float64)
    pitch, time = pyworld.dio(spoken_line, rate_hz, frame_period=FRAME_MS)
    envelope = pyworld.cheaptrick(spoken_line, pitch, time, rate_hz)
    noise = pyworld.d4c(spoken_line, pitch, time, rate_hz)
    frames = round(PHRASE_S * 1000 / FRAME_MS)
    at = np.minimum(np.arange(frames) / rng.uniform(1.4, 2.6), len(pitch) - 1).astype(int)
    voiced = pitch[at] > 0
    melody = _melody_hz(random_phrase("lead_vocal", rng), frames, rng)
    total = np.zeros(round(PHRASE_S * rate_hz) + rate_hz)
    for interval in rng.choice([0, 3, 4, 7, 12, -12], size=int(rng.choice([1, 1, 1, 2, 3, 4])), replace=False):
        drift = 2.0 ** ((interval + rng.normal(0.0, 0.1)) / 12.0)
        line = pyworld.synthesize(np.where(voiced, melody * drift, 0.0), envelope[at], noise[at], rate_hz, FRAME_MS)
        total[: line.size] += line[: total.size]
    return np.asarray(soxr.resample(total, rate_hz, RATE_HZ)[: round(PHRASE_S * RATE_HZ)], dtype=np.float32)


def _melody_hz(phrase: Phrase, frames: int, rng: Generator) -> NDArray[np.float64]:
    """The notes' pitch over time, with glides of about 60 ms, vibrato and a little drift."""
    keys = np.full(frames, float(phrase[0].pitch))
    for note in phrase:
        keys[round(note.start_s * 1000 / FRAME_MS) :] = note.pitch
    glide = np.hanning(13)
    keys = np.convolve(np.pad(keys, 6, mode="edge"), glide / glide.sum(), mode="valid")
    time_s = np.arange(frames) * FRAME_MS / 1000
    vibrato = rng.uniform(0.1, 0.6) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time_s)
    drift = np.convolve(rng.normal(0.0, 1.0, frames + 40), np.hanning(41) / 20.0, mode="valid") * 0.3
    return 440.0 * 2.0 ** ((keys + vibrato + drift[:frames] - 69.0) / 12.0)
