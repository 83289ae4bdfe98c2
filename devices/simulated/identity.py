"""Identities of the simulated interface: "sim" and what can be said behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.base import SIMULATED
from devices.errors import DeviceError

OUTPUTS: Final = 2


@dataclass(frozen=True)
class SimulatedId:
    """An identity like "sim:fast:once:/folder", taken apart."""

    folder: Path | None = None
    """None plays the band."""
    fast: bool = False
    """As fast as it is read, instead of in real time."""
    once: bool = False
    """Silence after the end, instead of from the start again."""
    loop: bool = False
    """Outputs 1 and 2 come back on inputs 1 and 2, `LOOP_FRAMES` later."""


def parse(interface_id: str) -> SimulatedId:
    """Take an identity apart; raises DeviceError "not_found" when it says something unknown."""
    words, slash, folder = interface_id.partition("/")
    kind, *options = words.rstrip(":").split(":")
    unknown = sorted(set(options) - {"fast", "once", "loop"})
    if kind != SIMULATED or unknown:
        raise DeviceError(
            "not_found",
            f"There is no interface {interface_id}.",
            "The simulated one is sim, with :fast, :once, :loop and :/FOLDER behind it as you like.",
        )
    return SimulatedId(
        folder=Path(slash + folder) if slash else None,
        fast="fast" in options,
        once="once" in options,
        loop="loop" in options,
    )
