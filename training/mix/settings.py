"""Teaches a network the desk's settings in three stages: bent stems, fits to people's mixes, finished songs.

    nice -n 10 python -m training.mix.settings

What it says are places: spreads of a person away from the role's preset, so that knowing nothing is the preset. A third
stage turns them until mixes that the twin of the desk renders lie among finished songs, and levels do not change.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from core.analysis.features import BAND_HZ
from core.models.mixing import FEATURES
from training.data.places import training_root
from training.desk.fit import render
from training.master.strip import SHAPES
from training.mix.lessons import EQ, GROUPS, KNOBS, SETTINGS, Lesson, lessons, to_places
from training.mix.network import Controller
from training.mix.rehearsals import FITTED_RATE_HZ

CHECKPOINT: Final = training_root() / "mix" / "settings.pt"
PORTRAITS: Final = training_root() / "master" / "portraits.npz"
STAGES: Final = ("bent stems", "fits", "finished songs")
STEPS: Final = (200, 200, 60)
BATCH: Final = 16
RATE, DECAY, NOISE = 3e-3, 0.1, 0.3
PRIOR: Final = 0.02
"""What a squared spread away from the preset costs."""
CURVE: Final = 0.25
"""What a dB between two equalisers' curves costs, where the track sounds."""
SPREAD_WEIGHT: Final = 0.2
REFINED: Final = 0.1
"""What a squared spread beyond the finished songs' costs, the mean over what is heard of a mix."""
STAGED: Final = 0.02
"""What a squared dB costs by which an equaliser makes a track louder."""
IMBALANCE_DB: Final = 1.0
MOST_BAND_HZ: Final = 10_000.0
_GAINS: Final = [SETTINGS.index(name) for name in EQ]
_JUDGED: Final = [at for at, hz in enumerate(BAND_HZ) if 45.0 <= hz <= MOST_BAND_HZ]


@dataclass(frozen=True)
class Batch:
    """Songs side by side, padded to the longest."""

    fed: Tensor
    there: Tensor
    wanted: Tensor
    """(songs, tracks, settings), in spreads from the presets."""
    known: Tensor
    """The same shape: which of them are known."""
    scale_db: Tensor
    """(songs, tracks, 6): spread of each gain."""
    bands_db: Tensor
    """(songs, tracks, bands)."""

    def chosen(self, at: Tensor) -> Batch:
        """Some of the songs."""
        return Batch(*(getattr(self, name)[at] for name in self.__dataclass_fields__))


def batch(songs: Sequence[Mapping[str, np.ndarray]]) -> Batch:
    """Songs, each a mapping from the names of `Batch` to arrays with tracks first."""
    most = max(len(song["fed"]) for song in songs)

    def padded(name: str) -> Tensor:
        rows = [np.pad(song[name], ((0, most - len(song[name])), (0, 0))) for song in songs]
        return torch.from_numpy(np.stack(rows)).float()

    there = torch.tensor([[float(at < len(song["fed"])) for at in range(most)] for song in songs])
    parts = {name: padded(name) for name in ("fed", "wanted", "known", "scale_db", "bands_db")}
    return Batch(there=there, **parts)


def from_fit(one: Lesson) -> dict[str, np.ndarray]:
    """A rehearsal, every setting known."""
    centre, spread = np.array(one.centre), np.array(one.spread)
    wanted = to_places(one.fitted, centre, spread)
    return _song(one, one.inputs, wanted, np.ones_like(wanted))


def from_stems(one: Lesson) -> list[dict[str, np.ndarray]]:
    """The bent stems, of which the equaliser and the pan are known."""
    spread = np.array(one.spread)
    found = []
    for bent in one.bent:
        wanted, known = np.zeros_like(spread), np.zeros_like(spread)
        wanted[:, _GAINS] = np.array(bent.gains_db) / spread[:, _GAINS]
        wanted[:, 0] = np.array(one.pans) / spread[:, 0]
        known[:, [0, *_GAINS]] = 1.0
        fed = np.frombuffer(bent.fed, np.float32).reshape(-1, FEATURES)
        found.append(_song(one, fed, wanted, known))
    return found


def _song(one: Lesson, fed: np.ndarray, wanted: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    scale = np.array(one.spread)[:, _GAINS]
    return {"fed": fed, "wanted": wanted, "known": known, "scale_db": scale, "bands_db": np.array(one.bands_db)}


# ---------------------------------------------------------------- losses


def loss(said: tuple[Tensor, Tensor], seen: Batch) -> Tensor:
    """Distance to what is known, likelihood of the spreads, distance of the equalisers' curves, and the prior."""
    places, spreads = said
    known = seen.known * seen.there[:, :, None]
    off = (places - seen.wanted) * known
    far = nn.functional.smooth_l1_loss(off, torch.zeros_like(off), reduction="none")
    sure = (off.detach().abs() / spreads + torch.log(spreads)) * known
    strayed = torch.square(places) * seen.there[:, :, None]
    total = (far + SPREAD_WEIGHT * sure + PRIOR * strayed).sum() / known.sum()
    curves = ((places - seen.wanted)[:, :, _GAINS] * seen.scale_db) @ SHAPES
    weight = heard_share(seen.bands_db) * seen.there[:, :, None]
    curves = curves - (curves * weight).sum(2, keepdim=True)
    return total + CURVE * (curves.abs() * weight).sum() / seen.there.sum()


def heard_share(bands_db: Tensor) -> Tensor:
    """How much each band (..., bands) of a track counts: the level above 40 dB below its loudest, summing to 1."""
    above = (bands_db - bands_db.amax(-1, keepdim=True) + 40.0).clamp_min(0.0)
    return above / above.sum(-1, keepdim=True)


def louder_db(gains_db: Tensor, bands_db: Tensor) -> Tensor:
    """By how much gains (..., 6) make tracks of these spectra (..., bands) louder."""
    tenth = np.log(10.0) / 10.0
    lifted = torch.logsumexp((bands_db + gains_db @ SHAPES) * tenth, -1) - torch.logsumexp(bands_db * tenth, -1)
    return lifted / tenth


class Finished:
    """What finished songs sound like: tone, width, crest, each with its middle and spread over songs."""

    def __init__(self, portraits: Path = PORTRAITS) -> None:
        kept = np.load(portraits)
        training = kept["split"] == "train"
        middle, side = (torch.from_numpy(kept[name][training, 0]) for name in ("middle_db", "side_db"))
        crest = torch.from_numpy(kept["dynamics"][training, 0, :1])
        every = _portrait(middle[:, _JUDGED], side[:, _JUDGED], crest)
        self._middle, self._spread = every.median(0).values, every.std(0)

    def apart(self, mix: Tensor, rate_hz: int) -> Tensor:
        """Mean squared spreads by which (2, frames) lies beyond one spread of the finished songs; imbalance too."""
        left, right = mix.double()
        powers = [_bands_db(each, rate_hz) for each in ((left + right) / 2.0, (left - right) / 2.0)]
        total = torch.square(mix.double()).mean(1)
        crest = 10.0 * torch.log10(torch.square(mix.double()).amax() / total.mean())
        heard = _portrait(powers[0][None], powers[1][None], crest.reshape(1, 1))[0]
        beyond = ((heard - self._middle).abs() / self._spread - 1.0).clamp_min(0.0)
        imbalance = 10.0 * torch.log10((total[0] + 1e-12) / (total[1] + 1e-12)) / IMBALANCE_DB
        return torch.square(torch.cat([beyond, (imbalance.abs() - 1.0).clamp_min(0.0)[None]])).mean()


def _portrait(middle_db: Tensor, side_db: Tensor, crest_db: Tensor) -> Tensor:
    """(songs, values): tone against its mean, sides against the middle, crest."""
    width = [10.0 * torch.log10((10.0 ** (each / 10.0)).sum(1, keepdim=True) + 1e-12) for each in (side_db, middle_db)]
    return torch.cat([middle_db - middle_db.mean(1, keepdim=True), (width[0] - width[1]).clamp_min(-30.0), crest_db], 1)


def _bands_db(audio: Tensor, rate_hz: int) -> Tensor:
    """Levels of the judged third octaves of (frames,)."""
    power = torch.square(torch.fft.rfft(audio).abs())
    hz = torch.arange(len(power)) * (rate_hz / len(audio))
    edge = 2.0 ** (1.0 / 6.0)
    sums = [power[(hz >= BAND_HZ[at] / edge) & (hz < BAND_HZ[at] * edge)].sum() for at in _JUDGED]
    return 10.0 * torch.log10(torch.stack(sums) + 1e-9)


# ---------------------------------------------------------------- settings


def values(places: Tensor, one: Lesson) -> dict[str, Tensor]:
    """Knobs (1, tracks) at places (tracks, settings); faders and sides are those of the fit."""
    centre, spread = (torch.tensor(each, dtype=torch.float64) for each in (one.centre, one.spread))
    found = {"fader_db": torch.tensor([[strip["fader_db"] for strip in one.fitted]], dtype=torch.float64)}
    for at, name in enumerate(SETTINGS):
        knob, away = KNOBS[name], spread[:, at] * places[:, at].double()
        value = centre[:, at] * torch.exp(away) if knob.scale == "log" else centre[:, at] + away
        if name == "pan":
            value = value.clamp_min(0.0) * torch.tensor([1.0 if strip["pan"] >= 0.0 else -1.0 for strip in one.fitted])
        found[name] = value.clamp(knob.low, knob.high)[None]
    return found


def said(network: Controller, one: Lesson) -> tuple[Tensor, Tensor]:
    """Places and spreads (tracks, settings) for a rehearsal."""
    with torch.no_grad():
        places, spreads = network.eval()(torch.from_numpy(one.inputs)[None])
    return places[0], spreads[0]


# ---------------------------------------------------------------- stages


def train(
    songs: Sequence[Lesson],
    finished: Finished,
    *,
    steps: Sequence[int] = STEPS,
    seed: int = 1,
    after: Callable[[str, Controller], None] | None = None,
) -> Controller:
    """A network that went through the three stages; `after` is told of each."""
    torch.manual_seed(seed)
    network = Controller(values=len(SETTINGS))
    bent = batch([each for one in songs for each in from_stems(one)])
    fits = batch([from_fit(one) for one in songs])

    def known(seen: Batch, size: int) -> Tensor:
        some = seen.chosen(torch.randint(len(seen.fed), (size,)))
        return loss(network(some.fed + NOISE * torch.randn_like(some.fed), some.there), some)

    def refined() -> Tensor:
        one = songs[int(torch.randint(len(songs), ()))]
        places, _ = network(torch.from_numpy(one.inputs)[None])
        tracks, _ = one.audio
        mix = render(torch.from_numpy(tracks)[None], FITTED_RATE_HZ, values(places[0], one))
        gains = places[0][:, _GAINS] * torch.tensor(one.spread)[:, _GAINS].float()
        staged = torch.square(louder_db(gains, torch.tensor(one.bands_db))).mean()
        return REFINED * finished.apart(mix, FITTED_RATE_HZ).float() + STAGED * staged

    lost = {
        "bent stems": lambda: known(bent, BATCH),
        "fits": lambda: known(fits, BATCH) + 0.5 * known(bent, BATCH),
        "finished songs": lambda: known(fits, BATCH) + 0.5 * known(bent, BATCH) + refined(),
    }
    for stage, count in zip(STAGES, steps, strict=True):
        optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(count, 1))
        for _ in range(count):
            network.train()
            total = lost[stage]()
            optimiser.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        if after is not None:
            after(stage, network)
    network.eval()
    return network


def errors(network: Controller, songs: Sequence[Lesson]) -> dict[str, float]:
    """Per group the mean distance to the fits, in spreads, a song counting as one."""
    found: dict[str, list[float]] = {group: [] for group in GROUPS}
    for one in songs:
        off = said(network, one)[0].numpy() - to_places(one.fitted, np.array(one.centre), np.array(one.spread))
        for group, columns in GROUPS.items():
            found[group].append(float(np.abs(off[:, columns]).mean()))
    return {group: float(np.mean(each)) for group, each in found.items()}


def loaded(checkpoint: Path = CHECKPOINT) -> Controller:
    """A trained network."""
    network = Controller(values=len(SETTINGS))
    network.load_state_dict(torch.load(checkpoint, weights_only=True))
    network.eval()
    return network


def main() -> None:
    """Train and keep the checkpoint, and say after each stage how far from validation's fits it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs=3, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=CHECKPOINT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    check = lessons("validation")

    def after(stage: str, network: Controller) -> None:
        print(stage, {group: round(error, 2) for group, error in errors(network, check).items()}, flush=True)

    network = train(lessons("train"), Finished(), steps=options.steps, seed=options.seed, after=after)
    torch.save(network.state_dict(), options.out)


if __name__ == "__main__":
    main()
