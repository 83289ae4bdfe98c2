"""Short signals for the headphones: a take has started, has ended, or something is wrong."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Signal = Literal["started", "ended", "trouble"]

NOTES: Final[dict[Signal, tuple[float, ...]]] = {
    "started": (660.0, 880.0),
    "ended": (880.0, 660.0),
    "trouble": (220.0, 220.0, 220.0),
}
"""Frequencies in Hz, one after the other."""
NOTE_S: Final = 0.09
REST_S: Final = 0.03
FADE_S: Final = 0.008
PEAK: Final = 0.125
"""-18 dBFS: heard beside music, never a shock."""


def sound_of(signal: Signal, rate_hz: int) -> NDArray[np.float32]:
    """A signal as mono audio."""
    frames, rest, fade = (round(seconds * rate_hz) for seconds in (NOTE_S, REST_S, FADE_S))
    envelope = np.minimum(1.0, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / fade)
    pieces = []
    for hz in NOTES[signal]:
        pieces += [PEAK * envelope * np.sin(2.0 * np.pi * hz * np.arange(frames) / rate_hz), np.zeros(rest)]
    return np.concatenate(pieces).astype(np.float32)


class Tones:
    """Signals that wait to be heard, one after the other; mixed in by whoever fills the outputs."""

    def __init__(self) -> None:
        self._waiting: deque[NDArray[np.float32]] = deque()

    def play(self, sound: NDArray[np.float32]) -> None:
        """Let it sound after those that wait."""
        self._waiting.append(sound)

    def add_to(self, out: NDArray[np.float32]) -> None:
        """Mix what sounds now into a block of (frames, 2)."""
        filled = 0
        while self._waiting and filled < len(out):
            sound = self._waiting.popleft()
            part = sound[: len(out) - filled]
            out[filled : filled + len(part)] += part[:, None]
            filled += len(part)
            if len(part) < len(sound):
                self._waiting.appendleft(sound[len(part) :])
