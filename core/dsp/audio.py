"""What audio is to every processor, and how a stream of blocks becomes the same samples as one long call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import Exit, OtoError

Audio = NDArray[np.float32]
"""Shape (channels, frames), full scale ±1.0."""

Floats = NDArray[np.float64]

LOUDEST: Final = 1e10
"""+200 dBFS: more than 32-bit integers taken for floats reach (2^31), and little enough for float32 to hold squares."""


class Processor(Protocol):
    """Something that audio flows through in blocks of any size."""

    @property
    def latency_samples(self) -> int:
        """How many samples later than it went in a sample comes out."""
        ...

    def process(self, block: Audio) -> Audio:
        """Take (channels, n) and give (channels, n); what comes out may share memory with what went in."""
        ...


def checked(x: Audio, *, name: str = "The audio", start: int = 0, rate_hz: int | None = None) -> Audio:
    """Let (channels, frames) audio that can be worked with pass as float32.

    Raises OtoError("bad_input") for another shape, for NaN and infinity, which would live on in every recursive filter,
    and for samples beyond `LOUDEST`, whose sums overflow. It says where in `name`, which `x` is a part of from `start`.
    """
    audio = np.asarray(x, dtype=np.float32)
    if audio.ndim != 2 or audio.shape[0] == 0:
        raise OtoError("bad_input", f"Audio has shape (channels, frames), not {audio.shape}.", exit_code=Exit.BAD_INPUT)
    if not all(abs(extreme(audio, initial=0.0)) <= LOUDEST for extreme in (np.min, np.max)):
        at = int(np.flatnonzero(~(np.abs(audio) <= LOUDEST).all(axis=0))[0])
        what = "a sample beyond +200 dBFS" if np.isfinite(audio[:, at]).all() else "something that is not a number"
        where = f"sample {start + at}" if rate_hz is None else f"{(start + at) / rate_hz:.3f} s"
        raise OtoError(
            "bad_input",
            f"{name} holds {what} at {where}.",
            "Repair or replace that file; nothing was rendered from it.",
            Exit.BAD_INPUT,
        )
    return audio


def run(processor: Processor, x: Audio) -> Audio:
    """Send whole audio through a fresh processor and take its latency out: the one-shot form of every processor."""
    audio = checked(x)
    late = processor.latency_samples
    if late == 0:
        return processor.process(audio)
    flushed = np.concatenate([audio, np.zeros((audio.shape[0], late), np.float32)], axis=1)
    return processor.process(flushed)[:, late:]


class Framed(ABC):
    """A processor that works on whole frames of a fixed length, whatever the blocks it is given.

    Frames are counted from the start of the stream, so how the audio was cut into blocks can't be heard or seen. The
    price is a latency of one frame (plus `extra_latency_samples`, for what a subclass looks ahead).
    """

    def __init__(self, channels: int, frame: int, extra_latency_samples: int = 0) -> None:
        self._frame = frame
        self._extra = extra_latency_samples
        self._pending = np.zeros((channels, 0), np.float32)
        self._ready = np.zeros((channels, frame), np.float32)

    @property
    def latency_samples(self) -> int:
        """One frame, and what the subclass looks ahead."""
        return self._frame + self._extra

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        frames = block.shape[1]
        waiting = np.concatenate([self._pending, block], axis=1) if self._pending.shape[1] else block
        whole = waiting.shape[1] // self._frame * self._frame
        # Copied: the caller may write into its block again.
        self._pending = waiting[:, whole:].copy()
        if whole:
            ready = np.concatenate([self._ready, self._process_frames(waiting[:, :whole])], axis=1)
        else:
            ready = self._ready
        self._ready = ready[:, frames:]
        return ready[:, :frames]

    @abstractmethod
    def _process_frames(self, x: Audio) -> Audio:
        """Take and give (channels, k * frame)."""


class Memoryless:
    """A processor whose output depends on the present sample alone."""

    latency_samples = 0

    def __init__(self, function: Callable[[Audio], Audio]) -> None:
        self.process = function


class DelayLine:
    """A whole number of samples later."""

    latency_samples = 0

    def __init__(self, channels: int, delay_samples: int) -> None:
        self._held = np.zeros((channels, delay_samples), np.float32)

    def process(self, block: Audio) -> Audio:
        """Take and give (channels, n)."""
        if not self._held.shape[1]:
            return block
        joined = np.concatenate([self._held, block], axis=1)
        frames = block.shape[1]
        self._held = joined[:, frames:]
        return joined[:, :frames]


class Chain:
    """Processors one after another. An empty chain returns its very input."""

    def __init__(self, processors: Sequence[Processor]) -> None:
        self._processors = tuple(processors)

    @property
    def latency_samples(self) -> int:
        """The sum of all."""
        return sum(processor.latency_samples for processor in self._processors)

    def process(self, block: Audio) -> Audio:
        """Take (channels, n) and give what the last processor gives."""
        for processor in self._processors:
            block = processor.process(block)
        return block
