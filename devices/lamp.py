"""A light of the box that programs may switch: /sys/class/leds (the kernel's Documentation/leds/leds-class.rst)."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from devices.errors import DeviceError

LEDS: Final = Path("/sys/class/leds")


@dataclass(frozen=True)
class Shine:
    """What makes a light shine."""

    folder: str
    trigger: str
    """Chosen of those that the kernel has; empty when it has none."""
    brightness: str

    def restore(self) -> None:
        """Make it shine like this. Raises DeviceError("refused")."""
        if self.trigger in ("", "none"):
            _write(Path(self.folder), "brightness", self.brightness)
        else:
            _write(Path(self.folder), "trigger", self.trigger)


class Lamp:
    """One light, on or off. What made it shine before comes back when it is closed.

    It is switched from here, not by the kernel's blinking trigger: a light that goes on blinking after whoever knows
    has died would lie, and the trigger's files appear only when it is chosen, with root's rights alone.
    """

    def __init__(self, name: str, leds: Path = LEDS, kept: Path | None = None) -> None:
        """Take over the light `name` ("ACT"), or one in another folder by its path.

        What made it shine before is also written to `kept`, for `give_back` to read if this process is killed.

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
        brightness = (self._folder / "brightness").read_text().strip()
        self._before = Shine(str(self._folder), _chosen_trigger(self._folder), brightness)
        self._on: bool | None = None
        self._kept = kept
        if kept is not None:
            with contextlib.suppress(OSError):
                kept.write_text(json.dumps(asdict(self._before)))
        _write(self._folder, "trigger", "none")

    def set(self, on: bool) -> None:
        """Switch it; nothing is written when it is so already. Raises DeviceError("refused")."""
        if on != self._on:
            _write(self._folder, "brightness", self._full if on else "0")
            self._on = on

    def close(self) -> None:
        """Give it back as it was. Never raises."""
        with contextlib.suppress(DeviceError):
            self._before.restore()
        if self._kept is not None:
            with contextlib.suppress(OSError):
                self._kept.unlink()


def give_back(kept: Path) -> None:
    """Give back the light that a process which was killed had taken over, if there is one. Never raises."""
    with contextlib.suppress(OSError, ValueError, TypeError, DeviceError):
        Shine(**json.loads(kept.read_text())).restore()
    with contextlib.suppress(OSError):
        kept.unlink()


def _chosen_trigger(folder: Path) -> str:
    with contextlib.suppress(OSError):
        text = (folder / "trigger").read_text()
        chosen = re.search(r"\[([^\]]+)\]", text)
        return chosen[1] if chosen else text.strip()
    return ""


def _write(folder: Path, file: str, text: str) -> None:
    try:
        (folder / file).write_text(text)
    except OSError as error:
        raise DeviceError(
            "refused",
            f"The light {folder.name} can't be switched: {error.strerror}.",
            "Its files need to be this user's or group's: docs/appliance.md has the rule for udev.",
        ) from error
