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


BLEED_GATED: Final[dict[Role, float]] = {"kick": -10.0, "snare": -8.0, "toms": -15.0}
"""Drums whose microphones are turned down between their strokes, and by how much."""
OVER_BLEED_DB: Final = 6.0
BLEED_HEARD_DB: Final = -40.0
UNDER_STROKES_DB: Final = 18.0
"""A gate opens in time for strokes that are this much softer than the loud ones."""


def set_gate(draft: Draft, player: Player, trim_db: float, bleed: BleedMap) -> None:
    """A gate where noise would be heard in the pauses, or other drums between a drum's strokes."""
    heard = player.heard
    if draft.hands == 0.0 or player.role not in GATED or heard.silent or heard.activity > 0.95:
        return
    if not _set_bleed_gate(draft, player, trim_db, bleed):
        _set_noise_gate(draft, player, trim_db, bleed)


def _set_bleed_gate(draft: Draft, player: Player, trim_db: float, bleed: BleedMap) -> bool:
    """Above the loudest bleed, where the strokes stand well clear of it; False where there is no such place."""
    others = bleed.on(player.name)
    if player.role not in BLEED_GATED or not others:
        return False
    loudest = max(others, key=lambda other: other.peak_dbfs)
    stroke_dbfs = loud_peak_dbfs(player.heard)
    threshold_dbfs = loudest.peak_dbfs + OVER_BLEED_DB
    if threshold_dbfs > stroke_dbfs - UNDER_STROKES_DB or loudest.peak_dbfs < stroke_dbfs + BLEED_HEARD_DB:
        return False
    range_db = BLEED_GATED[player.role]
    why = (
        f"{loudest.source} is heard here, peaking at {loudest.peak_dbfs:.1f} dBFS where the strokes peak at "
        f"{stroke_dbfs:.1f} dBFS: turned down by {-range_db:.0f} dB between them."
    )
    draft.propose("gate_threshold_db", threshold_dbfs + trim_db, why, 0.6)
    draft.propose("gate_range_db", range_db * draft.hands, why, 0.6)
    draft.propose("gate_hold_ms", 100.0 if player.role == "toms" else 40.0, why, 0.6)
    draft.propose("gate_release_ms", 300.0 if player.role == "toms" else 120.0, why, 0.6)
    return True


def _set_noise_gate(draft: Draft, player: Player, trim_db: float, bleed: BleedMap) -> None:
    """Above the steady noise of the pauses and what bleeds into them, where playing stands well clear of both."""
    heard = player.heard
    if heard.noise_floor_dbfs is None or heard.rms_dbfs is None or (heard.noise_spread_db or 0.0) > STEADY_DB:
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
    draft.propose("gate_threshold_db", threshold_db, why, confidence)
    draft.propose("gate_range_db", -depth_db * draft.hands, why, confidence)
    draft.propose("gate_hold_ms", 40.0 if player.is_drum else 120.0, why, confidence)
    draft.propose("gate_release_ms", 120.0 if player.is_drum else 300.0, why, confidence)
