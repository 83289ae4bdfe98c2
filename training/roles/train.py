"""Trains the recogniser: `python -m training.roles.train`. A checkpoint is kept every round; run again to go on."""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.data import clips
from training.data.manifest import Split
from training.data.pictures import Pictures, load, shard
from training.data.places import training_root
from training.roles.answers import Tracks, macro_accuracy, pooled, tracks_of
from training.roles.batches import Sampler
from training.roles.labels import LABELS, NO_LABEL
from training.roles.network import RoleNetwork

SMOOTHING: Final = 0.1
AVERAGED_OVER: Final = 0.98
WARM_UP: Final = 0.05


@dataclass(frozen=True)
class Plan:
    """How long and how hard."""

    steps: int
    round_steps: int = 85
    batch: int = 64
    rate: float = 3e-3
    decay: float = 0.02
    seed: int = 7
    harm: float = 1.0
    """How often what can go wrong does, 0..1."""


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Smoothed cross-entropy; rows without a label are taught even doubt (Hendrycks et al. 2019, outlier exposure)."""
    logs = functional.log_softmax(logits, dim=1)
    even = torch.full_like(logs, 1.0 / len(LABELS))
    known = (target != NO_LABEL)[:, None]
    hot = functional.one_hot(target.clamp(min=0), len(LABELS)).float()
    return -(torch.where(known, hot * (1.0 - SMOOTHING) + even * SMOOTHING, even) * logs).sum(dim=1).mean()


def rate_at(step: int, plan: Plan) -> float:
    """Learning rate: a short rise, then half a cosine to nothing."""
    rise = WARM_UP * plan.steps
    if step < rise:
        return plan.rate * (step + 1) / rise
    return plan.rate * 0.5 * (1.0 + math.cos(math.pi * (step - rise) / (plan.steps - rise)))


def logits_of(network: torch.nn.Module, mel: NDArray[np.float16]) -> NDArray[np.float64]:
    """Logits of pictures (n, 200, 64)."""
    network.eval()
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(mel[at : at + 128, None].astype(np.float32)))[0].double().numpy()
            for at in range(0, len(mel), 128)
        ]
    return np.concatenate(parts)


def validate(network: torch.nn.Module, pictures: Pictures, tracks: Tracks) -> dict[str, float]:
    """Macro accuracy per kind of validation track; "choice" is their mean, by which a checkpoint is chosen."""
    answer = pooled(logits_of(network, pictures.mel), tracks.of_picture).argmax(axis=1)
    font = tracks.kind == "soundfont"
    views = {"real clean": ~font & ~tracks.harmed, "real harmed": ~font & tracks.harmed,
             "font clean": font & ~tracks.harmed, "font harmed": font & tracks.harmed}  # fmt: skip
    figures = {name: macro_accuracy(tracks.truth[rows], answer[rows]) for name, rows in views.items()}
    return figures | {"choice": float(np.mean(list(figures.values())))}


def shards(split: Split) -> list[Path]:
    """The shards of a split that are drawn."""
    return [path for name in clips.collections(split) if (path := shard(split, name)).exists()]


def train(
    plan: Plan, learn: Pictures, check: Pictures, folder: Path, until: int | None = None, start: Path | None = None
) -> dict[str, float]:
    """Train and keep `best.pt` (averaged weights), `last.pt` and `curve.jsonl` in a folder; the best round's figures.

    Begins with the weights of `start` if given. Stops after `until` steps if given; called again it goes on, and ends
    as if it had never stopped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    network = RoleNetwork().to(memory_format=torch.channels_last)
    if start is not None:
        network.load_state_dict(torch.load(start, weights_only=True))
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED_OVER), use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.decay)
    sampler, tracks = Sampler.of(learn), tracks_of(check)
    step, best = 0, {"choice": -1.0}
    last = folder / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=True)
        network.load_state_dict(state["network"])
        averaged.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        step, best = state["step"], state["best"]
    while step < min(plan.steps, until or plan.steps):
        start_s, total = time.monotonic(), 0.0
        rng = np.random.default_rng([plan.seed, step])
        torch.manual_seed(plan.seed + step)
        network.train()
        for _ in range(min(plan.round_steps, plan.steps - step)):
            optimiser.param_groups[0]["lr"] = rate_at(step, plan)
            mel, target = sampler.batch(plan.batch, rng, plan.harm)
            loss = loss_of(network(mel)[0], target)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimiser.step()
            averaged.update_parameters(network)
            total += loss.item()
            step += 1
        trained_s = time.monotonic() - start_s
        figures = validate(averaged.module, check, tracks)
        if figures["choice"] > best["choice"]:
            best = figures | {"step": step}
            torch.save(averaged.module.state_dict(), folder / "best.pt")
        torch.save({"network": network.state_dict(), "averaged": averaged.state_dict(),
                    "optimiser": optimiser.state_dict(), "step": step, "best": best}, last)  # fmt: skip
        line = {"step": step, "loss": round(total / plan.round_steps, 4), "seconds": round(trained_s, 1)} | {
            name: round(value, 4) for name, value in figures.items()
        }
        with (folder / "curve.jsonl").open("a") as curve:
            curve.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
    return best


def main() -> None:
    """Train on the shards that are drawn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=850)
    parser.add_argument("--round", type=int, default=85)
    parser.add_argument("--until", type=int, help="stop after this step; the next call goes on")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default="roles", help="folder of the checkpoints under $OTO_TRAINING")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="highest learning rate")
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--harm", type=float, default=1.0, help="how often what can go wrong does, 0..1")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    plan = Plan(steps=asked.steps, round_steps=asked.round, seed=asked.seed, rate=asked.rate, harm=asked.harm)
    learn, check = load(shards("train")), load(shards("validation"))
    print(f"{len(learn.label)} pictures to learn from, {len(check.label)} to check, {asdict(plan)}", flush=True)
    best = train(plan, learn, check, training_root() / asked.name, asked.until, asked.start)
    print(f"best: {best}")


if __name__ == "__main__":
    main()
