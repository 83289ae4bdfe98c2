"""MIDI as raw bytes: /dev/snd/midi*, a serial port, a pipe (MIDI 1.0 Detailed Specification 4.2)."""

from __future__ import annotations

from typing import Final

from devices.controls.touch import Touch

_DATA_BYTES: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""How many data bytes follow a channel message's status (table 1)."""
_COMMON_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
"""The same of system common messages (table 5)."""
_REAL_TIME: Final = {0xFA: "start", 0xFB: "continue", 0xFC: "stop"}
"""Transport keys of a sequencer (table 6)."""
_SYSEX: Final = 0xF0

ON_FROM: Final = 64
"""From here on a switch is on (table 3, note on controllers 64 to 69)."""
OFF_BELOW: Final = 48
"""A controller has to come this far back before it can be pressed again: a worn pedal trembles around the middle."""


class MidiParser:
    """Turns MIDI bytes into touches, wherever they are cut.

    Knows running status, real-time bytes between any two others, and system exclusive messages, which it skips.
    """

    def __init__(self) -> None:
        self._status = 0
        """Of the message whose data is expected; 0 when data bytes mean nothing."""
        self._data: list[int] = []
        self._on: set[str] = set()

    def feed(self, data: bytes) -> list[Touch]:
        """Touches in these bytes, in order."""
        touches: list[Touch] = []
        for byte in data:
            if byte in _REAL_TIME:
                touches += [Touch(_REAL_TIME[byte], down=True), Touch(_REAL_TIME[byte], down=False)]
            elif byte >= 0xF8:
                continue
            elif byte >= 0x80:
                self._status, self._data = byte, []
            elif self._status and self._status != _SYSEX:
                touches += self._take(byte)
        return touches

    def _take(self, byte: int) -> list[Touch]:
        """A data byte of a message."""
        self._data.append(byte)
        channel_message = self._status < _SYSEX
        wanted = _DATA_BYTES[self._status & 0xF0] if channel_message else _COMMON_BYTES.get(self._status, 0)
        if len(self._data) < wanted:
            return []
        data, self._data = self._data, []
        if not channel_message:
            self._status = 0  # these end running status
            return []
        return self._touches(self._status & 0xF0, self._status % 16 + 1, data)

    def _touches(self, kind: int, channel: int, data: list[int]) -> list[Touch]:
        number = data[0]
        if kind in (0x80, 0x90):
            return [Touch(f"note {number} on channel {channel}", down=kind == 0x90 and data[1] > 0)]
        if kind == 0xC0:
            control = f"program {number + 1} on channel {channel}"
            return [Touch(control, down=True), Touch(control, down=False)]
        if kind == 0xB0 and number < 120:  # from there on: channel mode, "all notes off" and the like
            control = f"cc {number} on channel {channel}"
            if data[1] >= ON_FROM and control not in self._on:
                self._on.add(control)
                return [Touch(control, down=True)]
            if data[1] < OFF_BELOW and control in self._on:
                self._on.discard(control)
                return [Touch(control, down=False)]
        return []
