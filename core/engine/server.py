"""The engine's socket: requests in, answers and topics out, and no client can cost another anything."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import logging
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from core.engine.board import STATE_TOPICS, Board, TopicType
from core.errors import OtoError, as_oto_error
from core.protocol import MAX_LINE_BYTES, PROTOCOL
from core.protocol.requests import Attach, Request
from core.protocol.topics import Meters, Problem
from core.protocol.wire import Call, Hello, Reply

log = logging.getLogger(__name__)

Handler = Callable[[Any, "Connection"], Awaitable[Any]]
"""Takes a request and who asked; returns what goes into the reply's value."""

GROUP: Final = "oto"
UNREAD_REPLIES_BYTES: Final = 16 * 1024 * 1024
"""A client that asks this much without reading the answers is let go."""
CALLS_AT_ONCE: Final = 32

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Call).decode


def _name_of(kind: TopicType) -> str:
    return str(kind.__struct_config__.tag)


def problem_of(error: BaseException) -> Problem:
    """An error as it goes over the wire."""
    oto = as_oto_error(error)
    return Problem(code=oto.code, message=oto.message, hint=oto.hint)


class Connection:
    """One client. Replies are queued; topics are only remembered as changed, so an unread one costs nothing."""

    def __init__(self, board: Board, writer: asyncio.StreamWriter) -> None:
        self.client = ""
        self.on_close: list[Callable[[], None]] = []
        self._board = board
        self._writer = writer
        self._replies: list[bytes] = []
        self._unread_bytes = 0
        self._changed: dict[TopicType, None] = {}
        self._wanted: frozenset[TopicType] = frozenset()
        self._wake = asyncio.Event()
        self._closed = False
        self._unwatch = board.watch(self._topic_changed)

    @property
    def wants_meters(self) -> bool:
        """Whether this client asked for meters."""
        return Meters in self._wanted

    def attach(self, request: Attach) -> None:
        """Remember what the client wants and send it all once."""
        if request.protocol != PROTOCOL:
            raise OtoError(
                "bad_input",
                f"This engine speaks protocol {PROTOCOL}, the client {request.protocol}.",
                "Use the same version of OTO on both sides.",
            )
        self.client = request.client
        kinds = {kind for kind in STATE_TOPICS if request.topics is None or _name_of(kind) in request.topics}
        self._wanted = frozenset(kinds | ({Meters} if request.meters else set()))
        for kind in STATE_TOPICS:
            self._topic_changed(kind)

    def reply(self, line: bytes) -> None:
        """Queue an answer."""
        self._replies.append(line)
        self._unread_bytes += len(line)
        if self._unread_bytes > UNREAD_REPLIES_BYTES:
            log.warning("client %r does not read its answers and is let go", self.client)
            self.close()
        self._wake.set()

    def close(self) -> None:
        """Let the client go."""
        if self._closed:
            return
        self._closed = True
        self._unwatch()
        self._wake.set()
        self._writer.transport.abort()
        for callback in self.on_close:
            callback()

    def _topic_changed(self, kind: TopicType) -> None:
        if kind in self._wanted:
            self._changed[kind] = None
            self._wake.set()

    async def send(self) -> None:
        """Write what there is whenever the client reads."""
        with contextlib.suppress(OSError):
            while not self._closed:
                await self._wake.wait()
                self._wake.clear()
                while (self._replies or self._changed) and not self._closed:
                    if self._replies:
                        lines, self._replies, self._unread_bytes = self._replies, [], 0
                        self._writer.writelines(lines)
                    else:
                        kind = next(iter(self._changed))
                        del self._changed[kind]
                        if self._board.has(kind):
                            self._writer.write(self._board.line(kind))
                    await self._writer.drain()
        self.close()


class Server:
    """Accepts clients on a Unix socket and hands each request to the handler of its type."""

    def __init__(self, board: Board, handlers: dict[type[Any], Handler], version: str) -> None:
        self.connections: set[Connection] = set()
        self._board = board
        self._handlers = handlers
        self.pid = os.getpid()
        self._hello = _encode(Hello(version=version, pid=self.pid)) + b"\n"
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    async def listen(self, path: Path) -> None:
        """Open the socket. The caller makes sure that no other engine uses it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_socket():
            raise OtoError("bad_input", f"{path} is there and is no socket.", "Choose another place for the socket.")
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(path), limit=MAX_LINE_BYTES)
        self._path = path
        path.chmod(0o660)
        with contextlib.suppress(KeyError, PermissionError):
            os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)

    async def close(self) -> None:
        """Close the socket and let every client go."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("socket")
        if not _may_use(peer):
            log.warning("a client of another user was refused")
            writer.close()
            return
        writer.transport.set_write_buffer_limits(high=65_536)
        connection = Connection(self._board, writer)
        self.connections.add(connection)
        connection.reply(self._hello)
        sender = asyncio.create_task(connection.send())
        calls: set[asyncio.Task[None]] = set()
        room = asyncio.Semaphore(CALLS_AT_ONCE)
        try:
            while line := await reader.readline():
                await room.acquire()
                call = asyncio.create_task(self._answer(line, connection))
                calls.add(call)
                call.add_done_callback(calls.discard)
                call.add_done_callback(lambda _: room.release())
        except (OSError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(connection)
            connection.close()
            sender.cancel()

    async def _answer(self, line: bytes, connection: Connection) -> None:
        number = 0
        try:
            call = _decode(line)
            number = call.id
            value = await self._handle(call.request, connection)
            reply = Reply(id=number, value=msgspec.Raw(_encode(value)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            number = number or _id_of(line)
            problem = Problem(code="bad_input", message=f"That request can't be understood: {error}.")
            reply = Reply(id=number, problem=problem)
        except Exception as error:
            if not isinstance(getattr(error, "code", None), str):
                log.exception("a request failed")
            reply = Reply(id=number, problem=problem_of(error))
        connection.reply(_encode(reply) + b"\n")

    async def _handle(self, request: Request, connection: Connection) -> Any:
        if isinstance(request, Attach):
            connection.attach(request)
            return None
        return await self._handlers[type(request)](request, connection)


def _id_of(line: bytes) -> int:
    with contextlib.suppress(Exception):
        return int(msgspec.json.decode(line)["id"])
    return 0


def _may_use(peer: socket.socket) -> bool:
    """Whether the process at the other end belongs to our user, to root, or to the group that may use the studio."""
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, gid = struct.unpack("3i", raw)
    if uid in (0, os.geteuid()):
        return True
    try:
        group = grp.getgrnam(GROUP)
        return gid == group.gr_gid or pwd.getpwuid(uid).pw_name in group.gr_mem
    except KeyError:
        return False
