"""Level at the strip's input, and what keeps it steady: trim and compressor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.mix.presets import Style
from core.plans.roles import Role

DESK_PEAK_DBFS: Final = -12.0
"""Where loud moments peak after the trim, so that every threshold means the same on every strip."""
STRUCK: Final[frozenset[Role]] = frozenset({"kick", "snare", "toms", "drums", "percussion", "room"})
STICK_OF_FALL: Final = 0.25
"""Share of a stroke's fall of 10 dB that passes before the compressor takes hold."""
RELEASE_OF_GAP: Final = 0.4
"""Time constants are 63 %: two and a half fit between two strokes."""
FEWEST_ONSETS: Final = 8
SHARP_DB: Final = -12.0
"""Sibilants this far below a voice's level are its usual ones."""
DEEPEST_DEESS_DB: Final = 6.0
DEESS_SLOPE: Final = 0.75
"""The de-esser's ratio is 4."""
SIBILANT_CREST_DB: Final = 12.0
"""Peaks of an s over the mean of the sixth of a second around it."""
DESK_AMPLITUDE: Final = 10.0 ** (DESK_PEAK_DBFS / 20.0)
GLUE_RATIO: Final = 2.0
LEAST_GLUE_DB: Final = 0.5
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
    wanted_db = 0.0 if player.finished else preset.reduction_db * style.compression * draft.hands
    if wanted_db > 0.0 and heard.crest_db is not None and heard.rms_dbfs is not None:
        usual = preset.usual_crest_db
        reduction_db = wanted_db * min(max(1.0 + (heard.crest_db - usual) / 8.0, 0.25), 1.6)
        level_dbfs = loud_peak_dbfs(heard) + trim_db
        threshold_db = level_dbfs - reduction_db / (1.0 - 1.0 / preset.ratio)
        why = (
            f"Crest {heard.crest_db:.1f} dB where {usual:.0f} dB is usual for {preset.called}: about "
            f"{reduction_db:.1f} dB of gain reduction where loud moments reach {level_dbfs:.1f} dBFS at the compressor."
        )
        draft.propose("comp_threshold_db", threshold_db, why)
        draft.propose("comp_ratio", preset.ratio, why)
        _set_times(draft, player, style)
        draft.propose("comp_knee_db", KNEE_DB, "Soft, so that it starts unnoticed.")
        if player.role in {"drums", "room"}:
            draft.propose("comp_sidechain_hz", 80.0, "Keeps the lowest notes from pulling the rest down.")
    lost_db = compression_loss_db(draft, heard, trim_db)
    if wanted_db > 0.0 and lost_db > 0.05:
        draft.propose(
            "comp_makeup_db", lost_db, f"Gives back the {lost_db:.1f} dB that the compressor takes on the whole."
        )
    return draft.value("comp_makeup_db") - lost_db


def _set_times(draft: Draft, player: Player, style: Style) -> None:
    """Attack from how long a stroke rings, release from how soon the next one comes."""
    preset, heard = player.preset, player.heard
    attack_ms, release_ms = preset.attack_ms, preset.release_ms
    attack_why = release_why = f"Usual for {preset.called}."
    if player.is_drum and heard.fall_ms is not None:
        attack_ms = float(np.clip(STICK_OF_FALL * heard.fall_ms, 0.5 * preset.attack_ms, 1.5 * preset.attack_ms))
        attack_why = f"Strokes fall 10 dB in {heard.fall_ms:.0f} ms: the first {attack_ms:.0f} ms pass."
    if len(heard.onsets_s) >= FEWEST_ONSETS:
        gap_ms = 1_000.0 * float(np.median(np.diff(heard.onsets_s)))
        release_ms = float(np.clip(RELEASE_OF_GAP * gap_ms, 0.5 * preset.release_ms, 2.0 * preset.release_ms))
        release_why = f"A stroke or note every {gap_ms:.0f} ms: the gain is back before the next."
    if style.attack != 1.0:
        attack_why += f" Style {style.why}."
    draft.propose("comp_attack_ms", attack_ms * style.attack, attack_why)
    draft.propose("comp_release_ms", release_ms, release_why)
    if player.is_vocal or player.role in {"bass", "acoustic_guitar"}:
        draft.choose("comp_auto_release", True, "Sung and held notes: quick after a peak, slow after a phrase.", 0.6)


def set_deesser(draft: Draft, player: Player, trim_db: float) -> None:
    """A de-esser where the sharpest moments of a voice stand too close to its level."""
    heard = player.heard
    if not player.is_vocal or heard.sibilance_db is None or heard.sibilance_hz is None or heard.rms_dbfs is None:
        return
    over_db = heard.sibilance_db - SHARP_DB
    if over_db <= 0.0 or draft.hands == 0.0:
        return
    cut_db = min(1.0 + over_db, DEEPEST_DEESS_DB) * draft.hands
    peak_dbfs = heard.rms_dbfs + trim_db + heard.sibilance_db + SIBILANT_CREST_DB
    frequency_hz = min(max(heard.sibilance_hz * 0.7, 4_000.0), 8_000.0)
    why = (
        f"The sharpest consonants lie {-heard.sibilance_db:.0f} dB below the voice, around "
        f"{heard.sibilance_hz / 1000:.1f} kHz: about {cut_db:.0f} dB less of them."
    )
    draft.propose("deess_threshold_db", peak_dbfs - cut_db / DEESS_SLOPE, why, 0.5)
    draft.propose("deess_freq_hz", frequency_hz, why, 0.5)


def set_character(draft: Draft, player: Player, style: Style) -> float:
    """Transient shaper and saturation where the style asks; returns about how much louder they make it, in dB."""
    why = f"Style {style.why}."
    if player.is_drum and player.role in STRUCK:
        if style.drums_attack_db:
            draft.propose("transient_attack_db", style.drums_attack_db, why, 0.5, amount=True)
        if style.drums_sustain_db:
            draft.propose("transient_sustain_db", style.drums_sustain_db, why, 0.5, amount=True)
    driven = player.role in STRUCK if player.is_drum else player.role not in {"backing_track", "effects", "speech"}
    drive_db = style.drums_drive_db if player.is_drum else style.band_drive_db
    if driven and drive_db:
        draft.propose("saturation_drive_db", drive_db, why, 0.5, amount=True)
    # Its quiet parts come up by this, its peaks at the desk's level by nothing (core.dsp.saturation); half is between.
    drive_db = draft.value("saturation_drive_db")
    steepness = (10.0 ** (drive_db / 20.0) - 1.0) * DESK_AMPLITUDE
    return 0.5 * 20.0 * math.log10(steepness / math.tanh(steepness)) if drive_db > 0.1 else 0.0


def set_glue(draft: Draft, members: Mapping[Player, float], reduction_db: float, why: str) -> None:
    """A bus compressor that takes about `reduction_db` where its loud moments are.

    `members` is each strip's gain in dB up to the bus.
    """
    reduction_db *= draft.hands
    if reduction_db < LEAST_GLUE_DB or not members:
        return
    steps = max(len(player.heard.peak_curve_dbfs) for player in members)
    power = np.zeros(steps)
    for player, gain_db in members.items():
        curve = np.array(player.heard.peak_curve_dbfs)
        power[: curve.size] += 10.0 ** ((curve + gain_db) / 10.0)
    level_db = 10.0 * np.log10(np.maximum(power, 1e-12))
    loud_dbfs = float(np.percentile(level_db[level_db > level_db.max() - 30.0], 90.0))
    told = f"{why} About {reduction_db:.1f} dB where its loud moments reach {loud_dbfs:.1f} dBFS."
    draft.propose("comp_threshold_db", loud_dbfs - reduction_db / (1.0 - 1.0 / GLUE_RATIO), told, 0.5)
    draft.propose("comp_ratio", GLUE_RATIO, told, 0.5)
    draft.propose("comp_attack_ms", 30.0, "Slow: strokes and consonants pass.", 0.5)
    draft.propose("comp_release_ms", 200.0, "Between two beats.", 0.5)
    draft.choose("comp_auto_release", True, "Follows the music.", 0.5)
    draft.propose("comp_sidechain_hz", 90.0, "The lowest notes don't pull the rest down.", 0.5)
    draft.propose("comp_makeup_db", 0.5 * reduction_db, "Gives back what it takes on the whole.", 0.5)


def compression_loss_db(draft: Draft, heard: TrackAnalysis, trim_db: float) -> float:
    """Estimate from the curves of peaks and loudness what the compressor takes off the track's loudness."""
    active = heard.active_steps()
    if draft.value("comp_ratio") <= 1.0 or not active.any():
        return 0.0
    reduction_db = reduction_curve_db(draft, heard, trim_db)[active]
    energy = 10.0 ** (np.array(heard.loudness_curve)[active] / 10.0)
    return -10.0 * math.log10(float((energy * 10.0 ** (-reduction_db / 10.0)).sum() / energy.sum()))


def reduction_curve_db(draft: Draft, heard: TrackAnalysis, trim_db: float) -> NDArray[np.float64]:
    """Estimate of the compressor's gain reduction per 100 ms."""
    over = np.array(heard.peak_curve_dbfs) + trim_db - draft.value("comp_threshold_db")
    knee_db, ratio = draft.value("comp_knee_db"), draft.value("comp_ratio")
    # Soft knee of Giannoulis et al. 2012, eq. 4.
    inside = (over + knee_db / 2.0) ** 2 / (2.0 * knee_db) if knee_db > 0.0 else np.zeros_like(over)
    bent = np.where(np.abs(over) * 2.0 <= knee_db, inside, np.maximum(over, 0.0))
    return np.asarray((1.0 - 1.0 / ratio) * bent * SMOOTHING * draft.value("comp_mix"))
