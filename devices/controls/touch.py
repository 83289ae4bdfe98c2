"""What happens on a control, whatever it is made of, and which of it counts as a press."""

from __future__ import annotations

from typing import Final, NamedTuple

REST_S: Final = 0.15
"""A press this soon after the last change of the same control is its contact bouncing, or a nervous foot."""


class Touch(NamedTuple):
    """A control that went down or up."""

    control: str
    """Which one of its device, in words that stay the same: "key 48", "note 60 on channel 1", "cc 64 on channel 1"."""
    down: bool


class Presses:
    """Tells presses from what only looks like one. A held pedal is one press, however long and often it repeats."""

    def __init__(self, rest_s: float = REST_S) -> None:
        self._rest_s = rest_s
        self._down: set[str] = set()
        self._changed_s: dict[str, float] = {}

    def counts(self, touch: Touch, now_s: float) -> bool:
        """Whether this touch is a press; `now_s` is any clock that only goes forward."""
        since_s = now_s - self._changed_s.get(touch.control, float("-inf"))
        was_down = touch.control in self._down
        if touch.down == was_down:
            return False
        self._changed_s[touch.control] = now_s
        if not touch.down:
            self._down.discard(touch.control)
            return False
        self._down.add(touch.control)
        return since_s >= self._rest_s
