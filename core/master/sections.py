"""A song's spectrum piece by piece, so that what is matched is how it sounds where it is loud."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from core.analysis.features import BAND_HZ
from core.analysis.loudness import k_weighting
from core.analysis.spectrum import Spectrum, SpectrumMeter
from core.dsp.audio import Audio, Floats
from core.dsp.filters import frequency_response

SECTION_S: Final = 3.0
"""About as long as the short-term window of EBU Tech 3341: a bar or two."""
_WINDOWS: Final = 1 << 15
"""Samples that whole windows of the spectrum fill at any rate."""


class SectionMeter:
    """Gathers the spectrum of every section: sixty numbers each, never the audio."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._length = max(round(SECTION_S * rate_hz / _WINDOWS), 1) * _WINDOWS
        self._meter = SpectrumMeter(rate_hz, channels)
        self._filled = 0
        self._sections: list[Spectrum] = []

    def add(self, block: Audio) -> None:
        """Take (channels, n) of one or two channels."""
        start = 0
        while start < block.shape[1]:
            taken = min(block.shape[1] - start, self._length - self._filled)
            self._meter.add(block[:, start : start + taken])
            self._filled += taken
            start += taken
            if self._filled == self._length:
                self._close()

    def _close(self) -> None:
        self._sections.append(self._meter.result())
        self._meter = SpectrumMeter(self._rate_hz, self._channels)
        self._filled = 0

    def powers(self) -> Floats:
        """Power of middle and side together in every section, shape (sections, bands)."""
        if self._filled:
            self._close()
        both = [np.add(section.middle, section.side) for section in self._sections]
        return np.array(both, np.float64).reshape(-1, len(BAND_HZ))

    def spectra(self) -> tuple[Spectrum, Spectrum]:
        """Spectrum of the whole song, and of its loudest sections: those at least as loud as the mean energy."""
        if self._filled:
            self._close()
        middle = np.array([section.middle for section in self._sections]).reshape(-1, len(BAND_HZ))
        side = np.array([section.side for section in self._sections]).reshape(-1, len(BAND_HZ))
        loudness = (middle + side) @ loudness_weights(self._rate_hz)
        loud = loudness >= loudness.sum() / max(len(loudness), 1)
        whole = _spectrum(middle.sum(axis=0), side.sum(axis=0))
        return whole, _spectrum(middle[loud].sum(axis=0), side[loud].sum(axis=0))


def _spectrum(middle: Floats, side: Floats) -> Spectrum:
    """Powers as a spectrum; the correlation is that of channels of equal power, and has its sign for any."""
    whole = float(middle.sum() + side.sum())
    return Spectrum(
        middle=tuple(map(float, middle)),
        side=tuple(map(float, side)),
        correlation=float(middle.sum() - side.sum()) / whole if whole > 0.0 and side.any() else None,
    )


@lru_cache
def loudness_weights(rate_hz: int) -> Floats:
    """What the K-weighting of BS.1770 makes of each band's power."""
    response = frequency_response(k_weighting(rate_hz), np.minimum(BAND_HZ, 0.49 * rate_hz), rate_hz)
    weights: Floats = np.square(np.abs(response))
    return weights
