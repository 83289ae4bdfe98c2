"""A small band made on the spot: eight seconds of dry tracks at the levels of a careless recording."""

import numpy as np

from tests.core.analysis.sounds import RATE_HZ, Samples, seconds

SECONDS = 8.0


def _strokes(every_s, decay_s, seed, offset_s=0.0):
    t = (seconds(SECONDS) - offset_s) % every_s
    return np.random.default_rng(seed).standard_normal(t.size) * np.exp(-t / decay_s)


def _at_peak(x, peak_dbfs):
    return x / np.abs(x).max() * 10 ** (peak_dbfs / 20)


def kick(peak_dbfs=-6.0):
    t = seconds(SECONDS) % 0.5
    return _at_peak(np.sin(2 * np.pi * (50 * t + 2 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.07), peak_dbfs)


def snare(peak_dbfs=-9.0):
    tone = np.sin(2 * np.pi * 190 * seconds(SECONDS))
    return _at_peak(_strokes(1.0, 0.06, 1, 0.5) + tone * np.exp(-((seconds(SECONDS) - 0.5) % 1.0) / 0.05), peak_dbfs)


def hihat(peak_dbfs=-20.0, seed=2):
    return _at_peak(np.diff(np.diff(_strokes(0.25, 0.02, seed), prepend=0), prepend=0), peak_dbfs)


def tonal(pitch_hz, harmonics, peak_dbfs, tilt=1.0, wobble_hz=0.4, seed=3):
    """A tone with harmonics whose level moves, as a player's does."""
    t = seconds(SECONDS)
    phase = np.random.default_rng(seed).uniform(0, 6, harmonics)
    x = sum(np.sin(2 * np.pi * pitch_hz * n * t + phase[n - 1]) / n**tilt for n in range(1, harmonics + 1))
    return _at_peak(x * (1.2 + np.sin(2 * np.pi * wobble_hz * t)), peak_dbfs)


def bass(peak_dbfs=-12.0):
    return tonal(55.0, 6, peak_dbfs, tilt=1.5)


def guitar(peak_dbfs=-15.0, seed=4):
    return tonal(196.0, 20, peak_dbfs, tilt=0.8, wobble_hz=0.7 + 0.1 * seed, seed=seed)


def singer(peak_dbfs=-10.0):
    """Phrases of two seconds with a breath between."""
    x = tonal(330.0, 12, 0.0, tilt=0.9, wobble_hz=1.1, seed=7)
    return _at_peak(x * (seconds(SECONDS) % 2.5 < 2.0), peak_dbfs)


def track(name, audio):
    return Samples(audio, name=name, rate_hz=RATE_HZ)


def band(singer_peak_dbfs=-10.0):
    """Kick, snare, hi-hat, bass, two guitars, keys as a pair, a singer."""
    return [
        track("Kick", kick()),
        track("Snare", snare()),
        track("Hat", hihat()),
        track("Bass", bass()),
        track("Gtr 1", guitar(seed=4)),
        track("Gtr 2", guitar(-22.0, seed=5)),
        track("Keys L", tonal(262.0, 8, -18.0, seed=8)),
        track("Keys R", tonal(262.0, 8, -18.0, seed=9)),
        track("Lead Vox", singer(singer_peak_dbfs)),
    ]
