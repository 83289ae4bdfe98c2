"""How close a proposed mix comes to the one a song's author chose.

Every stem is re-levelled to a random sample peak between -18 and -3 dBFS, as if it came from an interface, and a mix is
proposed. What counts is the gain each stem gets: its loudness against the author's, the song's median removed, because
the level of the whole is nobody's opinion. Beside the engineer stand three simple ways: adding the inputs as they are,
making all stems equally loud, and giving each role the median level that it has in the training songs.

    python -m benchmarks.balance ../shared/data/multitracks --split validation [--rendered]

With --rendered the mix is rendered, and the loudness of the strips' stems is measured, dynamics and equaliser included.
A second table then tells how far each way's whole mix is from the author's, whatever its loudness: the mean difference
of the third-octave levels from 40 Hz to 12.5 kHz, the difference of the crest and of the width (side against middle
above 100 Hz), in dB each, and the mean of the three.
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
import soundfile
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.analysis.loudness import measure_file
from core.analysis.roles import guess_role
from core.analysis.spectrum import SpectrumMeter
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
FEATURES = ("spectrum", "crest", "width")
FEATURE_BANDS_HZ = (40.0, 12_500.0)
WIDTH_HZ = (100.0, 16_000.0)
NO_SIDE_DB = -40.0
"""Narrower than this is mono to any ear."""


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


@dataclass(frozen=True)
class MixFeatures:
    """What a mix sounds like, its loudness apart."""

    bands_db: NDArray[np.float64]
    crest_db: float
    width_db: float

    def apart(self, other: MixFeatures) -> list[float]:
        """Differences in the order of `FEATURES`, dB."""
        return [
            float(np.abs(self.bands_db - other.bands_db).mean()),
            abs(self.crest_db - other.crest_db),
            abs(self.width_db - other.width_db),
        ]


def mix_features(audio: NDArray[np.float32], rate_hz: int) -> MixFeatures:
    """Of stereo audio, (2, frames)."""
    meter = SpectrumMeter(rate_hz, 2)
    meter.add(audio)
    spectrum = meter.result()
    bands = np.array(BAND_HZ)
    side_db = spectrum.side_db(*WIDTH_HZ)
    return MixFeatures(
        bands_db=spectrum.levels_db()[(bands >= FEATURE_BANDS_HZ[0]) & (bands <= FEATURE_BANDS_HZ[1])],
        crest_db=20.0 * float(np.log10(np.abs(audio).max() / np.sqrt(np.square(audio).mean()))),
        width_db=max(NO_SIDE_DB if side_db is None else side_db, NO_SIDE_DB),
    )


def summed(stems: list[Stem], gains_db: list[float]) -> NDArray[np.float32]:
    """The stems with these gains and nothing else, (2, frames)."""
    total = np.zeros((2, max(stem.source.frames for stem in stems)), np.float32)
    for stem, gain_db in zip(stems, gains_db, strict=True):
        total[:, : stem.source.frames] += stem.source.read(0, stem.source.frames) * np.float32(10.0 ** (gain_db / 20.0))
    return total


def features_apart(stems: list[Stem], plan: MixPlan, medians: dict[str, float]) -> dict[str, list[float]]:
    """How far every way's whole mix is from the author's."""
    rate_hz = stems[0].source.rate_hz
    levels = [level_lufs(stem.analysis) for stem in stems]
    roles = [guess_role(stem.source.name, stem.analysis).role for stem in stems]
    gains = {
        "unity sum": [0.0] * len(stems),
        "equal loudness": [-level for level in levels],
        "role medians": [medians.get(role, 0.0) - level for role, level in zip(roles, levels, strict=True)],
    }
    author = mix_features(summed(stems, [-stem.source.gain_db for stem in stems]), rate_hz)
    apart = {method: mix_features(summed(stems, gain), rate_hz).apart(author) for method, gain in gains.items()}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mix.wav"
        render_mix(plan, [stem.source for stem in stems], out, rate_hz=rate_hz)
        mixed, _ = soundfile.read(out, dtype="float32", always_2d=True)
    frames = max(stem.source.frames for stem in stems)
    apart["engineer"] = mix_features(np.ascontiguousarray(mixed.T[:, :frames]), rate_hz).apart(author)
    return apart


def role_medians(folders: list[Path], seed: int) -> dict[str, float]:
    """Median level of every role against its song's middle stem, over the training songs."""
    levels: dict[str, list[float]] = defaultdict(list)
    for folder in folders:
        stems = load_song(folder, seed)
        middle = statistics.median(stem.author_lufs for stem in stems)
        for stem in stems:
            levels[guess_role(stem.source.name, stem.analysis).role].append(stem.author_lufs - middle)
    return {role: statistics.median(values) for role, values in levels.items()}


def compare(stems: list[Stem], plan: MixPlan, medians: dict[str, float], *, rendered: bool) -> dict[str, list[float]]:
    """Errors of every method on one song."""
    author = [stem.author_lufs for stem in stems]
    levels = [level_lufs(stem.analysis) for stem in stems]
    roles = [guess_role(stem.source.name, stem.analysis).role for stem in stems]
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


def print_row(title: str, count: int, figures: list[float]) -> None:
    print(f"| {title} | {count} | {' | '.join(f'{figure:.2f}' for figure in figures)} |", flush=True)


def print_features(split: str, songs: dict[str, dict[str, list[float]]]) -> None:
    """The second table: a row per song with the mean of the three differences, then each of them over all songs."""
    print(f"\n| whole mix against the author's, dB ({split}) | songs | {' | '.join(METHODS)} |")
    print("|---|---|" + "---|" * len(METHODS))
    for name, apart in songs.items():
        print_row(name, 1, [statistics.fmean(apart[method]) for method in METHODS])
    for index, feature in enumerate(FEATURES):
        means = [statistics.fmean(apart[method][index] for apart in songs.values()) for method in METHODS]
        print_row(f"**{feature}**", len(songs), means)
    means = [statistics.fmean(statistics.fmean(apart[method]) for apart in songs.values()) for method in METHODS]
    print_row("**mean**", len(songs), means)


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
    apart: dict[str, dict[str, list[float]]] = {}
    print(f"| song ({arguments.split}) | stems | {' | '.join(METHODS)} |")
    print("|---|---|" + "---|" * len(METHODS))
    for folder in sorted(path.parent for path in (arguments.multitracks / arguments.split).glob("*/meta.json")):
        stems = load_song(folder, arguments.seed)
        plan = propose(stems)
        errors = compare(stems, plan, medians, rendered=arguments.rendered)
        means = [statistics.fmean(errors[method]) for method in METHODS]
        print_row(folder.name, len(stems), means)
        for method, mean in zip(METHODS, means, strict=True):
            total[method] += errors[method]
            per_song[method].append(mean)
        if arguments.rendered:
            apart[folder.name] = features_apart(stems, plan, medians)
    for title, values in (("mean per stem", total), ("mean per song", per_song)):
        print_row(f"**{title}**", len(total["engineer"]), [statistics.fmean(values[method]) for method in METHODS])
    if apart:
        print_features(arguments.split, apart)


if __name__ == "__main__":
    main()
