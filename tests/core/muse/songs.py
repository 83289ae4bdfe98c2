"""Songs whose beat, key and chords are known, because they are made here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.muse.harmony import Chord, Key, key_named
from core.muse.song import SLOTS, Song

RATE_HZ = 44_100


def key(name: str) -> Key:
    """A key that is one."""
    found = key_named(name)
    assert found is not None
    return found


def chord(name: str) -> Chord:
    """A chord by its name in a lead sheet."""
    return Chord(root=key(name.removesuffix("m")).tonic, mode="minor" if name.endswith("m") else "major")


def tone(midi: float, seconds: float, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """A struck string: overtones that fall."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    hz = 440.0 * 2.0 ** ((midi - 69.0) / 12.0)
    sound = sum(0.5**n * np.sin(2 * np.pi * hz * (n + 1) * time_s) for n in range(5))
    return (0.1 * sound * np.exp(-time_s)).astype(np.float32)


def strummed(chords: Sequence[str], seconds: float, cents: float = 0.0) -> NDArray[np.float32]:
    """Each chord for so long, with its root in the bass."""
    parts = []
    for name in chords:
        one = chord(name)
        voices = [36 + one.root, *(60 + tone for tone in one.tones)]
        parts.append(sum(tone(midi + cents / 100.0, seconds) for midi in voices))
    return np.concatenate(parts)


def song(
    chords: Sequence[str] = ("Am", "F", "C", "G"),
    home: str = "A minor",
    *,
    bpm: float = 120.0,
    times: int = 2,
    singer_midi: float | None = None,
) -> Song:
    """As it would be heard: a bar for each chord; kick on one and three, snare on two and four, eighths on the hat."""
    bars = len(chords) * times
    groove, low = np.zeros((bars, SLOTS)), np.zeros((bars, SLOTS))
    groove[:, ::2] += 1.0
    groove[:, ::4] += 1.0
    low[:, [0, 8, 10]] = 1.0
    return Song(
        tempo=None,
        beats_s=np.arange(bars * 4 + 1) * 60.0 / bpm,
        beats_per_bar=4,
        key=key(home),
        chords=tuple(chord(name) for name in (*chords,) * times for _ in range(2)),
        groove=groove,
        low_groove=low,
        tuning_cents=0.0,
        singer_midi=singer_midi,
        heard_s=bars * 240.0 / bpm,
    )
