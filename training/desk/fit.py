"""Fits the desk to a mix: the settings of every strip that bring a person's mix back from its tracks.

Gains and places are found first, from powers alone; then gradient descent turns all knobs through the differentiable
desk. The distance is that of short-time spectra at three resolutions (Yamamoto et al., "Parallel WaveGAN", 2020) of
middle, side, left and right, every octave counting alike, of their mean spectra and of their levels over time. What a
mix does not tell stays where the prior says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from core.plans.parameters import STRIP, by_name
from training.desk import console

WINDOWS: Final = (512, 2_048, 8_192)
HOP_SHARE: Final = 2
FLOOR_DB: Final = -60.0
"""Of a moment against the loudest: below it nothing is compared."""
PRIOR_WEIGHT: Final = 0.02
"""Against a distance in dB, per squared spread that a knob lies from its prior, all knobs of a strip together."""
RATE: Final = 0.1
_LOUDNESS_S: Final = 0.4
_LOWEST_HZ: Final = 30.0
_KNOBS: Final = by_name(STRIP)


class Prior(msgspec.Struct, frozen=True):
    """Where a knob is thought to stand, and how far off that may be: in its unit, or as a factor's logarithm."""

    centre: float
    spread: float


class Fit(msgspec.Struct, frozen=True):
    """What was found."""

    strips: tuple[dict[str, float], ...]
    """Settings per track, in their order."""
    before: float
    """Distance in dB with gains and places alone."""
    after: float


def fit(
    tracks: Tensor, target: Tensor, rate_hz: int, priors: Sequence[Mapping[str, Prior]], *, steps: int = 100
) -> Fit:
    """The settings of (tracks, 1 or 2, frames) that come nearest to a mix (2, frames).

    `priors` name the knobs that are turned, the same for every track; `fader_db` and `pan` among them start from the
    powers of the mix instead. A reverb send goes through the desk's neutral space of that name.
    """
    names = tuple(priors[0])
    centre, spread = (
        torch.tensor([[getattr(prior[name], side) for prior in priors] for name in names], dtype=torch.float64)
        for side in ("centre", "spread")
    )
    at = _started(names, centre, spread, tracks, target)
    compared = Distance(target, rate_hz)
    heard = tracks.to(torch.float32)[None]
    turned = at.clone().requires_grad_()
    optimiser = torch.optim.Adam([turned], RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.2)
    for _ in range(steps):
        strayed = torch.square(turned - at).sum() / len(priors)
        loss = compared(render(heard, rate_hz, _values(names, turned, centre, spread))) + PRIOR_WEIGHT * strayed
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        before, after = (
            float(compared(render(heard, rate_hz, _values(names, each, centre, spread)))) for each in (at, turned)
        )
        found = _values(names, turned, centre, spread)
    strips = tuple({name: float(found[name][0, track]) for name in names} for track in range(len(priors)))
    return Fit(strips, before, after)


def mixed(tracks: Tensor, rate_hz: int, strips: Sequence[Mapping[str, float]]) -> Tensor:
    """What settings make of (tracks, 1 or 2, frames): (2, frames)."""
    values = {name: torch.tensor([[strip[name] for strip in strips]], dtype=torch.float64) for name in strips[0]}
    return render(tracks[None], rate_hz, values)


# ---------------------------------------------------------------- knobs


def _values(names: Sequence[str], at: Tensor, centre: Tensor, spread: Tensor) -> dict[str, Tensor]:
    """Knobs (1, tracks) at places (knobs, tracks), in spreads from their priors."""
    values = {}
    for row, name in enumerate(names):
        knob = _KNOBS[name]
        away = spread[row] * at[row]
        value = centre[row] * torch.exp(away) if knob.scale == "log" else centre[row] + away
        values[name] = value.clamp(knob.low, knob.high)[None]
    return values


def render(tracks: Tensor, rate_hz: int, values: Mapping[str, Tensor]) -> Tensor:
    """Send (1, tracks, channels, frames) through strips whose knobs are (1, tracks): (2, frames)."""
    eq = {
        f"eq{band}_{knob}": float(_KNOBS[f"eq{band}_{knob}"].neutral)
        for band in range(1, 7)
        if f"eq{band}_gain_db" in values
        for knob in ("freq_hz", "q")
    }
    sends = [name for name in values if name.startswith("send_")]
    desk = console.Console(
        strips={**eq, **values},
        routing=torch.ones(1, tracks.shape[1], 1),
        groups={},
        returns={name.removeprefix("send_").removesuffix("_db"): {} for name in sends},
        master={},
    )
    return console.mix(tracks, rate_hz, desk)[0]


def _started(names: Sequence[str], centre: Tensor, spread: Tensor, tracks: Tensor, target: Tensor) -> Tensor:
    """Places (knobs, tracks) to start from: everything at its prior, gains and places from the powers."""
    at = torch.zeros_like(centre)
    fader_db, pans = start(tracks.numpy(), target.numpy())
    for name, found in (("fader_db", fader_db), ("pan", pans)):
        if name in names:
            row = names.index(name)
            at[row] = (torch.from_numpy(found) - centre[row]) / spread[row]
    return at


def start(tracks: NDArray[np.float32], target: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fader in dB and pan of (tracks, 1 or 2, frames) whose powers in bands and moments add up to the mix's.

    A track that the sum does not need is left 12 dB below the middle one.
    """
    own = np.stack([_powers(track) for track in tracks])
    sides = _powers(target[:1]), _powers(target[1:])
    # Soft moments count as loud ones do, nearly: powers alone would look at a few strokes.
    weight = (sides[0] + sides[1] + 1e-3 * (sides[0] + sides[1]).mean() + 1e-12) ** -0.75
    gains = np.stack([nnls((own * weight).reshape(len(tracks), -1).T, (side * weight).ravel())[0] for side in sides])
    total = gains.sum(axis=0)
    middle = float(np.median(total[total > 0.0])) if (total > 0.0).any() else 1.0
    heard = total > 10.0**-1.2 * middle
    pans = np.where(heard, 4.0 / math.pi * np.arctan2(np.sqrt(gains[1]), np.sqrt(gains[0])) - 1.0, 0.0)
    return 10.0 * np.log10(np.where(heard, total, 10.0**-1.2 * middle)), np.clip(pans, -0.95, 0.95)


def _powers(audio: NDArray[np.float32]) -> NDArray[np.float64]:
    """(moments, octaves) of (channels, frames) audio, channels added."""
    size = WINDOWS[1]
    framed = audio[:, : audio.shape[1] // size * size].reshape(len(audio), -1, size) * np.hanning(size)
    power = np.square(np.abs(np.fft.rfft(framed, axis=2))).sum(axis=0)
    edges = np.unique(np.geomspace(2, power.shape[1], 9).astype(int))
    return np.asarray(np.add.reduceat(power, edges[:-1], axis=1))


# ---------------------------------------------------------------- distance


class Distance:
    """How far a mix is from a target, in dB: 0 for the same sound."""

    def __init__(self, target: Tensor, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._windows = [size for size in WINDOWS if size <= target.shape[-1]]
        with torch.no_grad():
            self._target = self._heard(_views(target.to(torch.float32)))

    def __call__(self, mix: Tensor) -> Tensor:
        """Of (2, frames); float64."""
        heard = self._heard(_views(mix))
        total = torch.zeros((), dtype=torch.float64)
        for (levels, weights), (wanted, _) in zip(heard, self._target, strict=True):
            total = total + ((levels - wanted).abs() * weights).mean(dim=(0, 1)).sum().double()
        return total / len(heard)

    def _heard(self, views: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What is compared: levels in dB (views, moments, bins) with the weights of bins, which sum to 1."""
        found = []
        for size in self._windows:
            hop = size // HOP_SHARE
            spectra = torch.stft(views, size, hop, window=torch.hann_window(size), return_complex=True).transpose(1, 2)
            power = torch.square(spectra.real) + torch.square(spectra.imag)
            hz = torch.arange(power.shape[2]) * (self._rate_hz / size)
            octave = torch.where(hz >= _LOWEST_HZ, 1.0 / hz.clamp_min(_LOWEST_HZ), torch.zeros(()))
            found.append((_decibels(power), octave / octave.sum()))
            if size == max(self._windows):
                found.append((_decibels(power.mean(dim=1, keepdim=True)), octave / octave.sum()))
        step = round(_LOUDNESS_S * self._rate_hz)
        moments = torch.square(views[:, : views.shape[1] // step * step]).unflatten(1, (-1, step)).mean(2)
        if moments.shape[1]:
            found.append((_decibels(moments[:, :, None]), torch.ones(1)))
        return found


def _views(mix: Tensor) -> Tensor:
    """(2, frames) as left, right, middle and side."""
    left, right = mix
    return torch.stack([left, right, (left + right) * math.sqrt(0.5), (left - right) * math.sqrt(0.5)])


def _decibels(power: Tensor) -> Tensor:
    """Levels against a fixed floor 60 dB below the loudest of all views, so that silence has no gradient."""
    floor = power.detach().amax() * 10.0 ** (FLOOR_DB / 10.0) + 1e-12
    return 10.0 * torch.log10(power + floor)
