"""Who plays: each track with what was heard of it, and which tracks belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.names import side_of_name
from core.analysis.track import TrackAnalysis
from core.mix.presets import PRESETS, Preset
from core.plans.document import By, Priority
from core.plans.roles import BUS_OF_ROLE, Role

FRONT: Final[frozenset[Role]] = frozenset({"lead_vocal", "speech"})
"""Roles that carry the song: placed by role alone, whatever their character."""
FAINT_DBFS = -60.0
"""A track that never peaks above this holds nothing but the noise of its input."""
SAME_SOURCE_CORRELATION = 0.9
"""Two loudness curves this alike come from the same performance."""


@dataclass(eq=False)
class Player:
    """One track in the mix being made."""

    name: str
    role: Role
    role_confidence: float | None
    role_by: By
    heard: TrackAnalysis
    role_why: str = ""
    role_note: str = ""
    """What a person should hear about the role."""
    muted: bool = False
    priority: Priority = "normal"
    """What a person wants of it."""
    finished: bool = False
    """Whether it is a stem of a mix that was made already (`core.mix.stems`)."""
    side: str | None = None
    """"left" or "right" when the track is one half of a stereo pair."""
    partner: Player | None = None
    together: list[Player] = field(default_factory=list)
    """Other tracks of the same sound (the pair's other half, further microphones), not itself."""

    @property
    def preset(self) -> Preset:
        """The starting point for its role."""
        return PRESETS[self.role]

    @property
    def is_drum(self) -> bool:
        """Whether it belongs to the kit."""
        return BUS_OF_ROLE.get(self.role) == "drums"

    @property
    def is_vocal(self) -> bool:
        """Whether somebody sings or speaks."""
        return BUS_OF_ROLE.get(self.role) == "vocals"

    @property
    def audible(self) -> bool:
        """Whether there is something to balance: not muted, not silence, not an empty input, not a click."""
        peak = self.heard.sample_peak_dbfs
        return not self.muted and peak is not None and peak > FAINT_DBFS and self.role != "click"


def find_leader(players: Sequence[Player]) -> None:
    """Of voices that only the recogniser knows, let one lead, unless somebody is known to: the others back it.

    The recogniser hears that somebody sings, not who leads. Whoever sings longest does; a second microphone or a double
    of the leader (`alike`) is the leader too.
    """
    voices = [player for player in players if player.audible and player.role == "lead_vocal"]
    unsaid = [player for player in voices if player.role_by == "model" and player.priority != "lead"]
    known = [player for player in voices if player not in unsaid]
    if not unsaid:
        return
    leader = max(known or unsaid, key=_sounding_s)
    for player in unsaid:
        if player is leader or any(
            alike(player.heard, front.heard) > SAME_SOURCE_CORRELATION for front in (*known, leader)
        ):
            continue
        player.role = "backing_vocal"
        longer = f" ({_sounding_s(leader):.0f} s against {_sounding_s(player):.0f} s)" if not known else ""
        player.role_why += f" {leader.name} leads{longer}, so this one backs it."


def _sounding_s(player: Player) -> float:
    return player.heard.activity * player.heard.duration_s


def find_companions(players: Sequence[Player]) -> None:
    """Find stereo pairs and several microphones or copies of one sound, by name and by how loudness moves."""
    sounding = [player for player in players if player.audible]
    for at, one in enumerate(sounding):
        for other in sounding[at + 1 :]:
            pair = _pair_by_name(one, other) or _pair_by_place(one, other, sounding)
            same = (
                one.role == other.role
                and not _numbered_apart(one, other)
                and alike(one.heard, other.heard) > SAME_SOURCE_CORRELATION
            )
            if pair and one.partner is None and other.partner is None:
                one.partner, other.partner = other, one
                one.side, other.side = pair
            if pair or same:
                one.together.append(other)
                other.together.append(one)


def overlap(one: TrackAnalysis, other: TrackAnalysis) -> float:
    """Share (0..1) of the time of the one that sounds less in which both sound."""
    first, second = one.active_steps(), other.active_steps()
    steps = min(first.size, second.size)
    both = float(np.count_nonzero(first[:steps] & second[:steps]))
    least = min(np.count_nonzero(first), np.count_nonzero(second))
    return both / least if least else 0.0


def _pair_by_name(one: Player, other: Player) -> tuple[str, str] | None:
    first, second = side_of_name(one.name), side_of_name(other.name)
    if first is None or second is None or first[0] != second[0] or first[1] == second[1]:
        return None
    return (first[1], second[1]) if one.heard.channels == other.heard.channels == 1 else None


def _pair_by_place(one: Player, other: Player, everybody: Sequence[Player]) -> tuple[str, str] | None:
    """Two overheads, or two room microphones, are a pair even when their names only count them."""
    if one.role != other.role or one.role not in {"overheads", "room"}:
        return None
    alike_ones = [player for player in everybody if player.role == one.role]
    mono = one.heard.channels == other.heard.channels == 1
    return ("left", "right") if mono and len(alike_ones) == 2 else None


def _numbered_apart(one: Player, other: Player) -> bool:
    """Whether two tracks are two things although they sound alike.

    Each tom is a drum of its own that hears the others; "Gtr 1" and "Gtr 2" are two takes, "Gtr DI" and "Gtr mic" one.
    A kick or a snare is one drum, whatever its microphones are called.
    """
    if one.role == "toms":
        return True
    numbers = [re.findall(r"\d+", re.sub(r"^\s*\d+", "", player.name)) for player in (one, other)]
    return one.preset.spread > 0.0 and not one.is_drum and numbers[0] != numbers[1] and all(numbers)


def alike(one: TrackAnalysis, other: TrackAnalysis) -> float:
    """Correlation of the loudness curves where either sounds; 0 where there is too little to tell."""
    steps = min(len(one.loudness_curve), len(other.loudness_curve))
    if steps < 20:
        return 0.0
    either = one.active_steps()[:steps] | other.active_steps()[:steps]
    first, second = _curve(one, either), _curve(other, either)
    if first.size < 20 or first.std() < 0.5 or second.std() < 0.5:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _curve(analysis: TrackAnalysis, steps: NDArray[np.bool_]) -> NDArray[np.float64]:
    curve = np.array(analysis.loudness_curve)[: steps.size][steps]
    return np.asarray(np.maximum(curve, (analysis.loud_lufs or 0.0) - 40.0))
