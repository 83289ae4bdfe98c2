"""How a motif sounds: plain tones and strokes, so that it can be heard beside the band without any instrument."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.muse.motif import Motif, Part
from core.muse.percussion import HIGH_CONGA, LOW_CONGA

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

OVERTONES: Final[dict[Part, tuple[float, ...]]] = {
    "melody": (1.0, 0.45, 0.22, 0.1, 0.06, 0.03),
    "bass": (1.0, 0.6, 0.3, 0.12, 0.05),
    "chords": (1.0, 0.3, 0.12, 0.05),
    "rhythm": (),
}
FALL_S: Final[dict[Part, float]] = {"melody": 0.9, "bass": 0.7, "chords": 2.5, "rhythm": 0.1}
"""How long a held note takes to fall to a third."""
ATTACK_S: Final = 0.006
RELEASE_S: Final = 0.06
TAIL_S: Final = 0.3
CONGA_HZ: Final = {LOW_CONGA: 190.0, HIGH_CONGA: 290.0}


def sketch(motif: Motif, rate_hz: int, frames: int) -> Audio:
    """The motif alone, mono float32 (frames,) with a peak of 0.5, its notes at the beats that the band played."""
    beats_s = np.array(motif.beats_s) - motif.beats_s[0]
    out = np.zeros(frames + round(TAIL_S * rate_hz) + rate_hz)
    noise = np.random.default_rng(motif.seed)
    for note in motif.notes:
        start_s, end_s = np.interp((note.at_beats, note.at_beats + note.beats), np.arange(len(beats_s)), beats_s)
        if motif.part == "rhythm":
            sound = _stroke(note.pitch, rate_hz, noise)
        else:
            hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0 + motif.tuning_cents / 1200.0)
            sound = _tone(hz, float(end_s - start_s), rate_hz, motif.part)
        at = round(float(start_s) * rate_hz)
        sound = sound[: max(out.size - at, 0)]
        out[at : at + sound.size] += sound * (note.velocity / 127.0) ** 1.5
    out = out[:frames]
    fade = min(round(RELEASE_S * rate_hz), frames)
    out[frames - fade :] *= np.linspace(1.0, 0.0, fade)
    peak = float(np.abs(out).max(initial=0.0))
    return np.asarray(out * (0.5 / peak if peak > 0.0 else 1.0), np.float32)


def _tone(hz: float, length_s: float, rate_hz: int, part: Part) -> Floats:
    time_s = np.arange(round((length_s + RELEASE_S) * rate_hz)) / rate_hz
    sound = np.zeros(time_s.size)
    for number, weight in enumerate(OVERTONES[part], start=1):
        if hz * number < rate_hz / 2.2:  # overtones fall the faster, the higher they are
            sound += weight * np.sin(2 * np.pi * hz * number * time_s) * np.exp(-time_s * number**0.5 / FALL_S[part])
    rise = np.minimum(time_s / ATTACK_S, 1.0)
    let_go = np.clip((length_s + RELEASE_S - time_s) / RELEASE_S, 0.0, 1.0)
    return np.asarray(sound * rise * let_go)


def _stroke(key: int, rate_hz: int, noise: np.random.Generator) -> Floats:
    time_s = np.arange(round(0.22 * rate_hz)) / rate_hz
    rise = np.minimum(time_s / 0.002, 1.0)
    if key in CONGA_HZ:
        bend = CONGA_HZ[key] * (1.0 + 0.3 * np.exp(-time_s / 0.01))
        return np.asarray(np.sin(2 * np.pi * np.cumsum(bend) / rate_hz) * np.exp(-time_s / 0.07) * rise)
    hiss = np.diff(noise.standard_normal(time_s.size + 1))  # a difference leaves the high end
    return np.asarray(0.25 * hiss * np.exp(-time_s / 0.03) * np.minimum(time_s / 0.012, 1.0))
