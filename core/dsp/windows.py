"""Windows for transforms, without scipy.signal: loading that takes a second of a small box's processor."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.dsp.audio import Floats


@lru_cache(maxsize=8)
def hann(size: int) -> Floats:
    """Periodic Hann window (size,), not to be written to: copies that overlap by half add up to one."""
    window: Floats = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    window.flags.writeable = False
    return window
