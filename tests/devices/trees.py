"""Pieces of /proc and /sys as the kernel shows them, built in a folder."""

from __future__ import annotations

from pathlib import Path

SCARLETT_STREAM = """\
Focusrite Scarlett 18i20 USB at usb-0000:01:00.0-1.2, high speed : USB Audio

Playback:
  Status: Stop
  Interface 1
    Altset 1
    Format: S32_LE
    Channels: 20
    Endpoint: 0x01 (1 OUT) (ASYNC)
    Rates: 44100, 48000, 88200, 96000
  Interface 1
    Altset 2
    Format: S32_LE
    Channels: 10
    Rates: 176400, 192000

Capture:
  Status: Running
  Interface 2
    Altset 1
    Format: S32_LE
    Channels: 18
    Endpoint: 0x82 (2 IN) (ASYNC)
    Rates: 44100, 48000, 88200, 96000
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def add_card(
    root: Path,
    number: int,
    word: str,
    name: str,
    *,
    usb: tuple[str, str] | None = None,
    port: str = "1-1",
    serial: str | None = None,
    stream: str | None = None,
) -> None:
    """Plug a card in."""
    listing = root / "proc/asound/cards"
    listing.parent.mkdir(parents=True, exist_ok=True)
    before = listing.read_text() if listing.exists() else ""
    listing.write_text(
        f"{before} {number} [{word:<15}]: USB-Audio - {name}\n                      {name} at somewhere\n"
    )
    if stream is not None:
        write(root / f"proc/asound/card{number}/stream0", stream)
    device = root / f"sys/devices/pci0/usb1/{port}" if usb else root / f"sys/devices/pci0/codec{number}"
    interface = device / f"{port}:1.0"
    interface.mkdir(parents=True, exist_ok=True)
    if usb:
        write(device / "idVendor", usb[0] + "\n")
        write(device / "idProduct", usb[1] + "\n")
        if serial is not None:
            write(device / "serial", serial + "\n")
    card = root / f"sys/class/sound/card{number}"
    card.mkdir(parents=True)
    (card / "device").symlink_to(interface if usb else device)
