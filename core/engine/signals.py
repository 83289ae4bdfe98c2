"""When a box without a screen signals something in the headphones.

Signals go to the outputs alone, like the click: a take holds them only if a microphone hears them.
"""

from __future__ import annotations

from collections.abc import Callable

from core.engine.board import Board, TopicType
from core.engine.interface import InterfaceKeeper
from core.engine.tones import Signal, sound_of
from core.protocol.topics import NoticesTopic, TransportTopic
from core.settings import Settings


class Signaller:
    """Hears the board, and signals what people without a screen should know, where the settings want it."""

    def __init__(self, board: Board, keeper: InterfaceKeeper, settings: Callable[[], Settings]) -> None:
        self._board = board
        self._keeper = keeper
        self._settings = settings
        self._transport = board.get(TransportTopic)
        self._notice = 0
        board.watch(self._changed)

    def _changed(self, kind: TopicType) -> None:
        if kind is TransportTopic:
            before, self._transport = self._transport, self._board.get(TransportTopic)
            if (signal := signal_of(before, self._transport)) is not None:
                self._play(signal)
        elif kind is NoticesTopic:
            last = self._board.get(NoticesTopic).notices[-1]
            if last.number > self._notice and last.level == "error":
                self._play("trouble")
            self._notice = last.number

    def _play(self, signal: Signal) -> None:
        player = self._keeper.player
        if player is not None and self._settings().tones:
            player.tones.play(sound_of(signal, self._keeper.rate_hz))


def signal_of(before: TransportTopic, now: TransportTopic) -> Signal | None:
    """What changed from one state to the next, as far as it is worth a tone."""
    recorded, records = before.state == "recording", now.state == "recording"
    if records and (not recorded or before.take != now.take):
        return "started"
    if recorded and not records:
        return "ended"
    if records and now.losses != before.losses:
        return "trouble"
    return None
