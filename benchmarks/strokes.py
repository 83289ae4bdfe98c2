"""How flat the peaks of finished songs lie, and of the same squashed: what `core.master.strokes` rests on.

    python benchmarks/strokes.py ../shared/data --music /tmp/music [--seconds 15] [--songs N] [--attacks]

Songs of the training packages, of each the middle: how far below the highest peak the upper quarter of the peaks
begins, by percentiles over songs, and which part of them lies under both limits, untouched and squashed as by
benchmarks/restore.py. With --attacks instead songs of the validation packages, squashed: what crest is missing after
strokes were lifted by so much.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile as sf
from restore import distance, read, squashed
from styles import training_songs

from core.dsp.audio import Audio
from core.dsp.transient import shape_transients
from core.master.strokes import FLAT_DB, FREE_DB, StrokeMeter
from training.master.songs import VALIDATION_PACKAGES

T = TypeVar("T")

ATTACKS_DB = (0.0, 3.0, 6.0, 9.0)
PERCENTILES = (1, 2, 5, 25, 50)


def loud_stereo(path: Path, seconds: float) -> tuple[Audio, int] | None:
    """A song's middle; None for what is silent or unreadable."""
    try:
        audio, rate_hz = read(path, seconds)
    except sf.LibsndfileError:
        return None
    return (audio, rate_hz) if np.abs(audio).max() > 1e-3 else None


def flatness(song: tuple[Path, float]) -> tuple[float, float] | None:
    """The reading of a song as it is, and squashed."""
    if (found := loud_stereo(*song)) is None:
        return None
    audio, rate_hz = found
    readings = []
    for each in (audio, squashed(audio, rate_hz)):
        meter = StrokeMeter(rate_hz, 2)
        meter.add(each)
        readings.append(meter.result_db() or 0.0)
    return readings[0], readings[1]


def missing_crest(song: tuple[Path, float]) -> list[float] | None:
    """How far from the original's the crest of the squashed song is, by how far strokes were lifted."""
    if (found := loud_stereo(*song)) is None:
        return None
    audio, rate_hz = found
    flat = squashed(audio, rate_hz)
    return [distance(shape_transients(flat, rate_hz, attack_db=gain), audio, rate_hz)[1] for gain in ATTACKS_DB]


def measured(what: Callable[[tuple[Path, float]], T | None], songs: list[Path], seconds: float) -> Iterator[T]:
    """Of every song that can be measured."""
    with ProcessPoolExecutor(2) as pool:
        yield from (each for each in pool.map(what, [(path, seconds) for path in songs]) if each is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--songs", type=int, help="only so many, drawn by lot")
    parser.add_argument("--attacks", action="store_true")
    options = parser.parse_args()
    every = training_songs(options.data, options.music)
    songs = [path for package, path in every if (package in VALIDATION_PACKAGES) == options.attacks]
    songs = [songs[at] for at in np.random.default_rng(0).permutation(len(songs))][: options.songs]
    if options.attacks:
        missing = np.array(list(measured(missing_crest, songs, options.seconds)))
        for gain, error in zip(ATTACKS_DB, missing.mean(axis=0), strict=True):
            print(f"{gain:g} dB of attack: {error:.1f} dB of crest off, {len(missing)} validation songs")
        return
    readings = np.array(list(measured(flatness, songs, options.seconds)))
    for name, values in zip(("untouched", "squashed"), readings.T, strict=True):
        shares = ", ".join(f"{np.mean(values < limit):.0%} under {limit:g} dB" for limit in (FLAT_DB, FREE_DB))
        spread = ", ".join(f"{at} %: {np.percentile(values, at):.1f}" for at in PERCENTILES)
        print(f"{name}, {len(values)} songs: {shares}; {spread}")


if __name__ == "__main__":
    main()
