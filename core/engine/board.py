"""The engine's state as clients see it: the latest value of every topic, and who wants to know."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec

from core.protocol.topics import (
    BouncesTopic,
    BoxTopic,
    CompTopic,
    ControlsTopic,
    DeviceTopic,
    DrivesTopic,
    JobsTopic,
    Notice,
    NoticesTopic,
    PlansTopic,
    SessionTopic,
    SettingsTopic,
    TakesTopic,
    Topic,
    TransportTopic,
)
from core.protocol.wire import Push

log = logging.getLogger(__name__)

T = TypeVar("T")
TopicType = type[Any]

STATE_TOPICS: tuple[TopicType, ...] = (
    TransportTopic,
    DeviceTopic,
    SessionTopic,
    TakesTopic,
    CompTopic,
    BouncesTopic,
    PlansTopic,
    JobsTopic,
    DrivesTopic,
    BoxTopic,
    SettingsTopic,
    ControlsTopic,
    NoticesTopic,
)
NOTICES_KEPT = 100


def now_utc() -> str:
    """The time as documents carry it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


class Board:
    """Holds each topic's present value; a change wakes everyone who watches. Used from the event loop only."""

    def __init__(self) -> None:
        self._topics: dict[TopicType, Topic] = {kind: kind() for kind in STATE_TOPICS}
        self._lines: dict[TopicType, bytes] = {}
        self._watchers: list[Callable[[TopicType], None]] = []

    def get(self, kind: type[T]) -> T:
        """The present value of a topic."""
        value = self._topics[kind]
        assert isinstance(value, kind)
        return value

    def put(self, topic: Topic) -> None:
        """Set a topic; nobody is woken when it is the same as before."""
        kind = type(topic)
        if self._topics.get(kind) == topic:
            return
        self._topics[kind] = topic
        self._lines.pop(kind, None)
        for watcher in list(self._watchers):
            watcher(kind)

    def line(self, kind: TopicType) -> bytes:
        """The topic as it goes over the wire, encoded once for all clients."""
        line = self._lines.get(kind)
        if line is None:
            line = self._lines[kind] = msgspec.json.encode(Push(topic=self._topics[kind])) + b"\n"
        return line

    def has(self, kind: TopicType) -> bool:
        """Whether the topic has a value yet (meters have none before an interface is open)."""
        return kind in self._topics

    def watch(self, watcher: Callable[[TopicType], None]) -> Callable[[], None]:
        """Call `watcher` with each topic that changes; returns how to end that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def notify(self, level: Literal["info", "warning", "error"], message: str, hint: str = "") -> None:
        """Tell everyone something they should know, and the log."""
        log.log({"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}[level], message)
        notices = self.get(NoticesTopic).notices
        number = notices[-1].number + 1 if notices else 1
        notice = Notice(number=number, utc=now_utc(), level=level, message=message, hint=hint)
        self.put(NoticesTopic(notices=(*notices, notice)[-NOTICES_KEPT:]))
