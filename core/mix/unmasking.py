"""Room in the spectrum: small cuts where one strip hides what another one needs.

Who matters more is asked first: a lead, then the singer, then the drums that carry the beat, the bass, everybody else,
pads and background last. For each pair the loudness that is left of the more important one beside the other is compared
band by band (partial loudness on ERB bands, `core.analysis.hearing`) over the seconds in which both sound. Where more
than half of it is lost and the other is about as loud or louder, the other gets a bell of 3 dB at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.hearing import ERB_EDGES_HZ, ERB_HZ, ERB_NUMBERS, excitation, frequency_hz, specific_loudness
from core.mix.draft import Draft
from core.mix.ensemble import FRONT, Player
from core.mix.tone import free_bell, hertz, set_bell
from core.plans.roles import Role

Floats = NDArray[np.float64]

DEEPEST_CUT_DB: Final = 3.0
"""For a lead or a singer; two thirds of it for anybody else."""
LEAST_CUT_DB: Final = 0.75
LOST: Final = 0.5
"""Share of the loudness in a region that has to be gone before anything is done."""
NEAR_DB: Final = 3.0
"""A masker that is further below is not what hides it."""
TOGETHER: Final = 0.2
"""Share of the time of the more important one in which both have to sound."""
NEEDS: Final = 0.4
"""Bands with at least this share of the loudness of its loudest band are what a sound lives from."""
MOST_PER_STRIP: Final = 2
SINGER: Final = 1.0
"""Rank of a singer; smaller is more important."""
WORDS_HZ: Final = (500.0, 6_000.0)
LIVES_HZ: Final[dict[Role, tuple[float, float]]] = {
    "kick": (40.0, 160.0),
    "bass": (50.0, 250.0),
    "synth_bass": (50.0, 250.0),
    "drums": (50.0, 160.0),
}
"""Where a role needs room; its overtones may hide behind others."""
ANYWHERE_HZ: Final = (60.0, 8_000.0)
SOUNDING_DB: Final = 20.0
BEHIND: Final = frozenset({"synth_pad", "strings", "effects", "room", "backing_track"})


@dataclass(frozen=True)
class Clash:
    """One strip hiding a part of another."""

    masker: Player
    hidden: Player
    low_hz: float
    high_hz: float
    at_hz: float
    lost: float
    """Share (0..1) of the hidden one's loudness between the two frequencies."""
    gap_db: float
    """The masker above the hidden one."""
    together: float
    importance: float
    """Loudness that is lost, as a share of all that the hidden one has."""


def unmask(drafts: Mapping[Player, Draft], levels_db: Mapping[Player, float]) -> list[str]:
    """Make room where strips compete. `levels_db` is each audible player's gain so far.

    Returns sentences for the plan's notes.
    """
    powers = {player: player.heard.ear_powers() * 10.0 ** (gain / 10.0) for player, gain in levels_db.items()}
    clashes = [
        clash
        for masker in levels_db
        for hidden in levels_db
        if _rank(hidden) < _rank(masker) and hidden not in masker.together
        for clash in [_clash(masker, hidden, powers)]
        if clash is not None
    ]
    room: dict[str, list[str]] = {}
    cut: dict[Player, list[Clash]] = {}
    for clash in sorted(clashes, key=lambda one: (_rank(one.hidden), -one.importance)):
        done = cut.setdefault(clash.masker, [])
        near = any(abs(np.log2(clash.at_hz / other.at_hz)) < 1.0 for other in done)
        if len(done) < MOST_PER_STRIP and not near and (what := _cut(drafts[clash.masker], clash)):
            done.append(clash)
            room.setdefault(clash.hidden.name, []).append(what)
    return [f"Room for {hidden}: {', '.join(cuts)}." for hidden, cuts in room.items()]


def _rank(player: Player) -> float:
    """Smaller is more important."""
    if player.priority == "lead":
        return 0.0
    behind = 3.0 if player.priority == "background" else 0.0
    if player.role in FRONT:
        return SINGER + behind
    if player.role in {"kick", "snare"}:
        return 2.0 + behind
    if player.role in {"bass", "synth_bass", "drums"}:
        return 3.0 + behind
    return (5.0 if player.role in BEHIND else 4.0) + behind


def _clash(masker: Player, hidden: Player, powers: Mapping[Player, Floats]) -> Clash | None:
    """Where the masker hides most of what the other one needs."""
    if masker.is_drum and hidden.priority != "lead":
        return None
    if hidden.role == "snare" and masker.priority != "background":
        return None
    seconds = min(len(powers[masker]), len(powers[hidden]))
    first, second = powers[masker][:seconds], powers[hidden][:seconds]
    sounds = _sounding(second)
    both = sounds & _sounding(first)
    together = float(both.sum() / max(sounds.sum(), 1))
    if together < TOGETHER:
        return None
    beside, own = excitation(first[both].mean(axis=0)), excitation(second[both].mean(axis=0))
    alone, left = specific_loudness(own), specific_loudness(own, beside)
    gap_db = 10.0 * np.log10(np.maximum(beside, 1e-15) / np.maximum(own, 1e-15))
    low_hz, high_hz = WORDS_HZ if hidden.is_vocal else LIVES_HZ.get(hidden.role, ANYWHERE_HZ)
    region = (low_hz <= ERB_HZ) & (high_hz >= ERB_HZ)
    if not region.any() or alone.max() <= 0.0:
        return None
    competing = region & (gap_db > -NEAR_DB) & (alone >= NEEDS * alone[region].max())
    if not competing.any():
        return None
    # The deepest hole that is still worth something to the one that is hidden.
    at = int(np.argmax(np.where(competing, (alone - left) * np.clip(gap_db + NEAR_DB, 0.0, 12.0), -1.0)))
    first_band = last_band = at
    while first_band > 0 and competing[first_band - 1]:
        first_band -= 1
    while last_band < competing.size - 1 and competing[last_band + 1]:
        last_band += 1
    span = slice(first_band, last_band + 1)
    lost = 1.0 - float(left[span].sum() / alone[span].sum())
    if lost < LOST:
        return None
    weights = (alone - left)[span]
    centre = float((ERB_NUMBERS[span] * weights).sum() / weights.sum())
    return Clash(
        masker=masker,
        hidden=hidden,
        low_hz=max(float(ERB_EDGES_HZ[first_band]), low_hz),
        high_hz=min(float(ERB_EDGES_HZ[last_band + 1]), high_hz),
        at_hz=float(frequency_hz(centre)),
        lost=lost,
        gap_db=float(np.average(gap_db[span], weights=weights)),
        together=together,
        importance=float((alone - left)[span].sum() / alone.sum()),
    )


def _sounding(powers: Floats) -> NDArray[np.bool_]:
    whole = powers.sum(axis=1)
    return np.asarray(whole > whole.max(initial=0.0) * 10.0 ** (-SOUNDING_DB / 10.0))


def _cut(draft: Draft, clash: Clash) -> str | None:
    """Set the bell; what it does in a few words, or None where there is no bell left or nothing worth doing."""
    cut_db = min(1.0 + max(clash.gap_db + NEAR_DB, 0.0) / 5.0, DEEPEST_CUT_DB) * min(0.5 + clash.together, 1.0)
    if _rank(clash.hidden) > SINGER:
        cut_db *= 2.0 / 3.0
    band = free_bell(draft, clash.at_hz)
    if band is None or cut_db < LEAST_CUT_DB or draft.hands == 0.0:
        return None
    octaves = float(np.log2(clash.high_hz / clash.low_hz))
    q = float(np.clip(1.4 / octaves, 0.8, 2.5))
    what = f"{clash.masker.name} -{cut_db * draft.hands:.1f} dB at {hertz(clash.at_hz)}"
    why = (
        f"{clash.masker.name} and {clash.hidden.name} compete at {hertz(clash.low_hz, clash.high_hz)}, where "
        f"{clash.lost:.0%} of {clash.hidden.name}'s loudness is hidden while both sound: {what}."
    )
    return what if set_bell(draft, band, clash.at_hz, -cut_db, q, why, confidence=0.55) else None
