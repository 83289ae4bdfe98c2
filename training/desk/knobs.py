"""Knobs as tensors: from positions of 0..1 to physical values and back, along the desk's own scales."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from core.plans.parameters import Parameter

Knob: TypeAlias = float | Tensor
"""A number for all of a batch, or a Tensor[batch]."""

Values: TypeAlias = Mapping[str, Knob]
"""Physical values by the names of their knobs. Switches are bool or a bool Tensor[batch]."""


def continuous(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """The knobs that turn: what is neither a switch nor a choice."""
    return tuple(parameter for parameter in parameters if parameter.scale in ("linear", "log"))


def physical(parameters: Sequence[Parameter], positions: Tensor) -> dict[str, Tensor]:
    """Values of knobs at `positions` (..., len(parameters)), each 0..1: `Parameter.from_normalised` on tensors."""
    places = positions.clamp(0.0, 1.0).unbind(-1)
    return {each.name: _value(each, place) for each, place in zip(parameters, places, strict=True)}


def _value(parameter: Parameter, position: Tensor) -> Tensor:
    if parameter.scale == "log":
        return parameter.low * torch.exp(position * math.log(parameter.high / parameter.low))
    return parameter.low + position * (parameter.high - parameter.low)


def normalised(parameters: Sequence[Parameter], values: Mapping[str, Tensor]) -> Tensor:
    """Positions (..., len(parameters)) of knobs: `Parameter.to_normalised` on tensors."""
    return torch.stack([_position(each, values[each.name]) for each in parameters], dim=-1)


def _position(parameter: Parameter, value: Tensor) -> Tensor:
    clamped = value.clamp(parameter.low, parameter.high)
    if parameter.scale == "log":
        return torch.log(clamped / parameter.low) / math.log(parameter.high / parameter.low)
    return (clamped - parameter.low) / (parameter.high - parameter.low)


def per_item(knob: Knob, audio: Tensor) -> Tensor:
    """A knob as float64 on the device of `audio`: shape () for a number, (batch,) for a tensor of values."""
    return torch.as_tensor(knob, dtype=torch.float64, device=audio.device)


def spread(gains: Tensor, audio: Tensor) -> Tensor:
    """Values of shape () or (batch,) ready to be multiplied with audio (batch, channels, frames)."""
    return gains.to(audio.dtype).reshape(-1, 1, 1)
