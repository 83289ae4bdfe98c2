"""The compressor."""

from __future__ import annotations

import numpy as np

from core.dsp.audio import Audio, Floats, Framed, checked, run
from core.dsp.envelope import Ballistics, CrestFactor, GainLine, from_db, hop_samples, peaks, powers, to_db
from core.dsp.filters import Biquads, butterworth_highpass

SIDECHAIN_OFF_HZ = 10.0
USUAL_CREST = 16.0
"""Squared crest factor (12 dB) of music for which an automatic release is as long as its knob says."""
STEADIEST_CREST, SHARPEST_CREST = 2.0, 32.0
"""From a sine, which is released eight times as slowly, to strokes, released twice as fast."""


def gain_reduction_db(level_db: Floats, *, threshold_db: float, ratio: float, knee_db: float) -> Floats:
    """Static curve: how many dB a steady level is lowered (Giannoulis et al. 2012, eq. 4; quadratic soft knee)."""
    over = level_db - threshold_db
    bent = np.maximum(over - knee_db / 2.0, 0.0)
    if knee_db > 0.0:
        bent = bent + np.clip(over + knee_db / 2.0, 0.0, knee_db) ** 2 / (2.0 * knee_db)
    reduction: Floats = (1.0 - 1.0 / ratio) * bent
    return reduction


class Compressor(Framed):
    """Feed-forward, stereo-linked, in the logarithmic domain; streaming form of `compress`."""

    def __init__(
        self,
        rate_hz: int,
        channels: int,
        *,
        threshold_db: float,
        ratio: float,
        attack_ms: float = 10.0,
        release_ms: float = 120.0,
        knee_db: float = 6.0,
        makeup_db: float = 0.0,
        sidechain_hz: float = SIDECHAIN_OFF_HZ,
        mix: float = 1.0,
        auto_release: bool = False,
    ) -> None:
        hop = hop_samples(rate_hz)
        super().__init__(channels, hop)
        self._curve = {"threshold_db": threshold_db, "ratio": ratio, "knee_db": knee_db}
        self._makeup_db = makeup_db
        self._mix = mix
        self._ballistics = Ballistics(attack_ms, release_ms, rate_hz / hop)
        self._release_hops = release_ms * rate_hz / hop / 1000.0
        self._crest = CrestFactor(rate_hz / hop) if auto_release else None
        self._line = GainLine(hop, 1.0 - mix + mix * 10.0 ** (makeup_db / 20.0))
        heard = sidechain_hz > SIDECHAIN_OFF_HZ
        self._sidechain = Biquads(butterworth_highpass(rate_hz, freq_hz=sidechain_hz), channels) if heard else None

    def _process_frames(self, x: Audio) -> Audio:
        listened = x if self._sidechain is None else self._sidechain.process(x)
        level = peaks(listened, self._frame)
        feedback = None if self._crest is None else self._auto_release(self._crest, listened, level)
        reduction_db = self._ballistics.process(gain_reduction_db(to_db(level), **self._curve), feedback)
        wet = from_db(self._makeup_db - reduction_db)
        return x * self._line.curve(1.0 - self._mix + self._mix * wet)

    def _auto_release(self, crest: CrestFactor, listened: Audio, level: Floats) -> Floats:
        """Feedback of each hop's release: the sharper the programme, the sooner it lets go."""
        crests = np.clip(crest.process(level, powers(listened, self._frame)), STEADIEST_CREST, SHARPEST_CREST)
        feedback: Floats = np.exp(crests / (-USUAL_CREST * self._release_hops))
        return feedback


def compress(
    x: Audio,
    rate_hz: int,
    *,
    threshold_db: float,
    ratio: float,
    attack_ms: float = 10.0,
    release_ms: float = 120.0,
    knee_db: float = 6.0,
    makeup_db: float = 0.0,
    sidechain_hz: float = SIDECHAIN_OFF_HZ,
    mix: float = 1.0,
    auto_release: bool = False,
) -> Audio:
    """Lower what is louder than a threshold in (channels, frames) audio.

    Levels are peaks of a third of a millisecond. Attack and release are time constants (63 % of the way, in dB); with a
    release much longer than the attack the whole release takes their sum. `mix` blends with the untouched signal, in
    phase, as parallel compression; `sidechain_hz` keeps the bass from pumping the rest. With `auto_release` the release
    moves with the programme, in inverse proportion to its squared crest factor: `release_ms` after music of 12 dB
    crest, half of it after lone strokes, up to eight times as long under a held note (D. Giannoulis, M. Massberg,
    J. Reiss, "Parameter Automation in a Dynamic Range Compressor", JAES 61(10), 2013; their longest release of 1 s is
    had with the knob at 125 ms). A ratio of 1 with no make-up, or a mix of 0, returns the same samples. Raises
    OtoError("bad_input") for NaN.
    """
    audio = checked(x)
    if (ratio == 1.0 and makeup_db == 0.0) or mix == 0.0:
        return audio
    processor = Compressor(
        rate_hz,
        len(audio),
        threshold_db=threshold_db,
        ratio=ratio,
        attack_ms=attack_ms,
        release_ms=release_ms,
        knee_db=knee_db,
        makeup_db=makeup_db,
        sidechain_hz=sidechain_hz,
        mix=mix,
        auto_release=auto_release,
    )
    return run(processor, audio)
