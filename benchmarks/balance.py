"""How close a proposed balance comes to the one a song's author chose.

Every stem is re-levelled to a random sample peak between -18 and -3 dBFS, as if it came from an interface, and a mix is
proposed. What counts is the gain each stem gets: its loudness against the author's, the song's median removed, because
the level of the whole is nobody's opinion. Beside the engineer stand three simple ways: adding the inputs as they are,
making all stems equally loud, and giving each role the median level that it has in the training songs.

    python benchmarks/balance.py ../shared/data/multitracks --split validation [--rendered]

With --rendered the mix is rendered and the loudness of the strips' stems is measured, dynamics and equaliser included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis.loudness import measure_file
from core.analysis.roles import guess_role
from core.analysis.track import TrackAnalysis, analyse_source
from core.desk.render import render_mix
from core.desk.sources import FileSource
from core.mix.balance import level_lufs
from core.mix.engineer import propose_mix
from core.plans.document import MixPlan, value_of

PEAKS_DBFS = (-18.0, -3.0)
INAUDIBLE_LU = 30.0
"""Stems further below the mix are left out: nobody chose their level to be heard."""
METHODS = ("unity sum", "equal loudness", "role medians", "engineer")


class Relevelled:
    """A stem with a gain, as a source."""

    def __init__(self, path: Path, name: str) -> None:
        self._file = FileSource(path)
        self.name = name
        self.channels: int = self._file.channels
        self.frames: int = self._file.frames
        self.rate_hz: int = self._file.rate_hz
        self.gain_db = 0.0

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Samples of the file times the gain, (channels, frames)."""
        return self._file.read(start, frames) * np.float32(10.0 ** (self.gain_db / 20.0))


@dataclass
class Stem:
    """A stem as its author left it."""

    source: Relevelled
    analysis: TrackAnalysis
    """Of the stem after re-levelling."""
    author_lufs: float


def load_song(folder: Path, seed: int) -> list[Stem]:
    """Audible stems of a song, each moved to a random peak; the author's loudness is what it had before."""
    meta = json.loads((folder / "meta.json").read_text())
    random = np.random.default_rng([seed, *folder.name.encode()])
    stems = []
    for entry in meta["stems"]:
        source = Relevelled(folder / entry["file"], entry["name"])
        peak_dbfs = random.uniform(*PEAKS_DBFS)
        if entry["rel_lu"] < -INAUDIBLE_LU:
            continue
        loudest = float(np.abs(source.read(0, source.frames)).max())
        source.gain_db = peak_dbfs - 20.0 * float(np.log10(loudest))
        analysis = analyse_source(source)
        stems.append(Stem(source, analysis, level_lufs(analysis) - source.gain_db))
    return stems


def errors_lu(author_lufs: list[float], proposed_lufs: list[float]) -> list[float]:
    """Absolute error per stem with the song's median offset removed."""
    offsets = [proposed - author for author, proposed in zip(author_lufs, proposed_lufs, strict=True)]
    middle = statistics.median(offsets)
    return [abs(offset - middle) for offset in offsets]


def propose(stems: list[Stem]) -> MixPlan:
    sources = [stem.source for stem in stems]
    return propose_mix(sources, analyses={stem.source.name: stem.analysis for stem in stems})


def strip_gains_db(plan: MixPlan) -> list[float]:
    """Trim and fader: what the plan does to the level on purpose, beside equaliser and compression."""
    return [sum(value_of(strip.settings, knob, 0.0) for knob in ("trim_db", "fader_db")) for strip in plan.strips]


def rendered_lufs(plan: MixPlan, stems: list[Stem]) -> list[float]:
    """Loudness of every strip's contribution to the rendered mix."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        result = render_mix(plan, [stem.source for stem in stems], out / "mix.wav", stems=out / "stems")
        measured = [measure_file(result.stems[stem.source.name]).integrated_lufs for stem in stems]
    return [-70.0 if lufs is None else lufs for lufs in measured]


def role_medians(folders: list[Path], seed: int) -> dict[str, float]:
    """Median level of every role against its song's middle stem, over the training songs."""
    levels: dict[str, list[float]] = defaultdict(list)
    for folder in folders:
        stems = load_song(folder, seed)
        middle = statistics.median(stem.author_lufs for stem in stems)
        for stem in stems:
            levels[guess_role(stem.source.name, stem.analysis).role].append(stem.author_lufs - middle)
    return {role: statistics.median(values) for role, values in levels.items()}


def compare(stems: list[Stem], medians: dict[str, float], *, rendered: bool) -> dict[str, list[float]]:
    """Errors of every method on one song."""
    author = [stem.author_lufs for stem in stems]
    levels = [level_lufs(stem.analysis) for stem in stems]
    roles = [guess_role(stem.source.name, stem.analysis).role for stem in stems]
    plan = propose(stems)
    if rendered:
        engineer = rendered_lufs(plan, stems)
    else:
        engineer = [level + gain for level, gain in zip(levels, strip_gains_db(plan), strict=True)]
    return {
        "unity sum": errors_lu(author, levels),
        "equal loudness": errors_lu(author, [0.0] * len(stems)),
        "role medians": errors_lu(author, [medians.get(role, 0.0) for role in roles]),
        "engineer": errors_lu(author, engineer),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("multitracks", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="validation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rendered", action="store_true")
    arguments = parser.parse_args()
    training = sorted(path.parent for path in (arguments.multitracks / "train").glob("*/meta.json"))
    medians = role_medians(training, arguments.seed)
    total: dict[str, list[float]] = defaultdict(list)
    per_song: dict[str, list[float]] = defaultdict(list)
    print(f"| song ({arguments.split}) | stems | {' | '.join(METHODS)} |")
    print("|---|---|" + "---|" * len(METHODS))
    for folder in sorted(path.parent for path in (arguments.multitracks / arguments.split).glob("*/meta.json")):
        stems = load_song(folder, arguments.seed)
        errors = compare(stems, medians, rendered=arguments.rendered)
        means = [statistics.fmean(errors[method]) for method in METHODS]
        print(f"| {folder.name} | {len(stems)} | {' | '.join(f'{mean:.2f}' for mean in means)} |", flush=True)
        for method, mean in zip(METHODS, means, strict=True):
            total[method] += errors[method]
            per_song[method].append(mean)
    for title, values in (("mean per stem", total), ("mean per song", per_song)):
        figures = " | ".join(f"{statistics.fmean(values[method]):.2f}" for method in METHODS)
        print(f"| **{title}** | {len(total['engineer'])} | {figures} |")


if __name__ == "__main__":
    main()
