"""The owner's taste, read from the mixes of a library."""

from __future__ import annotations

import contextlib
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
    """What the newest sessions say, by every take that was mixed after `since_utc` and has its plan still."""
    mixes: list[list[Change]] = []
    for session in library.sessions()[:SESSIONS]:
        mixed = {one.take for one in library.bounces(session.id) if one.kind == "mix" and one.created_utc > since_utc}
        mixes += [changes_of(_versions(library, session.id, take)) for take in sorted(mixed)]
    return learn([changes for changes in mixes if changes])


def followed_taste(library: Library) -> Taste | None:
    """What proposals lean to; None where the settings say that they shall not."""
    wished = settings.load(paths.settings_file())
    return taste_of(library, wished.taste_since) if wished.taste else None


def _versions(library: Library, session: str, take: int) -> list[MixPlan]:
    """A take's plans, oldest first, the present one last; none where that was taken away."""
    now = library.load_plan(session, "mix", take)
    if now is None:
        return []
    found: list[MixPlan] = []
    for data in (*(path.read_bytes() for path in library.plan_history(session, "mix", take)), now):
        with contextlib.suppress(OtoError):  # a plan that nobody can read says nothing
            plan = read_plan(data, f"a mix of take {take}")
            found += [plan] if isinstance(plan, MixPlan) else []
    return found
