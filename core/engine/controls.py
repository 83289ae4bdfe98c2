"""What foot switches and MIDI controllers were taught; a process of its own reads them and asks for the actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

import msgspec

from core.engine.board import Board
from core.engine.server import Connection
from core.protocol.requests import ListenToControls, ReportControls, ReportHeard, TeachControl
from core.protocol.topics import ControlAction, ControlsTopic, HeardControl, Learnt
from core.settings import Settings

ACTIONS: Final[tuple[ControlAction, ...]] = get_args(ControlAction)


class Controls:
    """Keeps the controls topic. What was learnt is a setting; what is plugged in is what the reader says."""

    def __init__(
        self, board: Board, settings: Callable[[], Settings], change: Callable[[dict[str, Any]], None]
    ) -> None:
        self._board = board
        self._settings = settings
        self._change = change
        self._readers: dict[Connection, ReportControls] = {}
        self._listeners: dict[Connection, ListenToControls] = {}
        self._show()

    async def report(self, request: ReportControls, connection: Connection) -> None:
        """Remember what is plugged in, for as long as its reader is connected."""
        if connection not in self._readers:
            connection.on_close.append(lambda: self._left(connection))
        self._readers[connection] = request
        self._show()

    def heard(self, request: ReportHeard) -> None:
        """Show a press to whoever listens."""
        topic = self._board.get(ControlsTopic)
        if topic.listening:
            number = topic.heard.number + 1 if topic.heard is not None else 1
            heard = HeardControl(number=number, device=request.device, control=request.control)
            self._board.put(msgspec.structs.replace(topic, heard=heard))

    async def listen(self, request: ListenToControls, connection: Connection) -> ControlsTopic:
        """Let presses be reported instead of done, or no more."""
        if connection not in self._listeners:
            connection.on_close.append(lambda: self._left(connection))
        if request.on:
            self._listeners[connection] = request
        else:
            self._listeners.pop(connection, None)
        self._show()
        return self._board.get(ControlsTopic)

    async def teach(self, request: TeachControl) -> ControlsTopic:
        """Learn or forget what a control does."""
        learnt = {device: dict(controls) for device, controls in self._settings().controls.items()}
        of_device = learnt.setdefault(request.device, {})
        of_device.pop(request.control, None)
        if request.action is not None:
            of_device[request.control] = request.action
        self._change({"controls": {device: controls for device, controls in learnt.items() if controls}})
        self._show()
        return self._board.get(ControlsTopic)

    def _left(self, connection: Connection) -> None:
        self._readers.pop(connection, None)
        self._listeners.pop(connection, None)
        self._show()

    def _show(self) -> None:
        listener = next(reversed(self._listeners.values()), None)
        self._board.put(
            msgspec.structs.replace(
                self._board.get(ControlsTopic),
                panel=bool(self._readers),
                present=tuple(control for report in self._readers.values() for control in report.present),
                learnt=tuple(
                    Learnt(device=device, control=control, action=action)
                    for device, controls in self._settings().controls.items()
                    for control, word in controls.items()
                    for action in ACTIONS
                    if action == word  # a newer OTO may know more
                ),
                listening=listener is not None,
                listening_to=listener.device if listener is not None else None,
            )
        )
