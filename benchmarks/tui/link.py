"""A slow link: TCP passed on at a rate and after a delay, in either direction.

What `tc qdisc ... netem delay 150ms rate 512kbit` would do, for kernels that have no netem.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from types import TracebackType
from typing import Final, Self

BYTES_PER_S: Final = 64_000
DELAY_S: Final = 0.15
CHUNK_BYTES: Final = 1400
QUEUED_CHUNKS: Final = 24
"""What the link holds in either direction before the sender has to wait: half a second's worth."""


class Link:
    """Listens on `port` of the loopback and passes one connection on to another port."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._to_port))
            self._ends += [near, far]
            for end in self._ends:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target in ((near, far), (far, near)):
                under_way: queue.Queue[tuple[float, bytes]] = queue.Queue(QUEUED_CHUNKS)
                threading.Thread(target=_take, args=(source, under_way), daemon=True).start()
                threading.Thread(target=_bring, args=(under_way, target), daemon=True).start()


def _take(source: socket.socket, under_way: queue.Queue[tuple[float, bytes]]) -> None:
    """Put on the link what comes, no faster than the link is."""
    free_s = 0.0
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            free_s = max(free_s, time.monotonic()) + len(data) / BYTES_PER_S
            under_way.put((free_s + DELAY_S, data))
    under_way.put((0.0, b""))


def _bring(under_way: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
    """Take off the link what has arrived."""
    with contextlib.suppress(OSError):
        while True:
            arrives_s, data = under_way.get()
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            time.sleep(max(arrives_s - time.monotonic(), 0.0))
            target.sendall(data)
