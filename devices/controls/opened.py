"""A control that is being read, whatever it is made of. What reads one kind is loaded with the first of that kind."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Protocol

from devices.controls.finding import Control, Kind
from devices.controls.touch import Touch


class Source(Protocol):
    """What makes touches of an open file."""

    def grab(self) -> None:
        """Keep them from everybody else. Raises OSError."""

    def read(self) -> list[Touch]:
        """What has happened since the last reading. Raises OSError when the control is gone."""


class OpenControl:
    """A control that is being read. Reading never waits."""

    def __init__(self, control: Control) -> None:
        """Open it. Raises OSError."""
        self.control = control
        source = _source(control.kind)
        self.descriptor = os.open(control.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        self._file = io.FileIO(self.descriptor)
        try:
            self._source = source(self._file)
        except OSError:
            self._file.close()
            raise

    def grab(self) -> None:
        """Keep it from everybody else, where it is a device that others read too. Raises OSError."""
        self._source.grab()

    def read(self) -> list[Touch] | None:
        """What has happened since the last reading; None when the control is gone."""
        try:
            return self._source.read()
        except OSError:
            return None

    def close(self) -> None:
        """Let go of it, and of what it kept."""
        self._file.close()


def _source(kind: Kind) -> Callable[[io.FileIO], Source]:
    if kind == "keys":
        from devices.controls.keys import Keys

        return Keys
    from devices.controls.midi import Midi

    return Midi
