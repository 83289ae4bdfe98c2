"""Draws the learning curve and the mistakes on validation: `python -m training.roles.look`."""

from __future__ import annotations

import json

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

from core.models.runtime import FILES
from training.data.pictures import load
from training.data.places import REPOSITORY, training_root
from training.roles.answers import pooled, tracks_of
from training.roles.export import run, session
from training.roles.labels import LABELS, NO_LABEL
from training.roles.train import shards


def draw_curve() -> None:
    """Loss and validation accuracy over steps, as docs/pictures/roles-learning.png."""
    lines = [json.loads(line) for line in (training_root() / "roles" / "curve.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in lines]
    figure, (loss, accuracy) = plt.subplots(1, 2, figsize=(9, 3.2))
    loss.plot(steps, [line["loss"] for line in lines])
    loss.set(xlabel="step", ylabel="training loss")
    for name in ("real clean", "real harmed", "font clean", "font harmed"):
        accuracy.plot(steps, [100 * line[name] for line in lines], label=name)
    accuracy.set(xlabel="step", ylabel="validation macro accuracy (%)", ylim=(0, 100))
    accuracy.legend(fontsize=8)
    figure.tight_layout()
    target = REPOSITORY / "docs" / "pictures" / "roles-learning.png"
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=80)


def draw_mistakes(most: int = 24) -> None:
    """The surest mistakes on validation recordings, as mistakes.png among the checkpoints."""
    check = load(shards("validation"))
    tracks = tracks_of(check)
    answers = pooled(run(session(FILES / "roles.onnx"), check.mel), tracks.of_picture)
    best = answers.argmax(axis=1)
    wrong = np.flatnonzero((tracks.truth != NO_LABEL) & (best != tracks.truth) & (tracks.kind != "soundfont"))
    wrong = wrong[np.argsort(-answers[wrong].max(axis=1))][:most]
    figure, axes = plt.subplots(4, 6, figsize=(18, 11))
    for axis, track in zip(axes.flat, wrong, strict=False):
        picture = check.mel[np.flatnonzero(tracks.of_picture == track)[0]].astype(np.float32)
        axis.imshow(picture.T, origin="lower", aspect="auto", vmin=-1.0, vmax=1.3)
        condition = "harmed" if tracks.harmed[track] else "clean"
        said = f"{LABELS[best[track]]} {answers[track].max():.0%}"
        axis.set_title(
            f"{LABELS[tracks.truth[track]]} heard as {said}\n{tracks.group[track][:22]}, {condition}", fontsize=8
        )
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(training_root() / "roles" / "mistakes.png", dpi=55)


if __name__ == "__main__":
    draw_curve()
    draw_mistakes()
