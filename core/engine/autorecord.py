"""Records by itself: when the engine starts, or whenever somebody plays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from core.engine.board import Board
from core.engine.meters import SILENCE_DBFS
from core.engine.shelf import Shelf
from core.engine.transport import Transport
from core.errors import OtoError, as_oto_error
from core.protocol.requests import Record
from core.protocol.topics import State
from core.settings import AutoRecord, Settings
from sessions.errors import LibraryError

QUIET_S: Final = 3.0
"""How long it must have been quiet after a take before the next may begin by signal: who stops while the band still
plays means it."""
AGAIN_S: Final = 30.0
"""How long until something that was refused is tried again."""


class SelfStarter:
    """Says when a take is to begin or end without a person. Fed with levels a dozen times a second."""

    def __init__(self) -> None:
        self._started = False
        """Whether the engine's start is over: its take was begun, somebody was faster, or none was wanted."""
        self._ours = False
        self._quiet_since_s: float | None = None
        self._needs_quiet = False
        self._not_before_s = 0.0

    def decide(
        self, now_s: float, state: State, level_dbfs: float, mode: AutoRecord, *, loud_dbfs: float, stop_after_s: float
    ) -> Literal["record", "stop"] | None:
        """What to do now: `level_dbfs` is the highest peak of the armed inputs since the last call."""
        loud = level_dbfs >= max(loud_dbfs, SILENCE_DBFS + 1.0)
        if loud:
            self._quiet_since_s = None
        elif self._quiet_since_s is None:
            self._quiet_since_s = now_s
        quiet_s = 0.0 if self._quiet_since_s is None else now_s - self._quiet_since_s
        if state in ("recording", "counting_in"):
            self._started = self._needs_quiet = True
            if self._ours and mode == "signal" and quiet_s >= stop_after_s:
                self._ours = False
                return "stop"
            return None
        self._ours = False
        if quiet_s >= QUIET_S:
            self._needs_quiet = False
        if state == "idle" and mode != "start":
            self._started = True  # who wants it later means the next start
        if state != "idle" or now_s < self._not_before_s:
            return None
        if mode == "start" and not self._started:
            return "record"
        if mode == "signal" and loud and not self._needs_quiet:
            return "record"
        return None

    def done(self, *, well: bool, now_s: float) -> None:
        """How the record that was asked for went."""
        self._ours = self._started = well
        if not well:
            self._not_before_s = now_s + AGAIN_S


class AutoRecorder:
    """Begins and ends takes as the settings want it, through the same machine as every client."""

    def __init__(
        self,
        board: Board,
        shelf: Shelf,
        transport: Transport,
        settings: Callable[[], Settings],
        in_order: asyncio.Lock,
    ) -> None:
        self._board = board
        self._shelf = shelf
        self._transport = transport
        self._settings = settings
        self._in_order = in_order
        self._starter = SelfStarter()

    async def hear(self, peaks_dbfs: Sequence[float]) -> None:
        """Take the peaks of every input since the last call, and do what they call for."""
        settings = self._settings()
        wish = self._starter.decide(
            time.monotonic(),
            self._transport.state,
            self._loudest(peaks_dbfs),
            settings.auto_record,
            loud_dbfs=settings.auto_record_dbfs,
            stop_after_s=settings.auto_stop_s,
        )
        if wish == "stop":
            async with self._in_order:
                self._transport.end_take()
        elif wish == "record":
            await self._record(settings.auto_record)

    def _loudest(self, peaks_dbfs: Sequence[float]) -> float:
        session = self._shelf.session
        if session is not None:
            armed = {track.input for track in session.tracks if track.armed}
            peaks_dbfs = [peak for number, peak in enumerate(peaks_dbfs, start=1) if number in armed]
        return max(peaks_dbfs, default=SILENCE_DBFS)

    async def _record(self, mode: AutoRecord) -> None:
        try:
            async with self._in_order:
                number = await self._transport.record(Record())
        except (OtoError, LibraryError, OSError) as error:
            self._starter.done(well=False, now_s=time.monotonic())
            told = as_oto_error(error)
            self._board.notify("warning", f"Nothing is recorded by itself: {told.message}", told.hint)
            return
        self._starter.done(well=True, now_s=time.monotonic())
        why = "the engine has started" if mode == "start" else "somebody plays"
        self._board.notify("info", f"Take {number} was begun because {why}.", "The setting auto_record says when.")
