"""The buses and the master strip of the mix: glue, the style's colour, reverbs and delay, a fade at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.mix import dynamics, space
from core.mix.draft import Draft, kept_settings
from core.mix.ensemble import Player
from core.mix.presets import STYLE, Style
from core.mix.rides import kept_ride
from core.mix.tempo import Tempo
from core.mix.tone import set_bell
from core.plans.document import BusStrip, MixPlan
from core.plans.parameters import SENDS, parameters_of

GLUE: Final[dict[str, tuple[float, str]]] = {
    "drums": (1.0, "Holds the kit together."),
    "music": (0.4, "Keeps the band steady behind the voice."),
    "vocals": (0.6, "Lets several voices move as one."),
}
"""Share of the style's glue, and what for."""
FEWEST_TO_GLUE: Final = 2


def buses(
    drafts: Mapping[Player, Draft],
    through: Mapping[Player, float],
    previous: MixPlan | None,
    style: Style,
    tempo: Tempo | None,
    hands: float,
) -> tuple[BusStrip, ...]:
    """The buses and effects that are used, and those of an earlier plan that a person touched.

    `through` is the gain in dB of every audible strip up to its bus.
    """
    before = {bus.name: bus for bus in previous.buses} if previous else {}
    used = {str(draft.settings["bus"].value) for draft in drafts.values()} - {"master"}
    used |= {name for name in SENDS if any(f"send_{name}_db" in draft.settings for draft in drafts.values())}
    used |= {name for name, bus in before.items() if kept_settings(bus.settings) or kept_ride(bus.ride)}
    made = []
    for name in ("drums", "music", "vocals", *SENDS):
        if name not in used:
            continue
        earlier = before.get(name)
        draft = Draft(parameters_of(name), kept_settings(earlier.settings) if earlier else {}, hands)
        if name in SENDS:
            space.set_return(draft, name, style, tempo)
        else:
            members = {one: gain for one, gain in through.items() if drafts[one].settings["bus"].value == name}
            _set_bus(draft, name, members, style)
        made.append(BusStrip(name=name, settings=draft.settings, ride=kept_ride(earlier.ride) if earlier else None))
    return tuple(made)


def _set_bus(draft: Draft, name: str, members: Mapping[Player, float], style: Style) -> None:
    share, why = GLUE[name]
    if len(members) >= FEWEST_TO_GLUE:
        told = why if style.why == "natural" else f"{why} Style {style.why}."
        # Finished stems were held together when they were mixed; a style asks for more.
        recorded = sum(not player.finished for player in members)
        glue_db = style.glue_db if recorded >= FEWEST_TO_GLUE else style.glue_db - STYLE["natural"].glue_db
        dynamics.set_glue(draft, members, share * glue_db, told)


def set_colour(master: Draft, style: Style) -> None:
    """The style's equaliser and width over everything."""
    for band, frequency_hz, gain_db, q in style.tone:
        set_bell(master, band, frequency_hz, gain_db, q, f"Style {style.why}.", confidence=0.5)
    if style.width != 1.0 and master.hands > 0.0:
        master.propose("width", style.width, f"Style {style.why}.", 0.5, amount=True)
