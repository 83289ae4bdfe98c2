"""A strip up to its fader: the part of a mix that faders, pans and sends do not change."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.desk.sources import Source
from core.dsp.audio import Audio, Processor

TAIL_S: Final = 2.0
"""How long a strip sounds on after its source: filters have rung out by then, and it is as long in every mix."""


class Toned:
    """A source through repair, tone and dynamics, with their latency taken out; read from front to back."""

    def __init__(self, source: Source, processor: Processor, key: str | None) -> None:
        self.channels = source.channels
        self.frames = source.frames + round(TAIL_S * source.rate_hz)
        self.key = key
        """Names this audio on this box for ever; None where it isn't worth keeping, or has no name."""
        self._source = source
        self._processor = processor
        self._read_samples = 0
        self._given = 0

    def read(self, frames: int) -> Audio:
        """The next `frames` samples, shape (channels, frames); silence after its end."""
        wanted = min(frames, self.frames - self._given)
        if wanted <= 0:
            return np.zeros((self.channels, frames), np.float32)
        late = self._processor.latency_samples
        if self._read_samples == 0 and late:
            self._processor.process(self._source.read(0, late))
            self._read_samples = late
        block = self._processor.process(self._source.read(self._read_samples, wanted))
        self._read_samples += wanted
        self._given += wanted
        return block if wanted == frames else np.pad(block, ((0, 0), (0, frames - wanted)))
