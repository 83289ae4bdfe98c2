"""Where each track stands from left to right, and on which bus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from core.mix.draft import Draft
from core.mix.ensemble import Player, alike
from core.mix.presets import Style
from core.mix.stems import is_panned, is_wide
from core.plans.roles import bus_of

ALONE: Final = 0.6
"""A single track of a role stays nearer to the middle than a pair that answers each other."""
DOUBLE: Final = 0.6
"""Loudness that moves this much alike is one part played twice."""
DOUBLE_SPREAD: Final = 0.85
INNERMOST: Final = 0.4
"""Where the inner ones of many stand, against the outermost."""
LOW_HZ: Final = 150.0
HIGH_HZ: Final = 600.0
LOW_SHARE: Final = 0.5
"""How far a track goes whose weight lies at `LOW_HZ` or lower, against one at `HIGH_HZ`: lows carry the middle."""
HIGH_TOMS: Final = ("rack", "high", "hi ", "small", "haenge", "hänge")
LOW_TOMS: Final = ("floor", "low", "stand", "goliath")
SEEN_FROM_FRONT: Final = "seen from the front"


def set_pans(drafts: Mapping[Player, Draft], levels_db: Mapping[Player, float], style: Style) -> None:
    """Pairs hard apart, stereo as recorded, the song's spine in the middle, the rest to both sides.

    `levels_db` is each audible player's gain so far; single tracks go to the side with less in their register.
    """
    groups: dict[str, list[Player]] = {}
    for player, draft in drafts.items():
        if player.side is not None and player.partner is not None:
            position = -1.0 if player.side == "left" else 1.0
            _place(draft, position, f"The {player.side} half of a pair with {player.partner.name}.", 0.9)
        elif told := _own_picture(player):
            _place(draft, 0.0, told, 0.9)
        elif player.preset.spread == 0.0 or len(drafts) == 1:
            _place(draft, 0.0, f"The middle belongs to {player.preset.called}.", 0.85)
        elif player.priority == "lead":
            _place(draft, 0.0, "The middle belongs to who leads.", 0.85)
        elif player.audible:
            groups.setdefault(player.role, []).append(player)
        else:
            _place(draft, 0.0, "Nothing to hear, nothing to place.", 0.5)
    weights = {-1.0: dict[int, float](), 1.0: dict[int, float]()}
    # Groups first: who is alone answers them.
    for members in sorted(groups.values(), key=lambda group: -len(group)):
        places = _one_place_per_sound(members)
        if len(places) == 1:
            _place_alone(drafts, places[0], levels_db, weights, style)
        elif members[0].role == "toms":
            _place_toms(drafts, places, style)
        else:
            _place_many(drafts, places, levels_db, weights, style)


def _place_alone(
    drafts: Mapping[Player, Draft],
    sound: Sequence[Player],
    levels_db: Mapping[Player, float],
    weights: dict[float, dict[int, float]],
    style: Style,
) -> None:
    """One sound: to the side on which less sounds in its octave; a hi-hat where drummers have it."""
    player = sound[0]
    octave = _octave(player)
    less_on = min((-1.0, 1.0), key=lambda side: sum(weights[side].get(octave + step, 0.0) for step in (-1, 0, 1)))
    side = 1.0 if player.role == "hihat" else less_on
    position = side * player.preset.spread * style.spread * ALONE * _reach(player)
    why = (
        f"Where a drummer's hi-hat is, {SEEN_FROM_FRONT}."
        if player.role == "hihat"
        else f"A little to the side leaves the middle to who leads; on this side less sounds around {_weight(player)}."
    )
    for one in sound:
        _place(drafts[one], position, why + _style(style), 0.6)
    _weigh(weights[side], player, levels_db)


def _place_toms(drafts: Mapping[Player, Draft], places: Sequence[Sequence[Player]], style: Style) -> None:
    """From the highest on the right to the lowest on the left, as a kit stands.

    Toms are counted from high to low; bleed makes their sound a poor guide.
    """
    ordered = sorted(places, key=lambda sound: _depth(sound[0].name))
    for at, sound in enumerate(ordered):
        position = (1.0 - 2.0 * at / (len(ordered) - 1)) * sound[0].preset.spread * style.spread
        why = f"Tom {at + 1} of {len(ordered)} from high to low, right to left {SEEN_FROM_FRONT}."
        for one in sound:
            _place(drafts[one], position, why + _style(style), 0.6)


def _place_many(
    drafts: Mapping[Player, Draft],
    places: Sequence[Sequence[Player]],
    levels_db: Mapping[Player, float],
    weights: dict[float, dict[int, float]],
    style: Style,
) -> None:
    """Several sounds of a role: to both sides by turns, from outside to inside, none in the middle."""
    likeness = alike(places[0][0].heard, places[1][0].heard)
    doubled = len(places) == 2 and likeness > DOUBLE
    sides = (len(places) + 1) // 2
    for at, sound in enumerate(places):
        player = sound[0]
        side = -1.0 if at % 2 else 1.0
        inward = (at // 2) / (sides - 1) if sides > 1 else 0.0
        spread = max(player.preset.spread, DOUBLE_SPREAD) if doubled else player.preset.spread * _reach(player)
        position = side * spread * style.spread * (1.0 - (1.0 - INNERMOST) * inward)
        why = (
            f"One part played twice (loudness moves alike, {likeness:.2f}): the takes wide apart."
            if doubled
            else f"{at + 1} of {len(places)} tracks like it, to both sides by turns; weight at {_weight(player)}."
        )
        for one in sound:
            _place(drafts[one], position, why + _style(style), 0.6)
        _weigh(weights[side], player, levels_db)


def set_bus(draft: Draft, player: Player) -> None:
    """The bus of its role."""
    draft.choose("bus", bus_of(player.role), f"The bus for {player.preset.called}.")


def _place(draft: Draft, position: float, why: str, confidence: float) -> None:
    draft.propose("pan", min(max(position, -1.0), 1.0), why, confidence, amount=True)


def _own_picture(player: Player) -> str:
    """Why a track of two channels stays as it is; empty where it has no picture of its own."""
    heard = player.heard
    if is_wide(heard):
        return f"A stereo recording keeps its own picture (left against right: correlation {heard.correlation:.2f})."
    if is_panned(heard):
        if heard.balance_db is None:
            return "Panned already: one side is silent."
        side = "right" if heard.balance_db > 0.0 else "left"
        return f"Panned already: {abs(heard.balance_db):.1f} dB more on the {side}."
    return "Left and right are the same in a mix's stem: its author put it into the middle." if player.finished else ""


def _depth(name: str) -> int:
    """Whether a tom's name says that it is a high one (-1) or a low one (1)."""
    words = name.casefold()
    return any(word in words for word in LOW_TOMS) - any(word in words for word in HIGH_TOMS)


def _style(style: Style) -> str:
    return "" if style.spread == 1.0 else f" Style {style.why}."


def _reach(player: Player) -> float:
    """Share of the spread that its register allows."""
    octaves = math.log2(min(max(player.heard.centroid_hz or HIGH_HZ, LOW_HZ), HIGH_HZ) / LOW_HZ)
    return LOW_SHARE + (1.0 - LOW_SHARE) * octaves / math.log2(HIGH_HZ / LOW_HZ)


def _octave(player: Player) -> int:
    return round(math.log2((player.heard.centroid_hz or HIGH_HZ) / HIGH_HZ))


def _weight(player: Player) -> str:
    return f"{player.heard.centroid_hz or 0.0:.0f} Hz"


def _weigh(side: dict[int, float], player: Player, levels_db: Mapping[Player, float]) -> None:
    """Add a player's loudness to what sounds on a side in its octave."""
    level_lufs = (player.heard.active_lufs or -60.0) + levels_db.get(player, 0.0)
    octave = _octave(player)
    side[octave] = side.get(octave, 0.0) + 10.0 ** (level_lufs / 10.0)


def _one_place_per_sound(players: Sequence[Player]) -> list[list[Player]]:
    """Several microphones on one sound stand in one place."""
    places: list[list[Player]] = []
    for player in players:
        for place in places:
            if place[0] in player.together:
                place.append(player)
                break
        else:
            places.append([player])
    return places
