"""Level, polarity, place and width; the twin of `core.dsp.gain`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.dsp.gain import OFF_DB
from training.desk.knobs import Knob, per_item, spread


def db_to_gain(gain_db: Tensor) -> Tensor:
    """Amplitude ratios of gains in dB; 0 from -90 dB down, where a fader is shut."""
    return torch.where(gain_db > OFF_DB, torch.pow(10.0, gain_db / 20.0), torch.zeros_like(gain_db))


def gain(audio: Tensor, *, gain_db: Knob) -> Tensor:
    """Scale (batch, channels, frames) audio."""
    return audio * spread(db_to_gain(per_item(gain_db, audio)), audio)


def polarity(audio: Tensor, *, invert: bool | Tensor = True) -> Tensor:
    """Turn (batch, channels, frames) audio upside down; a bool Tensor[batch] says which items."""
    return audio * spread(1.0 - 2.0 * per_item(invert, audio), audio)


def pan_gains(pan: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right gain of a mono source by the sine-cosine law: left² + right² = 1."""
    angle = (pan + 1.0) * (math.pi / 4.0)
    return torch.cos(angle), torch.sin(angle)


def pan(audio: Tensor, *, pan: Knob) -> Tensor:
    """Place (batch, 1 or 2, frames) audio between two loudspeakers: (batch, 2, frames)."""
    return place(audio, pan=pan)


def width(audio: Tensor, *, width: Knob) -> Tensor:
    """Scale the side signal of (batch, 2, frames) audio; mono passes."""
    return audio if audio.shape[1] == 1 else place(audio, width=width)


def place(audio: Tensor, *, pan: Knob = 0.0, width: Knob = 1.0, mono: bool | Tensor = False) -> Tensor:
    """Width, then pan: (batch, 1 or 2, frames) becomes (batch, 2, frames).

    `mono`, or a bool Tensor[batch], says which items of two channels are really one, the same on both: these are panned
    by the law of a mono source, so that recordings of both kinds fit in one batch.
    """
    left, right = pan_gains(per_item(pan, audio))
    if audio.shape[1] == 1:
        return torch.cat([audio * spread(left, audio), audio * spread(right, audio)], dim=1)
    single = torch.as_tensor(mono, device=audio.device)
    wide = torch.where(single, 1.0, per_item(width, audio))
    unity_in_the_middle = torch.where(single, 1.0, math.sqrt(2.0))
    same, other = (1.0 + wide) / 2.0, (1.0 - wide) / 2.0
    sides = []
    for balance, own, crossed in ((left, audio[:, :1], audio[:, 1:]), (right, audio[:, 1:], audio[:, :1])):
        balance = balance * unity_in_the_middle
        sides.append(own * spread(balance * same, audio) + crossed * spread(balance * other, audio))
    return torch.cat(sides, dim=1)
