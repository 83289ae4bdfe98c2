"""A subtractive synthesizer for leads, pads and basses: detuned oscillators, a filter that moves, an envelope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.phrases import PHRASE_S, Note
from training.data.soundfonts import RATE_HZ

Audio = NDArray[np.float32]


def play_synth(label: str, phrase: Sequence[Note], rng: Generator) -> Audio:
    """A phrase on a random patch for "synth_lead", "synth_pad" or "bass"; mono float32 at 48 kHz."""
    pad = label == "synth_pad"
    attack_s = rng.uniform(0.15, 1.2) if pad else rng.uniform(0.002, 0.03)
    release_s = rng.uniform(0.3, 1.5) if pad else rng.uniform(0.02, 0.2)
    decay_s = rng.uniform(1.0, 6.0) if pad else rng.uniform(0.08, 1.5)
    sustain = rng.uniform(0.6, 1.0) if pad else rng.uniform(0.1, 1.0)
    voices = int(rng.integers(2, 6)) if pad else int(rng.integers(1, 4))
    detune_cents = rng.uniform(4.0, 22.0)
    wave = str(
        rng.choice(
            ["saw", "square", "triangle", "fm", "sine"] if label == "bass" else ["saw", "saw", "square", "pulse", "fm"]
        )
    )
    vibrato_cents = 0.0 if label == "bass" or pad else rng.choice([0.0, rng.uniform(5.0, 40.0)])
    out = np.zeros(round((PHRASE_S + 3.0) * RATE_HZ), np.float32)
    for note in phrase:
        length = round((note.length_s + release_s) * RATE_HZ)
        start = round(max(note.start_s, 0.0) * RATE_HZ)
        length = min(length, out.size - start)
        if length <= 0:
            continue
        time_s = np.arange(length) / RATE_HZ
        hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0)
        bend = 2.0 ** (vibrato_cents / 1200.0 * np.sin(2 * np.pi * 5.5 * time_s))
        sound = np.zeros(length)
        for spread in np.linspace(-1.0, 1.0, voices) if voices > 1 else (0.0,):
            phase = np.cumsum(hz * 2.0 ** (spread * detune_cents / 1200.0) * bend) / RATE_HZ + rng.random()
            sound += _wave(wave, phase, time_s)
        held = time_s < note.length_s
        envelope = np.minimum(time_s / attack_s, 1.0) * (sustain + (1.0 - sustain) * np.exp(-time_s / decay_s))
        envelope *= np.where(held, 1.0, np.exp(-(time_s - note.length_s) / (release_s / 4.0)))
        out[start : start + length] += (sound * envelope * note.velocity / 127.0 / voices).astype(np.float32)
    cutoff_hz = np.exp(
        rng.uniform(np.log(300.0 if label == "bass" else 900.0), np.log(3_000.0 if label == "bass" else 14_000.0))
    )
    low = scipy.signal.butter(2, cutoff_hz, fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(low, out)[: round(PHRASE_S * RATE_HZ)], dtype=np.float32)


def _wave(wave: str, phase: NDArray[np.float64], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    cycle = phase % 1.0
    if wave == "saw":
        return 2.0 * cycle - 1.0
    if wave == "square":
        return np.sign(cycle - 0.5)
    if wave == "pulse":
        return np.where(cycle < 0.2, 1.0, -0.25)
    if wave == "triangle":
        return 4.0 * np.abs(cycle - 0.5) - 1.0
    if wave == "fm":
        return np.sin(2 * np.pi * phase + 2.5 * np.exp(-time_s / 0.4) * np.sin(4 * np.pi * phase))
    return np.sin(2 * np.pi * phase)
