"""Measures what a minute of audio costs forward and backward: python -m training.desk.speed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from core.plans.parameters import BUS, MASTER, STRIP, Parameter
from training.desk import console, dynamics, filters, knobs, levels, saturation, spaces

RATE_HZ = 48_000
Played = Callable[[Tensor, knobs.Values], Tensor]


def _taking(prefix: str, effect: Callable[..., Tensor]) -> Played:
    def played(audio: Tensor, values: knobs.Values) -> Tensor:
        named = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
        return effect(audio, RATE_HZ, **named)

    return played


CASES: dict[str, tuple[tuple[Parameter, ...], Played]] = {
    "pan and fader": (STRIP, lambda audio, values: levels.gain(levels.place(audio, pan=values["pan"]), gain_db=-3.0)),
    "equaliser, six bands": (
        STRIP,
        lambda audio, values: filters.filtered(audio, filters.equaliser(audio, RATE_HZ, values)),
    ),
    "compressor": (STRIP, _taking("comp_", dynamics.compress)),
    "saturation": (STRIP, _taking("saturation_", saturation.saturate)),
    "reverb send": (
        STRIP,
        lambda audio, values: spaces.reverb(
            levels.gain(audio, gain_db=values["send_plate_db"]), RATE_HZ, space="plate"
        ),
    ),
    "strip without saturation": (STRIP, lambda audio, values: console.strip(audio, RATE_HZ, _unbent(values))),
    "bus without saturation": (BUS, lambda audio, values: console.bus(audio, RATE_HZ, _unbent(values))),
    "master with multiband": (MASTER, lambda audio, values: console.master(audio, RATE_HZ, _unbent(values))),
}


def _unbent(values: knobs.Values) -> knobs.Values:
    return {name: value for name, value in values.items() if name != "saturation_drive_db"}


def cpu_seconds_per_minute(parameters: tuple[Parameter, ...], played: Played, *, seconds: float, batch: int) -> float:
    """Processor seconds, forward and backward to every knob and to the audio, per minute of stereo audio."""
    turning = knobs.continuous(parameters)
    generator = torch.Generator().manual_seed(0)
    audio = (0.1 * torch.randn(batch, 2, round(seconds * RATE_HZ), generator=generator)).requires_grad_()
    positions = torch.full((batch, len(turning)), 0.5, requires_grad=True)
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        played(audio, knobs.physical(turning, positions)).square().sum().backward()
        best = min(best, time.process_time() - start)
    return best * 60.0 / (seconds * batch)


def main() -> None:
    """Print a row per processor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of an excerpt")
    parser.add_argument("--batch", type=int, default=4, help="excerpts at a time")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    for name, (parameters, played) in CASES.items():
        cost_s = cpu_seconds_per_minute(parameters, played, seconds=asked.seconds, batch=asked.batch)
        print(f"{name:28} {cost_s:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
