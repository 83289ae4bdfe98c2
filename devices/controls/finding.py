"""Which controls are plugged in, by the kernel's folders. Nothing is opened for this: that would wake what sleeps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from devices import alsa
from devices.errors import DeviceError
from devices.text import printable

ROOT: Final = Path("/")
USB_AND_BLUETOOTH: Final = ("0003", "0005")
"""Bus types whose devices have a maker's number (linux/input.h)."""
LETTERS: Final = (*range(16, 26), *range(30, 39), *range(44, 51))
"""KEY_Q to KEY_P, KEY_A to KEY_L, KEY_Z to KEY_M (linux/input-event-codes.h)."""

Kind = Literal["keys", "midi"]


@dataclass(frozen=True)
class Control:
    """Something with keys or pedals that is plugged in."""

    id: str
    """Survives re-plugging: "keys:VENDOR:PRODUCT[:SERIAL]:INTERFACE", "midi:VENDOR:PRODUCT[:SERIAL]", or by a name. Two
    alike without serial numbers have one identity and do the same."""
    name: str
    """As its maker wrote it, made safe to show."""
    kind: Kind
    path: str
    """The file that is read."""
    keyboard: bool = False
    """People could type on it: a keyboard, or a foot switch that says it is one."""


def find_controls(root: Path = ROOT) -> list[Control]:
    """Everything with keys or MIDI that is plugged in, by file name; `root` is where /dev, /proc and /sys are."""
    return [*_key_devices(root), *_midi_devices(root)]


def control_at(place: str) -> Control:
    """A control that is read from a file that a person names: "midi:/dev/ttyAMA0", "keys:/dev/input/event3".

    Raises DeviceError("bad_input") for anything else.
    """
    kind, _, path = place.partition(":")
    if kind not in ("keys", "midi") or not path.startswith("/"):
        raise DeviceError("bad_input", f"{place!r} is no control.", "Write midi:/FILE or keys:/FILE.")
    return Control(id=place, name=printable(Path(path).name), kind="keys" if kind == "keys" else "midi", path=path)


def keys_of(capabilities: str) -> frozenset[int]:
    """Codes of the keys that a device has, out of its `capabilities/key` in sysfs: 64-bit words, the last one first."""
    bits = 0
    for word in capabilities.split():
        bits = bits << 64 | int(word, 16)
    return frozenset(code for code in range(bits.bit_length()) if bits >> code & 1)


def types_text(keys: frozenset[int]) -> bool:
    """Whether a device could be a keyboard that somebody types on."""
    return keys.issuperset(LETTERS)


def _key_devices(root: Path) -> list[Control]:
    found = []
    for path in _numbered(root / "dev/input", r"event(\d+)"):
        about = root / "sys/class/input" / path.name / "device"
        name = printable(_read(about / "name"))
        try:
            codes = keys_of(_read(about / "capabilities/key"))
        except ValueError:
            continue
        if not codes:  # a lid, a jack's plug
            continue
        maker, product = _read(about / "id/vendor"), _read(about / "id/product")
        if _read(about / "id/bustype") in USB_AND_BLUETOOTH:
            # One device may show several keyboards, one for each of its interfaces.
            parts = [maker, product, _word(_read(about / "uniq")), _word(_read(about / "phys").rpartition("/")[2])]
        else:
            parts = [_word(name)]
        identity = ":".join(["keys", *(part for part in parts if part)])
        found.append(Control(identity, name or "Keys", "keys", str(path), keyboard=types_text(codes)))
    return found


def _midi_devices(root: Path) -> list[Control]:
    cards = {card.number: card for card in alsa.cards(root)}
    found = []
    for path in _numbered(root / "dev/snd", r"midiC(\d+)D(\d+)"):
        card, device = map(int, re.findall(r"\d+", path.name))
        about = cards.get(card)
        name = printable(about.name) if about is not None else ""
        if about is not None and about.usb is not None:
            identity = f"midi:{about.usb}" + (f":{about.serial}" if about.serial else "")
        else:
            identity = f"midi:{_word(about.id) if about is not None else card}"
        found.append(Control(identity + (f",{device}" if device else ""), name or "MIDI", "midi", str(path)))
    return found


def _numbered(folder: Path, pattern: str) -> list[Path]:
    try:
        there = list(folder.iterdir())
    except OSError:
        return []
    named = [path for path in there if re.fullmatch(pattern, path.name)]
    return sorted(named, key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)])


def _word(text: str) -> str:
    """What identities are made of, out of what a device says of itself."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-")[:60]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
