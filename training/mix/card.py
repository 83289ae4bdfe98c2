"""The controller's card: what it was made of, how it did on songs that nobody had chosen on, and what it can't do."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Final

import onnxruntime

from core.models.card import Card, Data, Metric, Tensor
from core.models.mixing import FEATURES, FEATURES_NAME
from training.mix.export import OPSET, OUTPUTS
from training.mix.songs import FONTS, MODULE_PACKAGES, tasks

VERSION: Final = "1.0"
WHAT: Final = (
    "Looks at every track beside all the others and moves the rules' balance by what it learned from people's."
)
EVEN_LU: Final = 1.8
"""Spread at which the rules count as much as the controller: of 1, 1.8, 3 and never, what brought songs that were left
out of training nearest."""
LICENCES: Final[dict[str, str]] = {
    "bomberclone-data": "GPL-2",
    "ceferino-data": "GPL-2+",
    "circuslinux-data": "GPL",
    "criticalmass-data": "GPL-2+",
    "freedroid-data": "GPL-2+",
    "gltron": "GPL",
    "madbomber-data": "GPL-2",
    "monsterz-data": "public domain",
    "njam-data": "GPL-2+ and public domain",
    "pachi-data": "GPL",
    "rafkill-data": "LGPL-2",
    "tecnoballz-data": "GPL-3+",
}
LIMITS: Final = (
    "Only faders: EQ, compressor, sends, pan and buses stay with the rules. Where composers of MIDI files put their "
    "tracks is missed less by leaving all in the middle than by the rules or by anything that was learned from them; "
    "what was learned of the others from the desk fitted to simulated rehearsals is not in this file, and "
    "docs/models.md says how it did.",
    "It learned from electronic pop, metal in two stems, demo songs of LMMS, tracker modules and General MIDI; there "
    "is no band in it that was recorded in a room, and singers are in three songs of one album.",
    "It corrects the rules by a fraction of what they miss: most of an author's balance is not in how tracks sound.",
    "Its doubt says little about one track against another: it is about the same for all.",
    "Songs of more than 32 tracks are balanced by the rules.",
    "Styles reach it through the places that the rules give: it knows no style of its own.",
)


def data() -> tuple[Data, ...]:
    """The songs with their licences and what each was used for."""
    counts = Counter((task.kind, task.split) for task in tasks())
    modules = Counter(package for task in tasks() if task.kind == "module" for package in MODULE_PACKAGES
                      if package.removesuffix("-data") in task.path.split("/"))  # fmt: skip
    mixes = "CC0-1.0, MIT, CC-BY-SA-3.0, GPL-2+ and those of each song"
    return (
        *(
            Data(name="multitracks", licence=mixes, used_for=split, amount=f"{counts['multitrack', split]} songs")
            for split in FONTS
        ),
        *(
            Data(
                name=f"tracker modules of Debian's {package}",
                licence=LICENCES[package],
                used_for="training" if split == "train" else split,
                amount=f"{modules[package]} songs",
            )
            for package, split in MODULE_PACKAGES.items()
        ),
        *(
            Data(
                name=f"freedoom's MIDI songs, played by {', '.join(FONTS[split])}",
                licence="BSD-3-Clause",
                used_for="training" if split == "train" else split,
                amount=f"{counts['midi', split]} songs",
            )
            for split in FONTS
        ),
    )


def card_of(model: Path, metrics: tuple[Metric, ...], *, in_use: bool, verdict: str) -> Card:
    """The card of a file; how it was exported is told by export.json beside the checkpoint."""
    from training.mix.train import CHECKPOINT

    exported = json.loads(CHECKPOINT.with_name("export.json").read_text())
    how = f"It is {exported['kind']}, which moves what it says by {exported['drift_lu']:.2f} LU at the 99th percentile."
    return Card(
        name="mixing",
        version=VERSION,
        what=WHAT,
        in_use=in_use,
        verdict=verdict,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        opset=OPSET,
        onnxruntime=".".join(onnxruntime.__version__.split(".")[:2]),
        features=FEATURES_NAME,
        inputs=(Tensor(name="tracks", shape=("n", "tracks", FEATURES), what="core.models.mixing.vectors"),),
        outputs=(
            Tensor(
                name=OUTPUTS[0], shape=("n", "tracks"), what="LU by which a track should be louder than by the rules"
            ),
            Tensor(name=OUTPUTS[1], shape=("n", "tracks"), what="LU by which that is off on the mean"),
        ),
        thresholds={"even_lu": EVEN_LU},
        training="python -m training.mix.songs && python -m training.mix.train && "
        "python -m training.mix.export --out core/models/files/mixing.onnx && python -m training.mix.evaluate",
        data=data(),
        metrics=metrics,
        limits=(*LIMITS, how),
    )
