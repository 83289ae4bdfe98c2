"""From an open stream to the ring, where the machine is too slow or too fast for it."""

from __future__ import annotations

import threading
import time

import numpy as np

from core.engine.capture import Capture
from core.engine.player import Player
from core.engine.ring import Ring
from devices.base import Block

RATE_HZ, BLOCK, CAPACITY = 48_000, 480, 9_600


class Endless:
    """Two inputs that count frames, as fast as they are asked."""

    sample_type = "float32"
    rate_hz, inputs, outputs, output_latency_frames = RATE_HZ, 2, 0, 0

    def __init__(self) -> None:
        self.read_frames = 0

    def read(self, frames: int) -> Block:
        at = self.read_frames + np.arange(frames, dtype=np.float32)
        self.read_frames += frames
        return Block(audio=np.column_stack([at, -at]), overflowed=False)

    def write(self, audio: object) -> bool:
        return False

    def close(self) -> None:
        pass


class HeldRing(Ring):
    """A ring whose appending waits for a gate, as when another thread has the processor."""

    def __init__(self) -> None:
        super().__init__(CAPACITY, 2, 4)
        self.gate = threading.Event()

    def append(self, planes: object) -> None:
        self.gate.wait()
        super().append(planes)  # type: ignore[arg-type]


def test_a_recording_in_a_hurry_never_queues_more_than_the_ring_can_keep_for_its_writer():
    stream, ring = Endless(), HeldRing()
    capture = Capture(
        stream,
        ring,
        Player(RATE_HZ, on_finished=lambda: None),
        sample_format="float32",
        block_frames=BLOCK,
        realtime=False,
        on_lost=lambda loss: None,
        on_end=lambda error: None,
    )
    capture.hurry.set()
    capture.start()
    try:
        time.sleep(0.5)
        assert 0 < stream.read_frames <= CAPACITY // 2
        ring.gate.set()
        deadline_s = time.monotonic() + 10.0
        while ring.end < 4 * CAPACITY and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert ring.end >= 4 * CAPACITY, "the hurry ended with the wait"
    finally:
        ring.gate.set()
        capture.close()
