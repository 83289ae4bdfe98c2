"""The studio's link to the engine: comes up by itself, comes back by itself, and says which."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar, overload

from core import paths
from core.client import AsyncClient, ensure_engine
from core.errors import OtoError
from core.protocol.requests import Attach, Request, SelectDevice
from core.protocol.topics import Topic
from tui.picture import Link as LinkState

T = TypeVar("T")

RETRY_S: Final = 0.5
REPLY_TIMEOUT_S: Final = 30.0
SLOW_REPLY_TIMEOUT_S: Final = 300.0
"""Opening the simulated band for the first time plays a whole song in first."""
ATTACH: Final = Attach(client="tui", meters=True)


class StudioClient(Protocol):
    """What the studio needs of a connection; `core.client.AsyncClient` is one."""

    @overload
    async def call(self, request: Request) -> Any: ...
    @overload
    async def call(self, request: Request, type: type[T]) -> T: ...

    def topics(self) -> AsyncIterator[Topic]:
        """Topics as they change, until the engine is gone (OtoError)."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


Connect = Callable[[], Awaitable[StudioClient]]


async def connect_to_engine() -> StudioClient:
    """Attach to the running engine, or start one of our own first. Raises OtoError.

    The engine of a box comes back by itself: a thread that waited for it would hold up who leaves the studio meanwhile.
    """
    of_the_box = paths.engine_socket() == paths.SYSTEM_SOCKET
    client = AsyncClient(None if of_the_box else await asyncio.to_thread(ensure_engine))
    await client.connect(ATTACH)
    return client


class Link:
    """Holds at most one connection. `run` lasts as long as the studio does."""

    def __init__(
        self,
        connect: Connect,
        on_topic: Callable[[Topic], None],
        on_state: Callable[[LinkState, OtoError | None], None],
    ) -> None:
        self._connect = connect
        self._on_topic = on_topic
        self._on_state = on_state
        self._client: StudioClient | None = None

    async def run(self) -> None:
        """Connect, pass topics on, and begin again whenever the engine goes away."""
        while True:
            try:
                self._client = await self._connect()
                self._on_state("up", None)
                async for topic in self._client.topics():
                    self._on_topic(topic)
            except OtoError as error:
                self._on_state("lost", error)
            finally:
                await self.close()
            await asyncio.sleep(RETRY_S)

    @overload
    async def call(self, request: Request) -> Any: ...
    @overload
    async def call(self, request: Request, type: type[T]) -> T: ...
    async def call(self, request: Request, type: Any = Any) -> Any:
        """Send a request. Raises OtoError: the engine's words, "disconnected", or "timeout"."""
        if self._client is None:
            raise OtoError("disconnected", "The engine is away; this studio is reconnecting.", "Nothing was changed.")
        try:
            slow = isinstance(request, SelectDevice)
            async with asyncio.timeout(SLOW_REPLY_TIMEOUT_S if slow else REPLY_TIMEOUT_S):
                return await self._client.call(request, type)
        except TimeoutError as error:
            raise OtoError(
                "timeout", "The engine did not answer in time.", "A take that is running goes on."
            ) from error

    async def close(self) -> None:
        """Drop the connection; the engine does not mind."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OtoError, OSError):
                await client.close()
