"""Opens the controls that are wanted, as they come and go, and tells each press."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from core.protocol.topics import ControlsTopic
from devices.controls.finding import Control, find_controls
from devices.controls.opened import OpenControl
from devices.controls.touch import Presses

log = logging.getLogger(__name__)


class Reader:
    """The controls that are plugged in and those of them that are read. Lives on the event loop.

    A control is opened when it was taught something, and then taken for OTO alone, or while somebody listens. What
    nobody taught anything is never read otherwise: what is typed on a keyboard is nobody's business.
    """

    def __init__(self, given: Sequence[Control], on_press: Callable[[Control, str], None]) -> None:
        """`given` are read beside those that the kernel lists."""
        self.present: list[Control] = []
        self._given = list(given)
        self._on_press = on_press
        self._open: dict[str, OpenControl] = {}
        """By path."""
        self._presses: dict[str, Presses] = {}
        self._refused: set[str] = set()

    def look(self, topic: ControlsTopic) -> None:
        """See what is plugged in now, and open and close what has to be."""
        self.present = [*find_controls(), *self._given]
        learnt = {one.device for one in topic.learnt}
        wanted = {control.path: control for control in self.present if control.id in learnt or _heard(control, topic)}
        for path in [path for path, one in self._open.items() if wanted.get(path) != one.control]:
            self._close(path)
        for control in wanted.values():
            self._take(control, grab=control.id in learnt)
        self._refused &= wanted.keys()

    def close(self) -> None:
        """Let go of everything."""
        for path in list(self._open):
            self._close(path)

    def _take(self, control: Control, *, grab: bool) -> None:
        try:
            if control.path not in self._open:
                opened = self._open[control.path] = OpenControl(control)
                self._presses[control.path] = Presses()
                asyncio.get_running_loop().add_reader(opened.descriptor, self._read, control.path)
                log.info("%s (%s) is read.", control.name, control.path)
            if grab:
                self._open[control.path].grab()
        except OSError as error:
            if control.path not in self._refused:
                log.warning("%s (%s) can't be read: %s", control.name, control.path, error.strerror or error)
                self._refused.add(control.path)

    def _read(self, path: str) -> None:
        opened = self._open[path]
        touches = opened.read()
        if touches is None:
            log.info("%s is gone.", opened.control.name)
            self._close(path)  # the next look finds it if it is back
            return
        now_s = time.monotonic()
        for touch in touches:
            if self._presses[path].counts(touch, now_s):
                self._on_press(opened.control, touch.control)

    def _close(self, path: str) -> None:
        opened = self._open.pop(path)
        with contextlib.suppress(RuntimeError, OSError):
            asyncio.get_running_loop().remove_reader(opened.descriptor)
        opened.close()


def _heard(control: Control, topic: ControlsTopic) -> bool:
    if not topic.listening:
        return False
    return control.id == topic.listening_to if topic.listening_to is not None else not control.keyboard
