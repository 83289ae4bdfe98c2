"""The mastering controller: what it hears of a song, and what it advises, each value with how far off it may be.

What it hears are numbers that the song's level does not change; training and use share them. Tone and width of a song
move only `middle_db` and `side_db`; how its bands move over time does not change with a steady equaliser, which is what
tells a dark song from a song that was darkened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.dsp.windows import hann
from core.models import runtime

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

BANDS: Final = len(BAND_HZ)
DYNAMICS: Final = ("crest", "frame crest", "least frame crest", "loud over middle", "middle over quiet", "at the top")
"""What `Portrait.dynamics` holds; all in dB but the last, which is a share."""
WIDTH_EDGES_HZ: Final = (20.0, 150.0, 600.0, 2_400.0, 14_000.0)
"""Between them the width is heard: finer than that, it tells one song from another rather than wide from narrow."""
FEATURES: Final = 3 * BANDS + len(DYNAMICS) + len(WIDTH_EDGES_HZ)
"""Length of a vector."""

FEATURES_NAME: Final = "mastering-portrait-1"
VALUES: Final = (*(f"eq{band}_gain_db" for band in range(1, 7)), "width_db", "crest_db")
"""What comes out: gains of the master's EQ at its neutral frequencies, gain of the sides, and crest that was lost."""

MOST_DB: Final = 12.0
"""Of a change; it learned from faults smaller than that, and what is no music can make it say anything."""
_WINDOW_S: Final = 0.085
_BLOCK_WINDOWS: Final = 64
_FLOOR_DB: Final = -60.0
"""Of a band against its own mean, and of a window against the song's: below is silence."""
_DEEPEST_DB: Final = -50.0
"""Of a band against the mean band: below it is not there."""
_NARROWEST_DB, _WIDEST_DB = -30.0, 10.0
_TOP_DB: Final = 1.0
_JUDGED: Final = (np.array(BAND_HZ) >= 45.0) & (np.array(BAND_HZ) <= 14_000.0)


@dataclass(frozen=True)
class Portrait:
    """A song as the controller hears it; leading axes are free, so that one can be many."""

    middle_db: Floats
    """(..., bands): mean power of (left + right) / 2 in third octaves (`BAND_HZ`), in dB with any offset."""
    side_db: Floats
    """(..., bands): the same of (left - right) / 2; -200 where there is nothing."""
    bursts_db: Floats
    """(..., bands): mean power over geometric mean power of the windows: 0 for a steady band, large for strokes."""
    flux_db: Floats
    """(..., bands): mean change of level from a window to the next."""
    dynamics: Floats
    """(..., `DYNAMICS`)."""


class PortraitMeter:
    """Gathers a portrait block by block: two spectra and a few numbers per 85 ms, never the audio."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._size = 2 ** round(np.log2(rate_hz * _WINDOW_S))
        self._window = hann(self._size).astype(np.float32)
        self._shares = _band_shares(rate_hz, self._size)
        self._rest = np.zeros((channels, 0), np.float32)
        self._middle: list[Audio] = []
        self._side: list[Audio] = []
        self._energy: list[Audio] = []
        self._peaks: list[Audio] = []

    def add(self, block: Audio) -> None:
        """Take (channels, n) of one or two channels."""
        audio = np.concatenate((self._rest, block), axis=1)
        step = self._size * _BLOCK_WINDOWS
        whole = audio.shape[1] // step * step
        for start in range(0, whole, step):
            self._gather(audio[:, start : start + step])
        self._rest = audio[:, whole:].copy()

    def _gather(self, audio: Audio) -> None:
        framed = audio.reshape(len(audio), -1, self._size)
        middle = framed.mean(axis=0)
        self._middle.append(self._powers(middle))
        self._side.append(self._powers(framed[0] - middle) if len(audio) == 2 else np.zeros_like(self._middle[-1]))
        self._energy.append(np.square(framed).mean(axis=(0, 2)))
        self._peaks.append(np.abs(framed).max(axis=(0, 2)))

    def _powers(self, framed: Audio) -> Audio:
        spectra = np.fft.rfft(framed * self._window, axis=1)
        powers: Audio = ((np.square(spectra.real) + np.square(spectra.imag)).astype(np.float32)) @ self._shares
        return powers

    def result(self) -> Portrait | None:
        """The portrait of what came so far; None for silence and what is shorter than a window."""
        windows = self._rest.shape[1] // self._size
        if windows:
            self._gather(self._rest[:, : windows * self._size])
            self._rest = self._rest[:, windows * self._size :]
        if not self._energy:
            return None
        energy, peaks = np.concatenate(self._energy).astype(float), np.concatenate(self._peaks).astype(float)
        loud = energy > energy.mean() * 10 ** (_FLOOR_DB / 10)
        if not loud.any():
            return None
        middle, side = np.concatenate(self._middle)[loud].astype(float), np.concatenate(self._side)[loud].astype(float)
        power = middle + side
        relative = _decibels(power / np.maximum(power.mean(axis=0), 1e-20))
        relative = np.maximum(relative, _FLOOR_DB)
        steps = np.abs(np.diff(relative, axis=0)) if len(relative) > 1 else np.zeros_like(relative)
        return Portrait(
            middle_db=_decibels(middle.mean(axis=0)),
            side_db=_decibels(side.mean(axis=0)),
            bursts_db=-relative.mean(axis=0),
            flux_db=steps.mean(axis=0),
            dynamics=_dynamics(_decibels(energy[loud]), 2 * _decibels(peaks[loud])),
        )


def _dynamics(level_db: Floats, peak_db: Floats) -> Floats:
    low, middle, high = np.percentile(level_db, (10, 50, 95))
    crest = peak_db - level_db
    mean_db = 10 * np.log10(np.mean(10 ** (level_db / 10)))
    top = float(np.mean(peak_db > peak_db.max() - _TOP_DB))
    figures = (peak_db.max() - mean_db, crest.mean(), np.percentile(crest, 10), high - middle, middle - low, top)
    return np.array(figures, dtype=float)


def vector(portrait: Portrait) -> Audio:
    """(..., FEATURES) numbers of about -2 to 2: what the network is fed."""
    middle, side = 10 ** (portrait.middle_db / 10), 10 ** (portrait.side_db / 10)
    level_db = _decibels(middle + side)
    level_db = level_db - tonal_mean_db(level_db)[..., None]
    level = np.clip(level_db, _DEEPEST_DB, -_DEEPEST_DB) / 15
    spans = (*pairwise(WIDTH_EDGES_HZ), (WIDTH_EDGES_HZ[1], WIDTH_EDGES_HZ[-1]))
    ratios = [_between(side, *span) / np.maximum(_between(middle, *span), 1e-300) for span in spans]
    width = (np.clip(_decibels(np.stack(ratios, axis=-1)), _NARROWEST_DB, _WIDEST_DB) + 10) / 10
    bursts, flux = (portrait.bursts_db - 8) / 8, (portrait.flux_db - 4) / 3
    dynamics = (portrait.dynamics - np.array((16, 12, 8, 5, 8, 0.05))) / np.array((5, 3, 3, 4, 8, 0.1))
    parts = (level, np.clip(bursts, -3, 6), np.clip(flux, -3, 6), np.clip(dynamics, -4, 6), width)
    fed: Audio = np.concatenate(parts, axis=-1).astype(np.float32)
    return fed


def tonal_mean_db(level_db: Floats) -> Floats:
    """(...): mean over the bands that are there, of those by which tone is judged."""
    there = _JUDGED & (level_db > level_db.max(axis=-1, keepdims=True) - 80.0)
    mean: Floats = np.where(there, level_db, 0.0).sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)
    return mean


def _between(power: Floats, low_hz: float, high_hz: float) -> Floats:
    within = (np.array(BAND_HZ) >= low_hz) & (np.array(BAND_HZ) <= high_hz)
    total: Floats = power[..., within].sum(axis=-1)
    return total


def _decibels(power: Floats) -> Floats:
    decibels: Floats = 10 * np.log10(np.maximum(power, 1e-20))
    return decibels


@lru_cache
def _band_shares(rate_hz: int, size: int) -> Audio:
    """(bins, bands): how much of each bin belongs to each third octave; a band narrower than a bin takes its share."""
    bins = np.arange(size // 2 + 1)
    edges = np.append(np.array(BAND_HZ) * 2.0 ** (-1 / 6), BAND_HZ[-1] * 2.0 ** (1 / 6)) * size / rate_hz
    low = np.maximum(bins[:, None] - 0.5, edges[None, :-1])
    high = np.minimum(bins[:, None] + 0.5, edges[None, 1:])
    shares: Audio = np.maximum(high - low, 0.0).astype(np.float32)
    return shares


# ---------------------------------------------------------------- what it advises


@dataclass(frozen=True)
class Advice:
    """One value that the controller would change."""

    heard_db: float
    """The change that would undo what it hears."""
    spread_db: float
    """How far off that is on the mean."""
    caution: float
    even_db: float
    """Spread at which the rules count as much."""

    @property
    def change_db(self) -> float:
        """What is worth doing: towards nothing the less sure the controller is."""
        if self.heard_db == 0.0:
            return 0.0
        return self.heard_db * (self.heard_db / math.hypot(self.heard_db, self.caution * self.spread_db)) ** 2

    @property
    def trust(self) -> float:
        """0..1: its weight beside the rules, which take over smoothly as the spread grows."""
        return self.even_db**2 / (self.even_db**2 + self.spread_db**2)

    def confidence(self, change_db: float) -> float:
        """How probable it is that a change brings the value nearer to what it should be, by a Laplace distribution."""
        past_half = math.copysign(1.0, change_db) * (self.heard_db - change_db / 2) / self.spread_db
        return 1.0 - 0.5 * math.exp(-past_half) if past_half >= 0.0 else 0.5 * math.exp(past_half)


class Controller:
    """The network, ready to be asked."""

    def __init__(self, model: runtime.Model) -> None:
        self._model = model
        self.name = f"{model.card.name} {model.card.version}"

    def advise(self, portrait: Portrait) -> dict[str, Advice]:
        """Advice per name of `VALUES` for one song."""
        said = self._model.run(portrait=vector(portrait)[None, :])
        changes = np.clip(said["change_db"][0], -MOST_DB, MOST_DB)
        known = self._model.card.thresholds
        return {
            name: Advice(float(change), float(spread), known["caution"], known[f"even {name}"])
            for name, change, spread in zip(VALUES, changes, said["spread_db"][0], strict=True)
        }


def controller(folder: Path | None = None) -> Controller | runtime.Unusable:
    """The controller of this OTO, or why there is none. Never raises."""
    model = runtime.load("mastering", features=FEATURES_NAME, folder=folder)
    return model if isinstance(model, runtime.Unusable) else Controller(model)
