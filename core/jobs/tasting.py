"""The owner's taste, read from the mixes of a library."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

from core import paths, settings
from core.errors import OtoError
from core.jobs.work import read_plan
from core.mix.taste import Change, Taste, changes_of, learn
from core.plans.document import MixPlan
from sessions.store import Library

SESSIONS: Final = 50
"""The newest count: tastes change, and an old library is not read again with every mix."""


def taste_of(library: Library, since_utc: str = "") -> Taste:
    """What the newest sessions say, by every take that was first mixed after `since_utc` and has its plan still."""
    mixes: list[list[Change]] = []
    for session in library.sessions()[:SESSIONS]:
        times = [(one.take, one.created_utc) for one in library.bounces(session.id) if one.kind == "mix"]
        known = {take for take, created_utc in times if created_utc <= since_utc}
        mixed = {take for take, _ in times} - known
        mixes += [changes_of(_versions(library, session.id, take)) for take in sorted(mixed)]
    return learn([changes for changes in mixes if changes])


def followed_taste(library: Library) -> Taste | None:
    """What proposals lean to; None where the settings say that they shall not."""
    wished = settings.load(paths.settings_file())
    return taste_of(library, wished.taste_since) if wished.taste else None


def _versions(library: Library, session: str, take: int) -> list[MixPlan]:
    """A take's plans, oldest first, the present one last; none where that was taken away or can't be read."""
    now = _read(lambda: library.load_plan(session, "mix", take), take)
    if now is None:
        return []
    before = (_read(path.read_bytes, take) for path in library.plan_history(session, "mix", take))
    return [*(plan for plan in before if plan is not None), now]


def _read(stored: Callable[[], bytes | None], take: int) -> MixPlan | None:
    """None for a plan that nobody can read: it says nothing, and keeps no other song from being mixed."""
    with contextlib.suppress(OSError, OtoError):
        data = stored()
        plan = None if data is None else read_plan(data, f"a mix of take {take}")
        return plan if isinstance(plan, MixPlan) else None
    return None
