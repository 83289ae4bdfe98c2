"""The gate: shuts when nothing but spill and noise is left."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.dsp.audio import Audio, DelayLine, Floats, Framed, checked, run
from core.dsp.envelope import GainLine, from_db, hop_samples, peaks, to_db

HYSTERESIS_DB = 4.0
"""An open gate shuts this far below its threshold, so that a level near it doesn't chatter."""
LOOKAHEAD_MS = 5.0
"""The most that a gate hears ahead; attacks up to this long are over when the note begins."""
OFF_DB = -100.0


class _Door:
    """Which hops are open: hysteresis, then hold."""

    def __init__(self, threshold_db: float, hold_hops: int) -> None:
        self._threshold_db = threshold_db
        self._hold_hops = hold_hops
        self._loud = False
        self._since_loud = hold_hops + 1

    def process(self, level_db: Floats) -> NDArray[np.bool_]:
        """From levels (k,) to open or not (k,)."""
        index = np.arange(len(level_db))
        above = level_db > self._threshold_db
        decided = above | (level_db < self._threshold_db - HYSTERESIS_DB)
        latest = np.maximum.accumulate(np.where(decided, index, -1))
        loud = np.where(latest >= 0, above[np.maximum(latest, 0)], self._loud)
        last_loud = np.maximum.accumulate(np.where(loud, index, -1 - self._since_loud))
        since = index - last_loud
        self._loud, self._since_loud = bool(loud[-1]), min(int(since[-1]), self._hold_hops + 1)
        is_open: NDArray[np.bool_] = since <= self._hold_hops
        return is_open


class Gate(Framed):
    """Streaming form of `gate`."""

    def __init__(
        self,
        rate_hz: int,
        channels: int,
        *,
        threshold_db: float,
        range_db: float = -20.0,
        attack_ms: float = 1.0,
        hold_ms: float = 60.0,
        release_ms: float = 150.0,
    ) -> None:
        hop = hop_samples(rate_hz)
        hops_per_ms = rate_hz / hop / 1000.0
        ahead = math.ceil(min(attack_ms, LOOKAHEAD_MS) * hops_per_ms) * hop
        super().__init__(channels, hop, ahead)
        self._ahead = DelayLine(channels, ahead)
        # A gate that is heard ahead must also stay open that much longer.
        self._door = _Door(threshold_db, math.ceil(hold_ms * hops_per_ms) + ahead // hop)
        self._range_db = range_db
        self._opening_db = -range_db / max(attack_ms * hops_per_ms, 1.0)
        self._closing_db = range_db / max(release_ms * hops_per_ms, 1.0)
        self._gain_db = range_db
        self._line = GainLine(hop, 10.0 ** (range_db / 20.0))

    def _process_frames(self, x: Audio) -> Audio:
        is_open = self._door.process(to_db(peaks(x, self._frame)))
        gains_db = np.empty(len(is_open))
        turns = [0, *(np.flatnonzero(np.diff(is_open)) + 1), len(is_open)]
        for first, last in pairwise(turns):
            step = self._opening_db if is_open[first] else self._closing_db
            ramp = self._gain_db + step * np.arange(1, last - first + 1)
            gains_db[first:last] = np.clip(ramp, self._range_db, 0.0)
            self._gain_db = float(gains_db[last - 1])
        return self._ahead.process(x) * self._line.curve(from_db(gains_db))


def gate(
    x: Audio,
    rate_hz: int,
    *,
    threshold_db: float,
    range_db: float = -20.0,
    attack_ms: float = 1.0,
    hold_ms: float = 60.0,
    release_ms: float = 150.0,
) -> Audio:
    """Lower (channels, frames) audio by `range_db` while its peaks stay under a threshold.

    It opens above the threshold, holds, and shuts once the level was 4 dB below it for `hold_ms`. The gain moves in
    straight lines in dB: `attack_ms` from shut to open, heard up to 5 ms ahead so that the note's start is whole,
    `release_ms` from open to shut. Channels open together. A threshold of -100 dB or a range of 0 dB returns the same
    samples. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    if threshold_db <= OFF_DB or range_db == 0.0:
        return audio
    processor = Gate(
        rate_hz,
        len(audio),
        threshold_db=threshold_db,
        range_db=range_db,
        attack_ms=attack_ms,
        hold_ms=hold_ms,
        release_ms=release_ms,
    )
    return run(processor, audio)
