"""Keeps the wanted interface open: notices what is plugged in and out, and an interface that has gone silent."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import msgspec

from core.engine.board import Board
from core.engine.capture import Capture, InputLost
from core.engine.packing import BYTES_PER_SAMPLE
from core.engine.player import Player
from core.engine.ring import Ring
from core.engine.server import problem_of
from core.errors import OtoError
from core.protocol.topics import DeviceInfo, DeviceTopic, Problem
from core.settings import Settings
from devices import base, discovery
from devices.errors import DeviceError
from sessions.files import write_atomic
from sessions.model import SampleFormat

log = logging.getLogger(__name__)

INTERFACES_FILE: Final = "interfaces.json"
LOOK_EVERY_S: Final = 0.5
RETRY_S: Final = 2.0
LOOK_AGAIN_EVERY_S: Final = 10.0
"""A server that is busy starting or ending may answer no listing, nor a card that another program holds."""
MEMORY_RING_BYTES: Final = 96 * 1024 * 1024
STALL_S: Final = 4.0
"""How much longer than the pre-roll the ring is: what a disk may be late with right after REC."""
SHORTEST_RING_S: Final = 12.0
"""What a disk may be late with during a take, whatever the pre-roll."""
BLOCKS_PER_S: Final = 24
BUFFER_S: Final = 2.0
"""How long the engine may sleep without losing input."""


class Listener(Protocol):
    """Who is told about the interface (the transport)."""

    def interface_opened(self, capture: Capture) -> None:
        """Audio comes in."""

    def interface_lost(self, capture: Capture) -> None:
        """No more audio comes from this capture."""

    def input_lost(self, loss: InputLost) -> None:
        """Some audio never came."""

    def playback_finished(self) -> None:
        """The tape has run out."""


class InterfaceKeeper:
    """Opens the wanted interface, watches over it, and opens it again when it comes back.

    Drivers that hang or crash do so in a process of their own (`devices.portaudio`), so closing always works.
    """

    def __init__(self, board: Board, settings: Callable[[], Settings], cache: Path) -> None:
        self.capture: Capture | None = None
        self.player: Player | None = None
        self.listener: Listener | None = None
        self.rate_hz = settings().rate_hz
        self.sample_format: SampleFormat = settings().sample_format
        self._bound = False
        """Whether a session says the rate; without one it is the settings', or what the interface can."""
        self._board = board
        self._settings = settings
        self._cache = cache
        self._interfaces = _recall(cache)
        self._wish: str | None = None
        self._found: base.Interface | None = None
        self._fingerprint = ""
        self._looked_at_s = 0.0
        self._failed_at_s = 0.0
        self._end: DeviceError | None = None
        self.pinned: str | None = None
        """Identity of the interface that a running take belongs to: no other is opened until it ends."""
        self._open: base.Interface | None = None
        self._told = ""
        self._reopen = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.Lock()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            try:
                if self.capture is None and not self._fingerprint and self.wanted() is not None:
                    # Looking takes longer than opening, and after a crash every second counts.
                    await self.reopen()
                await self._watch_once()
            except Exception:
                log.exception("watching the interface failed")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._reopen.wait()
            except TimeoutError:
                continue
            self._reopen.clear()

    async def look(self) -> None:
        """Enumerate what is plugged in."""
        self._fingerprint = discovery.fingerprint()
        used, before = self._open, self._interfaces
        found = await asyncio.to_thread(discovery.enumerate_interfaces)
        self._interfaces = with_hidden(found, self._open or used)
        self._looked_at_s = time.monotonic()
        self._wish = None
        self.publish()
        if self._interfaces != before:
            await asyncio.to_thread(_remember, self._interfaces, self._cache)

    def wanted(self) -> base.Interface | None:
        """The interface that the settings ask for and that is plugged in; without a setting the first real one."""
        wish = self.pinned or self._settings().device
        if wish is None:
            return next((one for one in self._interfaces if one.id != base.SIMULATED and one.inputs), None)
        if self._wish != wish:
            self._wish = wish
            self._found = _find(wish, self._interfaces)
        return self._found

    def find(self, words: str) -> base.Interface:
        """The interface with this identity, or the only one whose name contains the words. Raises OtoError."""
        exact = discovery.find(words, self._interfaces)
        if exact is not None:
            return exact
        similar = [one for one in self._interfaces if words.lower() in one.name.lower()]
        if len(similar) == 1:
            return similar[0]
        names = ", ".join(f"{one.name} ({one.id})" for one in (similar or self._interfaces))
        if similar:
            raise OtoError("bad_input", f"More than one interface matches {words!r}: {names}.", "Use the identity.")
        raise OtoError("no_device", f"No interface called {words!r} is plugged in.", f"There is: {names}.")

    def need_open(self) -> Capture:
        """What is captured now. Raises OtoError("no_device") in words when no interface is open."""
        if self.capture is None:
            problem = self._board.get(DeviceTopic).problem
            message = problem.message if problem is not None else "No audio interface is plugged in."
            raise OtoError("no_device", message, "Plug one in, or choose the simulated band (device 'sim').")
        return self.capture

    def pin(self) -> None:
        """A take belongs to the open interface now: until `pinned` is cleared no other is opened."""
        self.pinned = None if self._open is None else self._open.id

    def bind(self, rate_hz: int, sample_format: SampleFormat) -> None:
        """Open at a session's rate and in its format from now on."""
        self._bound = True
        self.rate_hz, self.sample_format = rate_hz, sample_format

    def unbind(self) -> None:
        """No session is open: go by the settings, and by what the interface can, when it is opened next."""
        self._bound = False
        self.rate_hz, self.sample_format = self._settings().rate_hz, self._settings().sample_format

    async def fit(self, rate_hz: int, sample_format: SampleFormat) -> None:
        """Capture at a session's rate and in its format from now on."""
        before = self.rate_hz, self.sample_format
        self.bind(rate_hz, sample_format)
        if before != (rate_hz, sample_format):
            await self.reopen()

    async def reopen(self) -> None:
        """Close what is open and open what is wanted now (another device, rate, format or pre-roll)."""
        async with self._opening:
            self._failed_at_s = 0.0
            await self._close()
            await self._open_wanted()

    async def close(self) -> None:
        """Give the interface back."""
        async with self._opening:
            await self._close()

    async def _watch_once(self) -> None:
        if discovery.fingerprint() != self._fingerprint or self._misses_wanted():
            await self.look()
            self._failed_at_s = 0.0
        if self._end is not None:
            await self._lose(self._end)
        elif self._jack_client_left():
            await self._lose(DeviceError("device_lost", "The interface is gone.", "Plug it in again."))
        if self.capture is None and time.monotonic() - self._failed_at_s > RETRY_S:
            async with self._opening:
                if self.capture is None:
                    await self._open_wanted()

    def _misses_wanted(self) -> bool:
        """Whether to ask again for what no listing has: a JACK server may hang, another program may hold a card.

        Nothing tells when these end. That a USB device comes or goes, the kernel tells.
        """
        wish = self.pinned or self._settings().device or ""
        waits = wish.startswith(("jack:", "alsa:")) and self.wanted() is None
        return waits and time.monotonic() - self._looked_at_s > LOOK_AGAIN_EVERY_S

    def _jack_client_left(self) -> bool:
        """Whether the JACK client we record has gone while its server lives: then zeros come for ever.

        Any other interface says itself within a second that it is gone, and a listing that lacks it proves nothing: a
        listing may fail, and PortAudio leaves out what is in use.
        """
        if self._open is None or self._open.host_api != "JACK":
            return False
        listed = [one.id for one in self._interfaces if one.host_api == "JACK"]
        return bool(listed) and self._open.id not in listed

    async def _lose(self, error: DeviceError) -> None:
        capture, lost = self.capture, self._open
        if capture is None or lost is None:
            return
        async with self._opening:
            if self.capture is not capture:
                return
            # Closed before anybody hears of it: a take whose files are finished at once would go on with what is gone.
            await self._close()
            if self.listener is not None:
                self.listener.interface_lost(capture)
            self._board.put(msgspec.structs.replace(self._board.get(DeviceTopic), problem=problem_of(error)))
            self._board.notify(
                "error",
                f"{lost.name}: {error.message}",
                "What was recorded is safe. OTO goes on by itself when the interface is back.",
            )
            self._failed_at_s = 0.0
        await self.look()

    async def _close(self) -> None:
        capture, player = self.capture, self.player
        if capture is not None:
            await asyncio.to_thread(capture.close)
        if player is not None:
            player.close()
        self.capture = self.player = self._open = self._end = None
        self.publish()

    async def _open_wanted(self) -> None:
        interface = self.wanted()
        if interface is None:
            self.publish()
            return
        settings = self._settings()
        if not self._bound:
            self.rate_hz = interface.rate_near(settings.rate_hz)
        block_frames = max(self.rate_hz // BLOCKS_PER_S, 256)
        request = base.StreamRequest(
            rate_hz=self.rate_hz,
            inputs=interface.inputs,
            outputs=min(settings.outputs, interface.outputs),
            block_frames=block_frames,
            buffer_s=BUFFER_S,
        )
        self._board.put(msgspec.structs.replace(self._board.get(DeviceTopic), problem=_opening(interface)))
        try:
            stream = await asyncio.to_thread(base.open_stream, interface.id, request)
            try:
                ring = await asyncio.to_thread(self._make_ring, interface)
            except OtoError:
                await asyncio.to_thread(stream.close)
                raise
        except (DeviceError, OtoError) as error:
            self._failed_at_s = time.monotonic()
            if self._told != error.message:
                self._told = error.message
                self._board.notify("error", error.message, error.hint)
            self._board.put(msgspec.structs.replace(self._board.get(DeviceTopic), problem=problem_of(error)))
            return
        self._told = ""
        self._open = interface
        self.player = Player(self.rate_hz, self._from_thread(self._playback_finished))
        self.capture = Capture(
            stream,
            ring,
            self.player,
            sample_format=self.sample_format,
            block_frames=block_frames,
            realtime=base.is_realtime(interface.id),
            on_lost=self._from_thread(self._lost_input),
            on_end=self._from_thread(self._ended),
        )
        self.capture.start()
        self.publish()
        if self.listener is not None:
            self.listener.interface_opened(self.capture)

    def _make_ring(self, interface: base.Interface) -> Ring:
        settings = self._settings()
        seconds = max(settings.preroll_s + STALL_S, settings.retro_s + STALL_S, SHORTEST_RING_S)
        sample_bytes = BYTES_PER_SAMPLE[self.sample_format]
        frames = int(seconds * self.rate_hz)
        in_memory = frames * interface.inputs * sample_bytes <= MEMORY_RING_BYTES
        try:
            return Ring(frames, interface.inputs, sample_bytes, None if in_memory else self._cache)
        except OSError as error:
            raise OtoError(
                "no_space",
                f"The last {seconds:.0f} s of {interface.inputs} inputs can't be kept ({error.strerror}).",
                "Set a shorter pre-roll or retro-capture, or make room on the disk.",
            ) from error

    def _from_thread(self, function: Callable[..., None]) -> Callable[..., None]:
        def call(*values: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                self._loop.call_soon_threadsafe(function, *values)

        return call

    def _lost_input(self, loss: InputLost) -> None:
        if self.listener is not None:
            self.listener.input_lost(loss)

    def _playback_finished(self) -> None:
        if self.listener is not None:
            self.listener.playback_finished()

    def _ended(self, error: DeviceError) -> None:
        self._end = error
        self._reopen.set()

    def publish(self) -> None:
        """Put the device topic on the board."""
        capture = self.capture
        interface = self.wanted()
        settings = self._settings()
        problem = self._board.get(DeviceTopic).problem if capture is None and interface is not None else None
        if interface is None and (self.pinned or settings.device) is not None:
            problem = problem_of(
                OtoError("no_device", "The chosen interface is not plugged in.", "Plug it in, or choose another.")
            )
        current = self._open
        self._board.put(
            DeviceTopic(
                wanted=settings.device,
                current=None if current is None else _info(current),
                rate_hz=self.rate_hz,
                problem=problem,
                available=tuple(_info(one) for one in _with(self._interfaces, current)),
                round_trip_samples=None
                if current is None
                else settings.round_trips.get(round_trip_key(current.id, self.rate_hz)),
            )
        )


def with_hidden(listed: list[base.Interface], used: base.Interface | None) -> list[base.Interface]:
    """What is plugged in, by a listing that was made while `used` was open: PortAudio leaves out a card in use.

    One that is gone says so itself, and the listing after that is made with nothing open. JACK lists whom it serves,
    and a folder that plays was never plugged in.
    """
    return _with(listed, used if used is not None and used.host_api == "ALSA" else None)


def _with(listed: list[base.Interface], one: base.Interface | None) -> list[base.Interface]:
    return listed if one is None or any(one.id == other.id for other in listed) else [one, *listed]


def round_trip_key(interface_id: str, rate_hz: int) -> str:
    """The name under which the settings keep a measured round trip."""
    return f"{interface_id}@{rate_hz}"


def _remember(interfaces: list[base.Interface], cache: Path) -> None:
    """Write down what is plugged in, for the next start; a disk that refuses only makes that slower."""
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        write_atomic(cache / INTERFACES_FILE, msgspec.json.encode(interfaces))


def _recall(cache: Path) -> list[base.Interface]:
    """What was plugged in when the engine looked last; may be wrong by now, which opening will tell."""
    try:
        return msgspec.json.decode((cache / INTERFACES_FILE).read_bytes(), type=list[base.Interface])
    except (OSError, ValueError):
        return []


def _info(interface: base.Interface) -> DeviceInfo:
    return DeviceInfo(**dataclasses.asdict(interface))


def _opening(interface: base.Interface) -> Problem:
    hint = "The simulated band is rendered the first time, which takes a while." if interface.host_api == "OTO" else ""
    return Problem(code="opening", message=f"{interface.name} is being opened.", hint=hint)


def _find(wish: str, interfaces: list[base.Interface]) -> base.Interface | None:
    try:
        return discovery.find(wish, interfaces)
    except DeviceError as error:
        log.warning("the wanted interface can't be used: %s", error.message)
        return None
