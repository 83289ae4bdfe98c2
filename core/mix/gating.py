"""Gates: what is turned down while a track has nothing to say."""

from __future__ import annotations

from typing import Final

from core.analysis.bleed import BleedMap
from core.mix.draft import Draft
from core.mix.dynamics import loud_peak_dbfs
from core.mix.ensemble import Player
from core.plans.roles import Role

HEARD_IN_PAUSES_DB: Final = -48.0
"""Noise that is closer than this below the playing is heard when the playing stops."""
GATE_ABOVE_NOISE_DB: Final = 12.0
"""Peaks of steady noise reach about this much over its RMS."""
STEADY_DB: Final = 6.0
"""What moves more than this in the pauses is a decay or bleed, not noise."""
GATED: Final[frozenset[Role]] = frozenset(
    {
        "kick",
        "snare",
        "toms",
        "bass",
        "electric_guitar",
        "distorted_guitar",
        "keys",
        "brass",
        "woodwind",
        "lead_vocal",
        "backing_vocal",
        "speech",
        "other",
    }
)
"""Roles whose pauses are empty; the rest live from their decay or their room."""


def set_gate(draft: Draft, player: Player, trim_db: float, bleed: BleedMap) -> None:
    """A gate, only where noise would be heard in the pauses and playing stands well clear of it."""
    heard = player.heard
    if player.role not in GATED or heard.noise_floor_dbfs is None or heard.rms_dbfs is None:
        return
    if heard.activity > 0.95 or (heard.noise_spread_db or 0.0) > STEADY_DB:
        return
    noise_db = heard.noise_floor_dbfs - heard.rms_dbfs
    if noise_db < HEARD_IN_PAUSES_DB or noise_db > -20.0:
        return
    quiet_dbfs = max([heard.noise_floor_dbfs, *(other.level_dbfs for other in bleed.on(player.name))])
    threshold_db = min(quiet_dbfs + GATE_ABOVE_NOISE_DB, loud_peak_dbfs(heard) - 15.0) + trim_db
    depth_db = min(max(noise_db - HEARD_IN_PAUSES_DB, 6.0), 15.0 if player.is_vocal else 24.0)
    hum = f", {heard.hum_hz} Hz hum in it" if heard.hum_hz else ""
    why = (
        f"Noise at {heard.noise_floor_dbfs:.1f} dBFS in the pauses, {-noise_db:.0f} dB below the playing{hum}: "
        f"turned down by {depth_db:.0f} dB when nothing is played."
    )
    confidence = 0.7 if noise_db > HEARD_IN_PAUSES_DB + 6.0 else 0.5
    if draft.hands == 0.0:
        return
    draft.propose("gate_threshold_db", threshold_db, why, confidence)
    draft.propose("gate_range_db", -depth_db * draft.hands, why, confidence)
    draft.propose("gate_hold_ms", 40.0 if player.is_drum else 120.0, why, confidence)
    draft.propose("gate_release_ms", 120.0 if player.is_drum else 300.0, why, confidence)
