"""Every message between the engine and its clients, typed; the wire is one JSON object per line on a Unix socket.

The engine greets with `Hello`. A client sends requests (`Call`), each answered once, in any order, by a `Reply` with
the same id. Between replies the engine sends topics: the whole present value of one subject of its state. A topic that
changes while a client is not reading is sent once, with its latest value, when it reads again: nothing is lost, nothing
piles up. Meter frames work the same way but only go to clients that asked for them.

`requests` is what a client may ask for, `topics` what the engine tells, `wire` how both travel.
"""

from __future__ import annotations

from typing import Final

PROTOCOL: Final = 1
"""Raised when a message changes its meaning; additions keep it."""

MAX_LINE_BYTES: Final = 4 * 1024 * 1024
