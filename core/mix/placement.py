"""Where each track stands: left to right, near or far, and on which bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.mix.presets import Style
from core.plans.roles import bus_of

ALONE: Final = 0.6
"""A single track of a role stays nearer to the middle than a pair that answers each other."""
MONO_CORRELATION: Final = 0.995

RETURNS: Final[dict[str, tuple[tuple[str, float, str], ...]]] = {
    "room": (
        ("decay_s", 0.5, "Short: glues a band that was recorded close."),
        ("predelay_ms", 0.0, "No gap: the room is where they play."),
        ("lowcut_hz", 150.0, "Keeps the bass dry."),
    ),
    "plate": (
        ("decay_s", 1.4, "Long enough to carry a voice, short enough to leave its words alone."),
        ("predelay_ms", 25.0, "Lets the word through before its echo."),
        ("lowcut_hz", 250.0, "Keeps the chest of the voice dry."),
    ),
    "hall": (
        ("decay_s", 2.2, "Depth behind the band."),
        ("predelay_ms", 35.0, "Keeps the front in front."),
        ("lowcut_hz", 300.0, "Keeps the lows clear."),
    ),
}


def set_pans(drafts: Mapping[Player, Draft], style: Style) -> None:
    """Pairs hard apart, stereo as recorded, the song's spine in the middle, the rest spread evenly to both sides."""
    groups: dict[str, list[Player]] = {}
    for player, draft in drafts.items():
        if player.side is not None and player.partner is not None:
            position = -1.0 if player.side == "left" else 1.0
            _place(draft, position, f"The {player.side} half of a pair with {player.partner.name}.", 0.9)
        elif player.heard.channels == 2 and (player.heard.correlation or 0.0) < MONO_CORRELATION:
            correlation = player.heard.correlation
            told = f" (left against right: correlation {correlation:.2f})" if correlation is not None else ""
            _place(draft, 0.0, f"A stereo recording keeps its own picture{told}.", 0.9)
        elif player.preset.spread == 0.0 or len(drafts) == 1:
            _place(draft, 0.0, f"The middle belongs to {player.preset.called}.", 0.85)
        elif player.audible:
            groups.setdefault(player.role, []).append(player)
        else:
            _place(draft, 0.0, "Nothing to hear, nothing to place.", 0.5)
    lean = 0.0
    for members in groups.values():
        places = _one_place_per_sound(members)
        spread = members[0].preset.spread * style.spread
        for at, together in enumerate(places):
            if len(places) == 1:
                position = spread * ALONE * (-1.0 if lean > 0.0 else 1.0)
                lean += position
                why = f"A little to the side leaves the middle to who leads; {style.why}."
            else:
                position = _position(at, len(places)) * spread
                why = f"{at + 1} of {len(places)} tracks like it, spread to both sides; {style.why}."
            for player in together:
                _place(drafts[player], min(max(position, -1.0), 1.0), why, 0.6)


def set_sends(draft: Draft, player: Player, style: Style, *, ensemble: bool) -> None:
    """Reverb by role, post fader; a single speaker or player stays dry."""
    if not (player.audible and ensemble):
        return
    preset = player.preset
    for name, level_db in (("room", preset.room_db), ("plate", preset.plate_db), ("hall", preset.hall_db)):
        if level_db is not None:
            why = f"{-level_db - style.reverb_db:.0f} dB below the dry sound, usual for {preset.called}; {style.why}."
            draft.propose_send(f"send_{name}_db", level_db + style.reverb_db, why)


def set_bus(draft: Draft, player: Player) -> None:
    """The bus of its role."""
    bus = bus_of(player.role)
    draft.choose("bus", bus, f"The bus for {player.preset.called}.")


def set_return(draft: Draft, name: str, style: Style) -> None:
    """How a reverb sounds."""
    for knob, value, why in RETURNS[name]:
        if knob == "decay_s" and style.decay != 1.0:
            value, why = value * style.decay, f"{why} Style {style.why}."
        draft.propose(knob, value, why, 0.6)


def _place(draft: Draft, position: float, why: str, confidence: float) -> None:
    draft.propose("pan", position, why, confidence, amount=True)


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


def _position(at: int, count: int) -> float:
    """Evenly from the right to the left: -1..1, the outermost at both ends."""
    return 1.0 - 2.0 * at / (count - 1)
