"""How anything talks to the engine: a blocking client for commands and workers, an asynchronous one for the studio.

A client holds no truth: it may be closed at any moment, and a new one sees the same picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, overload

import msgspec

from core import paths
from core.errors import Exit, OtoError
from core.protocol import MAX_LINE_BYTES, PROTOCOL
from core.protocol.requests import Attach, Request
from core.protocol.topics import Topic
from core.protocol.wire import Call, Hello, Push, Reply, ServerMessage

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Hello | Reply | Push] = msgspec.json.Decoder(ServerMessage)


def _no_engine(path: Path) -> OtoError:
    return OtoError(
        "no_engine",
        f"No engine is running at {path}.",
        "Start the studio with 'oto', or an engine alone with 'oto engine'.",
    )


def _unreachable(path: Path, error: OSError) -> OtoError:
    if isinstance(error, PermissionError):
        return OtoError("refused", f"You may not use the engine at {path}.", "Ask to be put into the group 'oto'.")
    return _no_engine(path)


def _disconnected() -> OtoError:
    return OtoError(
        "disconnected",
        "The engine ended the connection. A take that was running is kept and finished by the engine.",
        "Try again; 'oto status' says whether an engine runs.",
    )


def _check_hello(message: object) -> Hello:
    if not isinstance(message, Hello):
        raise OtoError("bad_input", "What answers at the engine's socket is not an OTO engine.")
    if message.protocol != PROTOCOL:
        raise OtoError(
            "bad_input",
            f"The running engine speaks protocol {message.protocol}, this program {PROTOCOL}.",
            "Restart the engine ('oto engine --stop') so that both are the same version.",
        )
    return message


def _value(reply: Reply, kind: Any) -> Any:
    if reply.problem is not None:
        problem = reply.problem
        raise OtoError(problem.code, problem.message, problem.hint)
    return msgspec.json.decode(reply.value, type=kind)


class Client:
    """A blocking connection to the engine. Raises OtoError("no_engine") when none runs."""

    def __init__(self, path: Path | None = None, *, timeout_s: float = 30.0) -> None:
        self.path = path or paths.engine_socket()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._numbers = itertools.count(1)
        self._topics: list[Topic] = []
        try:
            self._socket.connect(str(self.path))
        except OSError as error:
            self._socket.close()
            raise _unreachable(self.path, error) from error
        self._lines = self._socket.makefile("rb", buffering=65_536)
        self.hello = _check_hello(self._receive())

    def _receive(self) -> Hello | Reply | Push:
        try:
            line = self._lines.readline(MAX_LINE_BYTES)
        except TimeoutError as error:
            raise OtoError(
                "timeout", "The engine did not answer in time. A take that is running goes on.", "Try again."
            ) from error
        except OSError as error:
            raise _disconnected() from error
        if not line.endswith(b"\n"):
            raise _disconnected()
        return _decoder.decode(line)

    @overload
    def call(self, request: Request) -> Any: ...
    @overload
    def call(self, request: Request, type: type[T]) -> T: ...
    def call(self, request: Request, type: Any = Any) -> Any:
        """Send a request and wait for its answer, decoded as `type`. Raises OtoError with the engine's words."""
        number = next(self._numbers)
        try:
            self._socket.sendall(_encode(Call(id=number, request=request)) + b"\n")
        except OSError as error:
            raise _disconnected() from error
        while True:
            message = self._receive()
            if isinstance(message, Reply) and message.id == number:
                return _value(message, type)
            if isinstance(message, Push):
                self._topics.append(message.topic)

    def topics(self) -> Iterator[Topic]:
        """Topics as they change, for ever; `call` with Attach first."""
        while True:
            while self._topics:
                yield self._topics.pop(0)
            message = self._receive()
            if isinstance(message, Push):
                yield message.topic

    def close(self) -> None:
        """End the connection; the engine does not mind."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """A connection for an event loop: calls may overlap, topics arrive meanwhile, stale ones are dropped."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.engine_socket()
        self.hello: Hello | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._latest: dict[type[Topic], Topic] = {}
        self._changed = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._lost = False

    async def connect(self, attach: Attach) -> Hello:
        """Connect and attach. Raises OtoError: "no_engine" when none runs, "refused" when it is not ours to use."""
        try:
            reader, self._writer = await asyncio.open_unix_connection(str(self.path), limit=MAX_LINE_BYTES)
        except OSError as error:
            raise _unreachable(self.path, error) from error
        try:
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise _disconnected() from error
        if not line:
            raise _disconnected()
        self.hello = _check_hello(_decoder.decode(line))
        self._task = asyncio.create_task(self._read(reader))
        await self.call(attach)
        return self.hello

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                message = _decoder.decode(line)
                if isinstance(message, Reply):
                    future = self._waiting.pop(message.id, None)
                    if future is not None and not future.done():
                        future.set_result(message)
                elif isinstance(message, Push):
                    self._latest[type(message.topic)] = message.topic
                    self._changed.set()
        except (OSError, ValueError):
            pass
        finally:
            self._lost = True
            self._changed.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(_disconnected())
            self._waiting.clear()

    @overload
    async def call(self, request: Request) -> Any: ...
    @overload
    async def call(self, request: Request, type: type[T]) -> T: ...
    async def call(self, request: Request, type: Any = Any) -> Any:
        """Send a request and wait for its answer, decoded as `type`. Raises OtoError with the engine's words."""
        if self._writer is None or self._lost:
            raise _disconnected()
        number = next(self._numbers)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._writer.write(_encode(Call(id=number, request=request)) + b"\n")
        return _value(await future, type)

    async def topics(self) -> AsyncIterator[Topic]:
        """The latest value of each topic that changed, until the engine is gone (OtoError("disconnected"))."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            latest, self._latest = self._latest, {}
            for topic in latest.values():
                yield topic
            if self._lost:
                raise _disconnected()

    async def close(self) -> None:
        """End the connection; the engine does not mind."""
        if self._task is not None:
            self._task.cancel()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()


SOCKET_PATH_BYTES = 107
"""Longest name of a Unix socket on Linux (unix(7): 108 bytes with the zero behind it)."""


def ensure_engine(*, timeout_s: float = 20.0, idle_s: float = 60.0, extra: tuple[str, ...] = ()) -> Path:
    """Return the socket of a running engine, starting a detached one when there is none.

    The new engine belongs to no terminal: closing the terminal, or the link to it, does not touch it. It ends by itself
    after `idle_s` without clients, recording or jobs. Raises OtoError: "no_engine" with the end of its log if it fails,
    "refused" when the engine that runs is not ours to use, "failed" where our home can't be written.
    """
    path = paths.engine_socket()
    try:
        Client(path).close()
        return path
    except OtoError as error:
        if error.code == "refused":
            raise
    if path == paths.SYSTEM_SOCKET:
        return _wait_for_service(path, timeout_s)
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
        raise OtoError(
            "bad_input",
            f"{path} is too long for a socket's name by {len(os.fsencode(path)) - SOCKET_PATH_BYTES} bytes.",
            "OTO_HOME names another folder for the studio.",
        )
    environment = dict(os.environ)
    if "OTO_HOME" in environment:  # may be relative to where we are, and the engine works in "/"
        environment["OTO_HOME"] = str(paths.home())
    command = [sys.executable, "-m", "core.engine", "--exit-when-idle", str(idle_s), *extra]
    with _log_of_own() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment, cwd="/"
        )
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OtoError):
            Client(path).close()
            return path
        if process.poll() not in (None, 0, Exit.BUSY):  # busy: somebody else's engine is just starting
            break
        time.sleep(0.05)
    lines = paths.log_file().read_text(errors="replace").splitlines()[-5:]
    raise OtoError(
        "no_engine", "The engine did not start. It said: " + " | ".join(lines), "'oto doctor' looks for the cause."
    )


def _log_of_own() -> BinaryIO:
    """The log of an engine that is about to be started here, in a home that is there then."""
    log = paths.log_file()
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("ab")
    except OSError as error:
        raise OtoError(
            "failed",
            f"No engine runs, and none can be started: {error.filename} can't be written ({error.strerror}).",
            "OTO_HOME names another folder for the studio. What was recorded before is untouched.",
        ) from error


def _wait_for_service(path: Path, timeout_s: float) -> Path:
    """The box's own engine is on its way back: a second one would be another studio, with another library."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OtoError):
            Client(path).close()
            return path
        time.sleep(0.1)
    raise OtoError("no_engine", "The box's engine does not run.", "'systemctl status oto-engine' says why.")
