"""Microphones that hear one source: which of them to delay or turn over so that they add up.

Overheads and room microphones stay where they are, because the kit sounds through them; a close microphone waits until
its drum arrives there. Of two close microphones or a DI and an amplifier the earlier waits for the later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from core.analysis.alignment import CLOSE_ENOUGH_S, best_move, correlation_after, sum_gain_db
from core.analysis.crossspectrum import GROUPS, CrossSpectrum, Pair, comparable, frame_samples, gather
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


UNDERNEATH: Final = re.compile(r"\b(bottom|btm|bot|under|unten|dessous|sotto|abajo)\b", re.IGNORECASE)
"""Of two microphones on a drum the one that is usually turned over."""


@dataclass(frozen=True)
class Arrival:
    """When one player is heard, seen from another microphone."""

    after_s: float
    inverted: bool
    correlation: float
    """Of the two when the delay is taken out, as long as nothing is turned over."""
    gain_db: float
    """What alignment adds to the sum of the two."""
    sure: bool
    at: tuple[Player, ...]
    """The other microphones."""


def align_microphones(
    sources: Sequence[Source], drafts: Mapping[Player, Draft], *, progress: Progress | None = None
) -> None:
    """Propose `delay_ms` and `polarity_invert` where microphones of one source gain by it.

    `drafts` has one player per source, in their order. Raises OtoError("cancelled").
    """
    players = list(drafts)
    spectra = gather(sources, _excerpts(sources, players), onsets=True, progress=progress)
    overheads = [at for at, player in enumerate(players) if player.role == "overheads"]
    above: dict[int, Arrival] = {}
    beside: dict[Pair, Arrival] = {}
    for at in {first for first, second in spectra if second in overheads}:
        heard_at = [over for over in overheads if (at, over) in spectra]
        arrival = _arrival(players, spectra, at, heard_at, (-CLOSE_ENOUGH_S, HIGHEST_OVERHEAD_S))
        if arrival is not None and arrival.after_s >= 0.0:
            above[at] = arrival
    for first, second in spectra:
        if second not in overheads:
            reach_s = ONE_DRUM_S if players[first].is_drum else ONE_SOUND_S
            arrival = _arrival(players, spectra, first, [second], (-reach_s, reach_s))
            if arrival is not None:
                beside[first, second] = arrival
                beside[second, first] = replace(arrival, after_s=-arrival.after_s, at=(players[first],))
    taken: set[int] = set()
    for leader in sorted({*above, *(first for first, _ in beside)}, key=lambda at: _rank(players, above, at)):
        members = {other: beside[leader, other] for first, other in beside if first == leader and other not in taken}
        if leader not in taken and (members or leader in above):
            taken |= {leader, *members}
            _set_group([(player, drafts[player]) for player in players], leader, members, above.get(leader))


def _excerpts(sources: Sequence[Source], players: Sequence[Player]) -> dict[Pair, list[int]]:
    """Which pairs may hear one source, and the frames that tell most about them."""
    tracks = [at for at in comparable(sources) if players[at].audible]
    if not tracks:
        return {}
    rate_hz = sources[tracks[0]].rate_hz
    frame = frame_samples(rate_hz)
    frames = min(sources[at].frames for at in tracks) // frame
    levels = {at: levels_db(players[at].heard, frame / rate_hz, frames) for at in tracks}
    wanted = {}
    for first, second in permutations(tracks, 2):
        one, other = players[first], players[second]
        chosen: list[int] = []
        if one.role in UNDER_OVERHEADS and other.role == "overheads":
            chosen = first_alone(levels[first], levels[second], EXCERPTS)
        elif (
            first < second
            and one.role in SEVERAL_MICROPHONES
            and SEVERAL_MICROPHONES[one.role] == SEVERAL_MICROPHONES.get(other.role)
            and one.partner is not other
            and play_together(levels[first], levels[second])
        ):
            chosen = both(levels[first], levels[second], EXCERPTS)
        if len(chosen) >= FEWEST_EXCERPTS:
            wanted[first, second] = chosen
    return wanted


def _arrival(
    players: Sequence[Player],
    spectra: Mapping[Pair, CrossSpectrum],
    first: int,
    others: Sequence[int],
    reach_s: tuple[float, float],
) -> Arrival | None:
    compared = [spectra[first, other] for other in others]
    move = best_move(compared, earliest_s=reach_s[0], latest_s=reach_s[1])
    if move is None:
        return None
    turned = max((correlation_after(one, move) for one in compared), key=abs)
    return Arrival(
        after_s=move.delay_s,
        inverted=move.inverted,
        correlation=-turned if move.inverted else turned,
        gain_db=sum(sum_gain_db(one, move) for one in compared) / len(compared),
        sure=move.doubt_db == 0.0,
        at=tuple(players[other] for other in others),
    )


def _rank(players: Sequence[Player], above: Mapping[int, Arrival], at: int) -> tuple[float, bool, int]:
    """Who leads a group of microphones: who is heard best at the overheads, else who does not lie underneath."""
    return (-above[at].gain_db if at in above else 0.0, bool(UNDERNEATH.search(players[at].name)), at)


def _set_group(
    strips: Sequence[tuple[Player, Draft]], leader: int, members: Mapping[int, Arrival], above: Arrival | None
) -> None:
    """Delays to where the group is heard at the overheads, or to the latest of it; polarity after the leader."""
    leading, draft = strips[leader]
    after_s = {leader: 0.0} | {member: arrival.after_s for member, arrival in members.items()}
    latest = max(after_s, key=lambda at: after_s[at])
    target_s = after_s[latest] if above is None else above.after_s
    turned = above is not None and above.inverted
    if draft.is_kept("delay_ms"):
        target_s = draft.value("delay_ms") / 1000.0
    if draft.is_kept("polarity_invert"):
        turned = draft.settings["polarity_invert"].value is True
    over = "" if above is None else " and ".join(player.name for player in above.at)
    for at, its_s in after_s.items():
        player, draft = strips[at]
        # The leader may be the latest itself: any of its group tells then.
        evidence = above or members.get(at) or members.get(latest) or next(iter(members.values()))
        far = _far(target_s - its_s, player.heard.rate_hz)
        arrives = (
            f"{player.name} reaches {over} {far} later" if over else f"{strips[latest][0].name} comes {far} after it"
        )
        gain = f"the sum of both rises by {evidence.gain_db:.1f} dB in the band that they share"
        if target_s - its_s > CLOSE_ENOUGH_S:
            confidence = 0.85 if evidence.sure else 0.6
            draft.propose(
                "delay_ms", 1000.0 * (target_s - its_s), f"{arrives}: delayed by that, {gain}.", confidence, digits=3
            )
        own = members.get(at)
        if turned != (own is not None and own.inverted):
            against, seen = (leading.name, own) if own is not None and own.inverted else (over, above)
            if seen is not None:
                alike = f"{player.name} is against {against} (correlation {seen.correlation:.1f})"
                why = f"{alike}: polarity inverted, {gain}."
                draft.choose("polarity_invert", True, why, 0.85 if seen.sure else 0.6)


def _far(seconds: float, rate_hz: int) -> str:
    return f"{1000.0 * seconds:.1f} ms ({seconds * rate_hz:.0f} samples, {100.0 * SOUND_M_PER_S * seconds:.0f} cm)"
