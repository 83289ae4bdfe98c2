"""Microphones in front of sources: sounds moved by any part of a sample, by the shift theorem."""

import numpy as np

from tests.core.analysis.sounds import RATE_HZ


def later(x, samples, gain=1.0):
    """Moved later; circular, so the ends must be silent or not matter."""
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(x.size) * samples)
    return gain * np.fft.irfft(np.fft.rfft(x) * turns, x.size)


def strokes_at(times_s, duration_s, decay_s=0.04, seed=0, low_hz=0.0):
    """A different burst of decaying noise at every time, with a drum's tone when `low_hz` is given."""
    random = np.random.default_rng(seed)
    x = np.zeros(round(duration_s * RATE_HZ))
    t = np.arange(round(0.5 * RATE_HZ)) / RATE_HZ
    for at_s in times_s:
        start = round(at_s * RATE_HZ)
        burst = random.uniform(0.6, 1.0) * random.standard_normal(t.size) * np.exp(-t / decay_s)
        if low_hz:
            burst += 2.0 * np.sin(2 * np.pi * low_hz * t) * np.exp(-t / (3 * decay_s))
        x[start : start + t.size] += burst[: x.size - start]
    return 0.2 * x
