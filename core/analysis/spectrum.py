"""How a whole song is spread over the spectrum and between the loudspeakers, gathered block by block."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from core.analysis.features import BAND_HZ, band_powers
from core.dsp.audio import Audio, Floats
from core.dsp.windows import hann, spectra

_WINDOW_S: Final = 0.17
_SILENT_DB: Final = -120.0
"""Of a band, against the whole."""


class Spectrum(msgspec.Struct, frozen=True, kw_only=True):
    """The long-term spectrum in third octaves (`BAND_HZ`), middle and side apart, and what follows from them."""

    middle: tuple[float, ...]
    """Power per band of (left + right) / 2; for mono, of the channel."""
    side: tuple[float, ...]
    """Power per band of (left - right) / 2; zeros for mono."""
    correlation: float | None
    """Of left and right, -1..1. None for mono and silence."""

    def levels_db(self) -> Floats:
        """Level of each band against the whole, middle and side together. Silence is flat."""
        power = np.array(self.middle) + np.array(self.side)
        total = power.sum()
        if total <= 0.0:
            return np.zeros(len(power))
        levels: Floats = 10 * np.log10(np.maximum(power / total, 10 ** (_SILENT_DB / 10)))
        return levels

    def side_db(self, low_hz: float, high_hz: float) -> float | None:
        """Side against middle between two frequencies; None where either is silent."""
        bands = np.array(BAND_HZ)
        chosen = (bands >= low_hz) & (bands <= high_hz)
        middle, side = (float(np.array(power)[chosen].sum()) for power in (self.middle, self.side))
        return 10 * float(np.log10(side / middle)) if middle > 0.0 and side > 0.0 else None


class SpectrumMeter:
    """Mean power spectrum from Hann windows side by side; what it reads does not depend on block sizes."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._size = 2 ** round(np.log2(rate_hz * _WINDOW_S))
        self._window = hann(self._size).astype(np.float32)
        self._frequencies_hz = np.asarray(np.fft.rfftfreq(self._size, 1.0 / rate_hz), np.float64)
        self._power = np.zeros((channels, self._size // 2 + 1))
        self._rest = np.zeros((channels, 0), np.float32)
        self._products = np.zeros(3)

    def add(self, block: Audio) -> None:
        """Take (channels, frames) audio of one or two channels."""
        turned: Audio = block
        if len(block) == 2:
            left, right = block
            self._products += (np.dot(left, left), np.dot(right, right), np.dot(left, right))
            turned = np.stack((left + right, left - right))
        self._gather(np.concatenate((self._rest, turned), axis=1))

    def _gather(self, audio: Audio) -> None:
        windows = audio.shape[1] // self._size
        used = windows * self._size
        if windows:
            framed = audio[:, :used].reshape(len(audio), windows, self._size)
            parts = spectra(framed * self._window).view(np.float32)
            squares = np.einsum("cwk,cwk->ck", parts, parts)
            self._power += squares[:, ::2] + squares[:, 1::2]
        self._rest = audio[:, used:].copy()

    def result(self) -> Spectrum:
        """What has been gathered so far, as if silence followed."""
        power = self._power
        if self._rest.shape[1]:
            tail = np.pad(self._rest, ((0, 0), (0, self._size - self._rest.shape[1])))
            power = power + np.square(np.abs(spectra(tail * self._window)))
        # `spectra` divides by the size, and middle and side are half of a sum and of a difference.
        power = power * (self._size / len(power)) ** 2
        bands = [
            tuple(map(float, band_powers(channel, self._frequencies_hz))) if channel.any() else (0.0,) * len(BAND_HZ)
            for channel in power
        ]
        left, right, product = self._products
        return Spectrum(
            middle=bands[0],
            side=bands[1] if len(bands) == 2 else (0.0,) * len(BAND_HZ),
            correlation=float(np.clip(product / np.sqrt(left * right), -1, 1)) if left * right > 0 else None,
        )
