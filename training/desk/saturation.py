"""Saturation; the twin of `core.dsp.saturation`."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

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
    shape = audio.shape
    taps = _phases(oversampling(rate_hz)).to(audio)
    # Half a reach of ringing on either side is bent too, and gone after the way back.
    padded = pad(audio.flatten(0, 1)[:, None], (_REACH, _REACH))
    fine = conv1d(padded, taps.flip(-1)[:, None] * len(taps)).reshape(shape[0], shape[1] * len(taps), -1)
    bent = torch.tanh(fine * spread(steepness, audio)) * spread(level, audio) - fine
    change = conv1d(bent.reshape(shape[0] * shape[1], len(taps), -1), taps[None]).reshape(shape)
    return audio + change * spread((drive > 0.0).double(), audio)


@lru_cache
def _phases(times: int) -> Tensor:
    """The low-pass of both conversions, flat to 0.45 of the rate, 90 dB down from 0.55 on: (phases, taps of each).

    A channel of a convolution per phase: the signal at the high rate is never laid out in time.
    """
    taps = np.sinc(np.arange(-times * _REACH // 2, times * _REACH // 2 + 1) / times)
    taps *= np.kaiser(len(taps), 9.0)
    return pad(torch.from_numpy(taps / taps.sum()), (0, times - 1)).reshape(-1, times).T.contiguous()
