"""Which take is meant when nobody says."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import Exit, OtoError
from sessions.model import Take


def newest_take(takes: Sequence[Take], session: str) -> Take:
    """The newest take that is finished and not false. Raises OtoError("not_found") when there is none."""
    good = [take for take in takes if not take.false_take and take.status != "recording"]
    if not good:
        raise OtoError(
            "not_found",
            f"The session {session!r} has no finished take.",
            "'oto record' makes one, 'oto import' brings one in. 'oto takes' says whether one can't be read.",
            Exit.NOT_FOUND,
        )
    return max(good, key=lambda take: take.number)
