"""What the recogniser tells apart."""

from __future__ import annotations

from typing import Final

from core.plans.roles import Role

LABELS: Final[tuple[Role, ...]] = (
    "kick",
    "snare",
    "hihat",
    "toms",
    "cymbals",
    "drums",
    "percussion",
    "bass",
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
    "speech",
)
"""The network's outputs in order. "drums" is a whole kit and the microphones over or around it, "bass" also a synth
bass, "lead_vocal" whoever sings: the data can't teach those differences, and the song decides who leads."""

OTHER: Final = "other"
"""What fits none of them (effects, noise, hum, whole bands): taught as doubt, answered as doubt."""

INDEX: Final = {label: at for at, label in enumerate(LABELS)}
NO_LABEL: Final = -1


def index_of(label: str) -> int:
    """The output that stands for a label, NO_LABEL for "other"; KeyError for anything else."""
    return NO_LABEL if label == OTHER else INDEX[label]  # type: ignore[index]
