"""Trains the controller and says how near it brings songs of packages that it never heard.

nice -n 10 python -m training.master.train --steps 6000
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.mastering import BANDS, DYNAMICS, WIDTH_EDGES_HZ, Portrait, vector
from training.master.degrade import Batch, degraded
from training.master.network import Controller
from training.master.songs import TRAINING_FOLDER
from training.master.strip import left_db, nearest_gains

BATCH: Final = 192
VALIDATION_DRAWS: Final = 4
_WIDTH_AT: Final = 6
_NOISE: Final = torch.cat(
    (torch.full((BANDS,), 0.1), torch.full((2 * BANDS + len(DYNAMICS),), 0.5), torch.full((len(WIDTH_EDGES_HZ),), 0.05))
)
"""Added to what is heard, so that songs can't be learned by heart."""


@dataclass(frozen=True)
class Shelf:
    """Measured songs of one side of the split."""

    portraits: Portrait
    weights: NDArray[np.float64]
    """How often each is drawn: large packages less than their size says."""


def shelf(path: Path, splits: tuple[str, ...]) -> Shelf:
    """The songs of these splits, as measured by `training.master.songs`."""
    data = np.load(path)
    chosen = np.isin(data["split"], splits)
    _, index, counts = np.unique(data["package"][chosen], return_inverse=True, return_counts=True)
    weights = counts[index] ** -0.5
    portraits = Portrait(**{name: data[name][chosen] for name in Portrait.__dataclass_fields__})
    return Shelf(portraits, weights / weights.sum())


@dataclass(frozen=True)
class Lesson:
    """A batch as tensors."""

    fed: Tensor
    wanted_db: Tensor
    width_db: Tensor
    crest_db: Tensor
    power_db: Tensor


def lesson(batch: Batch) -> Lesson:
    """What the network sees of a batch, and what it should say."""
    rest = (batch.tone_db, batch.width_db, batch.crest_db, batch.power_db)
    return Lesson(torch.from_numpy(vector(batch.portrait)), *(torch.tensor(x, dtype=torch.float32) for x in rest))


def losses(answer: tuple[Tensor, Tensor], lesson: Lesson) -> tuple[Tensor, Tensor]:
    """Distance of what would come out to what was, per song, and the Laplace likelihood of the spreads."""
    change, spread = answer
    left, there = left_db(lesson.wanted_db, change[:, :_WIDTH_AT], lesson.power_db)
    tone = (left.abs() * there).sum(1) / there.sum(1).clamp(min=1)
    width, crest = change[:, _WIDTH_AT] - lesson.width_db, change[:, _WIDTH_AT + 1] - lesson.crest_db
    distance = tone + 0.5 * width.abs() + 0.3 * crest.abs()
    best = nearest_gains(lesson.wanted_db, there)
    off = torch.cat((change[:, :_WIDTH_AT] - best, width[:, None], crest[:, None]), 1).detach().abs()
    return distance, (off / spread + torch.log(spread)).mean(1)


def train(
    network: Controller, training: Shelf, validation: Shelf, *, steps: int, seed: int, rate: float = 2e-3
) -> list[tuple[int, float, float]]:
    """Teach for a number of steps; keeps the weights, averaged over time, that came nearest on validation songs.

    Gives the learning curve: step, distance in training, distance in validation.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    mean = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99))
    exam = lesson(exam_of(validation))
    curve: list[tuple[int, float, float]] = []
    best, kept, lately = float("inf"), {}, 0.0
    for step in range(1, steps + 1):
        drawn = random.choice(len(training.weights), BATCH, p=training.weights)
        heard = lesson(degraded(training.portraits, drawn, random))
        fed = heard.fed + _NOISE * torch.randn_like(heard.fed)
        distance, spread = losses(network.train()(fed), heard)
        optimiser.zero_grad()
        (distance.mean() + 0.2 * spread.mean()).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        mean.update_parameters(network)
        now = float(distance.detach().mean())
        lately = now if step == 1 else 0.98 * lately + 0.02 * now
        if step % 250 == 0 or step == steps:
            with torch.no_grad():
                found = float(losses(mean.module.eval()(exam.fed), exam)[0].mean())
            curve.append((step, lately, found))
            print(f"step {step}: training {lately:.3f}, validation {found:.3f}", flush=True)
            if found < best:
                best, kept = found, {name: value.clone() for name, value in mean.module.state_dict().items()}
    network.load_state_dict(kept)
    network.eval()
    return curve


def exam_of(validation: Shelf) -> Batch:
    """The same faults on the same validation songs, always."""
    songs = np.tile(np.arange(len(validation.weights)), VALIDATION_DRAWS)
    return degraded(validation.portraits, songs, np.random.default_rng(7))


def main() -> None:
    """Train, and keep the checkpoint with its learning curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, default=TRAINING_FOLDER / "portraits.npz")
    parser.add_argument("--out", type=Path, default=TRAINING_FOLDER / "controller.pt")
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = Controller()
    training, validation = shelf(options.portraits, ("train",)), shelf(options.portraits, ("validation",))
    curve = train(network, training, validation, steps=options.steps, seed=options.seed)
    torch.save(network.state_dict(), options.out)
    options.out.with_suffix(".json").write_text(
        json.dumps({"curve": curve, "steps": options.steps, "seed": options.seed})
    )


if __name__ == "__main__":
    main()
