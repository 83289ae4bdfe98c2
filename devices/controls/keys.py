"""Keys of the kernel's input devices: keyboards, foot switches that pass for one, buttons on GPIO pins.

libevdev reads them. When somebody was slow and the kernel had to drop events it says which keys have changed meanwhile,
without which a pedal that came up unheard would stay down.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterable, Iterator
from typing import Final

import libevdev
from libevdev import Device, EventsDroppedException, InputEvent
from libevdev.device import DeviceGrabError

from devices.controls.touch import Touch

DOWN: Final = {0: False, 1: True}
"""What the value of a key's event says; 2 repeats a key that is held, and nothing has changed (linux/input.h)."""


class Keys:
    """The keys of one device that is open."""

    def __init__(self, file: io.FileIO) -> None:
        """Read what comes out of this file, which does not wait. Raises OSError when it is no input device."""
        self._device = Device(file)
        self._grabbed = False
        for kind in libevdev.types:
            if kind not in (libevdev.EV_SYN, libevdev.EV_KEY):  # how a mouse moves says nothing of its buttons
                self._device.disable(kind)

    def grab(self) -> None:
        """Keep what is pressed from everybody else, until the file is closed. Raises OSError."""
        if self._grabbed:
            return
        try:
            self._device.grab()
        except DeviceGrabError as error:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY)) from error
        self._grabbed = True

    def read(self) -> list[Touch]:
        """What has happened since the last reading. Raises OSError when the device is gone."""
        return touches(self._events())

    def _events(self) -> Iterator[InputEvent]:
        while True:
            try:
                yield from self._device.events()
            except EventsDroppedException:
                yield from self._device.sync()
            else:
                return


def touches(events: Iterable[InputEvent]) -> list[Touch]:
    """Keys that went down or up. Escape is none: it leaves every screen, so that nothing can be learnt over it."""
    return [
        Touch(f"key {event.code.value}", DOWN[event.value])
        for event in events
        if event.matches(libevdev.EV_KEY) and event.value in DOWN and not event.matches(libevdev.EV_KEY.KEY_ESC)
    ]
