"""Instruments by arithmetic: a subtractive synthesizer, an electric piano and an organ, plucked strings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import scipy.signal
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.phrases import PHRASE_S, Note
from training.data.rehearsal import amplified
from training.data.soundfonts import RATE_HZ

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]
Voice = Callable[[Note, float], Floats]
"""A note at a pitch in Hz as sound with its release."""

SYNTHESISED: Final = (
    "bass", "synth_pad", "synth_lead", "keys", "acoustic_guitar", "electric_guitar", "distorted_guitar"
)  # fmt: skip
_WAVES: Final = {
    "bass": ("saw", "square", "triangle", "fm", "sine"),
    "synth_lead": ("saw", "saw", "square", "pulse", "fm"),
    "synth_pad": ("saw", "saw", "square", "pulse", "fm", "triangle"),
}


def play_synth(label: str, phrase: Sequence[Note], rng: Generator) -> Audio:
    """A phrase on a random patch for one of SYNTHESISED; mono float32 at 48 kHz."""
    voice = _keys(rng) if label == "keys" else _subtractive(label, rng) if label in _WAVES else _plucked(rng)
    out = np.zeros(round((PHRASE_S + 4.0) * RATE_HZ))
    for note in phrase:
        start = round(max(note.start_s, 0.0) * RATE_HZ)
        sound = voice(note, 440.0 * 2.0 ** ((note.pitch - 69) / 12.0))[: out.size - start]
        out[start : start + sound.size] += sound * note.velocity / 127.0
    if label == "acoustic_guitar":
        out = scipy.signal.fftconvolve(out, _body(rng))[: out.size]
    audio = out[: round(PHRASE_S * RATE_HZ)].astype(np.float32)
    return amplified(audio, rng) if label == "distorted_guitar" else audio


def _subtractive(label: str, rng: Generator) -> Voice:
    """Detuned oscillators, a filter that opens with each note, an envelope."""
    pad, bass = label == "synth_pad", label == "bass"
    attack_s = rng.uniform(0.15, 1.2) if pad else rng.uniform(0.002, 0.03)
    release_s = rng.uniform(0.3, 1.5) if pad else rng.uniform(0.02, 0.2)
    decay_s = rng.uniform(1.0, 6.0) if pad else rng.uniform(0.08, 1.5)
    sustain = rng.uniform(0.6, 1.0) if pad else rng.uniform(0.1, 1.0)
    spreads = np.linspace(-1.0, 1.0, int(rng.integers(2, 8))) if pad or rng.random() < 0.5 else np.zeros(1)
    detune_cents = rng.uniform(4.0, 30.0)
    wave = str(rng.choice(_WAVES[label]))
    vibrato_cents = 0.0 if bass or pad else rng.choice([0.0, rng.uniform(5.0, 40.0)])
    closed_hz = np.exp(rng.uniform(np.log(150.0 if bass else 500.0), np.log(2_000.0 if bass else 10_000.0)))
    open_hz = min(closed_hz * 2.0 ** rng.uniform(0.0, 4.0), 18_000.0)
    sweep_s = rng.uniform(0.5, 3.0) if pad else rng.uniform(0.05, 0.6)
    closed, opened = (scipy.signal.butter(2, hz, fs=RATE_HZ, output="sos") for hz in (closed_hz, open_hz))

    def voice(note: Note, hz: float) -> Floats:
        time_s = np.arange(round((note.length_s + release_s) * RATE_HZ)) / RATE_HZ
        bend = 2.0 ** (vibrato_cents / 1200.0 * np.sin(2 * np.pi * 5.5 * time_s))
        cycles = [np.cumsum(hz * 2.0 ** (spread * detune_cents / 1200.0) * bend) / RATE_HZ for spread in spreads]
        sound = sum((_wave(wave, each + rng.random(), time_s) for each in cycles), np.zeros(time_s.size)) / spreads.size
        share = np.exp(-time_s / sweep_s)
        sound = share * scipy.signal.sosfilt(opened, sound) + (1.0 - share) * scipy.signal.sosfilt(closed, sound)
        envelope = np.minimum(time_s / attack_s, 1.0) * (sustain + (1.0 - sustain) * np.exp(-time_s / decay_s))
        return np.asarray(sound * envelope * _released(time_s, note.length_s, release_s / 4.0))

    return voice


def _keys(rng: Generator) -> Voice:
    """An electric piano of two operators, or an organ of drawbars with a rotary's tremble."""
    organ = rng.random() < 0.5
    bars = rng.uniform(0.0, 1.0, 9) * (rng.random(9) < 0.6)
    bars[1] = 1.0
    ratio, depth, bite_s = float(rng.choice([1.0, 2.0, 7.0, 14.0])), rng.uniform(0.3, 2.5), rng.uniform(0.05, 0.8)
    ring_s, tremble, tremble_hz = rng.uniform(0.6, 3.0), rng.uniform(0.0, 0.5), rng.uniform(1.0, 7.0)

    def voice(note: Note, hz: float) -> Floats:
        time_s = np.arange(round((note.length_s + 0.15) * RATE_HZ)) / RATE_HZ
        phase = 2 * np.pi * hz * time_s
        if organ:
            harmonics = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
            heard = [bar * np.sin(k * phase) for k, bar in zip(harmonics, bars, strict=True) if bar and k * hz < 20_000]
            sound = sum(heard, np.zeros(time_s.size)) / bars.sum()
        else:
            sound = np.sin(phase + depth * np.exp(-time_s / bite_s) * np.sin(ratio * phase)) * np.exp(-time_s / ring_s)
        sound *= np.minimum(time_s / 0.004, 1.0) * (
            1.0 - tremble * (0.5 + 0.5 * np.sin(2 * np.pi * tremble_hz * time_s))
        )
        return np.asarray(sound * _released(time_s, note.length_s, 0.02))

    return voice


def _plucked(rng: Generator) -> Voice:
    """A string as a delay that loses its treble (Karplus and Strong 1983), plucked at some place along it."""
    damping, loss = rng.uniform(0.02, 0.5), rng.uniform(0.985, 0.9995)
    place, pick_hz = rng.uniform(0.08, 0.5), np.exp(rng.uniform(np.log(2_500.0), np.log(14_000.0)))
    plectrum = scipy.signal.butter(1, pick_hz, fs=RATE_HZ, output="sos")

    def voice(note: Note, hz: float) -> Floats:
        period = max(round(RATE_HZ / hz), 8)
        string = scipy.signal.sosfilt(plectrum, rng.normal(size=period))
        string -= np.roll(string, round(place * period))
        string -= string.mean()
        length = min(note.length_s + 0.1, 4.0)
        turns = []
        for _ in range(round(length * RATE_HZ / period) + 1):
            turns.append(string)
            string = loss * ((1.0 - damping) * string + damping * np.roll(string, 1))
        sound = np.concatenate(turns)
        return np.asarray(sound * _released(np.arange(sound.size) / RATE_HZ, note.length_s, 0.03))

    return voice


def _body(rng: Generator) -> Floats:
    """The wooden box of a guitar: the string itself and a few resonances between 90 and 1000 Hz that ring shortly."""
    time_s = np.arange(round(0.15 * RATE_HZ)) / RATE_HZ
    rings = [np.sin(2 * np.pi * hz * time_s) * np.exp(-time_s / rng.uniform(0.005, 0.04)) * rng.uniform(0.01, 0.06)
             for hz in np.exp(rng.uniform(np.log(90.0), np.log(1_000.0), 6))]  # fmt: skip
    response = sum(rings, np.zeros(time_s.size))
    response[0] += 1.0
    return np.asarray(response)


def _released(time_s: Floats, held_s: float, constant_s: float) -> Floats:
    return np.exp(-np.maximum(time_s - held_s, 0.0) / constant_s)


def _wave(wave: str, phase: Floats, time_s: Floats) -> Floats:
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
