"""How near songs of packages that were held out come back: nothing done, rules, the controller, and both blended.

    python -m training.master.evaluate --split validation

Faults are known ones, applied to portraits. Spectrum and width are in dB at equal loudness; intervals are over songs.
The tables in docs/models.md come from whole masters of real files (benchmarks/restore.py); this one takes seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.master import styles, tone
from core.master.width import NARROWEST_DB
from core.models.mastering import Portrait, vector
from training.master.degrade import picked, total_db
from training.master.network import Controller, loaded
from training.master.songs import TRAINING_FOLDER
from training.master.strip import left_db
from training.master.train import Shelf, shelf

Floats = NDArray[np.float64]
_HZ: Final = np.array(BAND_HZ)
_OCTAVES: Final = np.log2(_HZ / 1000.0)
_EVEN: Final = np.zeros(len(BAND_HZ))

FAULTS: Final[dict[str, tuple[Floats, float, int]]] = {
    "darkened": (np.where(_HZ > 250.0, -1.5 * np.log2(_HZ / 250.0), 0.0), 0.0, 0),
    "brightened": (np.where(_HZ > 250.0, 1.0 * np.log2(_HZ / 250.0), 0.0), 0.0, 0),
    "dulled": (-10 * np.log10(1 + (_HZ / 2_500.0) ** 2), 0.0, 0),
    "muddy": (5.0 * np.exp(-0.5 * np.square((_OCTAVES + 2.0) / 0.6)), 0.0, 0),
    "harsh": (5.0 * np.exp(-0.5 * np.square((_OCTAVES - 1.8) / 0.6)), 0.0, 0),
    "narrowed": (_EVEN, -6.0, 0),
    "widened": (_EVEN, 4.0, 0),
    "squashed": (_EVEN, 0.0, 1),
    "expanded": (_EVEN, 0.0, 2),
    "nothing": (_EVEN, 0.0, 0),
}
"""Tone per band in dB, gain of the sides in dB, and which measured variant."""

Answer = tuple[Floats, Floats]
"""Gains of the EQ (n, 6) and of the sides (n,)."""


def faulty(songs: Shelf, fault: str) -> tuple[Portrait, Portrait]:
    """Every song with a fault, and as it was."""
    tone_db, width_db, variant = FAULTS[fault]
    every = np.arange(len(songs.weights))
    worse = picked(songs.portraits, every, np.full(len(every), variant))
    worse = replace(worse, middle_db=worse.middle_db + tone_db, side_db=worse.side_db + tone_db + width_db)
    return worse, picked(songs.portraits, every, np.zeros(len(every), np.intp))


def side_db(portrait: Portrait) -> Floats:
    """(n,): sides against the middle where width is heard."""
    wide = (_HZ >= 150.0) & (_HZ <= 14_000.0)
    middle, side = (np.sum(10 ** (x[:, wide] / 10), axis=1) for x in (portrait.middle_db, portrait.side_db))
    decibels: Floats = np.maximum(10 * np.log10(side / middle + 1e-20), NARROWEST_DB)
    return decibels


def by_rules(portrait: Portrait) -> Answer:
    """What the rules would set, but for the width: for that they hear more than a portrait holds."""
    heard, style = tone.heard_bands(48_000), styles.STYLES["any"]
    gains, level_db = np.zeros((len(portrait.middle_db), 6)), total_db(portrait)
    for i in range(len(gains)):
        for band, gain_db in tone.fit_equaliser(
            styles.tone_correction(level_db[i], style, heard), heard, 48_000
        ).items():
            gains[i, band - 1] = gain_db
    return gains, np.zeros(len(gains))


def by_nobody(portrait: Portrait) -> Answer:
    """Nothing."""
    return np.zeros((len(portrait.middle_db), 6)), np.zeros(len(portrait.middle_db))


def raw(network: Controller, portrait: Portrait) -> tuple[Floats, Floats]:
    """Changes and spreads as the network says them."""
    with torch.no_grad():
        change, spread = network(torch.from_numpy(vector(portrait)))
    return change.numpy().astype(float), spread.numpy().astype(float)


def judge(worse: Portrait, original: Portrait, answer: Answer) -> tuple[Floats, Floats]:
    """Spectrum and width that are left, in dB per song."""
    power_db = total_db(original)
    tensors = (torch.tensor(x, dtype=torch.float32) for x in (power_db - total_db(worse), answer[0], power_db))
    left, there = left_db(*tensors)
    spectrum = ((left.abs() * there).sum(1) / there.sum(1).clamp(min=1)).numpy().astype(float)
    turned = replace(worse, side_db=worse.side_db + answer[1][:, None])
    return spectrum, np.abs(side_db(turned) - side_db(original))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, default=TRAINING_FOLDER / "portraits.npz")
    parser.add_argument("--controller", type=Path, default=TRAINING_FOLDER / "controller.pt")
    parser.add_argument("--split", default="validation")
    options = parser.parse_args()
    network = loaded(options.controller)
    songs = shelf(options.portraits, (options.split,))

    def shrunk(much: float) -> Callable[[Portrait], Answer]:
        def answer(portrait: Portrait) -> Answer:
            change, spread = raw(network, portrait)
            change = change * change**2 / (change**2 + (much * spread) ** 2 + 1e-9)
            return change[:, :6], change[:, 6] * (side_db(portrait) > NARROWEST_DB)

        return answer

    contenders = {"nothing": by_nobody, "rules": by_rules} | {f"model {x}": shrunk(x) for x in (0.0, 0.5, 1.0, 1.5)}
    print("| fault | " + " | ".join(contenders) + " |")
    for fault in FAULTS:
        worse, original = faulty(songs, fault)
        cells = []
        for contender in contenders.values():
            spectrum, width = judge(worse, original, contender(worse))
            cells.append(f"{spectrum.mean():.2f} + {width.mean():.2f}")
        print(f"| {fault} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
