"""The overviews that this studio has seen; asks the engine for one, and again when its worker is done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from core.errors import OtoError
from core.protocol.requests import GetOverview
from core.protocol.topics import Overview
from tui.link import Link
from tui.picture import Picture

KEPT: Final = 64

Key = tuple[str, GetOverview, int]
"""Session, what is looked at, and its length: a take that is replaced by another of its number is another."""


class Overviews:
    """Known overviews by what they show. `changed` is called when one more is known."""

    def __init__(
        self, link: Link, start: Callable[[Coroutine[Any, Any, None]], Any], changed: Callable[[], None]
    ) -> None:
        self._link = link
        self._start = start
        self._changed = changed
        self._known: dict[Key, Overview | OtoError] = {}
        self._asking: set[Key] = set()
        self._making: set[Key] = set()

    def look(self, picture: Picture, request: GetOverview, frames: int, *, ask: bool = True) -> Overview | None:
        """The overview if it is known; with `ask` the engine is asked for one that isn't."""
        session = picture.session.session
        if session is None:
            return None
        key = (session.id, request, frames)
        known = self._known.get(key)
        waits = key in self._making and picture.overview_is_made
        if known is None and ask and not waits and key not in self._asking and picture.link == "up":
            self._asking.add(key)
            self._start(self._ask(key))
        return known if isinstance(known, Overview) else None

    def problem(self, picture: Picture, request: GetOverview, frames: int) -> str:
        """Why there is none; "" while it is on its way."""
        session = picture.session.session
        known = self._known.get((session.id, request, frames)) if session is not None else None
        return known.message if isinstance(known, OtoError) else ""

    async def _ask(self, key: Key) -> None:
        request = key[1]
        try:
            answer: Overview | OtoError | None = await self._link.call(request, Overview | None)  # type: ignore[arg-type]
        except OtoError as error:
            answer = None if error.code in ("disconnected", "timeout") else error
        finally:
            self._asking.discard(key)
        if answer is None:
            self._making.add(key)
            return
        self._making.discard(key)
        self._known[key] = answer
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        self._changed()
