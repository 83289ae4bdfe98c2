"""MIDI as raw bytes: /dev/snd/midi*, a serial port, a pipe (MIDI 1.0 Detailed Specification 4.2)."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import termios
import tty
from typing import Final

from mido import Message, Parser

from devices.controls.touch import Touch

_STATUS: Final = 0x80
"""From here on a byte says what the data that follow mean."""
_SYSTEM: Final = 0xF0
_END: Final = 0xF7
"""Ends a system exclusive message."""
_REAL_TIME: Final = 0xF8
"""From here on a byte is a message of its own."""

ON_FROM: Final = 64
"""From here on a switch is on (table 3, note on controllers 64 to 69)."""
OFF_BELOW: Final = 48
"""A controller has to come this far back before it can be pressed again: a worn pedal trembles around the middle."""
CHANNEL_MODE: Final = 120
"""From here on a controller is none, but "all notes off" and the like (table 3)."""


class Midi:
    """What comes out of one open port."""

    def __init__(self, file: io.FileIO) -> None:
        """Read what comes out of this file, which does not wait."""
        self._file = file
        self._parser = MidiParser()
        if file.isatty():
            _make_raw(file.fileno())

    def grab(self) -> None:
        """Nothing: a port has one reader as it is."""

    def read(self) -> list[Touch]:
        """What has happened since the last reading. Raises OSError when the port is gone."""
        data = self._file.read(4096)
        if data == b"":
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self._parser.feed(data or b"")


class MidiParser:
    """Turns MIDI bytes into touches, wherever they are cut.

    mido makes messages of them, but knows neither running status nor that real-time bytes may stand between any two
    others: a note with the clock inside is lost to it. So it gets every message whole, with its status.
    """

    def __init__(self) -> None:
        self._parser = Parser()
        self._running = 0
        """Status of a channel message that is just complete: data that follow make another one. 0 otherwise."""
        self._on: set[str] = set()

    def feed(self, data: bytes) -> list[Touch]:
        """Touches in these bytes, in order."""
        return [touch for byte in data for message in self._messages(byte) for touch in self._touches(message)]

    def _messages(self, byte: int) -> list[Message]:
        """What is complete with this byte."""
        if byte >= _REAL_TIME:
            return list(Parser([byte]))
        if byte < _STATUS and self._running:
            self._parser.feed_byte(self._running)
        # What is said to a whole system has no keys, and may never end: it isn't begun.
        self._parser.feed_byte(byte if byte < _SYSTEM else _END)
        messages = list(self._parser)
        self._running = messages[-1].bytes()[0] if messages else 0
        return messages

    def _touches(self, message: Message) -> list[Touch]:
        match message.type:
            case "note_on" | "note_off":
                down = message.type == "note_on" and message.velocity > 0
                return [Touch(f"note {message.note} on channel {message.channel + 1}", down)]
            case "program_change":
                return _tap(f"program {message.program + 1} on channel {message.channel + 1}")
            case "control_change" if message.control < CHANNEL_MODE:
                return self._switch(f"cc {message.control} on channel {message.channel + 1}", message.value)
            case "start" | "continue" | "stop":
                return _tap(message.type)
        return []

    def _switch(self, control: str, value: int) -> list[Touch]:
        """What a controller makes of its new value."""
        if value >= ON_FROM and control not in self._on:
            self._on.add(control)
            return [Touch(control, down=True)]
        if value < OFF_BELOW and control in self._on:
            self._on.discard(control)
            return [Touch(control, down=False)]
        return []


def _tap(control: str) -> list[Touch]:
    """What has no end of its own."""
    return [Touch(control, down=True), Touch(control, down=False)]


def _make_raw(descriptor: int) -> None:
    """A serial port as MIDI wants it: bytes as they are. 38400 is what a Pi's midi-uart overlay turns into 31250."""
    with contextlib.suppress(termios.error):
        tty.setraw(descriptor)
        attributes = termios.tcgetattr(descriptor)
        attributes[4] = attributes[5] = termios.B38400
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
