"""Level through the strips: what comes in, what the strip changes, and where the fader puts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.analysis.bleed import BleedMap
from core.mix import balance, dynamics, gating, tone
from core.mix.draft import Draft
from core.mix.ensemble import FRONT, Player
from core.mix.presets import Style
from core.mix.sections import sung_steps
from core.models.mixing import Advice
from core.plans.document import By

MIX_LUFS: Final = -23.0
"""Loudness that a mix is built to, so that its peaks leave mastering its room."""
MIX_PEAK_DBFS: Final = -8.0
"""Where the mix may peak by estimate, so that it stays below -6 dBFS in fact."""

LEAST_CHANGE_LU: Final = 0.05
"""What the controller changes by less rounds to nothing, and the place is the rules'."""


def set_levels(
    drafts: Mapping[Player, Draft],
    gains: Mapping[Player, float],
    targets: Mapping[Player, float],
    style: Style,
    bleed: BleedMap,
    advised: Mapping[Player, Advice],
) -> dict[Player, float]:
    """Trim, gate, dynamics, character and fader of every audible strip.

    `gains` is what each needs to meet its target, in dB, against a common zero; `advised` is what the mix controller
    added to the targets. Returns the gain in dB from each
    source to behind its fader, whatever makes it.
    """
    through: dict[Player, float] = {}
    full: dict[Player, float] = {}
    for player in gains:
        draft = drafts[player]
        trim_db = dynamics.set_trim(draft, player)
        gating.set_gate(draft, player, trim_db, bleed)
        changed_db = dynamics.set_compressor(draft, player, trim_db, style)
        dynamics.set_deesser(draft, player, trim_db)
        changed_db += dynamics.set_character(draft, player, style)
        changed_db += tone.loudness_change_lu(draft, player.heard)
        through[player] = trim_db + changed_db
        # What the whole proposal would do, from what the hands left of it.
        share = draft.hands or 1.0
        full[player] = (trim_db if draft.is_kept("trim_db") else trim_db / share) + changed_db / share
    common_db = _common_db(drafts, gains, full) if gains else 0.0
    sung = sung_steps(list(gains))
    moved = {player: advised[player].change_lu if player in advised else 0.0 for player in gains}
    middle = sorted(targets[player] - moved[player] for player in gains)[len(gains) // 2] if gains else 0.0
    for player, gain_db in gains.items():
        advice = advised.get(player)
        why = _fader_why(player, targets[player] - moved[player] - middle, balance.while_sung_lu(player, sung))
        confidence = 0.5 + 0.3 * (1.0 if player.role_confidence is None else player.role_confidence)
        by: By = "rules"
        if advice is not None and abs(advice.change_lu) >= LEAST_CHANGE_LU:
            why, confidence, by = f"{why} {advice.why}", advice.confidence, "model"
        value_db = gain_db + common_db - full[player]
        through[player] += drafts[player].propose("fader_db", value_db, why, confidence, amount=True, by=by)
    return through


def set_headroom(master: Draft, through: Mapping[Player, float]) -> None:
    """Lower the sum where it would peak too high for a master to work on."""
    if not through:
        return
    peak_dbfs = balance.mix_peak_dbfs(through)
    if peak_dbfs > MIX_PEAK_DBFS:
        why = f"The strips would peak near {peak_dbfs:.1f} dBFS together: this leaves mastering its room."
        master.propose("fader_db", MIX_PEAK_DBFS - peak_dbfs, why, 0.7, amount=True)


def _common_db(drafts: Mapping[Player, Draft], gains: Mapping[Player, float], full: Mapping[Player, float]) -> float:
    """One gain for all: around the faders that a person set, else to the loudness a mix is built to."""
    set_by_person = sorted(
        drafts[player].value("fader_db") + full[player] - gain_db
        for player, gain_db in gains.items()
        if drafts[player].is_kept("fader_db")
    )
    if set_by_person:
        return set_by_person[len(set_by_person) // 2]
    return MIX_LUFS - balance.mix_loudness_lufs(gains)


def _fader_why(player: Player, above_middle_lu: float, sung_lu: float) -> str:
    heard, preset = player.heard, player.preset
    level = balance.level_lufs(heard)
    where = f"{abs(above_middle_lu):.1f} LU {'above' if above_middle_lu >= 0.0 else 'below'} the song's middle strip"
    parts = []
    if player.priority != "normal":
        parts.append({"lead": "you want it in front", "background": "you want it behind"}[player.priority])
    if player.role not in FRONT and heard.sample_peak_dbfs is not None and heard.centroid_hz is not None:
        parts.append(f"it peaks {heard.sample_peak_dbfs - level:.1f} dB over its loudness")
        parts.append(f"its weight lies at {heard.centroid_hz:.0f} Hz")
    if abs(sung_lu) >= 0.5:
        parts.append(f"it plays {abs(sung_lu):.1f} LU {'louder' if sung_lu > 0.0 else 'softer'} under the singing")
    if player.together:
        parts.append(f"it shares its sound with {', '.join(other.name for other in player.together)}")
    told = f" ({', '.join(parts)})" if parts else ""
    return f"{level:.1f} LUFS while it plays; the place for {preset.called} is {where}{told}."
