"""The ride: a fader that moves while the song plays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.dsp.audio import Audio, checked
from core.dsp.gain import OFF_DB, db_to_gain

Points = Sequence[tuple[float, float]]
"""Seconds and gain in dB, forward in time."""


class Ride:
    """Streaming form of `ride`; it counts the samples that passed, so blocks don't matter."""

    latency_samples = 0

    def __init__(self, rate_hz: int, points: Points, *, start_samples: int = 0) -> None:
        """`start_samples` is where the first sample of the stream lies on the time of the points."""
        self._at = np.array([at_s * rate_hz for at_s, _ in points])
        self._gains_db = np.array([gain_db for _, gain_db in points])
        self._next = start_samples

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        first, last = self._next, self._next + block.shape[1]
        self._next = last
        # A fader rests most of the time.
        before, behind = np.searchsorted(self._at, (first, last))
        resting = self._gains_db[max(before - 1, 0) : behind + 1]
        if (resting == resting[:1]).all():
            gain = db_to_gain(float(resting[0])) if resting.size else 1.0
            return block if gain == 1.0 else block * np.float32(gain)
        gains_db = np.interp(np.arange(first, last), self._at, self._gains_db)
        gains = np.where(gains_db > OFF_DB, 10.0 ** (gains_db / 20.0), 0.0)
        return block * gains.astype(np.float32)


def ride(x: Audio, rate_hz: int, *, points: Points) -> Audio:
    """Move the gain of (channels, frames) audio in straight lines in dB from point to point, held before and behind.

    -90 dB is silence. No points, or all of 0 dB, return the same samples. Raises OtoError("bad_input") for NaN.
    """
    return Ride(rate_hz, points).process(checked(x))
