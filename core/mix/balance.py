"""How loud each track should be against the others: role, character, and who shares one sound.

Three things predict where people put a track, measured on the training songs (docs/mixing.md): what it is, how peaky it
is (transients carry: half a LU lower per dB of peak over loudness), and how bright it is (0.8 LU lower per octave).
The last two need no name, so a track that nobody can name gets a sensible level too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis
from core.mix.ensemble import FRONT, Player, overlap
from core.mix.presets import Style
from core.mix.sections import sung_steps
from core.plans.document import Priority

PEAKINESS_SLOPE: Final = -0.55
USUAL_PEAKINESS_DB: Final = 14.0
PEAKINESS_RANGE_DB: Final = (8.0, 22.0)
BRIGHTNESS_SLOPE: Final = -0.8
USUAL_CENTROID_HZ: Final = 700.0
BRIGHTNESS_RANGE_OCTAVES: Final = (-2.0, 3.0)
SPARSE_LU: Final = 8.0
"""A track whose loudest moment is further above its loudness is judged by that moment: bleed filled the rest."""
FEWEST_SUNG_STEPS: Final = 50
"""Five seconds of playing under the singer tell how loud it is there."""
MOST_SUNG_LU: Final = 4.0
SHARED: Final = 0.35
"""How much of the power sum tracks of one role that play different things give way to each other."""
PRIORITY_LU: Final[dict[Priority, float]] = {"lead": 2.5, "normal": 0.0, "background": -3.0}
"""What a person's word about a track is worth."""


def level_lufs(analysis: TrackAnalysis) -> float:
    """How loud a track is while it plays, not fooled by bleed between a few strokes. The track must not be silent."""
    gated = analysis.integrated_lufs if analysis.integrated_lufs is not None else analysis.active_lufs
    assert gated is not None
    return max(gated, loudest_lufs(analysis) - SPARSE_LU)


def loudest_lufs(analysis: TrackAnalysis) -> float:
    """The loudest 400 ms."""
    energy = 10.0 ** (np.array(analysis.loudness_curve) / 10.0)
    return 10.0 * math.log10(np.convolve(energy, np.full(4, 0.25))[: energy.size].max())


def targets_lu(players: Sequence[Player], style: Style) -> dict[Player, float]:
    """Where every audible player's loudness should be, in LU against an arbitrary common zero.

    Who plays louder or softer while a lead voice sings is placed by those moments.
    """
    audible = [player for player in players if player.audible]
    sung = sung_steps(audible)
    return {
        player: _alone_lu(player, style) - _sharing_db(player, audible) - while_sung_lu(player, sung)
        for player in audible
    }


def while_sung_lu(player: Player, sung: NDArray[np.bool_]) -> float:
    """How much louder a track plays while a lead voice sings than on the whole; 0 where that can't be told."""
    if player.role in FRONT:
        return 0.0
    curve, active = np.array(player.heard.loudness_curve), player.heard.active_steps()
    both = active & sung[: active.size]
    if np.count_nonzero(both) < FEWEST_SUNG_STEPS:
        return 0.0
    energy = 10.0 ** (curve / 10.0)
    more_lu = 10.0 * math.log10(float(energy[both].mean() / energy[active].mean()))
    return min(max(more_lu, -MOST_SUNG_LU), MOST_SUNG_LU)


def _alone_lu(player: Player, style: Style) -> float:
    taste = style.vocals_lu if player.is_vocal else style.drums_lu if player.is_drum else 0.0
    offset = player.preset.offset_lu + taste + PRIORITY_LU[player.priority]
    return offset if player.role in FRONT else offset + character_lu(player.heard)


def character_lu(analysis: TrackAnalysis) -> float:
    """What peakiness and brightness alone ask for."""
    assert analysis.sample_peak_dbfs is not None
    assert analysis.centroid_hz is not None
    peakiness = float(np.clip(analysis.sample_peak_dbfs - level_lufs(analysis), *PEAKINESS_RANGE_DB))
    octaves = float(np.clip(math.log2(analysis.centroid_hz / USUAL_CENTROID_HZ), *BRIGHTNESS_RANGE_OCTAVES))
    return PEAKINESS_SLOPE * (peakiness - USUAL_PEAKINESS_DB) + BRIGHTNESS_SLOPE * octaves


def _sharing_db(player: Player, audible: Sequence[Player]) -> float:
    """Microphones of one sound share its level; other tracks of the role that play meanwhile give way a little."""
    one_sound = 10.0 * math.log10(1 + len(player.together))
    others = [
        other
        for other in audible
        if other is not player
        and other.role == player.role
        and other not in player.together
        and player.role not in {"other", *FRONT}
    ]
    company = sum(overlap(player.heard, other.heard) / (1 + len(other.together)) for other in others)
    return one_sound + SHARED * 10.0 * math.log10(1.0 + company)


def mix_loudness_lufs(levels: Mapping[Player, float]) -> float:
    """Loudness of the sum of uncorrelated tracks over time, gated as a whole (an estimate: no bleed, no effects).

    `levels` is each player's gain in dB.
    """
    summed = _sum_of_curves(levels, peaks=False)
    loud = summed[summed > summed.max() * 1e-2]
    return 10.0 * math.log10(float(loud.mean()))


def mix_peak_dbfs(levels: Mapping[Player, float]) -> float:
    """Likely sample peak of the sum: peaks of one 100 ms step add as powers, since they rarely coincide."""
    return 10.0 * math.log10(float(_sum_of_curves(levels, peaks=True).max()))


def _sum_of_curves(levels: Mapping[Player, float], *, peaks: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    curves = [(p.heard.peak_curve_dbfs if peaks else p.heard.loudness_curve, gain_db) for p, gain_db in levels.items()]
    summed = np.zeros(max(len(curve) for curve, _ in curves))
    for curve, gain_db in curves:
        summed[: len(curve)] += 10.0 ** ((np.array(curve) + gain_db) / 10.0)
    return summed
