"""Which interfaces are plugged in, found out by a process that may hang or crash without harm."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from devices import alsa
from devices.base import SIMULATED, Interface
from devices.child import kill, module_command, start
from devices.errors import DeviceError
from devices.host import CLIENT_NAME
from devices.text import printable

PROBE: Final = tuple(module_command("devices.probe"))

_OWN_JACK_FILES = re.compile(rf"jack_(sem\.\d+_.*_)?{CLIENT_NAME.decode()}(-\d+)?(_|$)")
_JACK_SOCKET = re.compile(rb"^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) /dev/shm/(jack_\S+)", re.MULTILINE)
"""A line of /proc/net/unix: flags, number of the inode, name."""
_LISTENING: Final = 1 << 16
"""Flag of a socket that accepts connections (__SO_ACCEPTCON of linux/net.h)."""


def enumerate_interfaces(
    timeout_s: float = 5.0, *, command: Sequence[str] = PROBE, root: Path = alsa.ROOT
) -> list[Interface]:
    """Every interface that is plugged in: USB first, then other hardware, JACK, the rest, the simulated one last.

    Also those that another program holds, which PortAudio leaves out; not ALSA's further names for the first card. A
    driver that hangs or crashes PortAudio costs `timeout_s` and the devices that only PortAudio knows. `root` is where
    /proc and /sys are.
    """
    try:
        listed = probe(timeout_s, command)
    except DeviceError:
        listed = []
    found: dict[str, Interface] = {}
    for interface in [*_listed(listed, root), *_usb_cards(root)]:
        seen = found.setdefault(interface.id, interface)
        # Whoever holds one direction of a device hides it from PortAudio.
        most = (max(seen.inputs, interface.inputs), max(seen.outputs, interface.outputs))
        found[interface.id] = replace(seen, inputs=most[0], outputs=most[1])
    return [*sorted(found.values(), key=_rank), simulated()]


def probe(timeout_s: float = 5.0, command: Sequence[str] = PROBE) -> list[dict[str, Any]]:
    """PortAudio's own list; raises DeviceError "device_lost" when it hangs, crashes or can't be loaded."""
    process = start(command, stdout=subprocess.PIPE)
    try:
        out, _ = process.communicate(timeout=timeout_s)
        answer = json.loads(out)
    except subprocess.TimeoutExpired as error:
        raise DeviceError(
            "device_lost",
            f"Looking for audio interfaces took more than {timeout_s:g} s and was given up; no recording is touched.",
            "Unplug the interface that was plugged in last and plug it in again.",
        ) from error
    except ValueError as error:
        raise DeviceError(
            "device_lost",
            "Looking for audio interfaces failed: the audio system crashed; no recording is touched.",
            "`oto doctor` says what is missing.",
        ) from error
    finally:
        kill(process)
    if not isinstance(answer, list):
        raise DeviceError(
            "device_lost",
            f"PortAudio could not be loaded: {printable(str(answer['error']), 200)}",
            "Install it: apt install libportaudio2",
        )
    return answer


def find(wanted: str, interfaces: Iterable[Interface]) -> Interface | None:
    """The interface that an identity means now: the same, or one of its make and model that moved to another port.

    A simulated one with options ("sim:fast:/folder") is described as it would be opened. Raises DeviceError when its
    folder holds nothing to play.
    """
    by_id = {interface.id: interface for interface in interfaces}
    if wanted not in by_id and wanted.partition(":")[0] == SIMULATED:
        return simulated(wanted)
    found = alsa.match(wanted, by_id)
    return by_id[found] if found is not None else None


def simulated(interface_id: str = SIMULATED) -> Interface:
    """The built-in interface: a band that plays, or a folder of files as if they came from the stage."""
    from devices.simulated.identity import OUTPUTS, parse

    folder = parse(interface_id).folder
    band = Interface(
        id=interface_id,
        name="Simulated band",
        host_api="OTO",
        inputs=0,
        outputs=OUTPUTS,
        default_rate_hz=48_000,
        rates_hz=alsa.STANDARD_RATES_HZ,
    )
    if folder is None:
        from devices.simulated.band import CHANNEL_NAMES

        return replace(band, inputs=len(CHANNEL_NAMES), channel_names=CHANNEL_NAMES)
    from devices.simulated.folder import describe

    names, rate_hz = describe(folder)
    return replace(
        band,
        name=f"Simulated: {printable(folder.name)}",
        inputs=len(names),
        default_rate_hz=rate_hz,
        rates_hz=(rate_hz,),
        channel_names=names,
    )


def fingerprint(root: Path = alsa.ROOT) -> str:
    """A string that changes when audio hardware, a JACK server or a JACK client comes or goes; well under 1 ms."""
    facts = [_read_bytes(root / "proc/asound/cards"), *_names(root / "dev/snd")]
    # A server and each of its clients have sockets of theirs; a killed one leaves its file, but not its socket. Between
    # two looks a server may have ended and another begun: what it listens on has the same name and another number.
    sockets = _JACK_SOCKET.findall(_read_bytes(root / "proc/net/unix"))
    jack = {name for _, _, name in sockets} | {name + b" " + inode for flags, inode, name in sockets if _listens(flags)}
    jack |= {name for name in _names(root / "dev/shm") if name.startswith(b"jack_")}
    facts += sorted(name for name in jack if not _OWN_JACK_FILES.match(name.decode(errors="replace")))
    return hashlib.blake2b(b"\n".join(facts), digest_size=8).hexdigest()


def _listed(listed: Iterable[dict[str, Any]], root: Path) -> list[Interface]:
    devices = [device for device in listed if device["host_api"] != "ALSA" or device["name"] not in alsa.WAYS]
    ids = alsa.identities([(device["host_api"], device["name"]) for device in devices], root)
    return [
        Interface(
            id=identity,
            name=printable(re.sub(r"(: USB Audio)? \(hw:\d+,\d+\)$", "", device["name"])) or device["host_api"],
            host_api=device["host_api"],
            inputs=device["inputs"],
            outputs=device["outputs"],
            default_rate_hz=device["default_rate_hz"],
            rates_hz=tuple(device["rates_hz"]),
        )
        for identity, device in zip(ids, devices, strict=True)
    ]


def _usb_cards(root: Path) -> list[Interface]:
    """USB cards by their descriptors, which also tell of those that a program holds."""
    found = []
    for card in alsa.cards(root):
        formats = alsa.usb_formats(card.number, root)
        if formats is None or not (formats.inputs or formats.outputs):
            continue
        [identity] = alsa.identities([("ALSA", f"(hw:{card.number},0)")], root)
        default_hz = 48_000 if 48_000 in formats.rates_hz or not formats.rates_hz else formats.rates_hz[0]
        found.append(
            Interface(
                id=identity,
                name=printable(card.name),
                host_api="ALSA",
                inputs=formats.inputs,
                outputs=formats.outputs,
                default_rate_hz=default_hz,
                rates_hz=formats.rates_hz,
            )
        )
    return found


def _rank(interface: Interface) -> int:
    if interface.id.startswith("usb:"):
        return 0
    if re.fullmatch(r"alsa:\w+,\d+", interface.id):
        return 1
    return 2 if interface.host_api == "JACK" else 3


def _listens(flags: bytes) -> bool:
    return bool(int(flags, 16) & _LISTENING)


def _names(folder: Path) -> list[bytes]:
    try:
        return sorted(os.fsencode(entry.name) for entry in os.scandir(folder))
    except OSError:
        return []


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
