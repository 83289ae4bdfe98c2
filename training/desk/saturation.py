"""Saturation; the twin of `core.dsp.saturation`."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from core.dsp.saturation import REFERENCE, oversampling
from training.desk.knobs import Knob, per_item, spread

_REACH: Final = 64
_STRAIGHT: Final = 1e-4


def saturate(audio: Tensor, rate_hz: int, *, drive_db: Knob) -> Tensor:
    """Round the peaks of (batch, channels, frames) audio with a hyperbolic tangent at about 384 kHz."""
    drive = per_item(drive_db, audio)
    if not drive.any():
        return audio
    steepness = (torch.pow(10.0, drive / 20.0) - 1.0).clamp_min(_STRAIGHT)
    level = torch.where(drive > 0.0, REFERENCE / torch.tanh(steepness * REFERENCE), 1.0 / steepness)
    up, down = (matrix.to(audio) for matrix in _matrices(oversampling(rate_hz)))
    frames = audio.shape[-1]
    # A row of silence on either side: half a reach of ringing is bent there, and gone after the way back.
    rows = pad(audio, (_REACH, _REACH + -frames % _REACH)).unflatten(-1, (-1, _REACH))
    fine = _banded(rows, up)
    bent = torch.tanh(fine * spread(steepness, audio)[..., None]) * spread(level, audio)[..., None] - fine
    change = _banded(bent, down).flatten(2)[..., :frames]
    return audio + change * spread((drive > 0.0).double(), audio)


def _banded(rows: Tensor, matrix: Tensor) -> Tensor:
    """Each of (..., n, row) with the one behind it, times (2 row, out): (..., n - 1, out)."""
    first, second = matrix.chunk(2)
    return rows[..., :-1, :] @ first + rows[..., 1:, :] @ second


@lru_cache
def _matrices(times: int) -> tuple[Tensor, Tensor]:
    """From two rows of samples to a row at the high rate, and back, through a low-pass.

    It is flat to 0.45 of the rate and 90 dB down from 0.55 on.
    """
    taps = np.sinc(np.arange(-times * _REACH // 2, times * _REACH // 2 + 1) / times)
    taps *= np.kaiser(len(taps), 9.0)
    taps /= taps.sum()
    up, down = np.zeros((2 * _REACH, _REACH * times)), np.zeros((2 * _REACH * times, _REACH))
    for sample in range(_REACH):
        down[sample * times : sample * times + len(taps), sample] = taps
        for phase in range(times):
            kernel = taps[phase::times][::-1]
            last = sample + _REACH + 1
            up[last - len(kernel) : last, sample * times + phase] = kernel * times
    return torch.from_numpy(up), torch.from_numpy(down)
