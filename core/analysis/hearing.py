"""How the ear divides the spectrum, and how much of one sound is left beside another.

Bands are one ERB wide (Glasberg and Moore, 1990, eq. 3 and 4). Loudness grows as the 0.2th power of intensity in each
of them, and what a sound adds to the loudness of another is what is heard of it: the partial loudness of Moore,
Glasberg and Baer (1997, eq. 19), without thresholds in quiet, because a mix is turned up until it is heard.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOUDNESS_EXPONENT: Final = 0.2
UPWARD_DB_PER_ERB: Final = 10.0
"""How fast masking falls towards higher bands at the levels of music."""
DOWNWARD_DB_PER_ERB: Final = 25.0


def erb_number(freq_hz: Floats | float) -> Floats:
    """Where a frequency lies on the ear's own scale, in ERBs from 0 Hz."""
    return np.asarray(21.4 * np.log10(1.0 + 0.00437 * np.asarray(freq_hz)))


def frequency_hz(number: Floats | float) -> Floats:
    """The inverse of `erb_number`."""
    return np.asarray((10.0 ** (np.asarray(number) / 21.4) - 1.0) / 0.00437)


ERB_NUMBERS: Final[Floats] = np.arange(1.5, 38.0)
ERB_HZ: Final[Floats] = frequency_hz(ERB_NUMBERS)
"""Centres of 37 bands from 40 Hz to 13 kHz."""
ERB_EDGES_HZ: Final[Floats] = frequency_hz(np.append(ERB_NUMBERS - 0.5, ERB_NUMBERS[-1] + 0.5))


def _spreading() -> Floats:
    apart = ERB_NUMBERS[:, None] - ERB_NUMBERS[None, :]
    fall_db = np.where(apart > 0.0, UPWARD_DB_PER_ERB * apart, -DOWNWARD_DB_PER_ERB * apart)
    return np.asarray(10.0 ** (-fall_db / 10.0))


_SPREADING: Final[Floats] = _spreading()


def excitation(powers: Floats) -> Floats:
    """What powers in the ERB bands (..., bands) do to every band, neighbours included."""
    return np.asarray(powers @ _SPREADING.T)


def specific_loudness(sound: Floats, beside: Floats | float = 0.0) -> Floats:
    """Loudness per band of an excitation, of which another one leaves only a part. Any unit; zeros are silence."""
    together = (sound + beside) ** LOUDNESS_EXPONENT
    return np.asarray(together - np.asarray(beside) ** LOUDNESS_EXPONENT)
