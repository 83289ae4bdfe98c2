"""The controller's card: what it was made of, how it did on songs that nobody had chosen on, and what it can't do.

    python -m training.master.card --kept FILE --out core/models/files/mastering.json [--in-use]

FILE is what benchmarks/restore.py --keep wrote about the test songs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from core.models.card import Card, Data, Metric, Tensor
from core.models.mastering import FEATURES, FEATURES_NAME, VALUES
from training.master.export import OPSET, OUTPUTS
from training.master.songs import TRAINING_FOLDER, split_of

VERSION: Final = "1.0"
WHAT: Final = (
    "Hears whether a mix is too dark, dull, bright, muddy, narrow or pressed, and proposes the master's tone and width."
)
LIMITS: Final = (
    "What was learned is game music: orchestral, electronic and light band music, little of it sung and none of it "
    "recorded in a rehearsal room; songs unlike these are judged by what those sound like.",
    "A song that is meant to be dark, bright or narrow is heard as faulty; lock the bands, or give a reference.",
    "The bands of the equaliser stand where they stand: a narrow resonance is not corrected.",
    "Harshness and too much brightness are corrected little: it expects mixes to be too dark rather than too bright.",
    "What a limiter took away is noticed and not given back.",
    "Its faults were steady equalisers, a static width, a compressor and a limiter, never a room or a microphone.",
)


def metrics(kept: Path) -> tuple[Metric, ...]:
    """Per fault the mean distance to the original beside the baselines', with its interval over songs."""
    songs = [json.loads(line)[1] for line in kept.read_text().splitlines()]
    found: list[Metric] = []
    for fault in songs[0]:
        rows = [song[fault] for song in songs if fault in song]
        distance = {name: _sums(rows, name) for name in rows[0]}
        values = distance.pop("model")
        low, high = interval(values)
        found.append(
            Metric(
                what=f"{fault}: distance to the original, spectrum + crest + width, {len(values)} songs",
                value=round(float(values.mean()), 3),
                low=round(low, 3),
                high=round(high, 3),
                unit="dB",
                better="lower",
                baselines={name: round(float(each.mean()), 3) for name, each in distance.items() if len(each)},
            )
        )
    moved = {name: np.array([song["untouched"][name][0] for song in songs]) for name in ("model", "rules")}
    low, high = interval(moved["model"])
    found.append(
        Metric(
            what="a finished song: mean change of the bands",
            value=round(float(moved["model"].mean()), 3),
            low=round(low, 3),
            high=round(high, 3),
            unit="dB",
            better="lower",
            baselines={"rules": round(float(moved["rules"].mean()), 3)},
        )
    )
    return tuple(found)


def _sums(rows: list[dict[str, list[float]]], name: str) -> NDArray[np.float64]:
    return np.array([sum(row[name]) for row in rows if name in row])


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the mean, by bootstrap over songs."""
    random = np.random.default_rng(1)
    means = values[random.integers(0, len(values), (4_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def sources(facts: Path) -> tuple[Data, ...]:
    """The packages with their licences and what each was used for."""
    rows = list(csv.DictReader(facts.open()))
    counts = Counter(row["source"] for row in rows)
    licences = {name: sorted({row["licence"] for row in rows if row["source"] == name}) for name in counts}
    packages = [
        Data(
            name=f"Debian package {name}",
            licence=", ".join(licences[name]),
            used_for=split_of(name),
            amount=f"up to {counts[name]} songs",
        )
        for name in sorted(counts)
    ]
    mixes = "CC0-1.0, MIT, CC-BY-SA-3.0, GPL-2+ and those of each song"
    multitracks = [Data(name="mixes of the multitracks", licence=mixes, used_for=split) for split in SPLITS]
    return (*packages, *multitracks)


SPLITS: Final = ("train", "validation", "test")


def card_of(model: Path, thresholds: dict[str, float], **told: Any) -> Card:
    """The card of a file."""
    return Card(
        name="mastering",
        version=VERSION,
        what=WHAT,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        opset=OPSET,
        onnxruntime=".".join(onnxruntime.__version__.split(".")[:2]),
        features=FEATURES_NAME,
        inputs=(Tensor(name="portrait", shape=("n", FEATURES), what="core.models.mastering.vector"),),
        outputs=(
            Tensor(name=OUTPUTS[0], shape=("n", len(VALUES)), what="dB that would undo what is heard, per label"),
            Tensor(name=OUTPUTS[1], shape=("n", len(VALUES)), what="dB by which that is off on the mean"),
        ),
        labels=VALUES,
        thresholds=thresholds,
        training="python -m training.master.songs DATA --music MUSIC && python -m training.master.train && "
        "python -m training.master.export --out core/models/files/mastering.onnx",
        **told,
    )


def main() -> None:
    """Write the card beside the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--kept", type=Path, help="figures of benchmarks/restore.py on the test songs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--verdict", default="Not judged yet.")
    parser.add_argument("--in-use", action="store_true")
    options = parser.parse_args()
    exported = json.loads((TRAINING_FOLDER / "export.json").read_text())
    how = f"It is {exported['kind']}; int8 moves what it says by {exported['drift_db']:.2f} dB at the 99th percentile."
    card = card_of(
        options.out.with_suffix(".onnx"),
        exported["thresholds"],
        in_use=options.in_use,
        verdict=options.verdict,
        data=sources(options.data / "facts" / "finished_music.csv"),
        metrics=metrics(options.kept) if options.kept else (),
        limits=(*LIMITS, how),
    )
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")


if __name__ == "__main__":
    main()
