"""The roles a track can play in a song: the vocabulary that names, models, presets and people share."""

from __future__ import annotations

from typing import Final, Literal, get_args

Role = Literal[
    "kick",
    "snare",
    "hihat",
    "toms",
    "overheads",
    "room",
    "percussion",
    "bass",
    "synth_bass",
    "acoustic_guitar",
    "electric_guitar",
    "distorted_guitar",
    "piano",
    "keys",
    "synth_pad",
    "synth_lead",
    "strings",
    "brass",
    "woodwind",
    "lead_vocal",
    "backing_vocal",
    "speech",
    "click",
    "other",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)

Bus = Literal["drums", "music", "vocals", "master"]

BUS_OF_ROLE: Final[dict[Role, Bus]] = {
    "kick": "drums",
    "snare": "drums",
    "hihat": "drums",
    "toms": "drums",
    "overheads": "drums",
    "room": "drums",
    "percussion": "drums",
    "lead_vocal": "vocals",
    "backing_vocal": "vocals",
    "speech": "vocals",
}
"""Roles that are not here belong to the music bus."""


def bus_of(role: Role) -> Bus:
    """The bus a strip of this role is summed on unless someone says otherwise."""
    return BUS_OF_ROLE.get(role, "music")
