"""Whether learned settings are nearer to people's mixes than the rules', group by group: python -m training.mix.groups.

Two measures: how far each setting lies from the one that the desk was fitted with, and how far the mix is from the
author's when a group of the fit's settings is replaced, every track kept as loud as it was. What is a model's, a rule's
and a preset's is treated alike; the fit's side of a pan is given to all.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.analysis.features import BAND_HZ
from core.mix.dynamics import DESK_PEAK_DBFS
from training.data.manifest import Split
from training.desk import console, filters
from training.desk.fit import Distance, render
from training.master.card import interval
from training.mix.lessons import GROUPS, KNOBS, Lesson, keep, lessons, to_places
from training.mix.network import Controller
from training.mix.rehearsals import FITTED_RATE_HZ, Rehearsal, folder, kept, rehearsal
from training.mix.settings import heard_share, loaded, said, values

Floats = NDArray[np.float64]
Strips = list[dict[str, float]]

SPACES: Final = ("room", "plate", "hall")
EQUALISER: Final = tuple(f"eq{band}_{knob}" for band in range(1, 7) for knob in ("freq_hz", "gain_db", "q"))
TURNED: Final[dict[str, tuple[str, ...]]] = {
    "pan": ("pan",),
    "equaliser": ("highpass_hz", *EQUALISER),
    "compressor": tuple(f"comp_{knob}" for knob in ("threshold_db", "ratio", "attack_ms", "release_ms", "knee_db",
                                                    "sidechain_hz", "mix")),
    "send": tuple(f"send_{space}_db" for space in SPACES),
}  # fmt: skip
"""The knobs of a group, rules' ones too."""
UNITS: Final = {"pan": "0 to 1", "equaliser": "dB", "compressor": "dB", "send": "dB"}
WAYS: Final = ("presets", "rules", "model")
RATE_HZ: Final = 48_000
SOFTEST_SEND_DB: Final = -40.0
"""What is below is no reverb."""
WHOLE: Final = "all four"


@dataclass(frozen=True)
class Judged:
    """A rehearsal: per group and way."""

    song: str
    off: dict[str, dict[str, float]]
    """Mean error of the settings."""
    apart: dict[str, dict[str, float]]
    """Distance of the mix to the author's in dB, `WHOLE` too."""
    fit: float
    """The fit's own distance."""
    within: float
    """Share of the model's errors that lie below the median of its spreads (Laplace): a half if they are true."""


def strips(one: Lesson, network: Controller) -> dict[str, Strips]:
    """The strips of each way and of the fit, every knob of `TURNED` and the fader named."""
    places, _ = said(network, one)
    knobs = {"presets": values(torch.zeros_like(places), one), "model": values(places, one)}
    found = {
        way: [_named({name: float(each[0, at]) for name, each in turned.items()}) for at in range(len(one.fitted))]
        for way, turned in knobs.items()
    }
    sides = [1.0 if strip["pan"] >= 0.0 else -1.0 for strip in one.fitted]
    found["fit"] = [_named(strip) for strip in one.fitted]
    found["rules"] = [
        _named({**strip, "pan": abs(strip["pan"]) * side}) for strip, side in zip(one.rules, sides, strict=True)
    ]
    return found


def _named(strip: Mapping[str, float]) -> dict[str, float]:
    names = ["fader_db", *(name for group in TURNED.values() for name in group)]
    return {name: float(strip.get(name, KNOBS[name].neutral)) for name in names}


# ---------------------------------------------------------------- settings


def curve_db(strip: Mapping[str, float]) -> Tensor:
    """What high-pass and equaliser of a strip do to each third octave."""
    knobs = {name: torch.tensor(strip[name], dtype=torch.float64) for name in ("highpass_hz", *EQUALISER)}
    sections = filters.joined(
        filters.switched_highpass(RATE_HZ, knobs["highpass_hz"]), filters.equaliser(torch.zeros(1), RATE_HZ, knobs)
    )
    size = 16_384
    response = filters.frequency_response(sections, size).abs()
    at = [min(round(hz * size / RATE_HZ), size // 2) for hz in BAND_HZ]
    return 20.0 * torch.log10(response[at].clamp_min(1e-4))


def reduction_db(strip: Mapping[str, float]) -> float:
    """By how much the compressor turns down a peak at the desk's level."""
    over_db = max(DESK_PEAK_DBFS - strip["comp_threshold_db"], 0.0)
    return over_db * (1.0 - 1.0 / strip["comp_ratio"]) * strip["comp_mix"]


def send_db(strip: Mapping[str, float]) -> float:
    """All reverb sends together."""
    power = sum(10.0 ** (strip[name] / 10.0) for name in TURNED["send"])
    return max(10.0 * math.log10(power), SOFTEST_SEND_DB)


def off(one: Lesson, wanted: Strips, said_of: Strips) -> dict[str, float]:
    """Mean error per group over the tracks of a song."""
    share = heard_share(torch.tensor(one.bands_db, dtype=torch.float64))
    curves = torch.stack([curve_db(told) - curve_db(true) for told, true in zip(said_of, wanted, strict=True)])
    curves = curves - (curves * share).sum(1, keepdim=True)
    measures: dict[str, Callable[[Mapping[str, float]], float]] = {
        "pan": lambda strip: abs(strip["pan"]), "compressor": reduction_db, "send": send_db,
    }  # fmt: skip
    found = {
        group: float(np.mean([abs(told(a) - told(b)) for a, b in zip(said_of, wanted, strict=True)]))
        for group, told in measures.items()
    }
    return found | {"equaliser": float((curves.abs() * share).sum(1).mean())}


# ---------------------------------------------------------------- mixes


def replaced(fit: Strips, way: Strips, groups: Sequence[str], tracks: Tensor) -> Strips:
    """The fit's strips with some groups of another way, faders moved so that no track is louder for it."""
    names = [name for group in groups for name in TURNED[group]]
    mixed = [{**own, **{name: other[name] for name in names}} for own, other in zip(fit, way, strict=True)]
    dry = [name for name in fit[0] if not name.startswith("send_")]
    before, after = (
        levels_db(tracks, [{name: strip[name] for name in dry} for strip in each]) for each in (fit, mixed)
    )
    return [
        {**strip, "fader_db": strip["fader_db"] + float(moved)}
        for strip, moved in zip(mixed, before - after, strict=True)
    ]


def levels_db(tracks: Tensor, each: Strips) -> Tensor:
    """Level of every track behind its strip, sends apart."""
    knobs = {name: torch.tensor([strip[name] for strip in each], dtype=torch.float64) for name in each[0]}
    heard = console.strip(tracks, FITTED_RATE_HZ, knobs)
    return 10.0 * torch.log10(torch.square(heard).mean((1, 2)) + 1e-12)


def mix_of(tracks: Tensor, each: Strips) -> Tensor:
    """What strips make of (tracks, 1, frames): (2, frames)."""
    turned = {name: torch.tensor([[strip[name] for strip in each]], dtype=torch.float64) for name in each[0]}
    return render(tracks[None], FITTED_RATE_HZ, turned)


def judge(one: Lesson, network: Controller) -> Judged:
    """A rehearsal in both measures."""
    own, mix = (torch.from_numpy(each) for each in one.audio)
    every = strips(one, network)
    distance = Distance(mix, FITTED_RATE_HZ)
    groups = {**{group: (group,) for group in GROUPS}, WHOLE: tuple(GROUPS)}
    with torch.no_grad():
        apart = {
            name: {way: float(distance(mix_of(own, replaced(every["fit"], every[way], chosen, own)))) for way in WAYS}
            for name, chosen in groups.items()
        }
        fitted = float(distance(mix_of(own, every["fit"])))
    errors = {way: off(one, every["fit"], every[way]) for way in WAYS}
    places, spreads = said(network, one)
    wanted = torch.from_numpy(to_places(one.fitted, np.array(one.centre), np.array(one.spread)))
    within = float(((places - wanted).abs() < math.log(2.0) * spreads).double().mean())
    turned = {group: {way: errors[way][group] for way in WAYS} for group in GROUPS}
    return Judged(one.song, turned, apart, fitted, within)


# ---------------------------------------------------------------- tables


def over_songs(judged: Sequence[Judged], numbers: Sequence[float]) -> Floats:
    """The mean of each song: its rehearsals count as one."""
    names = [one.song for one in judged]
    return np.array(
        [
            np.mean([number for name, number in zip(names, numbers, strict=True) if name == song])
            for song in sorted(set(names))
        ]
    )


def ways(judged: Sequence[Judged], measure: str, group: str) -> list[Floats]:
    """Per way of `WAYS` the means of the songs in "off" or "apart"."""
    return [over_songs(judged, [getattr(one, measure)[group][way] for one in judged]) for way in WAYS]


def table(judged: Sequence[Judged]) -> list[str]:
    """Per group the means over songs, and the model less the rules with its interval."""
    fit = over_songs(judged, [one.fit for one in judged])
    within = float(np.mean([one.within for one in judged]))
    heads = "presets | rules | model | model less rules | songs nearer"
    return [
        f"| settings, off by | {heads} |",
        "|---|" + "---|" * 5,
        *(_row(f"{group}, {UNITS[group]}", ways(judged, "off", group)) for group in GROUPS),
        "",
        f"| mix, dB from the author's | {heads} |",
        "|---|" + "---|" * 5,
        *(_row(group, ways(judged, "apart", group)) for group in (*GROUPS, WHOLE)),
        "",
        f"{len(fit)} songs in {len(judged)} rehearsals. The fits themselves are {fit.mean():.2f} dB from the authors' "
        f"mixes. {within:.0%} of the errors lie below the median of what the spreads say, where 50% would be true.",
    ]


def beats(judged: Sequence[Judged], group: str) -> bool:
    """Whether a group of the model's settings is surely nearer than the rules' and the presets' in both measures."""
    for measure in ("off", "apart"):
        presets, rules, model = ways(judged, measure, group)
        if any(interval(other - model)[0] <= 0.0 for other in (rules, presets)):
            return False
    return True


def _row(title: str, means: Sequence[Floats]) -> str:
    gained = means[2] - means[1]
    low, high = interval(gained)
    cells = " | ".join(f"{way.mean():.2f}" for way in means)
    return (
        f"| {title} | {cells} | {gained.mean():+.2f} ({low:+.2f} to {high:+.2f}) "
        f"| {int((gained < 0.0).sum())} of {len(gained)} |"
    )


def prepared(split: Split) -> list[Lesson]:
    """The lessons of a split; of test songs, which nothing learns from, one rehearsal is made here and fitted."""
    if split == "test":
        for path in folder(split):
            print(rehearsal(path, split, 0), flush=True)
            file = kept() / f"{path.name}-0.msgpack"
            if file.exists():
                print(keep(msgspec.msgpack.decode(file.read_bytes(), type=Rehearsal), 0), flush=True)
    return lessons(split)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = loaded()
    judged = []
    for one in prepared(options.split):
        judged.append(judge(one, network))
        told = {name: [round(each[way], 2) for way in WAYS] for name, each in judged[-1].apart.items()}
        print(one.song, one.lot, told, flush=True)
    print("\n".join(table(judged)))
    print(
        "Surely nearer than rules and presets:",
        ", ".join(group for group in GROUPS if beats(judged, group)) or "nothing",
    )


if __name__ == "__main__":
    main()
