"""Mixes for the mastering tests, made here: a band-like song, and sources around arrays."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

RATE_HZ = 48_000


@dataclass
class ArraySource:
    """A `core.desk.sources.Source` of audio in memory."""

    audio: np.ndarray
    rate_hz: int = RATE_HZ
    name: str = "song"

    @property
    def channels(self):
        return self.audio.shape[0]

    @property
    def frames(self):
        return self.audio.shape[1]

    def read(self, start, frames):
        out = np.zeros((self.channels, frames), np.float32)
        piece = self.audio[:, start : start + frames]
        out[:, : piece.shape[1]] = piece
        return out


def song(seconds=12.0, *, rate_hz=RATE_HZ, seed=0, peak_dbfs=-6.0, drums=1.0):
    """Kick, snare, bass, chords left and right, in a quiet and a loud half."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    beat = time_s % 0.5
    kick = np.exp(-beat * 18) * np.sin(2 * np.pi * (50 * beat + 12 * (1 - np.exp(-beat * 40))))
    snare = np.exp(-((time_s + 0.25) % 0.5) * 25) * random.standard_normal(len(time_s)) * 0.5
    bass = 0.35 * np.sin(2 * np.pi * 82.4 * time_s) * (1 - 0.3 * np.exp(-beat * 8))
    pink = lfilter([1.0], [1.0, -0.95], random.standard_normal((2, len(time_s))), axis=1) * 0.03
    chords = sum(
        np.sin(2 * np.pi * f * time_s * (1 + shift)) for f in (220, 277, 330, 880, 2_200) for shift in (0, 2e-3)
    )
    sides = np.stack([0.04 * chords + pink[0], 0.04 * np.roll(chords, 700) + pink[1]])
    mix = drums * (0.9 * kick + 0.6 * snare) + bass + sides
    mix *= np.where(time_s < seconds * 0.4, 0.5, 1.0) * np.minimum(1.0, np.minimum(time_s, time_s[::-1]) / 0.05)
    return (mix * 10 ** (peak_dbfs / 20) / np.abs(mix).max()).astype(np.float32)
