"""What happens to a track before OTO hears it: rooms, microphones, tone, noise, hum, clipping and the others' bleed."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

Audio = NDArray[np.float32]
RATE_HZ: Final = 48_000


def rehearse(audio: Audio, rng: Generator, *, harm: float = 1.0) -> Audio:
    """A track as a rehearsal might deliver it; mono float32 at 48 kHz. `harm` 0..1 scales how often things go wrong."""
    heard = audio / max(float(np.sqrt(np.mean(np.square(audio)))), 1e-9)
    if rng.random() < 0.25 * harm:
        drive = rng.uniform(0.3, 1.5)
        heard = np.tanh(heard * drive) / drive
    heard = coloured(heard, rng, harm=harm)
    if rng.random() < 0.5 * harm:
        heard = heard + noise(heard.size, rng) * 10.0 ** (rng.uniform(-60.0, -24.0) / 20.0)
    if rng.random() < 0.25 * harm:
        heard = heard + hum(heard.size, rng) * 10.0 ** (rng.uniform(-50.0, -20.0) / 20.0)
    if rng.random() < 0.25 * harm:
        ceiling = float(np.abs(heard).max()) * 10.0 ** (-rng.uniform(2.0, 12.0) / 20.0)
        heard = np.clip(heard, -ceiling, ceiling)
    peak = 10.0 ** (rng.uniform(-18.0, -3.0) / 20.0)
    return np.asarray(heard * peak / max(float(np.abs(heard).max()), 1e-9), dtype=np.float32)


def coloured(audio: Audio, rng: Generator, *, harm: float = 1.0) -> Audio:
    """A room, a microphone's band and tone, as one linear filter."""
    room = room_response(rng) if rng.random() < 0.6 * harm else np.ones(1, np.float32)
    size = scipy.fft.next_fast_len(audio.size + room.size, real=True)
    hz = np.fft.rfftfreq(size, 1.0 / RATE_HZ).astype(np.float32)
    gain_db = np.zeros(hz.size, np.float32)
    octaves = np.log2(np.maximum(hz, 20.0) / 1_000.0).astype(np.float32)
    if rng.random() < 0.7 * harm:
        gain_db += rng.uniform(-2.5, 2.5) * octaves
        for _ in range(2):
            centre, width = rng.uniform(-4.0, 3.5), rng.uniform(0.3, 1.5)
            gain_db += rng.uniform(-8.0, 8.0) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
    if rng.random() < 0.3 * harm:
        low_hz, high_hz = (
            np.exp(rng.uniform(np.log(40.0), np.log(300.0))),
            np.exp(rng.uniform(np.log(3_500.0), np.log(14_000.0))),
        )
        gain_db -= 10.0 * np.log10(1.0 + (low_hz / np.maximum(hz, 1.0)) ** 4) + 10.0 * np.log10(
            1.0 + (hz / high_hz) ** 8
        )
    spectrum = scipy.fft.rfft(audio, size) * np.float32(10.0) ** (gain_db / 20.0)
    if room.size > 1:
        spectrum *= scipy.fft.rfft(room, size)
    return np.asarray(scipy.fft.irfft(spectrum, size)[: audio.size], dtype=np.float32)


def room_response(rng: Generator) -> Audio:
    """A direct sound, six early taps and a tail of noise that dies away faster at high frequencies."""
    decay_s = rng.uniform(0.12, 0.9)
    time_s = np.arange(round(decay_s * RATE_HZ)) / RATE_HZ
    dull = rng.normal(size=time_s.size)
    kernel = np.exp(-np.arange(64) / rng.uniform(2.0, 12.0))
    dull = np.convolve(dull, kernel / np.sqrt(np.square(kernel).sum()), mode="same")
    bright = rng.normal(size=time_s.size)
    tail = dull * 10.0 ** (-3.0 * time_s / decay_s) + 0.5 * bright * 10.0 ** (-3.0 * time_s / (0.4 * decay_s))
    tail[: round(rng.uniform(0.005, 0.03) * RATE_HZ)] = 0.0
    response = tail / max(float(np.sqrt(np.square(tail).sum())), 1e-9) * 10.0 ** (rng.uniform(-22.0, 0.0) / 20.0)
    response[0] = 1.0
    for _ in range(6):
        response[rng.integers(48, 1_500)] += rng.uniform(-0.35, 0.35)
    return np.asarray(response, dtype=np.float32)


def noise(samples: int, rng: Generator) -> Audio:
    """Hiss between white and brown, at unit power."""
    spectrum = scipy.fft.rfft(rng.standard_normal(samples, dtype=np.float32))
    shape = np.maximum(np.arange(spectrum.size), samples / 1_000) ** -rng.uniform(0.0, 1.0)
    sound = scipy.fft.irfft(spectrum * shape.astype(np.float32), samples)
    return np.asarray(sound / np.sqrt(np.mean(np.square(sound))), dtype=np.float32)


def hum(samples: int, rng: Generator) -> Audio:
    """Mains hum of 50 or 60 Hz with its harmonics, at unit power."""
    mains_hz = float(rng.choice([50.0, 60.0]))
    time_s = np.arange(samples) / RATE_HZ
    steepness = rng.uniform(0.3, 1.5)
    sound = sum(
        np.sin(2 * np.pi * (mains_hz * k * time_s + rng.random())) * k**-steepness * rng.uniform(0.2, 1.0)
        for k in range(1, 11)
    )
    return np.asarray(sound / np.sqrt(np.mean(np.square(sound))), dtype=np.float32)


def with_bleed(
    audio: Audio, others: list[Audio], rng: Generator, *, loudest_db: float = -10.0, softest_db: float = -30.0
) -> Audio:
    """A track with other players in it, each through the room and at a random level below it."""
    level = float(np.sqrt(np.mean(np.square(audio))))
    total = audio.copy()
    for other in others:
        heard = coloured(np.resize(other, audio.size).astype(np.float32), rng)
        own = max(float(np.sqrt(np.mean(np.square(heard)))), 1e-9)
        total += np.float32(level / own * 10.0 ** (rng.uniform(softest_db, loudest_db) / 20.0)) * heard
    return total


def amplified(audio: Audio, rng: Generator) -> Audio:
    """A clean guitar through a distorting amplifier: a tight low end, two stages of clipping, a loudspeaker's band."""
    size = scipy.fft.next_fast_len(audio.size, real=True)
    hz = np.maximum(np.fft.rfftfreq(size, 1.0 / RATE_HZ), 1.0)
    tight = 1.0 / np.sqrt(1.0 + (rng.uniform(80.0, 250.0) / hz) ** 4)
    driven = scipy.fft.irfft(scipy.fft.rfft(audio, size) * tight, size)
    driven /= max(float(np.sqrt(np.mean(np.square(driven)))), 1e-9)
    driven = np.tanh(driven * 10.0 ** (rng.uniform(8.0, 38.0) / 20.0))
    driven = np.tanh((driven + rng.uniform(0.0, 0.3)) * rng.uniform(1.0, 4.0))
    cabinet = 1.0 / np.sqrt(
        (1.0 + (rng.uniform(70.0, 110.0) / hz) ** 4) * (1.0 + (hz / rng.uniform(3_500.0, 6_500.0)) ** 10)
    )
    cabinet *= 10.0 ** (rng.uniform(0.0, 6.0) / 20.0 * np.exp(-0.5 * ((np.log2(hz / 2_500.0)) / 0.5) ** 2))
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(driven, size) * cabinet, size)[: audio.size], dtype=np.float32)
