"""Keys as the kernel's input devices tell them: keyboards, foot switches that pass for one, buttons on GPIO pins.

The format is the kernel's promise to programs (Documentation/input/input.rst, linux/input.h): records of one size, and
one ioctl. The Python package for it comes as source only and would want a compiler on the box.
"""

from __future__ import annotations

import fcntl
import struct
from typing import Final

from devices.controls.touch import Touch

EVENT: Final = struct.Struct("@llHHi")
"""struct input_event: seconds and microseconds as C longs, type, code, value."""
EV_KEY: Final = 0x01

ESCAPE: Final = 1
"""KEY_ESC: leaves every screen, so that nothing can be learnt over it."""
_LETTERS: Final = (*range(16, 26), *range(30, 39), *range(44, 51))
"""KEY_Q to KEY_P, KEY_A to KEY_L, KEY_Z to KEY_M."""

EVIOCGRAB: Final = 1 << 30 | 4 << 16 | ord("E") << 8 | 0x90
"""_IOW('E', 0x90, int) of linux/input.h, put together as asm-generic/ioctl.h does."""


class KeyParser:
    """Turns the bytes of an input device into touches, wherever they are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Touch]:
        """Touches in these bytes; a key that repeats because it is held says nothing new."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        touches = []
        for _, _, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if kind == EV_KEY and value in (0, 1) and code != ESCAPE:
                touches.append(Touch(f"key {code}", value == 1))
        return touches


def keys_of(capabilities: str) -> frozenset[int]:
    """Codes of the keys that a device has, out of its `capabilities/key` in sysfs: 64-bit words, the last one first."""
    bits = 0
    for word in capabilities.split():
        bits = bits << 64 | int(word, 16)
    return frozenset(code for code in range(bits.bit_length()) if bits >> code & 1)


def types_text(keys: frozenset[int]) -> bool:
    """Whether a device could be a keyboard that somebody types on."""
    return keys.issuperset(_LETTERS)


def grab(descriptor: int) -> None:
    """Keep what is pressed on a device from everybody else, until it is closed. Raises OSError."""
    fcntl.ioctl(descriptor, EVIOCGRAB, 1)
