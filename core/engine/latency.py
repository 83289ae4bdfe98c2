"""Measures how late what goes out comes back in, with a cable from an output to an input."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np

from core.engine.capture import Capture
from core.engine.packing import to_float
from core.engine.player import Player
from core.engine.tapes import ArrayTape
from core.errors import OtoError

CLICKS: Final = 3
LEAD_S: Final = 0.3
LISTEN_S: Final = 1.0
LEVEL: Final = 0.5
AUDIBLE: Final = 0.01
AGREE_SAMPLES: Final = 2
_FADE_SAFE: Final = 4_096
"""Beyond the fade that starts every playback."""


async def measure_round_trip(capture: Capture, player: Player, *, output: int, input: int) -> int:
    """Play a click three times and find it in what is captured; returns the round trip in samples.

    The round trip counts from the input frame after whose reading the click was written. Raises OtoError("bad_input")
    when nothing comes back or the three disagree.
    """
    stream = capture.stream
    if not 1 <= input <= stream.inputs or output not in (1, 2) or output > stream.outputs:
        raise OtoError("bad_input", f"There is no way from output {output} to input {input} on this interface.")
    found = [await _once(capture, player, output, input) for _ in range(CLICKS)]
    if max(found) - min(found) > AGREE_SAMPLES:
        raise OtoError(
            "bad_input",
            f"Three measurements disagree: {', '.join(map(str, found))} samples.",
            "Stop other programs and try again.",
        )
    return sorted(found)[CLICKS // 2]


async def _once(capture: Capture, player: Player, output: int, input: int) -> int:
    rate_hz = capture.stream.rate_hz
    pulse = np.zeros((rate_hz // 4, 2), dtype=np.float32)
    # A single full band sample: its arrival is unmistakable and needs no correlation.
    pulse[_FADE_SAFE, output - 1] = LEVEL
    begins_at = capture.ring.end + round(LEAD_S * rate_hz)
    player.play(ArrayTape(pulse), start=0, begins_at=begins_at)
    sent_at = begins_at + _FADE_SAFE
    wanted = sent_at + round(LISTEN_S * rate_hz)
    while capture.ring.end < wanted:
        if not capture.moving:
            raise OtoError("device_lost", "The interface went away while its round trip was measured.", "Try again.")
        await asyncio.sleep(0.05)
    (plane,) = capture.ring.read(sent_at, wanted - sent_at, (input - 1,))
    heard = to_float(plane, capture.sample_format)
    at = int(np.argmax(np.abs(heard)))
    if abs(heard[at]) < AUDIBLE:
        raise OtoError(
            "bad_input",
            f"Nothing came back on input {input} from output {output}.",
            "Connect them with a cable and turn the input's gain up.",
        )
    return at
