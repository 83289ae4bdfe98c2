"""What the box's light says. Pure functions."""

from __future__ import annotations

from typing import Final, Literal

from core.protocol.topics import DeviceTopic, TransportTopic

Signal = Literal["ready", "recording", "trouble"]

PERIOD_S: Final[dict[Signal, float]] = {"ready": 0.0, "recording": 1.0, "trouble": 0.25}
"""How long the light takes to be on and off once; 0 stays on."""

LITTLE_LEFT_S: Final = 600.0
"""Less disk than this while recording is trouble, as on the screen."""


def signal_of(transport: TransportTopic | None, device: DeviceTopic | None) -> Signal:
    """What there is to say; None stands for an engine that does not answer.

    Trouble is what somebody has to come for: no engine, no interface, a take that has lost something, a mirror that
    failed, a disk that is nearly full.
    """
    if transport is None or device is None or device.problem is not None or transport.state == "no_device":
        return "trouble"
    if transport.state not in ("recording", "counting_in"):
        return "ready"
    losses = transport.losses
    lost = losses.overflows or losses.ring_overruns or losses.disk_errors or transport.mirror == "failed"
    little = transport.remaining_s is not None and transport.remaining_s < LITTLE_LEFT_S
    return "trouble" if lost or little or device.current is None else "recording"


def is_on(signal: Signal, now_s: float) -> bool:
    """Whether the light is on at this moment of any clock."""
    period_s = PERIOD_S[signal]
    return not period_s or now_s % period_s < period_s / 2
