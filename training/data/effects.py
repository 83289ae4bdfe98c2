"""What a producer prints on a track: drive, compression, chorus, echo, space, filters, gates, another speed."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.random import Generator
from numpy.typing import NDArray

Audio = NDArray[np.float32]
RATE_HZ: Final = 48_000


def produced(audio: Audio, rng: Generator) -> Audio:
    """A track with some of the effects that real stems carry, each by lot; mono float32 at 48 kHz, the same length."""
    heard = audio
    for chance, effect in (
        (0.35, at_another_speed), (0.15, driven), (0.3, compressed), (0.15, chorused), (0.25, echoed),
        (0.25, in_a_space), (0.25, band_limited), (0.1, gated),
    ):  # fmt: skip
        if rng.random() < chance:
            heard = effect(heard, rng)
    return np.resize(heard, audio.size).astype(np.float32)


def at_another_speed(audio: Audio, rng: Generator) -> Audio:
    """Up to three semitones faster or slower, pitch and time together; repeated or cut to the same length."""
    ratio = 2.0 ** (rng.uniform(-3.0, 3.0) / 12.0)
    at = np.arange(0.0, audio.size - 1, ratio)
    return np.resize(np.interp(at, np.arange(audio.size), audio), audio.size).astype(np.float32)


def driven(audio: Audio, rng: Generator) -> Audio:
    """Soft saturation, from a touch to a fuzz."""
    drive = 10.0 ** (rng.uniform(-6.0, 18.0) / 20.0) / _level(audio)
    return np.asarray(np.tanh(audio * drive) / drive, dtype=np.float32)


def compressed(audio: Audio, rng: Generator) -> Audio:
    """Louder where it is soft, by a mean level over 10 to 150 ms."""
    width = round(rng.uniform(0.01, 0.15) * RATE_HZ)
    power = scipy.ndimage.uniform_filter1d(np.square(audio), width)
    threshold = np.square(_level(audio) * 10.0 ** (rng.uniform(-20.0, 0.0) / 20.0))
    exponent = 0.5 * (1.0 - 1.0 / rng.uniform(2.0, 10.0))
    return np.asarray(audio * np.minimum(threshold / np.maximum(power, 1e-12), 1.0) ** exponent, dtype=np.float32)


def chorused(audio: Audio, rng: Generator) -> Audio:
    """With a copy that wavers by up to 6 ms, a few cents in pitch."""
    time = np.arange(audio.size)
    sweep = rng.uniform(0.2, 3.0) * RATE_HZ / 1_000 * (1.0 + np.sin(2 * np.pi * rng.uniform(0.1, 1.5) * time / RATE_HZ))
    copy = np.interp(time - sweep - 0.008 * RATE_HZ, time, audio)
    return np.asarray(audio + rng.uniform(0.3, 1.0) * copy, dtype=np.float32)


def echoed(audio: Audio, rng: Generator) -> Audio:
    """Repeats of 0.1 to 0.6 s that fade."""
    out, step = audio.copy(), round(rng.uniform(0.1, 0.6) * RATE_HZ)
    gain, feedback = 10.0 ** (rng.uniform(-18.0, -3.0) / 20.0), rng.uniform(0.1, 0.7)
    for repeat in range(1, 6):
        late = repeat * step
        if late < audio.size:
            out[late:] += np.float32(gain * feedback ** (repeat - 1)) * audio[: audio.size - late]
    return out


def in_a_space(audio: Audio, rng: Generator) -> Audio:
    """A hall or plate of 0.8 to 4 s, from a hint to louder than the track."""
    decay_s = rng.uniform(0.8, 4.0)
    time_s = np.arange(round(decay_s * RATE_HZ)) / RATE_HZ
    tail = scipy.ndimage.gaussian_filter1d(rng.normal(size=time_s.size), rng.uniform(0.2, 3.0))
    tail *= 10.0 ** (-3.0 * time_s / decay_s)
    wet = scipy.signal.fftconvolve(audio, tail)[: audio.size]
    return np.asarray(audio + wet * _level(audio) / _level(wet) * 10.0 ** (rng.uniform(-20.0, 4.0) / 20.0), np.float32)


def band_limited(audio: Audio, rng: Generator) -> Audio:
    """As through a filter, a coder or a sampler: a steep upper end between 4 and 16 kHz, sometimes a lower one."""
    high_hz = np.exp(rng.uniform(np.log(4_000.0), np.log(16_000.0)))
    heard = scipy.signal.sosfilt(scipy.signal.butter(8, high_hz, fs=RATE_HZ, output="sos"), audio)
    if rng.random() < 0.3:
        low = scipy.signal.butter(2, rng.uniform(60.0, 350.0), "highpass", fs=RATE_HZ, output="sos")
        heard = scipy.signal.sosfilt(low, heard)
    return np.asarray(heard, dtype=np.float32)


def gated(audio: Audio, rng: Generator) -> Audio:
    """Cut or ducked in time with a beat, as by a side chain or a trance gate."""
    beat = rng.uniform(0.3, 0.6) * RATE_HZ / float(rng.choice([1, 2, 4]))
    phase = np.arange(audio.size) % beat / beat
    shape = np.minimum(phase * 3.0, 1.0) if rng.random() < 0.5 else (phase < rng.uniform(0.3, 0.7)).astype(float)
    depth = rng.uniform(0.5, 1.0)
    return np.asarray(audio * (1.0 - depth * (1.0 - shape)), dtype=np.float32)


def _level(audio: NDArray[np.floating]) -> float:
    return max(float(np.sqrt(np.mean(np.square(audio)))), 1e-9)
