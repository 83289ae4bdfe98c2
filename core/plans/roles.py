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
    "cymbals",
    "percussion",
    "drums",
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
    "backing_track",
    "effects",
    "click",
    "other",
]
"""A whole kit, a drum loop or a beat on one track is "drums"; a finished accompaniment is "backing_track"; risers,
sweeps and noises are "effects"."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)

Bus = Literal["drums", "music", "vocals", "master"]

BUS_OF_ROLE: Final[dict[Role, Bus]] = {
    "kick": "drums",
    "snare": "drums",
    "hihat": "drums",
    "toms": "drums",
    "overheads": "drums",
    "room": "drums",
    "cymbals": "drums",
    "percussion": "drums",
    "drums": "drums",
    "lead_vocal": "vocals",
    "backing_vocal": "vocals",
    "speech": "vocals",
}
"""Roles that are not here belong to the music bus."""


def bus_of(role: Role) -> Bus:
    """The bus a strip of this role is summed on unless someone says otherwise."""
    return BUS_OF_ROLE.get(role, "music")
