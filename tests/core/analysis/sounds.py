"""Audio made on the spot, as sources."""

import numpy as np

RATE_HZ = 48_000


class Samples:
    """Audio in memory as a source; refuses to hand out more than the promised block at once."""

    def __init__(self, audio, name="Track", rate_hz=RATE_HZ):
        self.audio = np.atleast_2d(np.asarray(audio, np.float32))
        self.name, self.rate_hz = name, rate_hz
        self.channels, self.frames = self.audio.shape

    def read(self, start, frames):
        assert frames <= 10.1 * self.rate_hz
        part = self.audio[:, start : start + frames]
        return np.pad(part, ((0, 0), (0, frames - part.shape[1])))


def seconds(duration_s, rate_hz=RATE_HZ):
    return np.arange(round(duration_s * rate_hz)) / rate_hz


def sine(frequency_hz, duration_s, rate_hz=RATE_HZ, gain_db=0.0):
    return 10 ** (gain_db / 20) * np.sin(2 * np.pi * frequency_hz * seconds(duration_s, rate_hz))


def noise(duration_s, gain_db=-20.0, seed=1):
    return np.random.default_rng(seed).standard_normal(round(duration_s * RATE_HZ)) * 10 ** (gain_db / 20)


def strokes(duration_s=4.0, every_s=0.5, seed=2):
    """Decaying noise bursts."""
    t = seconds(duration_s)
    return np.random.default_rng(seed).standard_normal(t.size) * 0.3 * np.exp(-(t % every_s) / 0.03)
