"""`oto devices`, `oto latency`: what is plugged in, and how long sound takes through it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, no_options
from core.cli.console import size, table
from core.errors import OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console
    from devices.base import Interface


def _devices(_options: Namespace, _console: Console) -> Answer:
    from devices.discovery import enumerate_interfaces
    from devices.drives import list_drives

    seen = enumerate_interfaces()
    known = {interface.id for interface in seen}
    interfaces = [*(each for each in _of_the_engine() if each.id not in known), *seen]
    drives = list_drives()
    value = {
        "interfaces": [dataclasses.asdict(interface) for interface in interfaces],
        "drives": [{**dataclasses.asdict(drive), "path": str(drive.path)} for drive in drives],
    }
    rows = [
        (
            interface.id,
            interface.name,
            f"{interface.inputs} in",
            f"{interface.outputs} out",
            f"{interface.default_rate_hz} Hz",
            interface.host_api,
        )
        for interface in interfaces
    ]
    text = table(("interface", "name", "", "", "", ""), rows)
    if drives:
        places = [
            (
                str(drive.path),
                drive.label,
                drive.file_system,
                f"{size(drive.free_bytes)} free of {size(drive.size_bytes)}",
            )
            for drive in drives
        ]
        text += "\n\n" + table(("drive", "label", "", ""), places)
    return Answer(value, text)


def _of_the_engine() -> list[Interface]:
    """What a running engine can use: on a box its user may reach sound cards that whoever asks may not."""
    from core.cli.wire import ask
    from devices.base import Interface

    try:
        return [Interface(**each) for each in ask("status")["device"]["available"]]
    except OtoError:
        return []


def _latency_options(parser: ArgumentParser) -> None:
    parser.add_argument("--output", type=int, default=1, help="output that the cable comes from (default: 1)")
    parser.add_argument("--input", type=int, default=1, help="input that it goes to (default: 1)")


def _latency(options: Namespace, _console: Console) -> Answer:
    from core.cli.wire import ask

    samples: int = ask("device.measure_latency", output=options.output, input=options.input)
    rate_hz: int = ask("status")["device"]["rate_hz"]
    value: dict[str, Any] = {"round_trip_samples": samples, "round_trip_ms": 1000 * samples / rate_hz}
    return Answer(value, f"Round trip {samples} samples, {value['round_trip_ms']:.2f} ms; overdubs are moved by that.")


COMMANDS = {
    "devices": Command(
        "list audio interfaces and drives",
        "List the audio interfaces and drives that are plugged in. The first column is what --device and --to take.\n"
        "Looks outside the engine, so that a driver that hangs can't touch a recording, and adds what a running\n"
        "engine has found.",
        ("oto devices", "oto devices --json | jq '.interfaces[].id'"),
        no_options,
        _devices,
    ),
    "latency": Command(
        "measure the interface's round trip",
        "Measure how long sound takes from an output back into an input, with a cable between them. The engine\n"
        "remembers it for this interface and rate and moves overdubs by it. A click comes out:\n"
        "turn the loudspeakers down.",
        ("oto latency", "oto latency --output 3 --input 2 --json"),
        _latency_options,
        _latency,
    ),
}
