"""Draws the learning curves of both controllers: `python -m training.curves`.

`training.master.train` and `training.mix.train` keep them beside their checkpoints.
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from training.data.places import REPOSITORY
from training.master.songs import TRAINING_FOLDER
from training.mix.train import CHECKPOINT


def draw(curve: list[tuple[int, float, float]], target: Path, *, training: str, validation: str) -> None:
    """Training loss and what is missed on validation songs over steps, as one picture."""
    steps, lost, missed = zip(*curve, strict=True)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    for axis, values, name in zip(axes, (lost, missed), (training, validation), strict=True):
        axis.plot(steps, values)
        axis.set(xlabel="step", ylabel=name, ylim=(0, None))
    figure.tight_layout()
    figure.savefig(target, dpi=80)
    plt.close(figure)


def main() -> None:
    """Both, as docs/pictures/mastering-learning.png and mix-learning.png."""
    pictures = REPOSITORY / "docs" / "pictures"
    for checkpoint, name, training, validation in (
        (TRAINING_FOLDER / "controller.pt", "mastering", "training distance (dB)", "validation distance (dB)"),
        (CHECKPOINT, "mix", "training loss", "validation error (LU)"),
    ):
        curve = json.loads(checkpoint.with_suffix(".json").read_text())["curve"]
        draw(curve, pictures / f"{name}-learning.png", training=training, validation=validation)
        print(pictures / f"{name}-learning.png")


if __name__ == "__main__":
    main()
