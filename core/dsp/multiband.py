"""The multiband compressor: three bands that sum flat, each with its own gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.dsp.audio import Audio, Floats, checked, run
from core.dsp.dynamics import Compressor
from core.dsp.filters import Biquads, butterworth_highpass, butterworth_lowpass

_KNEE_DB = 6.0


@dataclass(frozen=True)
class BandDynamics:
    """What happens to one band."""

    threshold_db: float = 0.0
    ratio: float = 1.0
    gain_db: float = 0.0


def linkwitz_riley(rate_hz: int, *, freq_hz: float) -> tuple[Floats, Floats, Floats]:
    """Sections (n, 6) of a fourth-order low-pass and high-pass, 6 dB down at `freq_hz`, and of the all-pass they make.

    (S. Linkwitz, "Active Crossover Networks for Noncoincident Drivers", JAES 24(1), 1976: each is a second-order
    Butterworth filter twice; their sum has that filter's poles, and its mirrored poles as zeros.)
    """
    low, high = butterworth_lowpass(rate_hz, freq_hz=freq_hz), butterworth_highpass(rate_hz, freq_hz=freq_hz)
    poles = low[0, 3:]
    return np.repeat(low, 2, axis=0), np.repeat(high, 2, axis=0), np.concatenate([poles[::-1], poles])[None]


class Multiband:
    """Streaming form of `compress_bands`."""

    def __init__(
        self,
        rate_hz: int,
        channels: int,
        *,
        bands: Sequence[BandDynamics],
        low_hz: float = 150.0,
        high_hz: float = 4_000.0,
        attack_ms: float = 20.0,
        release_ms: float = 150.0,
    ) -> None:
        low, above, _ = linkwitz_riley(rate_hz, freq_hz=low_hz)
        middle, high, turned = linkwitz_riley(rate_hz, freq_hz=high_hz)
        # The low band passes the upper crossover's all-pass, so that all three are in phase where they meet.
        self._low = Biquads(np.concatenate([low, turned]), channels)
        self._above = Biquads(above, channels)
        self._middle = Biquads(middle, channels)
        self._high = Biquads(high, channels)
        self._dynamics = [
            Compressor(
                rate_hz,
                channels,
                threshold_db=band.threshold_db,
                ratio=band.ratio,
                attack_ms=attack_ms,
                release_ms=release_ms,
                knee_db=_KNEE_DB,
                makeup_db=band.gain_db,
            )
            for band in bands
        ]
        self.latency_samples = self._dynamics[0].latency_samples

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        above = self._above.process(block)
        bands = (self._low.process(block), self._middle.process(above), self._high.process(above))
        low, middle, high = (dynamics.process(band) for dynamics, band in zip(self._dynamics, bands, strict=True))
        return low + middle + high


def compress_bands(
    x: Audio,
    rate_hz: int,
    *,
    bands: Sequence[BandDynamics],
    low_hz: float = 150.0,
    high_hz: float = 4_000.0,
    attack_ms: float = 20.0,
    release_ms: float = 150.0,
) -> Audio:
    """Compress the low, middle and high band of (channels, frames) audio each by itself, as `core.dsp.dynamics` does.

    `bands` are three, from low to high. With nothing to do the three sum to the signal with its phase turned around the
    crossovers, flat to rounding; three bands at ratio 1 and 0 dB return the same samples. Raises OtoError("bad_input")
    for NaN.
    """
    audio = checked(x)
    if all(band.ratio == 1.0 and band.gain_db == 0.0 for band in bands):
        return audio
    processor = Multiband(
        rate_hz,
        len(audio),
        bands=bands,
        low_hz=low_hz,
        high_hz=high_hz,
        attack_ms=attack_ms,
        release_ms=release_ms,
    )
    return run(processor, audio)
