"""PortAudio inside a process of its own: loading it under our name and finding a device again by its identity.

Only `devices.probe` and `devices.driver` import this, each in a process that may hang or crash.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Final

CLIENT_NAME: Final = b"OTO"
"""What our ports are called in a JACK patch bay."""


@dataclass(frozen=True)
class HostDevice:
    """A device as PortAudio lists it."""

    index: int
    name: str
    host_api: str
    inputs: int
    outputs: int
    default_rate_hz: int


def load() -> ModuleType:
    """Load and initialise PortAudio; raises OSError when Debian's libportaudio2 is missing."""
    library = ctypes.util.find_library("portaudio")
    # The name has to be set before PortAudio connects to JACK, which importing sounddevice does.
    if library:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(library).PaJack_SetClientName(CLIENT_NAME)
    return importlib.import_module("sounddevice")


def devices(sounddevice: ModuleType) -> list[HostDevice]:
    """Every device of every host API, our own JACK clients left out."""
    apis = [short_api(str(api["name"])) for api in sounddevice.query_hostapis()]
    found = [
        HostDevice(
            index=int(device["index"]),
            name=str(device["name"]),
            host_api=apis[int(device["hostapi"])],
            inputs=int(device["max_input_channels"]),
            outputs=int(device["max_output_channels"]),
            default_rate_hz=round(device["default_samplerate"]),
        )
        for device in sounddevice.query_devices()
    ]
    return [device for device in found if not is_ours(device.host_api, device.name)]


def is_ours(host_api: str, name: str) -> bool:
    """Whether a device is nothing but this studio's own ports on a JACK server."""
    return host_api == "JACK" and name.split("-")[0] == CLIENT_NAME.decode()


def short_api(name: str) -> str:
    """A host API's everyday name."""
    return "JACK" if name.startswith("JACK") else name
