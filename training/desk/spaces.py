"""Reverb and delay returns; the twin of `core.dsp.reverb` and `core.dsp.echo`.

The spaces themselves are rendered by the desk's own code and held: gradients flow to what is sent and to the level it
is sent with, not into the shape of the room.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from core.dsp.reverb import Space, impulse_response, turned_rad
from training.desk import filters
from training.desk.knobs import Knob, per_item

_KNOT = 64
"""Samples between exact angles of the turning, as in the desk."""


def reverb(
    audio: Tensor,
    rate_hz: int,
    *,
    space: str,
    decay_s: float = 1.2,
    predelay_ms: float = 10.0,
    damping_hz: float = 7_000.0,
    lowcut_hz: float = 200.0,
) -> Tensor:
    """What a space (room, plate, hall) answers to (batch, 2, frames) audio that starts with the stream."""
    frames = audio.shape[-1]
    response = _response(rate_hz, space, decay_s, predelay_ms, damping_hz, lowcut_hz)
    size = next_fast_len(frames + response.shape[-1] - 1, real=True)
    spectrum = torch.fft.rfft(_turned(audio, rate_hz, space), size)
    answer = torch.einsum("bif,iof->bof", spectrum, torch.fft.rfft(response.to(audio), size))
    return torch.fft.irfft(answer, size)[..., :frames]


@lru_cache(maxsize=16)
def _response(
    rate_hz: int, space: str, decay_s: float, predelay_ms: float, damping_hz: float, lowcut_hz: float
) -> Tensor:
    knobs = {"decay_s": decay_s, "predelay_ms": predelay_ms, "damping_hz": damping_hz, "lowcut_hz": lowcut_hz}
    return torch.from_numpy(impulse_response(rate_hz, cast("Space", space), **knobs))


def _turned(audio: Tensor, rate_hz: int, space: str) -> Tensor:
    """Left turned into right into left, as what is sent to the desk's spaces is."""
    knots = np.arange(-(-audio.shape[-1] // _KNOT) + 1)
    angles = turned_rad(knots * (_KNOT / rate_hz), cast("Space", space))
    at = np.arange(1, audio.shape[-1] + 1) / _KNOT
    cosine, sine = (torch.from_numpy(np.interp(at, knots, line)).to(audio) for line in (np.cos(angles), np.sin(angles)))
    left, right = audio[:, 0], audio[:, 1]
    return torch.stack([left * cosine - right * sine, right * cosine + left * sine], dim=1)


def echo(audio: Tensor, rate_hz: int, *, time_ms: float, feedback: Knob = 0.3, damping_hz: Knob = 4_000.0) -> Tensor:
    """Repeat (batch, channels, frames) audio after `time_ms`, each time darker and `feedback` times as loud."""
    frames = audio.shape[-1]
    delay_samples = max(1, round(time_ms * rate_hz / 1000.0))
    again = per_item(feedback, audio)
    loudest = float(again.detach().max())
    repeats = 1 if loudest <= filters.RUNG_OUT else math.ceil(math.log(filters.RUNG_OUT) / math.log(loudest)) + 1
    (lowpass,) = filters.butterworth_lowpass(rate_hz, per_item(damping_hz, audio), order=1)
    size = next_fast_len(frames + repeats * (delay_samples + filters.ringing_samples(lowpass)), real=True)
    late_rad = -2.0 * math.pi * delay_samples / size
    phase = torch.arange(size // 2 + 1, dtype=torch.float64, device=audio.device) * late_rad
    once = torch.polar(torch.ones_like(phase), phase) * filters.frequency_response(filters.cascade(lowpass), size)
    response = once / (1.0 - again[..., None] * once)
    if response.dim() == 2:
        response = response[:, None]
    wet = torch.fft.irfft(torch.fft.rfft(audio, size) * response.to(audio.dtype.to_complex()), size)
    return wet[..., :frames]
