"""The de-esser: a high shelf that ducks on sibilants."""

from __future__ import annotations

import numpy as np

from core.dsp.audio import Audio, Framed, checked, run
from core.dsp.dynamics import gain_reduction_db
from core.dsp.envelope import Ballistics, GainLine, from_db, hop_samples, peaks, to_db
from core.dsp.filters import Biquads, butterworth_highpass

RATIO = 4.0
KNEE_DB = 6.0
MOST_DB = 12.0
"""An s may become dull, but not a lisp."""
_ATTACK_MS = 1.0
_RELEASE_MS = 60.0


class Deesser(Framed):
    """Streaming form of `deess`."""

    def __init__(self, rate_hz: int, channels: int, *, threshold_db: float, freq_hz: float = 6_500.0) -> None:
        hop = hop_samples(rate_hz)
        super().__init__(channels, hop)
        self._threshold_db = threshold_db
        self._ear = Biquads(butterworth_highpass(rate_hz, freq_hz=freq_hz, order=4), channels)
        # First order: the signal minus a part of its highs is a shelf without a bump.
        self._highs = Biquads(butterworth_highpass(rate_hz, freq_hz=freq_hz, order=1), channels)
        self._ballistics = Ballistics(_ATTACK_MS, _RELEASE_MS, rate_hz / hop)
        self._line = GainLine(hop)

    def _process_frames(self, x: Audio) -> Audio:
        level_db = to_db(peaks(self._ear.process(x), self._frame))
        wanted_db = gain_reduction_db(level_db, threshold_db=self._threshold_db, ratio=RATIO, knee_db=KNEE_DB)
        reduction_db = self._ballistics.process(np.minimum(wanted_db, MOST_DB))
        return x + (self._line.curve(from_db(-reduction_db)) - np.float32(1.0)) * self._highs.process(x)


def deess(x: Audio, rate_hz: int, *, threshold_db: float, freq_hz: float = 6_500.0) -> Audio:
    """Lower what lies above `freq_hz` while it is louder than a threshold, by 4:1 and 12 dB at most.

    Levels are peaks behind a 24 dB per octave high-pass; 1 ms attack, 60 ms release. (channels, frames) audio, channels
    linked. A threshold of 0 dB returns the same samples. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    if threshold_db >= 0.0:
        return audio
    return run(Deesser(rate_hz, len(audio), threshold_db=threshold_db, freq_hz=freq_hz), audio)
