"""Trains the mix controller, and says how near it comes to authors whose songs it never saw.

nice -n 19 python -m training.mix.train --folds 6  # every song of the training side left out once, by package
nice -n 19 python -m training.mix.train            # the network for use
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.mixing import FEATURES
from training.data.places import training_root
from training.mix.examples import Example
from training.mix.network import Controller
from training.mix.shelf import Shelf, load
from training.mix.teacher import Teacher

CHECKPOINT: Final = training_root() / "mix" / "controller.pt"
BATCH: Final = 48
BETA: Final = 4.0
"""LU up to which an error counts by its square."""
NOISE: Final = 0.5
"""Added to what is measured, so that songs can't be learned by heart."""
PRIOR: Final = 0.01
"""What a squared LU away from the rules costs."""
TAUGHT: Final = 3
"""Examples of each song that the teacher knows."""
TAUGHT_WEIGHT: Final = 4.0
WEIGHTS: Final[dict[str, float]] = {"multitrack": 1.5, "module": 1.0, "midi": 0.5}
"""How much the teacher believes each kind."""
SPREAD_WEIGHT: Final = 0.2
WATCHED_EVERY: Final = 10
"""Steps between two points of the learning curve."""
KIND_SHARE: Final[dict[str, float]] = {"multitrack": 0.4, "module": 0.4, "midi": 0.2}
"""How much of a batch is of each kind: real songs most."""


@dataclass(frozen=True)
class Lesson:
    """Songs side by side, padded to the longest."""

    fed: Tensor
    there: Tensor
    place: Tensor
    author: Tensor

    def chosen(self, at: Tensor) -> Lesson:
        """Some of the songs, no longer than the longest of them."""
        most = int(self.there[at].sum(1).max())
        return Lesson(*(one[at][:, :most] for one in (self.fed, self.there, self.place, self.author)))


def lesson(examples: Sequence[Example]) -> Lesson:
    """Examples as tensors."""
    most = max(len(one.fed) for one in examples)
    fed = torch.zeros(len(examples), most, FEATURES)
    there, place, author = (torch.zeros(len(examples), most) for _ in range(3))
    for at, one in enumerate(examples):
        count = len(one.fed)
        fed[at, :count] = torch.from_numpy(one.fed)
        there[at, :count] = 1.0
        for into, values in ((place, one.place_lu), (author, one.author_lu)):
            into[at, :count] = torch.from_numpy(values).float()
    return Lesson(fed, there, place, author)


def apart(change: Tensor, seen: Lesson) -> Tensor:
    """(songs, tracks): how far each track is from where its author put it, the song's median removed; 0 for padding."""
    off = seen.place + change - seen.author
    middle = torch.where(seen.there > 0, off, torch.nan).nanmedian(1, keepdim=True).values
    return (off - middle) * seen.there


def losses(said: tuple[Tensor, Tensor], seen: Lesson) -> Tensor:
    """One number per song: distance to the author, likelihood of the spreads, and what leaving the rules costs."""
    change, spread = said
    count = seen.there.sum(1)
    off = apart(change, seen)
    far = nn.functional.smooth_l1_loss(off, torch.zeros_like(off), reduction="none", beta=BETA)
    sure = off.detach().abs() / spread + torch.log(spread)
    prior = PRIOR * torch.square(change - _mean(change, seen.there))
    return ((far + SPREAD_WEIGHT * sure + prior) * seen.there).sum(1) / count


def _mean(values: Tensor, there: Tensor) -> Tensor:
    return (values * there).sum(1, keepdim=True) / there.sum(1, keepdim=True)


def train(
    shelf: Shelf,
    *,
    steps: int,
    seed: int,
    rate: float = 3e-3,
    decay: float = 0.3,
    watch: Callable[[int, float, Controller], None] | None = None,
) -> Controller:
    """A network that was taught for a number of steps; its weights are the mean of the last ones.

    `watch` is told the step, the loss of its batch, and the network as it would be kept now; it changes nothing.
    """
    torch.manual_seed(seed)
    every = [one for song in shelf.songs for one in song]
    whole, chances = lesson(every), torch.tensor(_chances(shelf))
    teacher = Teacher([one for song in shelf.songs for one in song[:TAUGHT]], WEIGHTS)
    network = Controller()
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    mean = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98))
    for step in range(1, steps + 1):
        seen = whole.chosen(torch.multinomial(chances, BATCH, replacement=True))
        fed = seen.fed + NOISE * torch.randn_like(seen.fed)
        said = network.train()(fed, seen.there)
        present = seen.there > 0
        taught = torch.square(said[0][present] - teacher.answers(fed[present])).mean()
        loss = losses(said, seen).mean() + TAUGHT_WEIGHT * taught
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        mean.update_parameters(network)
        if watch is not None and (step % WATCHED_EVERY == 0 or step == steps):
            watch(step, float(loss.detach()), mean.module.eval())
    kept: Controller = mean.module.eval()
    return kept


def _chances(shelf: Shelf) -> list[float]:
    """How often each example is drawn: a kind by its share, songs of a kind and examples of a song alike."""
    counts = Counter(song[0].kind for song in shelf.songs)
    return [KIND_SHARE[one.kind] / counts[one.kind] / len(song) for song in shelf.songs for one in song]


def errors_lu(off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Absolute error per track, the song's median removed."""
    return np.abs(off - np.median(off))


def asked(network: Controller, one: Example) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Changes and spreads for one song; the changes' mean is 0."""
    with torch.no_grad():
        change, spread = network(torch.from_numpy(one.fed)[None])
    moved = change[0].numpy().astype(float)
    return moved - moved.mean(), spread[0].numpy().astype(float)


def missed_lu(network: Controller, shelf: Shelf) -> float:
    """Mean over songs of how far their tracks, as they are, stand from where their authors put them."""
    songs = [song[0] for song in shelf.songs]
    return float(np.mean([errors_lu(one.place_lu + asked(network, one)[0] - one.author_lu).mean() for one in songs]))


def family(song: str) -> str:
    """What is left out together: a multitrack song alone, all modules of a package."""
    return song if song.startswith("multitrack") else "-".join(song.split("-")[:4])


def folds(shelf: Shelf, count: int) -> list[tuple[Shelf, list[Example]]]:
    """The shelf without some songs, and those songs whole; no MIDI is left out, since none of it is judged by."""
    judged = [song[0] for song in shelf.songs if song[0].kind != "midi"]
    families = sorted({family(one.song) for one in judged})
    order = np.random.default_rng(0).permutation(len(families))
    made = []
    for first in range(count):
        chosen = {families[at] for at in order[first::count]}
        held = [one for one in judged if family(one.song) in chosen]
        made.append((shelf.without(frozenset(one.song for one in held)), held))
    return made


def main() -> None:
    """Train, and keep the checkpoint; or only say what training would give."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--out", type=Path, default=CHECKPOINT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    training, validation = load("train"), load("validation")
    if not options.folds:
        curve: list[tuple[int, float, float]] = []

        def watch(step: int, loss: float, network: Controller) -> None:
            curve.append((step, loss, missed_lu(network, validation)))

        network = train(training, steps=options.steps, seed=options.seed, watch=watch)
        torch.save(network.state_dict(), options.out)
        options.out.with_suffix(".json").write_text(json.dumps({"curve": curve, "seed": options.seed}))
        return
    found: list[tuple[str, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
    for rest, held in folds(Shelf([*training.songs, *validation.songs]), options.folds):
        network = train(rest, steps=options.steps, seed=options.seed)
        for one in held:
            change, spread = asked(network, one)
            off = one.place_lu - one.author_lu
            found.append((one.kind, off, change, spread))
    for kind in sorted({kind for kind, *_ in found}):
        for trust in (0.0, 0.5, 0.75, 1.0):
            errors = [errors_lu(off + trust * change) for of, off, change, _ in found if of == kind]
            per_song = np.mean([error.mean() for error in errors])
            per_stem = np.concatenate(errors).mean()
            print(f"{kind}, {trust:.0%} of the change: {per_stem:.2f} LU per stem, {per_song:.2f} per song")
    spreads = np.concatenate([spread for *_, spread in found])
    missed = np.concatenate([errors_lu(off + change) for _, off, change, _ in found])
    for share in np.array_split(np.argsort(spreads), 4):
        print(f"said to be off by {spreads[share].mean():.2f} LU, is off by {missed[share].mean():.2f}")


def loaded(checkpoint: Path) -> Controller:
    """A trained controller."""
    weights = torch.load(checkpoint)
    network = Controller(width=len(weights["first.bias"]))
    network.load_state_dict(weights)
    network.eval()
    return network


if __name__ == "__main__":
    main()
