"""Measures the file that ships on songs that it never saw and writes its card: `python -m training.mix.evaluate`.

The figures also replace the section between two marks in docs/models.md. Test songs are read here and nowhere else.
`--split validation` prints the tables for the songs that are chosen on and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks import balance as desk
from core.analysis.roles import guess_role
from core.models import runtime
from core.models.card import Metric, faults_of
from core.models.mixing import NAME, Controller, Shown, controller
from training.data.places import REPOSITORY, shared_data
from training.master.card import interval
from training.mix.card import card_of
from training.mix.measure import FEATURES, WAYS, Judged, judge
from training.mix.odd import ODD, as_recorded, shown_of
from training.mix.pans import pans
from training.mix.songs import Track
from training.mix.songs import songs as songs_of
from training.mix.train import CHECKPOINT, errors_lu

DOC: Final = REPOSITORY / "docs" / "models.md"
BEGIN: Final = "<!-- mixing: written by training.mix.evaluate -->"
END: Final = "<!-- /mixing -->"
SEED: Final = 1
BETTER: Final = 0.75
"""Of the best other way's error is the aim."""


def asked(file: Path) -> Controller:
    """The controller as the product runs it, whether its card lets it be used or not."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(shutil.copy(file, name))
        card = card_of(copy, (), in_use=True, verdict="Being measured.")
        copy.with_suffix(".json").write_bytes(msgspec.json.encode(card))
        found = controller(Path(name))
    if not isinstance(found, Controller):
        raise SystemExit(found.why)
    return found


def folders(split: str) -> list[Path]:
    """The songs of a split."""
    return sorted(path.parent for path in (shared_data() / "multitracks" / split).glob("*/meta.json"))


def role_medians() -> dict[str, float]:
    """Median level of every role against its song's middle track, over the training multitracks."""
    levels: dict[str, list[float]] = defaultdict(list)
    for song in songs_of("train", "multitrack"):
        middle = statistics.median(track.author_lufs for track in song.tracks)
        for track in song.tracks:
            levels[guess_role(track.name, track.heard).role].append(track.author_lufs - middle)
    return {role: statistics.median(found) for role, found in levels.items()}


def balance_table(songs: list[Judged]) -> list[str]:
    """Per song and way the error per stem; the interval is over songs."""
    lines = [f"| song | stems | {' | '.join(WAYS)} |", "|---|---|" + "---|" * len(WAYS)]
    for song in songs:
        lines += [_row(song.song, len(song.errors_lu["rules"]), [f"{song.mean(way):.2f}" for way in WAYS])]
    stems = sum(len(song.errors_lu["rules"]) for song in songs)
    lines.append(_row("**mean per stem**", stems, [f"{per_stem(songs, way):.2f}" for way in WAYS]))
    means = {way: np.array([song.mean(way) for song in songs]) for way in WAYS}
    ranges = [f"{means[way].mean():.2f} ({_range(means[way])})" for way in WAYS]
    return [*lines, _row("**mean per song**", stems, ranges)]


def per_stem(songs: list[Judged], way: str) -> float:
    """Mean error over all stems of all songs."""
    return float(np.mean([error for song in songs for error in song.errors_lu[way]]))


def whole_table(songs: list[Judged]) -> list[str]:
    """How far each way's whole mix is from the author's, and on how many songs the model is nearer than the rules."""
    lines = [f"| whole mix | {' | '.join(WAYS)} | songs nearer than the rules |", "|---|" + "---|" * (len(WAYS) + 1)]
    for at, (feature, unit) in enumerate(zip(FEATURES, ("dB", "dB", "dB", "%", "dB"), strict=True)):
        values = {way: np.array([song.apart[way][at] for song in songs]) for way in WAYS}
        nearer = int((values["model"] < values["rules"]).sum())
        cells = [f"{values[way].mean():.2f}" for way in WAYS]
        lines.append(f"| {feature}, {unit} | {' | '.join(cells)} | {nearer} of {len(songs)} |")
    return lines


def _row(title: str, stems: int, cells: list[str]) -> str:
    return f"| {title} | {stems} | {' | '.join(cells)} |"


def _range(values: NDArray[np.float64]) -> str:
    low, high = interval(values)
    return f"{low:.2f} to {high:.2f}"


def invariances(model: Controller, shown: list[list[Shown]]) -> tuple[float, float]:
    """Most that another order and another gain of an input change what is said, in LU."""
    random = np.random.default_rng(SEED)
    order, gain = 0.0, 0.0
    for tracks in shown:
        said = [one.heard_lu for one in model.advise(tracks)]
        turn = random.permutation(len(tracks))
        turned = [one.heard_lu for one in model.advise([tracks[at] for at in turn])]
        order = max(order, float(np.abs(np.array(said)[turn] - turned).max(initial=0.0)))
        louder = [as_recorded(track, float(random.uniform(-12.0, 12.0))) for track in tracks]
        gain = max(
            gain, float(np.abs(np.array([one.heard_lu for one in model.advise(louder)]) - said).max(initial=0.0))
        )
    return order, gain


def odd_table(model: Controller) -> list[str]:
    """What it says of songs that are none."""
    lines = ["| tracks | most that is changed, LU | spread, LU |", "|---|---|---|"]
    for name, make in ODD.items():
        advice = model.advise(make())
        if not advice:
            lines.append(f"| {name} | nothing said | |")
            continue
        spreads = [one.spread_lu for one in advice]
        most = max(abs(one.change_lu) for one in advice)
        lines.append(f"| {name} | {most:.2f} | {min(spreads):.1f} to {max(spreads):.1f} |")
    return lines


def metrics(songs: list[Judged]) -> tuple[Metric, ...]:
    """The figures that decide, for the card."""
    means = {way: np.array([song.mean(way) for song in songs]) for way in WAYS}
    low, high = interval(means["model"])
    others = {way: round(float(means[way].mean()), 3) for way in WAYS if way != "model"}
    stems = {way: round(per_stem(songs, way), 3) for way in WAYS if way != "model"}
    return (
        Metric(
            what=f"balance: mean error per song, {len(songs)} test songs", value=round(float(means["model"].mean()), 3),
            low=round(low, 3), high=round(high, 3), unit="LU", better="lower", baselines=others,
        ),
        Metric(
            what="balance: mean error per stem", value=round(per_stem(songs, "model"), 3), unit="LU", better="lower",
            baselines=stems,
        ),
    )  # fmt: skip


def on_validation(model: Controller) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Errors per track of the rules and of the model for the songs that were chosen on, as they were measured."""
    ruled, moved = [], []
    for song in songs_of("validation", "multitrack", "module"):
        author = {id(track.heard): track.author_lufs for track in song.tracks}
        shown = shown_of(song.tracks)
        off = np.array([one.place_lu - author[id(one.heard)] for one in shown])
        ruled.append(errors_lu(off))
        moved.append(errors_lu(off + np.array([one.change_lu for one in model.advise(shown)])))
    return ruled, moved


def verdict(songs: list[Judged], asked_model: Controller) -> tuple[bool, str]:
    """Whether it beats the rules surely, every other way, and the rules on validation songs too; and by how much.

    What chance gave on six songs should have shown on the others that it never learned from.
    """
    model, rules = (np.array([song.mean(way) for song in songs]) for way in ("model", "rules"))
    gained = rules - model
    low, high = interval(gained)
    others = [way for way in WAYS if way != "model"]
    best = min(others, key=lambda way: per_stem(songs, way))
    beats = (
        low > 0.0
        and all(per_stem(songs, "model") < per_stem(songs, way) for way in others)
        and all(model.mean() < np.mean([song.mean(way) for song in songs]) for way in others)
    )
    ruled, moved = on_validation(asked_model)
    per_song = [float(np.mean([one.mean() for one in errors])) for errors in (ruled, moved)]
    stems = [float(np.concatenate(errors).mean()) for errors in (ruled, moved)]
    confirmed = per_song[1] < per_song[0] and stems[1] < stems[0]
    share = 1.0 - per_stem(songs, "model") / per_stem(songs, best)
    told = (
        f"On {len(songs)} test songs its faders miss the authors' by {per_stem(songs, 'model'):.2f} LU per stem "
        f"({best}: {per_stem(songs, best):.2f}), {share:.0%} less where {1 - BETTER:.0%} was the aim; per song "
        f"{gained.mean():+.2f} LU nearer than the rules (95 %: {low:+.2f} to {high:+.2f}), nearer on "
        f"{int((gained > 0).sum())} of {len(songs)}. On {len(ruled)} validation songs, which it did not learn from "
        f"either, it has {stems[1]:.2f} LU per stem and {per_song[1]:.2f} per song, the rules {stems[0]:.2f} and "
        f"{per_song[0]:.2f}{'' if confirmed else ', so the gain may be chance and it is not in use'}."
    )
    return beats and confirmed, told


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    options = parser.parse_args()
    file = runtime.FILES / f"{NAME}.onnx"
    model = asked(file)
    medians = role_medians()
    songs, shown = [], []
    for folder in folders(options.split):
        stems = desk.load_song(folder, SEED)
        songs.append(judge(folder.name, stems, medians, model))
        shown.append(shown_of([Track(one.source.name, one.analysis, one.author_lufs) for one in stems]))
        print(folder.name, {way: round(songs[-1].mean(way), 2) for way in WAYS}, flush=True)
    beats, told = verdict(songs, model)
    exported = json.loads(CHECKPOINT.with_name("export.json").read_text())
    order, gain = invariances(model, shown)
    text = "\n".join(
        (
            *balance_table(songs),
            "",
            *whole_table(songs),
            "",
            *pans(),
            "",
            *odd_table(model),
            "",
            f"Another order of the tracks changes what it says by {order:.4f} LU at most, other gains of the inputs "
            f"within 12 dB by {gain:.4f} LU. int8 moves it by {exported['drift_lu']:.3f} LU at the 99th percentile; "
            f"{exported['bytes']['int8'] / 1000:.0f} kB against {exported['bytes']['float'] / 1000:.0f} kB.",
            "",
            told,
        )
    )
    print(text)
    if options.split == "test":
        card = card_of(file, metrics(songs), in_use=beats, verdict=told)
        assert not faults_of(card)
        file.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
        before, _, rest = DOC.read_text().partition(BEGIN)
        DOC.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
