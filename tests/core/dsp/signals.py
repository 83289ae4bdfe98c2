"""Signals and readings that the tests of the desk's processors share."""

import numpy as np

RATE_HZ = 48_000


def noise(seconds=1.0, channels=1, amplitude=0.2, seed=0, rate_hz=RATE_HZ):
    random = np.random.default_rng(seed)
    return (amplitude * random.standard_normal((channels, round(seconds * rate_hz)))).astype(np.float32)


def sine(freq_hz, seconds=1.0, amplitude=1.0, rate_hz=RATE_HZ):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * freq_hz * time_s)).astype(np.float32)[None]


def impulse(frames=RATE_HZ, channels=1, at=0, amplitude=1.0):
    x = np.zeros((channels, frames), np.float32)
    x[:, at] = amplitude
    return x


def db(ratio):
    return 20.0 * np.log10(np.maximum(np.abs(ratio), 1e-15))


def rms(x):
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def response_db(response, frequencies_hz, rate_hz=RATE_HZ):
    """Magnitude of an impulse response (frames,) at given frequencies."""
    phase = np.exp(-2j * np.pi * np.outer(frequencies_hz, np.arange(len(response))) / rate_hz)
    return db(phase @ response.astype(np.float64))


def in_blocks(processor, x, cuts):
    """Send x through a processor cut at `cuts`, latency taken out."""
    late = processor.latency_samples
    flushed = np.concatenate([x, np.zeros((len(x), late), np.float32)], axis=1)
    pieces = np.split(flushed, sorted({cut for cut in cuts if cut <= flushed.shape[1]}), axis=1)
    return np.concatenate([processor.process(piece) for piece in pieces], axis=1)[:, late:]
