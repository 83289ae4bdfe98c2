"""The transient shaper: more or less stick, more or less ring, whatever the level."""

from __future__ import annotations

import numpy as np

from core.dsp.audio import Audio, Floats, Framed, checked, run
from core.dsp.envelope import DecayingMaximum, GainLine, Smoother, coefficient, from_db, hop_samples, peaks, to_db

_FLOOR = 10.0 ** (-70.0 / 20.0)
"""Amplitude under which nothing is a transient."""
_ONSET_MS = 25.0
_SHORT_MS = 25.0
_LONG_MS = 400.0
_FULL_DB = 8.0
"""Difference of the envelopes at which 63 % of the wanted gain is reached."""
_GLIDE_MS = 1.0


class TransientShaper(Framed):
    """Streaming form of `shape_transients`."""

    def __init__(self, rate_hz: int, channels: int, *, attack_db: float = 0.0, sustain_db: float = 0.0) -> None:
        hop = hop_samples(rate_hz)
        super().__init__(channels, hop)
        per_second = rate_hz / hop
        floor_db = 20.0 * np.log10(_FLOOR)
        self._attack_db = attack_db
        self._sustain_db = sustain_db
        self._short = DecayingMaximum(coefficient(_SHORT_MS, per_second))
        self._long = DecayingMaximum(coefficient(_LONG_MS, per_second))
        self._late = Smoother(coefficient(_ONSET_MS, per_second), float(floor_db))
        self._glide = Smoother(coefficient(_GLIDE_MS, per_second))
        self._line = GainLine(hop)

    def _process_frames(self, x: Audio) -> Audio:
        level = peaks(x, self._frame)
        short_db = to_db(np.maximum(self._short.process(level), _FLOOR))
        long_db = to_db(np.maximum(self._long.process(level), _FLOOR))
        onset = _share(short_db - self._late.process(short_db))
        ringing = _share(long_db - short_db)
        gain_db = self._glide.process(self._attack_db * onset + self._sustain_db * ringing)
        return x * self._line.curve(from_db(gain_db))


def _share(difference_db: Floats) -> Floats:
    """How much of a gain is applied, 0..1."""
    share: Floats = -np.expm1(-np.maximum(difference_db, 0.0) / _FULL_DB)
    return share


def shape_transients(x: Audio, rate_hz: int, *, attack_db: float = 0.0, sustain_db: float = 0.0) -> Audio:
    """Raise or lower the onsets and the decays of (channels, frames) audio.

    An onset is where the envelope runs ahead of its own 25 ms average, a decay where it falls under its own slow
    (400 ms) fall; both are differences in dB, so a quiet stroke is treated as a loud one. The gains given are the most
    that is applied. Channels move together. Both 0 dB returns the same samples. Raises OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    if attack_db == 0.0 and sustain_db == 0.0:
        return audio
    return run(TransientShaper(rate_hz, len(audio), attack_db=attack_db, sustain_db=sustain_db), audio)
