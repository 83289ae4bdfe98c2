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
    fine = _up(audio, rate_hz)
    bent = torch.tanh(fine * spread(steepness, audio)) * spread(level, audio) - fine
    return audio + _down(bent, rate_hz) * spread((drive > 0.0).double(), audio)


@lru_cache
def _taps(times: int) -> Tensor:
    """The low-pass of both conversions: flat to 0.45 of the rate, 90 dB down from 0.55 on."""
    taps = np.sinc(np.arange(-times * _REACH // 2, times * _REACH // 2 + 1) / times)
    taps *= np.kaiser(len(taps), 9.0)
    return torch.from_numpy(taps / taps.sum())


def _up(audio: Tensor, rate_hz: int) -> Tensor:
    """The high rate, with half a reach of ringing on either side: each phase of the low-pass is one convolution."""
    times = oversampling(rate_hz)
    taps = pad(_taps(times).to(audio) * times, (0, times - 1)).reshape(-1, times).T.flip(-1)
    fine = conv1d(pad(audio.flatten(0, 1)[:, None], (_REACH, _REACH)), taps[:, None])
    return fine.transpose(1, 2).reshape(*audio.shape[:2], -1)


def _down(fine: Tensor, rate_hz: int) -> Tensor:
    """Back to the low rate, without the ringing."""
    times = oversampling(rate_hz)
    taps = _taps(times).to(fine)[None, None]
    return conv1d(fine.flatten(0, 1)[:, None], taps, stride=times).reshape(*fine.shape[:2], -1)
