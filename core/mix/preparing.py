"""What an engineer does before the mix: microphones aligned, hum and clipping cleaned, the song cut out of the take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.analysis.bleed import BleedMap
from core.analysis.track import Source
from core.mix import cleaning
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.plans.document import MixPlan, Span
from core.progress import Progress, report


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
    span = previous.span if previous else None
    kept = span if span is not None and (span.by == "person" or span.locked) else None
    for at, (source, (player, draft)) in enumerate(zip(sources, drafts.items(), strict=True)):
        report(progress, at / len(sources), f"Preparing {source.name}")
        cleaning.set_declip(draft, player)
        cleaning.set_hum(draft, player)
    return Prepared(bleed=BleedMap(), span=kept, notes=())
