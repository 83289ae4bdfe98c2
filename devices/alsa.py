"""What the kernel says about sound cards, read from /proc and /sys without opening anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.text import printable

ROOT: Final = Path("/")
STANDARD_RATES_HZ: Final = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000)

WAYS: Final = frozenset({"default", "sysdefault", "front", "rear", "center_lfe", "side", "iec958", "spdif", "hdmi"}) | {
    *("surround21", "surround40", "surround41", "surround50", "surround51", "surround71"),
    *("dmix", "dsnoop", "modem", "phoneline", "hw", "plughw", "null"),
}
"""Names that alsa-lib's own configuration (alsa.conf) gives to ways to the first card, mixed or resampled."""

_CARD = re.compile(r"^ *(\d+) \[(\S+) *\]: +\S+ - (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Card:
    """A sound card."""

    number: int
    """Changes from one plugging to the next."""
    id: str
    """The kernel's short word for it."""
    name: str
    usb: str | None
    """"VENDOR:PRODUCT" in hexadecimal when it is a USB device."""
    serial: str | None
    port: str | None
    """Where on the USB tree it is plugged in ("1-1.2": bus 1, port 1 of the root, port 2 of the hub)."""


@dataclass(frozen=True)
class CardFormats:
    """The most that a card's streams can do."""

    inputs: int
    outputs: int
    rates_hz: tuple[int, ...]


def cards(root: Path = ROOT) -> list[Card]:
    """Every sound card of the kernel; none when it has no sound."""
    found = _CARD.findall(_read(root / "proc/asound/cards"))
    return [_card(int(number), word, name.strip(), root) for number, word, name in found]


def _card(number: int, word: str, name: str, root: Path) -> Card:
    # For USB, `device` is an interface of the device ("1-1.2:1.0"); the device itself is the folder above.
    device = (root / f"sys/class/sound/card{number}/device").resolve().parent
    vendor, product = _read(device / "idVendor").strip(), _read(device / "idProduct").strip()
    if not (vendor and product):
        return Card(number, word, name, None, None, None)
    serial = re.sub(r"[^A-Za-z0-9._-]", "", _read(device / "serial"))
    return Card(number, word, name, f"{vendor}:{product}", serial or None, device.name)


def usb_formats(card: int, root: Path = ROOT) -> CardFormats | None:
    """What a USB card can do, from its descriptors as the kernel's driver prints them; None for other cards."""
    text = _read(root / f"proc/asound/card{card}/stream0")
    return parse_stream_file(text) if text else None


def parse_stream_file(text: str) -> CardFormats:
    """Read /proc/asound/cardN/stream0: channels and rates of every alternate setting."""
    channels = {"Playback": 0, "Capture": 0}
    rates: set[int] = set()
    direction = "Playback"
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if key in channels:
            direction = key
        elif key == "Channels" and value.strip().isdigit():
            channels[direction] = max(channels[direction], int(value))
        elif key == "Rates":
            rates |= _rates(value)
    return CardFormats(channels["Capture"], channels["Playback"], tuple(sorted(rates)))


def _rates(value: str) -> set[int]:
    numbers = [int(number) for number in re.findall(r"\d+", value)]
    if "continuous" in value and len(numbers) == 2:
        return {rate for rate in STANDARD_RATES_HZ if numbers[0] <= rate <= numbers[1]}
    return set(numbers) & set(STANDARD_RATES_HZ)


def in_use(card: int, device: int, root: Path = ROOT) -> bool:
    """Whether a program has one of the device's streams open."""
    folders = (root / f"proc/asound/card{card}").glob(f"pcm{device}[cp]/sub*")
    return any(_read(folder / "status").strip() not in ("", "closed") for folder in folders)


def hardware_address(name: str) -> tuple[int, int] | None:
    """Card and device number out of PortAudio's name of an ALSA hardware device ("... (hw:1,0)")."""
    match = re.search(r"\(hw:(\d+),(\d+)\)$", name)
    return (int(match[1]), int(match[2])) if match else None


def identities(devices: Iterable[tuple[str, str]], root: Path = ROOT) -> list[str]:
    """Identities that survive re-plugging and restarts, one for each (host API, PortAudio name), in order.

    "usb:VENDOR:PRODUCT:SERIAL" (or :PORT without a serial number, or when two devices carry the same one), with
    ",DEVICE" behind it for a card's further devices; "alsa:CARD,DEVICE" for other hardware; "jack:CLIENT"; else
    "HOSTAPI:NAME".
    """
    present = cards(root)
    by_number = {card.number: card for card in present}
    serials = [(card.usb, card.serial) for card in present]

    def identity(host_api: str, name: str) -> str:
        address = hardware_address(name) if host_api == "ALSA" else None
        if address is None or address[0] not in by_number:
            return f"{host_api.lower()}:{printable(name)}"
        card, device = by_number[address[0]], address[1]
        if card.usb is None:
            return f"alsa:{card.id},{device}"
        unique = card.serial is not None and serials.count((card.usb, card.serial)) == 1
        return f"usb:{card.usb}:{card.serial if unique else card.port}" + (f",{device}" if device else "")

    return [identity(host_api, name) for host_api, name in devices]


def match(wanted: str, present: Iterable[str]) -> str | None:
    """The identity among those present that is meant: the same, or the only USB device of that make and model."""
    present = list(present)
    if wanted in present:
        return wanted
    parts = wanted.split(":")
    if parts[0] != "usb" or len(parts) != 4:
        return None
    alike = [other for other in present if other.split(":")[:3] == parts[:3]]
    return alike[0] if len(alike) == 1 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
