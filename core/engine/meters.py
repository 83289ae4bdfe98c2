"""Levels of every input, gathered block by block and read a dozen times a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.engine.packing import Samples

SILENCE_DBFS: Final = -120.0
HOLD_S: Final = 1.5
CLIP_LEVEL: Final = 1.0 - 2.0**-15
"""Full scale of a 16-bit converter; anything at or above counts as clipped."""


@dataclass(frozen=True)
class Levels:
    """One reading: dBFS per input, and samples at full scale since they were cleared."""

    peak_dbfs: tuple[float, ...]
    hold_dbfs: tuple[float, ...]
    rms_dbfs: tuple[float, ...]
    clips: tuple[int, ...]


class MeterBank:
    """Sample peak, held peak, RMS and clip count per input. Fed by one thread, read by another."""

    def __init__(self, channels: int) -> None:
        self._lock = threading.Lock()
        self._peak = np.zeros(channels)
        self._square_sum = np.zeros(channels)
        self._frames = 0
        self._hold = np.zeros(channels)
        self._held_at = np.zeros(channels)
        self._clips = np.zeros(channels, dtype=np.int64)
        self._last = Levels(
            peak_dbfs=(SILENCE_DBFS,) * channels,
            hold_dbfs=(SILENCE_DBFS,) * channels,
            rms_dbfs=(SILENCE_DBFS,) * channels,
            clips=(0,) * channels,
        )

    def add(self, audio: Samples) -> None:
        """Measure a block of (frames, channels)."""
        scale = 1.0 / (1 << 31) if audio.dtype == np.int32 else 1.0
        highest = audio.max(axis=0).astype(np.float64)
        lowest = audio.min(axis=0).astype(np.float64)
        peak = np.maximum(highest, -lowest) * scale
        samples = audio.astype(np.float32) if audio.dtype == np.int32 else audio
        squares = np.einsum("ij,ij->j", samples, samples).astype(np.float64) * scale * scale
        hot = np.flatnonzero(peak >= CLIP_LEVEL)
        with self._lock:
            np.maximum(self._peak, peak, out=self._peak)
            self._square_sum += squares
            self._frames += len(audio)
            if len(hot):
                self._clips[hot] += (np.abs(samples[:, hot]) * scale >= CLIP_LEVEL).sum(axis=0)

    def read(self) -> Levels:
        """Levels since the last reading; the last reading again when nothing came."""
        now = time.monotonic()
        with self._lock:
            if self._frames == 0:
                return self._last
            peak, self._peak = self._peak, np.zeros_like(self._peak)
            rms = np.sqrt(self._square_sum / self._frames)
            self._square_sum = np.zeros_like(self._square_sum)
            self._frames = 0
            renew = (peak >= self._hold) | (now - self._held_at > HOLD_S)
            self._hold = np.where(renew, peak, self._hold)
            self._held_at = np.where(renew, now, self._held_at)
            self._last = Levels(_dbfs(peak), _dbfs(self._hold), _dbfs(rms), tuple(self._clips.tolist()))
            return self._last

    def clear(self) -> None:
        """Forget clips and held peaks."""
        with self._lock:
            self._clips[:] = 0
            self._hold[:] = 0.0


def _dbfs(linear: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    floor = 10.0 ** (SILENCE_DBFS / 20.0)
    return tuple(np.round(20.0 * np.log10(np.clip(np.nan_to_num(linear), floor, 1e6)), 1).tolist())
