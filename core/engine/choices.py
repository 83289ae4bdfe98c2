"""What a person chooses for the box: its settings, the interface, and the round trip to measure."""

from __future__ import annotations

from core import settings as settings_file
from core.engine.board import Board
from core.engine.interface import InterfaceKeeper, round_trip_key
from core.engine.latency import measure_round_trip
from core.engine.preferences import Preferences
from core.engine.shelf import Shelf
from core.engine.transport import Transport
from core.errors import OtoError
from core.protocol import requests, topics


class Choices:
    """Answers the requests that decide what the interface is and how it is used; none while a take runs."""

    def __init__(
        self, board: Board, preferences: Preferences, keeper: InterfaceKeeper, transport: Transport, shelf: Shelf
    ) -> None:
        self._board = board
        self._preferences = preferences
        self._keeper = keeper
        self._transport = transport
        self._shelf = shelf

    async def select_device(self, request: requests.SelectDevice) -> topics.DeviceTopic:
        """Use another interface, for the session too; raises the OtoError that keeps it from opening."""
        self._transport.refuse_while_recording("Choosing another interface")
        await self._keeper.look()
        interface = self._keeper.find(request.device)
        changes: dict[str, object] = {"device": interface.id}
        if request.rate_hz is not None:
            changes["rate_hz"] = request.rate_hz
        self._preferences.change(changes)
        await self._transport.stop()
        await self._shelf.fit_to_interface(self._keeper)
        session = self._shelf.session
        if session is None:
            self._keeper.unbind()
        else:
            self._keeper.bind(session.rate_hz, session.sample_format)
        await self._keeper.reopen()
        topic = self._board.get(topics.DeviceTopic)
        if topic.current is None and topic.problem is not None:
            problem = topic.problem
            raise OtoError(problem.code, problem.message, problem.hint)
        return topic

    async def measure_latency(self, request: requests.MeasureLatency) -> int:
        """Samples from an output to an input, measured through a cable and kept; raises OtoError("no_device")."""
        self._transport.refuse_while_recording("Measuring the round trip")
        capture, player = self._keeper.capture, self._keeper.player
        device = self._board.get(topics.DeviceTopic).current
        if capture is None or player is None or device is None:
            raise OtoError("no_device", "No audio interface is open.", "Plug one in.")
        await self._transport.stop()
        frames = await measure_round_trip(capture, player, output=request.output, input=request.input)
        key = round_trip_key(device.id, capture.stream.rate_hz)
        self._preferences.change({"round_trips": {**self._preferences.now().round_trips, key: frames}})
        self._keeper.publish()
        return frames

    async def edit_settings(self, request: requests.EditSettings) -> topics.SettingsTopic:
        """Change settings; the interface is opened anew where one of them asks for it."""
        before = self._preferences.now()
        after = settings_file.changed(before, request.changes)
        heard_with = ["preroll_s", "retro_s", "outputs", "device"]
        if self._shelf.session is None:
            heard_with += ["rate_hz", "sample_format"]
        reopen = any(getattr(before, name) != getattr(after, name) for name in heard_with)
        if reopen:
            self._transport.refuse_while_recording("Changing that")
        self._preferences.change(request.changes)
        if reopen:
            if self._shelf.session is None:
                self._keeper.unbind()
            await self._keeper.reopen()
        self._transport.publish()
        return self._board.get(topics.SettingsTopic)
