"""Where composers put their tracks: how far from the middle, beside what the rules say and beside leaving all there."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.mix import placement
from core.mix.balance import level_lufs, targets_lu
from core.mix.draft import Draft
from core.mix.presets import STYLE
from core.plans.parameters import STRIP, by_name
from training.mix.examples import players
from training.mix.songs import songs

_KNOBS: Final = by_name(STRIP)


def pans() -> list[str]:
    """A table over the MIDI songs in which the composer said where the tracks are; which side is not judged."""
    rules, author = [], []
    for song in (one for split in ("train", "validation", "test") for one in songs(split, "midi")):
        band = players(song.tracks, [True] * len(song.tracks))
        drafts = {player: Draft(_KNOBS, {}, 1.0) for player in band}
        gains = {one: place - level_lufs(one.heard) for one, place in targets_lu(band, STYLE["natural"]).items()}
        placement.set_pans(drafts, gains, STYLE["natural"])
        for player, track in zip(band, song.tracks, strict=True):
            if track.pan is not None:
                rules.append(abs(drafts[player].value("pan")))
                author.append(abs(track.pan))
    wanted, said = np.array(author), np.array(rules)
    return [
        "| pan: how far from the middle (0 to 1), mean error | tracks | all in the middle | rules |",
        "|---|---|---|---|",
        f"| MIDI songs, no model | {len(wanted)} | {wanted.mean():.2f} | {np.abs(said - wanted).mean():.2f} |",
    ]
