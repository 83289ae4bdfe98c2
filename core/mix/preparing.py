"""What an engineer does before the mix: microphones aligned, hum and clipping cleaned, the song cut out of the take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.analysis.bleed import BleedMap, measure_bleed
from core.analysis.track import Source
from core.mix import cleaning
from core.mix.alignment import align_microphones
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.plans.document import MixPlan, Span
from core.progress import Progress


@dataclass(frozen=True)
class Prepared:
    """What the rest of the mix needs to know; the settings are in the drafts already."""

    bleed: BleedMap
    span: Span | None
    notes: tuple[str, ...]


def prepare(
    sources: Sequence[Source],
    drafts: Mapping[Player, Draft],
    *,
    previous: MixPlan | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Propose what comes before balance and tone, and tell who is heard on whose track.

    `drafts` has one player per source, in their order. Settings of a person and locked ones stay, a span too; with the
    hands at 0 nothing is proposed. Raises OtoError("cancelled").
    """
    players = list(drafts)
    for player, draft in drafts.items():
        cleaning.set_declip(draft, player)
        cleaning.set_hum(draft, player)
    kept = previous.span if previous and previous.span and _is_kept(previous.span) else None
    comparable = _at_one_rate(sources)
    if len(comparable) < 2 or all(draft.hands == 0.0 for draft in drafts.values()):
        return Prepared(bleed=BleedMap(), span=kept, notes=())
    heard = [sources[at] for at in comparable]
    align_microphones(heard, {players[at]: drafts[players[at]] for at in comparable}, progress=progress)
    partners = {
        (first, second)
        for first, one in enumerate(comparable)
        for second, other in enumerate(comparable)
        if players[one].partner is players[other]
    }
    bleed = measure_bleed(heard, [players[at].heard for at in comparable], apart=partners, progress=progress)
    return Prepared(bleed=bleed, span=kept, notes=())


def _is_kept(span: Span) -> bool:
    return span.by == "person" or span.locked


def _at_one_rate(sources: Sequence[Source]) -> list[int]:
    """The sources that can be compared sample by sample: those of the rate that most have."""
    counted = Counter(source.rate_hz for source in sources)
    rate_hz = max(counted, key=lambda rate: (counted[rate], rate), default=0)
    return [at for at, source in enumerate(sources) if source.rate_hz == rate_hz]
