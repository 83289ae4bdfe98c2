"""The part of the master strip that a correction passes, in decibels, where gradients can follow it.

In third octaves an equaliser of fixed frequencies is linear in its gains, to a few tenths of a dB; a width is a gain of
the sides. That is all that is needed to say how near a restored song comes to what it was.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from core.analysis.features import BAND_HZ
from core.master.sections import loudness_weights
from core.master.tone import band_shapes

RATE_HZ: Final = 48_000
JUDGED: Final = torch.tensor([45.0 <= hz <= 14_000.0 for hz in BAND_HZ])
SHAPES: Final = torch.tensor(band_shapes(RATE_HZ), dtype=torch.float32)
"""(eq bands, bands): response in dB to 1 dB of gain."""
_LOUDNESS: Final = torch.tensor(10 * np.log10(loudness_weights(RATE_HZ)), dtype=torch.float32)


def left_db(wanted_db: Tensor, gains_db: Tensor, power_db: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of a tonal fault, per band, at equal loudness, and which bands count.

    `wanted_db` (n, bands) would undo it, `gains_db` (n, eq bands) are tried, `power_db` (n, bands) is what it was.
    """
    left = gains_db @ SHAPES - wanted_db
    heard_db = power_db + _LOUDNESS
    louder_db = (torch.logsumexp((heard_db + left) * _LN, 1) - torch.logsumexp(heard_db * _LN, 1)) / _LN
    there = JUDGED & (power_db > power_db.amax(1, keepdim=True) - 80.0)
    return left - louder_db[:, None], there


def nearest_gains(wanted_db: Tensor, there: Tensor) -> Tensor:
    """(n, eq bands): gains that come nearest to a correction by least squares, any overall level aside."""
    shapes = torch.cat((SHAPES, torch.ones(1, SHAPES.shape[1])))
    weighted = shapes * there[:, None, :]
    gram = weighted @ shapes.T + 0.3 * torch.eye(len(shapes))
    return torch.linalg.solve(gram, (weighted @ wanted_db[:, :, None]))[:, :-1, 0]


_LN: Final = float(np.log(10) / 10)
