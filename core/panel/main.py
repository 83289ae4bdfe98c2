"""The panel: reads controls, asks the engine for what they mean, and lets the box's light say how it is.

It holds nothing that matters and outlives engines. Like every client it may die at any moment; a take goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from core.client import AsyncClient
from core.engine.notify import tell_systemd
from core.errors import OtoError
from core.panel.actions import request_for
from core.panel.reader import Reader
from core.panel.signals import is_on, signal_of
from core.protocol.requests import Attach, ReportControls, ReportHeard
from core.protocol.topics import (
    ControlInfo,
    ControlsTopic,
    DeviceTopic,
    SettingsTopic,
    TakesTopic,
    TransportTopic,
)
from devices.controls.finding import Control
from devices.errors import DeviceError
from devices.lamp import Lamp, give_back

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY_S: Final = 1.0
LAMP_EVERY_S: Final = 0.05
REFUSED_S: Final = 1.5
"""How long the light says that a press was refused."""
TOPICS: Final = ("controls", "transport", "device", "takes", "settings")


class Panel:
    """One connection to an engine after the other, the controls, and the light."""

    def __init__(self, given: Sequence[Control], lamp: str | None = None) -> None:
        """`given` are controls to read beside those that are plugged in; `lamp` stands in for the setting."""
        self._reader = Reader(given, lambda control, key: self._presses.put_nowait((control, key)))
        self._presses: asyncio.Queue[tuple[Control, str]] = asyncio.Queue()
        self._client: AsyncClient | None = None
        self._latest: dict[type[Any], Any] = {}
        self._look_now = asyncio.Event()
        self._lamp_given = lamp
        self._lamp: Lamp | None = None
        self._lamp_name = ""
        self._refused_until_s = 0.0

    async def run(self) -> None:
        """Go on until cancelled."""
        give_back_light()
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._follow, self._look, self._act, self._shine):
                    tasks.create_task(work())
        finally:
            self._reader.close()
            if self._lamp is not None:
                self._lamp.close()

    async def _follow(self) -> None:
        """Keep a connection, and the latest that the engine says."""
        waits = False
        while True:
            client = AsyncClient()
            try:
                await client.connect(Attach(client="panel", topics=TOPICS))
                self._client, waits = client, False
                log.info("The panel works for the engine at %s.", client.path)
                async for topic in client.topics():
                    self._latest[type(topic)] = topic
                    if isinstance(topic, ControlsTopic):
                        self._look_now.set()
            except OtoError as error:
                if not waits:
                    log.warning("%s The panel waits for one.", error.message)
                waits = True
            self._client = None
            self._latest.clear()
            await client.close()
            await asyncio.sleep(LOOK_EVERY_S)

    def _seen(self, kind: Callable[[], T]) -> T:
        """The latest value of a topic."""
        found: T | None = self._latest.get(kind)  # type: ignore[call-overload]
        return kind() if found is None else found

    async def _look(self) -> None:
        """See what is plugged in and pulled, and tell the engine."""
        told: tuple[AsyncClient | None, list[Control]] = (None, [])
        while True:
            # asyncio.wait_for of Python 3.11 forgets to be cancelled when what it waits for happens meanwhile.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._look_now.wait()
            self._look_now.clear()
            tell_systemd("WATCHDOG=1")
            client = self._client
            self._reader.look(self._seen(ControlsTopic))
            if client is not None and told != (client, self._reader.present):
                present = tuple(
                    ControlInfo(id=one.id, name=one.name, kind=one.kind, keyboard=one.keyboard)
                    for one in self._reader.present
                )
                with contextlib.suppress(OtoError):
                    await client.call(ReportControls(present=present))
                    told = (client, self._reader.present)

    async def _act(self) -> None:
        """Ask for what was pressed, one after the other."""
        while True:
            control, key = await self._presses.get()
            try:
                await self._press(control, key)
            except OtoError as error:
                log.warning("%s, %s: %s", control.name, key, error.message)
                self._refused_until_s = time.monotonic() + REFUSED_S

    async def _press(self, control: Control, key: str) -> None:
        client, controls = self._client, self._seen(ControlsTopic)
        if client is None:
            raise OtoError("no_engine", "The engine does not run, so nothing was done.")
        if controls.listening:
            await client.call(ReportHeard(device=control.id, control=key))
            return
        action = next((one.action for one in controls.learnt if (one.device, one.control) == (control.id, key)), None)
        if action is None:
            return
        transport, takes, settings = self._seen(TransportTopic), self._seen(TakesTopic), self._seen(SettingsTopic)
        request = request_for(action, transport, takes, settings)
        if request is not None:
            await client.call(request)

    async def _shine(self) -> None:
        """Let the light follow."""
        while True:
            self._choose_lamp()
            if self._lamp is not None:
                now_s = time.monotonic()
                state = signal_of(self._latest.get(TransportTopic), self._latest.get(DeviceTopic))
                try:
                    self._lamp.set(is_on("trouble" if now_s < self._refused_until_s else state, now_s))
                except DeviceError as error:
                    log.warning("%s %s", error.message, error.hint)
                    self._lamp = None
            await asyncio.sleep(LAMP_EVERY_S if self._lamp is not None else LOOK_EVERY_S)

    def _choose_lamp(self) -> None:
        settings: SettingsTopic | None = self._latest.get(SettingsTopic)
        if self._lamp_given is None and settings is None:
            return  # an engine that is away takes no light with it
        name = self._lamp_given if self._lamp_given is not None else str((settings or SettingsTopic()).values["lamp"])
        if name == self._lamp_name:
            return
        self._lamp_name = name
        if self._lamp is not None:
            self._lamp.close()
            self._lamp = None
        if name:
            try:
                self._lamp = Lamp(name, kept=_kept_light())
            except DeviceError as error:
                log.warning("%s %s", error.message, error.hint)


def give_back_light() -> None:
    """Give back the light that a panel which was killed had taken."""
    kept = _kept_light()
    if kept is not None:
        give_back(kept)


def _kept_light() -> Path | None:
    """Where it is written how the light was; what is there is gone when the computer restarts, as lights forget too."""
    folder = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR")
    return Path(folder) / "oto-light.json" if folder else None


def run(given: Sequence[Control], lamp: str | None = None) -> None:
    """Be the panel until SIGTERM, SIGINT or SIGHUP. What it does is told on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(_until_told(Panel(given, lamp).run()))


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    tell_systemd("READY=1")
    with contextlib.suppress(asyncio.CancelledError):
        await task
