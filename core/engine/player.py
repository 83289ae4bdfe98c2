"""What comes out of the outputs: tape, click and monitored inputs, in step with what comes in.

Output positions are input positions: the frame written after input frame k was read is output frame k. The measured
round trip says how much later it is heard back, so an overdub's first sample is the one captured a round trip after the
tape's first sample went out.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from core.engine.packing import Samples
from core.engine.tones import Tones

log = logging.getLogger(__name__)

Stereo = NDArray[np.float32]
"""(frames, 2)"""

AHEAD_S: Final = 1.0
READ_FRAMES: Final = 8_192
FADE_FRAMES: Final = 256


class Tape(Protocol):
    """Something that can be played."""

    frames: int

    def read(self, start: int, frames: int, /) -> Stereo:
        """Return (frames, 2), silence where nothing is."""
        ...


class Click:
    """A metronome: a high tick on the bar, a low one on the other beats."""

    def __init__(self, rate_hz: int, tempo_bpm: float, beats_per_bar: int, start: int, beats: int | None) -> None:
        self._beat_frames = rate_hz * 60.0 / tempo_bpm
        self._beats_per_bar = beats_per_bar
        self._start = start
        self._beats = beats
        time_s = np.arange(int(0.03 * rate_hz)) / rate_hz
        envelope = np.exp(-time_s / 0.006) * 0.5
        self._ticks = [(envelope * np.sin(2.0 * np.pi * hz * time_s)).astype(np.float32) for hz in (1_600.0, 1_000.0)]

    @property
    def bar_frames(self) -> float:
        """Length of a bar."""
        return self._beat_frames * self._beats_per_bar

    def add_to(self, out: Stereo, position: int) -> None:
        """Mix the ticks that sound within this block into it."""
        length = len(self._ticks[0])
        first = max(0, int((position - self._start - length) / self._beat_frames))
        beat = first
        while (at := self._start + round(beat * self._beat_frames)) < position + len(out):
            if self._beats is not None and beat >= self._beats:
                return
            tick = self._ticks[0 if beat % self._beats_per_bar == 0 else 1]
            begin, end = max(at, position), min(at + length, position + len(out))
            if begin < end:
                out[begin - position : end - position] += tick[begin - at : end - at, None]
            beat += 1


class Player:
    """Feeds the outputs. `fill` is called by the capture thread and never waits; reading ahead has its own thread."""

    def __init__(self, rate_hz: int, on_finished: Callable[[], None]) -> None:
        self.slipped = False
        """True when an output ran dry since it was last cleared: what was played came late."""
        self.click: Click | None = None
        self.tones = Tones()
        self.monitored: tuple[int, ...] = ()
        """Inputs (from 0) that are heard, all in the middle."""
        self._ahead_frames = int(AHEAD_S * rate_hz)
        self._on_finished = on_finished
        self._changed = threading.Condition()
        self._tape: Tape | None = None
        self._gain = 1.0
        self._loop: tuple[int, int] | None = None
        self._next = 0
        self._played = 0
        self._begins_at: int | None = None
        self._late = 0
        self._queue: deque[Stereo] = deque()
        self._queued = 0
        self._generation = 0
        self._fade_in = False
        self._closed = False
        threading.Thread(target=self._read_ahead, name="tape", daemon=True).start()

    @property
    def position_frames(self) -> int:
        """Where on the tape the last frame that went out was."""
        return self._played

    def play(
        self,
        tape: Tape,
        *,
        start: int,
        begins_at: int | None = None,
        loop: tuple[int, int] | None = None,
        gain_db: float = 0.0,
    ) -> None:
        """Play `tape` from `start`, its first frame going out at output position `begins_at`; None is at once.

        When `begins_at` has passed already the tape starts as far in as it is late, so that it lies where it should.
        """
        with self._changed:
            self._tape = tape
            self._gain = 10.0 ** (gain_db / 20.0)
            self._loop = loop
            self._begins_at = begins_at
            self._rewind(start)

    def seek(self, start: int) -> None:
        """Go on from elsewhere on the same tape."""
        with self._changed:
            self._rewind(start)

    def stop(self) -> None:
        """Silence."""
        with self._changed:
            self._tape = None
            self._rewind(0)

    def close(self) -> None:
        """End the reading thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def fill(self, position: int, inputs: Samples, outputs: int) -> Stereo:
        """Return what goes out at `position`, as (len(inputs), outputs) float32."""
        frames = len(inputs)
        out = np.zeros((frames, 2), dtype=np.float32)
        finished = False
        with self._changed:
            begins_at = position if self._begins_at is None else self._begins_at
            if self._tape is not None and begins_at < position + frames:
                if begins_at < position:
                    self._late += position - begins_at
                    self.slipped = True
                self._begins_at = None
                finished = self._take_tape(out[max(0, begins_at - position) :])
        click = self.click
        if click is not None:
            click.add_to(out, position)
        self.tones.add_to(out)
        if self.monitored:
            heard = inputs[:, self.monitored].astype(np.float32).sum(axis=1, keepdims=True)
            out += heard * np.float32(0.5 / (1 << 31) if inputs.dtype == np.int32 else 0.5)
        np.clip(out, -1.0, 1.0, out=out)
        if finished:
            self._on_finished()
        if outputs == 2:
            return out
        wide = np.zeros((frames, outputs), dtype=np.float32)
        if outputs == 1:
            wide[:, 0] = out.mean(axis=1)
        else:
            wide[:, :2] = out
        return wide

    def _rewind(self, start: int) -> None:
        self._generation += 1
        self._queue.clear()
        self._queued = 0
        self._late = 0
        self._next = start
        self._played = start
        self._fade_in = True
        self._changed.notify_all()

    def _exhausted(self) -> bool:
        return self._tape is None or (self._loop is None and self._next >= self._tape.frames)

    def _take_tape(self, out: Stereo) -> bool:
        filled = 0
        while filled < len(out) and self._queue:
            block = self._queue[0]
            skip = min(self._late, len(block))
            take = min(len(block) - skip, len(out) - filled)
            out[filled : filled + take] = block[skip : skip + take]
            self._late -= skip
            filled += take
            self._queued -= skip + take
            self._played += skip + take
            if skip + take == len(block):
                self._queue.popleft()
            else:
                self._queue[0] = block[skip + take :]
        if filled and self._fade_in:
            ramp = np.linspace(0.0, 1.0, min(FADE_FRAMES, filled), dtype=np.float32)
            out[: len(ramp)] *= ramp[:, None]
            self._fade_in = False
        if self._loop is not None and self._loop[0] < self._loop[1] and self._played >= self._loop[1]:
            span = self._loop[1] - self._loop[0]
            self._played = self._loop[0] + (self._played - self._loop[0]) % span
        self._changed.notify_all()
        if filled < len(out):
            if self._exhausted():
                self._tape = None
                return True
            self._late += len(out) - filled
            self.slipped = True
        return False

    def _read_ahead(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closed or (not self._exhausted() and self._queued < self._ahead_frames)
                )
                if self._closed:
                    return
                tape, start, generation, gain = self._tape, self._next, self._generation, self._gain
                end = self._loop[1] if self._loop is not None and start < self._loop[1] else None
            assert tape is not None
            frames = min(READ_FRAMES, (tape.frames if end is None else end) - start)
            block = np.zeros((max(0, frames), 2), dtype=np.float32)
            try:
                if frames > 0:
                    block = tape.read(start, frames) * np.float32(gain)
            except Exception:
                log.exception("the tape could not be read; silence stands for it")
            with self._changed:
                if generation != self._generation:
                    continue
                self._next = start + frames
                if self._loop is not None and self._next >= self._loop[1]:
                    self._next = self._loop[0]
                if len(block):
                    self._queue.append(block)
                    self._queued += len(block)
                self._changed.notify_all()
            del tape, block  # a stopped tape's files are closed when nobody holds it
