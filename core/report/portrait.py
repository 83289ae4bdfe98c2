"""What a piece of audio looks like and measures: everything a report draws of it, from one pass in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from core.analysis.loudness import (
    HOP_S,
    MOMENTARY_HOPS,
    SHORT_TERM_HOPS,
    Loudness,
    LoudnessMeter,
    sliding_lufs,
)
from core.analysis.spectrum import SpectrumMeter
from core.desk.sources import Source, at_rate
from core.dsp.audio import Audio, Floats
from core.errors import Exit, OtoError
from core.progress import Progress, report
from core.report.columns import Fold, even_edges, fold, levels, rounded, step_edges

COLUMNS: Final = 800
"""Most points of a curve over time: a pixel each on a desktop, and as many for an hour as for a minute."""

SPECTRUM_S: Final = 60.0
"""Of a longer song every other block, or fewer, evenly spread, go into its spectrum: a minute shows all of it."""

BLOCK_FRAMES: Final = 65_536
_FAINTEST: Final = 1e-10
"""Part of the energy below which middle or sides are rounding errors."""
_CENTRE: Final = np.float32(math.sqrt(0.5))
"""What a mono track puts into each side when it stands in the middle at constant power."""


class Waveform(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of the audio in equal stretches of its length, the channels taken together; full scale is ±1."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    rms: tuple[float, ...]


class LoudnessCurve(msgspec.Struct, frozen=True, kw_only=True):
    """The loudest of each stretch of time; None where there is silence. Readings count where their window ends."""

    step_s: float
    momentary_lufs: tuple[float | None, ...]
    short_term_lufs: tuple[float | None, ...]


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of audio, measured and ready to be drawn."""

    rate_hz: int
    channels: int
    loudness: Loudness
    plr_db: float | None
    """True peak above integrated loudness."""
    crest_db: float | None
    """Sample peak above the RMS of the whole."""
    correlation: float | None
    """Of left and right, -1..1; None for mono and where a side is silent."""
    side_db: float | None
    """Energy of left - right against left + right; None for mono and where either is silent."""
    bands_db: tuple[float, ...] | None
    """Third octaves (`core.analysis.features.BAND_HZ`) against the whole; None for silence."""
    waveform: Waveform
    curve: LoudnessCurve


@dataclass(frozen=True)
class Heard:
    """A portrait, and what is only needed to compare it with another."""

    portrait: Portrait
    energy: Floats
    """K-weighted, per `HOP_S`."""
    peaks: Floats
    """Highest sample per `HOP_S`."""


def listen(
    sources: Sequence[Source],
    *,
    start_s: float = 0.0,
    end_s: float = math.inf,
    meter: LoudnessMeter | None = None,
    progress: Progress | None = None,
    doing: str = "listening",
) -> Heard:
    """Measure a stretch of one source as it is, or of several summed at unity with the mono ones in the middle.

    A sum has the rate of the first source and the length of the longest. A `meter` that has heard all of it already is
    believed. Raises OtoError: "bad_input" for audio that can't be read or measured and for none at all, "cancelled"
    when `progress` says so.
    """
    rate_hz = sources[0].rate_hz if sources else 0
    at_one_rate = [at_rate(source, rate_hz) for source in sources]
    length = max((source.frames for source in at_one_rate), default=0)
    first, last = round(start_s * rate_hz), min(round(min(end_s, 1e6) * rate_hz), length)
    if last <= first:
        raise OtoError("bad_input", "There is no audio to draw a report of.", "", Exit.BAD_INPUT)
    ear = _Ear(rate_hz, at_one_rate[0].channels if len(at_one_rate) == 1 else 2, last - first, meter)
    for start in range(first, last, BLOCK_FRAMES):
        end = min(start + BLOCK_FRAMES, last)
        ear.add(_sum(at_one_rate, start, end - start))
        report(progress, (end - first) / (last - first), doing)
    return ear.heard()


def _sum(sources: Sequence[Source], start: int, frames: int) -> Audio:
    if len(sources) == 1:
        return sources[0].read(start, frames)
    total = np.zeros((2, frames), np.float32)
    for source in sources:
        audio = source.read(start, frames)
        total += audio if source.channels == 2 else audio * _CENTRE
    return total


class _Ear:
    """Gathers block by block; what it holds grows by a few numbers per tenth of a second."""

    def __init__(self, rate_hz: int, channels: int, frames: int, meter: LoudnessMeter | None) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._meter = meter or LoudnessMeter(rate_hz, channels)
        self._meter_listens = meter is None
        self._spectrum = SpectrumMeter(rate_hz, channels)
        self._spectrum_every = max(round(frames / rate_hz / SPECTRUM_S), 1)
        self._blocks = 0
        self._products = np.zeros(3)
        edges = even_edges(min(COLUMNS, frames), frames)
        self._widths = np.diff(edges) * 2
        self._low, self._high = Fold(edges, np.minimum, math.inf), Fold(edges, np.maximum, -math.inf)
        self._energy = Fold(edges, np.add, 0.0)
        self._peaks = Fold(step_edges(max(round(rate_hz * HOP_S), 1), frames), np.maximum, 0.0)

    def add(self, block: Audio) -> None:
        """Take (channels, n)."""
        if self._meter_listens:
            self._meter.add(block)
        if self._blocks % self._spectrum_every == 0:
            self._spectrum.add(block)
        self._blocks += 1
        # Mono stands for both sides. Between two arrays numpy is many times faster than along a short axis.
        left, right = np.ascontiguousarray(block[0]), np.ascontiguousarray(block[-1])
        self._products += (np.dot(left, left), np.dot(right, right), np.dot(left, right))
        low, high = np.minimum(left, right), np.maximum(left, right)
        self._low.add(low)
        self._high.add(high)
        self._energy.add((left * left + right * right).astype(np.float64))
        self._peaks.add(np.maximum(high, -low))

    def heard(self) -> Heard:
        """What has been gathered."""
        loudness, hops = self._meter.result(), self._meter.hops()
        correlation, side_db = _image(*map(float, self._products)) if self._channels == 2 else (None, None)
        peak, integrated, true_peak = loudness.sample_peak_dbfs, loudness.integrated_lufs, loudness.true_peak_dbtp
        rms = math.sqrt(float(self._energy.values.sum() / self._widths.sum()))
        portrait = Portrait(
            rate_hz=self._rate_hz,
            channels=self._channels,
            loudness=loudness,
            plr_db=None if true_peak is None or integrated is None else true_peak - integrated,
            crest_db=None if peak is None or rms == 0.0 else peak - 20 * math.log10(rms),
            correlation=correlation,
            side_db=side_db,
            bands_db=None if peak is None else rounded(self._spectrum.result().levels_db(), 2),
            waveform=Waveform(
                low=rounded(self._low.values),
                high=rounded(self._high.values),
                rms=rounded(np.sqrt(self._energy.values / self._widths)),
            ),
            curve=loudness_curve(hops),
        )
        return Heard(portrait=portrait, energy=hops, peaks=self._peaks.values)


def _image(left: float, right: float, product: float) -> tuple[float | None, float | None]:
    """Correlation, and the sides against the middle in dB, from the energies of the sides and their product."""
    correlation = product / math.sqrt(left * right) if left > 0.0 and right > 0.0 else None
    middle, side = left + right + 2 * product, left + right - 2 * product
    whole = _FAINTEST * (left + right)
    return correlation, 10 * math.log10(side / middle) if middle > whole and side > whole else None


def loudness_curve(hops: Floats) -> LoudnessCurve:
    """Momentary and short-term loudness over time from K-weighted energies per `HOP_S`."""
    columns = min(max(len(hops), 1), COLUMNS)
    curves = []
    for window in (MOMENTARY_HOPS, SHORT_TERM_HOPS):
        lufs = np.full(len(hops), -np.inf)
        lufs[window - 1 :] = sliding_lufs(hops, window)
        curves.append(levels(fold(lufs, columns, np.maximum)))
    return LoudnessCurve(step_s=len(hops) * HOP_S / columns, momentary_lufs=curves[0], short_term_lufs=curves[1])
