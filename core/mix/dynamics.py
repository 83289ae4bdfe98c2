"""Level at the strip's input, and what keeps it steady: trim and compressor."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from core.analysis.track import TrackAnalysis
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.mix.presets import Style

DESK_PEAK_DBFS: Final = -12.0
"""Where loud moments peak after the trim, so that every threshold means the same on every strip."""
KNEE_DB: Final = 6.0
SMOOTHING: Final = 0.7
"""Share of the static gain reduction that attack and release let through on music."""


def loud_peak_dbfs(analysis: TrackAnalysis) -> float:
    """Peak level of the loud moments: the 95th percentile of the peaks while the track sounds."""
    return float(np.percentile(np.array(analysis.peak_curve_dbfs)[analysis.active_steps()], 95.0))


def set_trim(draft: Draft, player: Player) -> float:
    """Bring loud moments to the desk's level; returns the trim in force."""
    peak_dbfs = loud_peak_dbfs(player.heard)
    trim_db = round(2.0 * (DESK_PEAK_DBFS - peak_dbfs)) / 2.0
    why = (
        f"Loud moments peak at {peak_dbfs:.1f} dBFS: {trim_db:+.1f} dB of trim brings them to the desk's level "
        f"({DESK_PEAK_DBFS:.0f} dBFS)."
    )
    return draft.propose("trim_db", trim_db, why, 0.9, amount=True)


def set_compressor(draft: Draft, player: Player, trim_db: float, style: Style) -> float:
    """A compressor by role and measured crest; returns the level in dB that it changes on the whole (near 0)."""
    preset, heard = player.preset, player.heard
    wanted_db = preset.reduction_db * style.compression * draft.hands
    if wanted_db > 0.0 and heard.crest_db is not None and heard.rms_dbfs is not None:
        usual = preset.usual_crest_db
        reduction_db = wanted_db * min(max(1.0 + (heard.crest_db - usual) / 8.0, 0.25), 1.6)
        level_dbfs = loud_peak_dbfs(heard) + trim_db
        threshold_db = level_dbfs - reduction_db / (1.0 - 1.0 / preset.ratio)
        why = (
            f"Crest {heard.crest_db:.1f} dB where {preset.called} usually has {usual:.0f} dB: about "
            f"{reduction_db:.1f} dB of gain reduction where loud moments reach {level_dbfs:.1f} dBFS at the compressor."
        )
        draft.propose("comp_threshold_db", threshold_db, why)
        draft.propose("comp_ratio", preset.ratio, why)
        draft.propose(
            "comp_attack_ms", preset.attack_ms * style.attack, f"Usual for {preset.called}; style {style.why}."
        )
        draft.propose("comp_release_ms", preset.release_ms, f"Usual for {preset.called}.")
        draft.propose("comp_knee_db", KNEE_DB, "Soft, so that it starts unnoticed.")
        if player.role in {"drums", "room"}:
            draft.propose("comp_sidechain_hz", 80.0, "Keeps the lowest notes from pulling the rest down.")
    lost_db = compression_loss_db(draft, heard, trim_db)
    if wanted_db > 0.0 and lost_db > 0.05:
        draft.propose(
            "comp_makeup_db", lost_db, f"Gives back the {lost_db:.1f} dB that the compressor takes on the whole."
        )
    return draft.value("comp_makeup_db") - lost_db


def compression_loss_db(draft: Draft, heard: TrackAnalysis, trim_db: float) -> float:
    """Estimate from the curves of peaks and loudness what the compressor takes off the track's loudness."""
    ratio = draft.value("comp_ratio")
    active = heard.active_steps()
    if ratio <= 1.0 or not active.any():
        return 0.0
    over = np.array(heard.peak_curve_dbfs)[active] + trim_db - draft.value("comp_threshold_db")
    knee_db = draft.value("comp_knee_db")
    # Soft knee of Giannoulis et al. 2012, eq. 4.
    inside = (over + knee_db / 2.0) ** 2 / (2.0 * knee_db) if knee_db > 0.0 else np.zeros_like(over)
    bent = np.where(np.abs(over) * 2.0 <= knee_db, inside, np.maximum(over, 0.0))
    reduction_db = (1.0 - 1.0 / ratio) * bent * SMOOTHING * draft.value("comp_mix")
    energy = 10.0 ** (np.array(heard.loudness_curve)[active] / 10.0)
    return -10.0 * math.log10(float((energy * 10.0 ** (-reduction_db / 10.0)).sum() / energy.sum()))
