"""Microphones that hear one source: which of them to delay or turn over so that they add up.

Overheads and room microphones stay where they are, because the kit sounds through them; a close microphone waits until
its drum arrives there. Of two close microphones or a DI and an amplifier the earlier waits for the later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.analysis.alignment import Move, best_move, correlation_after, sum_gain_db
from core.analysis.crossspectrum import GROUPS, CrossSpectrum, Pair, frame_samples, gather
from core.analysis.moments import both, first_alone, levels_db, play_together
from core.analysis.track import Source
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.plans.roles import Role
from core.progress import Progress

SOUND_M_PER_S: Final = 343.0
EXCERPTS: Final = 32
FEWEST_EXCERPTS: Final = 2 * GROUPS
UNDER_OVERHEADS: Final[frozenset[Role]] = frozenset({"kick", "snare", "hihat", "toms"})
HIGHEST_OVERHEAD_S: Final = 0.012
"""4 m of air."""
ONE_DRUM_S: Final = 0.003
"""A metre between two microphones on one drum."""
ONE_SOUND_S: Final = 0.015
"""5 m of air, or the latency of an amplifier's model."""
SEVERAL_MICROPHONES: Final[dict[Role, str]] = {
    "kick": "kick",
    "snare": "snare",
    "bass": "bass",
    "synth_bass": "bass",
    "acoustic_guitar": "acoustic guitar",
    "electric_guitar": "electric guitar",
    "distorted_guitar": "electric guitar",
    "keys": "keys",
    "lead_vocal": "voice",
    "brass": "brass",
    "woodwind": "woodwind",
}
"""What people put several microphones on, or a microphone beside a DI."""


@dataclass(frozen=True)
class Found:
    """A move that was proposed, against which tracks."""

    player: Player
    against: tuple[Player, ...]
    move: Move
    before: float
    after: float
    gain_db: float


def align_microphones(
    sources: Sequence[Source], drafts: Mapping[Player, Draft], *, progress: Progress | None = None
) -> list[Found]:
    """Set `delay_ms` and `polarity_invert` where microphones of one source gain by it, and tell what was found.

    `drafts` has one player per source, in their order; all sources have one rate. Raises OtoError("cancelled").
    """
    players = list(drafts)
    wanted = _excerpts(sources, players)
    spectra = gather(sources, wanted, onsets=True, progress=progress)
    found = _together(players, spectra) + _under_overheads(players, spectra)
    for one in found:
        pass
    return found
