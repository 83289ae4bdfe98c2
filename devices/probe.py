"""Lists what PortAudio sees, as one JSON array on stdout: run as `python -m devices.probe`, and killed if it hangs."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from types import ModuleType

from devices import alsa, host
from devices.child import quiet_stdout


def supported_rates(sounddevice: ModuleType, device: host.HostDevice) -> tuple[int, ...]:
    """The standard rates that an ALSA hardware device accepts; nothing is asked of one that is in use."""
    address = alsa.hardware_address(device.name)
    if device.host_api != "ALSA" or address is None:
        return (device.default_rate_hz,) if device.host_api == "JACK" else ()
    formats = alsa.usb_formats(address[0])
    if formats is not None:
        return formats.rates_hz
    if alsa.in_use(*address):
        return ()
    return tuple(rate for rate in alsa.STANDARD_RATES_HZ if _accepts(sounddevice, device, rate))


def _accepts(sounddevice: ModuleType, device: host.HostDevice, rate_hz: int) -> bool:
    check, channels = (
        (sounddevice.check_input_settings, device.inputs)
        if device.inputs
        else (sounddevice.check_output_settings, device.outputs)
    )
    try:
        check(device=device.index, channels=channels, dtype="int32", samplerate=rate_hz)
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def main() -> int:
    """Print the devices, or {"error": why}."""
    out = quiet_stdout()
    try:
        sounddevice = host.load()
        answer: object = [
            {**asdict(device), "rates_hz": supported_rates(sounddevice, device)} for device in host.devices(sounddevice)
        ]
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    with os.fdopen(out, "w") as stream:
        json.dump(answer, stream)
    return 0


if __name__ == "__main__":
    sys.exit(main())
