"""What an audio interface is to the rest of OTO, real or simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

SIMULATED = "sim"
"""Identity of the built-in simulated interface."""


@dataclass(frozen=True)
class Interface:
    """An audio interface that is plugged in."""

    id: str
    """Identity that survives re-plugging: "usb:VENDOR:PRODUCT:SERIAL or PORT", "alsa:CARD,DEVICE", "jack:CLIENT", else
    "HOSTAPI:NAME", or "sim"."""
    name: str
    """As its maker wrote it; control characters removed."""
    host_api: str
    inputs: int
    outputs: int
    default_rate_hz: int
    rates_hz: tuple[int, ...] = ()
    channel_names: tuple[str, ...] = ()
    """What the interface calls its inputs, where it says so."""

    def rate_near(self, rate_hz: int) -> int:
        """The wished rate, or where the interface is known not to run at it, the one that is its own."""
        if not self.rates_hz or rate_hz in self.rates_hz:
            return rate_hz
        return min(self.rates_hz, key=lambda rate: (rate != self.default_rate_hz, abs(rate - rate_hz)))


def is_realtime(interface_id: str) -> bool:
    """Whether audio arrives by the clock; a simulated interface may run as fast as it is read."""
    kind, *options = interface_id.partition("/")[0].split(":")
    return kind != SIMULATED or "fast" not in options


@dataclass(frozen=True)
class StreamRequest:
    """How a stream shall be opened."""

    rate_hz: int
    inputs: int
    """Channels 1..inputs are captured."""
    outputs: int = 0
    """0 opens the inputs alone; otherwise one duplex stream on one clock."""
    block_frames: int = 2_000
    """What `read` returns at a time."""
    buffer_s: float = 0.5
    """How long the process may sleep without losing input."""


@dataclass(frozen=True)
class Block:
    """A stretch of captured audio."""

    audio: NDArray[np.float32] | NDArray[np.int32]
    """(frames, channels), in the interface's own sample format; int32 is left-aligned (full scale 2^31)."""
    overflowed: bool
    """Input was lost just before this block: the driver says so, or the process slept longer than its buffer."""
    lost_frames: int = 0
    """How much was lost, where that is known."""
    slept_frames: int = 0
    """How much of that the driver delivered and this process was too late to read."""


class Stream(Protocol):
    """An open interface. One thread reads (and, in duplex, writes after each read)."""

    sample_type: Literal["float32", "int32"]
    rate_hz: int
    inputs: int
    outputs: int
    output_latency_frames: int
    """In duplex: frames that were written ahead before the first read, so that what is written after the k-th frame was
    read is played this many frames after that frame was captured, plus the converters' own round trip."""

    def read(self, frames: int) -> Block:
        """Wait for exactly `frames` frames. Raises DeviceError("device_lost") when the interface is gone."""
        ...

    def write(self, audio: NDArray[np.float32]) -> bool:
        """Queue (frames, outputs) float32 for playback; True when the output had run dry before."""
        ...

    def close(self) -> None:
        """Give the interface back. Never raises."""
        ...


def open_stream(interface_id: str, request: StreamRequest) -> Stream:
    """Open the interface with this identity.

    Raises DeviceError: "not_found" when it is not plugged in, "busy" when another program has it, "bad_input" when it
    can't do what is asked (the message names what it can), "device_lost" when it failed.
    """
    if interface_id.partition(":")[0] == SIMULATED:
        from devices.simulated.stream import open_simulated

        return open_simulated(interface_id, request)
    from devices.portaudio import open_portaudio

    return open_portaudio(interface_id, request)
