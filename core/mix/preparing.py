"""What an engineer does before the mix: microphones aligned, hum and clipping cleaned, the song cut out of the take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

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
    if all(draft.hands == 0.0 for draft in drafts.values()):
        return Prepared(bleed=BleedMap(), span=kept, notes=())
    align_microphones(sources, drafts, progress=_half(progress, 0.0))
    partners = {
        (first, second) for (first, one), (second, other) in permutations(enumerate(players), 2) if one.partner is other
    }
    analyses = [player.heard for player in players]
    bleed = measure_bleed(sources, analyses, apart=partners, progress=_half(progress, 0.5))
    span = kept or cleaning.song_span(sources, players)
    return Prepared(bleed=bleed, span=span, notes=_span_notes(span))


def _span_notes(span: Span | None) -> tuple[str, ...]:
    if span is None or span.by == "person":
        return ()
    return (
        f"The mix goes from {span.start_s:.1f} s to {span.end_s:.1f} s of the take: {span.why} Nothing is deleted.",
    )


def _half(progress: Progress | None, start: float) -> Progress | None:
    if progress is None:
        return None
    whole = progress
    return lambda fraction, doing: whole(start + fraction / 2.0, doing)


def _is_kept(span: Span) -> bool:
    return span.by == "person" or span.locked
