"""A light of the box that programs may switch: /sys/class/leds (the kernel's Documentation/leds/leds-class.rst)."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Final

from devices.errors import DeviceError

LEDS: Final = Path("/sys/class/leds")


class Lamp:
    """One light, on or off. What made it shine before comes back when it is closed.

    It is switched from here, not by the kernel's blinking trigger: a light that goes on blinking after whoever knows
    has died would lie, and the trigger's files appear only when it is chosen, with root's rights alone.
    """

    def __init__(self, name: str, leds: Path = LEDS) -> None:
        """Take over the light `name` ("ACT"), or one in another folder by its path.

        Raises DeviceError: "not_found" with the names that there are, "refused" without the right to switch it.
        """
        self._folder = leds / name if "/" not in name else Path(name)
        if not (self._folder / "brightness").is_file():
            known = ", ".join(sorted(path.name for path in leds.glob("*"))) or "none"
            raise DeviceError("not_found", f"This box has no light {name!r}.", f"Lights: {known}.")
        try:
            self._full = (self._folder / "max_brightness").read_text().strip() or "1"
        except OSError:
            self._full = "1"
        self._before = self._chosen_trigger()
        self._brightness = (self._folder / "brightness").read_text().strip()
        self._on: bool | None = None
        self._write("trigger", "none")

    def set(self, on: bool) -> None:
        """Switch it; nothing is written when it is so already. Raises DeviceError("refused")."""
        if on != self._on:
            self._write("brightness", self._full if on else "0")
            self._on = on

    def close(self) -> None:
        """Give it back as it was. Never raises."""
        with contextlib.suppress(DeviceError):
            if self._before in ("", "none"):
                self._write("brightness", self._brightness)
            else:
                self._write("trigger", self._before)

    def _chosen_trigger(self) -> str:
        with contextlib.suppress(OSError):
            text = (self._folder / "trigger").read_text()
            chosen = re.search(r"\[([^\]]+)\]", text)
            return chosen[1] if chosen else text.strip()
        return ""

    def _write(self, file: str, text: str) -> None:
        try:
            (self._folder / file).write_text(text)
        except OSError as error:
            raise DeviceError(
                "refused",
                f"The light {self._folder.name} can't be switched: {error.strerror}.",
                "Its files need to be this user's or group's: docs/appliance.md has the rule for udev.",
            ) from error
