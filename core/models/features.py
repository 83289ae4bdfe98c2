"""What the networks are fed: log-mel pictures of five seconds, the same when they are trained and when they serve.

A picture is free of the input's gain and of the sample rate. Of a long track the most active excerpts are kept, spread
over its length, in one pass whose memory does not grow; pictures are drawn of those alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.dsp.windows import hann

Audio = NDArray[np.float32]
Pictures = NDArray[np.float32]
"""Shape (n, FRAMES, BANDS)."""

FEATURES: Final = "mel 1"
"""Names what this module makes; a card says what its network was trained on."""

EXCERPT_S: Final = 5
FRAMES_PER_S: Final = 40
FRAMES: Final = EXCERPT_S * FRAMES_PER_S
BANDS: Final = 64
LOWEST_HZ: Final = 30.0
HIGHEST_HZ: Final = 16_000.0
WINDOW_S: Final = 2_048 / 48_000
MOST_EXCERPTS: Final = 6
SHORTEST_TAIL_S: Final = 2.5
"""What is left at the end of a track that has whole excerpts counts from here on."""
FLOOR_DB: Final = -80.0
CEILING_DB: Final = 20.0
LOUD_PERCENTILE: Final = 99.0
"""Of an excerpt's cells; this is its 0 dB."""
DB_PER_UNIT: Final = 40.0
LOUDEST: Final = 1e4
"""Beyond this a sample is limited, so that its square is a number."""
SILENT_POWER: Final = 1e-10
"""-100 dBFS in the loudest moment: less than the last bit of 16."""
FAINT_DB: Final = -35.0
"""Excerpts this far below the track's loudest hold bleed and noise, not the track."""
PRESENCE_EXPONENT: Final = 0.2
"""Of a moment's power; ranks excerpts by how much sounds rather than by one loud stroke, whatever the gain."""
MOMENTS: Final = 100
"""Of an excerpt, 50 ms each; what a moment holds below 20 Hz is not counted as sound."""


def excerpts(audio: Audio, rate_hz: int, *, most: int = MOST_EXCERPTS) -> Pictures:
    """Log-mel pictures of audio of shape (frames,) or (channels, frames), in order of time, at most `most` of them.

    Float32 of shape (n, 200, 64): frames every 25 ms, mel bands from 30 Hz to 16 kHz, dB / 40 + 1 against the excerpt's
    loud cells, from -1 (floor) to 1.5. What is not a number counts as silence. Silence has no picture (n = 0).
    """
    listener = Listener(rate_hz, most=most)
    listener.add(np.atleast_2d(audio))
    return listener.pictures()


@dataclass(frozen=True)
class _Candidate:
    audio: Audio
    """Shape (channels, needed)."""
    presence: float
    loudest: float
    """Power of its loudest moment."""


class Listener:
    """The streaming form of `excerpts`: the same pictures for the same audio, however it is cut into blocks.

    Candidates lie next to each other, each the most present of a stretch of the track. When there are too many,
    neighbours become one and stretches twice as long, so that what is kept always covers the whole track.
    """

    def __init__(self, rate_hz: int, *, most: int = MOST_EXCERPTS) -> None:
        self._rate_hz = rate_hz
        self._most = most
        self._needed = _needed_samples(rate_hz)
        self._waiting: list[Audio] = []
        self._samples = 0
        self._heard_any = False
        self._stretch = 1
        self._in_stretch = 0
        self._stretches: list[_Candidate | None] = []
        """The most present excerpt of each; None where all of it is silent."""

    def add(self, block: Audio) -> None:
        """Listen to the next block, float32 of shape (channels, frames)."""
        numbers = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        self._waiting.append(np.clip(numbers, -LOUDEST, LOUDEST))
        self._samples += block.shape[1]
        if self._samples < self._needed:
            return
        audio = np.concatenate(self._waiting, axis=1)
        step = EXCERPT_S * self._rate_hz
        at = 0
        while audio.shape[1] - at >= self._needed:
            self._hear(audio[:, at : at + self._needed].copy())
            at += step
        self._waiting = [audio[:, at:].copy()]
        self._samples = audio.shape[1] - at

    def pictures(self) -> Pictures:
        """What was heard, when the stream has ended; shape (n, FRAMES, BANDS)."""
        least = SHORTEST_TAIL_S * self._rate_hz if self._heard_any else 1
        if self._samples >= least:
            tail = np.concatenate(self._waiting, axis=1)
            self._hear(np.pad(tail, ((0, 0), (0, self._needed - tail.shape[1]))))
        self._waiting, self._samples = [], 0
        heard = [each for each in self._stretches if each is not None]
        loudest = max((each.loudest for each in heard), default=0.0)
        clear = [each for each in heard if each.loudest > loudest * 10.0 ** (FAINT_DB / 10.0)]
        ranked = sorted(range(len(clear)), key=lambda at: -clear[at].presence)
        chosen = [_picture(clear[at].audio, self._rate_hz) for at in sorted(ranked[: self._most])]
        return np.stack(chosen) if chosen else np.zeros((0, FRAMES, BANDS), np.float32)

    def _hear(self, audio: Audio) -> None:
        """Keep the excerpt if it is the most present of its stretch; `audio` has shape (channels, needed)."""
        self._heard_any = True
        candidate = _candidate(audio, self._rate_hz)
        if self._in_stretch == 0:
            self._stretches.append(candidate)
        else:
            self._stretches[-1] = _more_present(self._stretches[-1], candidate)
        self._in_stretch = (self._in_stretch + 1) % self._stretch
        if self._in_stretch == 0 and len(self._stretches) == 2 * self._most:
            pairs = zip(self._stretches[::2], self._stretches[1::2], strict=True)
            self._stretches = [_more_present(first, second) for first, second in pairs]
            self._stretch *= 2


def mel_hz(bands: int = BANDS) -> NDArray[np.float64]:
    """Edges of the bands, shape (bands + 2,): band i rises from edge i to edge i + 1 and falls to edge i + 2.

    Equally far apart on the mel scale of O'Shaughnessy (1987), 2595 log10(1 + f / 700 Hz).
    """
    lowest, highest = (2_595.0 * math.log10(1.0 + hz / 700.0) for hz in (LOWEST_HZ, HIGHEST_HZ))
    return np.asarray(700.0 * (10.0 ** (np.linspace(lowest, highest, bands + 2) / 2_595.0) - 1.0))


def _window_samples(rate_hz: int) -> int:
    return 2 * round(WINDOW_S * rate_hz / 2)


def _needed_samples(rate_hz: int) -> int:
    """From an excerpt's first sample to the last of its last window."""
    return int(_frame_starts(rate_hz)[-1]) + _window_samples(rate_hz)


def _frame_starts(rate_hz: int) -> NDArray[np.int64]:
    return np.round(np.arange(FRAMES) * rate_hz / FRAMES_PER_S).astype(np.int64)


@lru_cache(maxsize=4)
def _bands(rate_hz: int) -> NDArray[np.float32]:
    """Weights from FFT bins to mel bands, shape (bins, BANDS), with the window's power taken out."""
    size = _window_samples(rate_hz)
    bins_hz = np.arange(size // 2 + 1) * rate_hz / size
    edges = mel_hz()
    rising = (bins_hz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins_hz[:, None]) / np.diff(edges)[1:]
    weights = np.maximum(np.minimum(rising, falling), 0.0)
    weights[:, edges[1:-1] >= rate_hz / 2] = 0.0
    power_of_window = size * float(np.square(_window(rate_hz), dtype=np.float64).sum())
    return np.asarray(weights * 2.0 / power_of_window, dtype=np.float32)


@lru_cache(maxsize=4)
def _window(rate_hz: int) -> NDArray[np.float32]:
    """A periodic Hann window, of which a constant offset reaches two bins only."""
    return hann(_window_samples(rate_hz)).astype(np.float32)


def _candidate(audio: Audio, rate_hz: int) -> _Candidate | None:
    """An excerpt with how much sounds in it; None if it is silent."""
    moment = EXCERPT_S * rate_hz // MOMENTS
    power = audio[:, : MOMENTS * moment].reshape(-1, MOMENTS, moment).var(axis=2).mean(axis=0)
    loudest = float(power.max())
    if loudest < SILENT_POWER:
        return None
    return _Candidate(audio, float(np.mean(power**PRESENCE_EXPONENT)), loudest)


def _more_present(one: _Candidate | None, other: _Candidate | None) -> _Candidate | None:
    if one is None or other is None:
        return one or other
    return other if other.presence > one.presence else one


def _picture(audio: Audio, rate_hz: int) -> NDArray[np.float32]:
    """Draw one excerpt, the channels' powers averaged so that nothing cancels; shape (FRAMES, BANDS)."""
    at = _frame_starts(rate_hz)[:, None] + np.arange(_window_samples(rate_hz))
    power = np.zeros((FRAMES, BANDS), np.float32)
    for channel in audio:
        spectrum = np.fft.rfft(channel[at] * _window(rate_hz), axis=1)
        power += np.square(np.abs(spectrum)) @ _bands(rate_hz)
    level = max(float(np.percentile(power, LOUD_PERCENTILE)), float(power.max()) * 10.0 ** (-CEILING_DB / 10.0))
    ratio = np.maximum(power / np.float32(max(level, 1e-30)), np.float32(1e-12))
    decibels = np.clip(10.0 * np.log10(ratio), FLOOR_DB, CEILING_DB)
    return np.asarray(decibels / DB_PER_UNIT + 1.0, dtype=np.float32)
