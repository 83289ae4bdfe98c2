"""What travels: a client's calls, the engine's greeting, replies and topics."""

from __future__ import annotations

import msgspec

from core.protocol import PROTOCOL
from core.protocol.requests import Request
from core.protocol.topics import Message, Problem, Topic


class Call(Message, frozen=True, kw_only=True):
    """A request on the wire."""

    id: int
    request: Request


class Hello(Message, tag_field="say", tag="hello", frozen=True, kw_only=True):
    """The engine's greeting, sent before anything else."""

    protocol: int = PROTOCOL
    version: str
    pid: int


class Reply(Message, tag_field="say", tag="reply", frozen=True, kw_only=True):
    """The answer to the request with this id: a value, or a problem."""

    id: int
    value: msgspec.Raw = msgspec.Raw(b"null")
    problem: Problem | None = None


class Push(Message, tag_field="say", tag="topic", frozen=True, kw_only=True):
    """A topic on the wire."""

    topic: Topic


ServerMessage = Hello | Reply | Push
