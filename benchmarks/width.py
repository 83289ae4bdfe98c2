"""How far finished songs agree on their width: rebuilds core/master/finished_width.py from the training songs.

    python benchmarks/width.py ../shared/data --music /tmp/music

Songs as in benchmarks/styles.py, of each the middle 20 s. The training packages decide how the readings of
`core.master.width` are weighed: by generalised least squares (A. Aitken, "On Least Squares and Linear Combinations of
Observations", Proc. R. Soc. Edinburgh 55, 1936) the sum that follows a gain of the sides decibel by decibel and else
varies least. Its spread is measured on packages that it was not fitted to, one after the other. What it is worth is
printed for the validation packages. Only the figures leave this script, never audio.
"""

from __future__ import annotations

import argparse
import textwrap
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from styles import ROOT, read_mix, training_songs

from core.analysis.spectrum import SpectrumMeter
from core.master.width import NARROWEST_DB, WIDTH_HZ, WidthMeter, correction_db, readings, turned
from training.master.songs import VALIDATION_PACKAGES

Floats = NDArray[np.float64]
SECONDS = 20.0
RIDGE_DB2 = 1.0
"""Added to the variance of every reading, so that no two of them are played off against each other. With 0.3 the spread
over packages held out is the same and the weights larger."""
NARROWED_DB = -6.0


def measure(song: tuple[str, Path]) -> tuple[str, Floats] | None:
    """A song's package and readings; None for what is mono, silent or unreadable."""
    package, path = song
    try:
        if path.is_dir():
            audio, rate_hz = read_mix(path)
            start = max(audio.shape[1] - round(SECONDS * rate_hz), 0) // 2
            audio = audio[:, start : start + round(SECONDS * rate_hz)]
        else:
            with sf.SoundFile(path) as file:
                frames, rate_hz = min(file.frames, round(SECONDS * file.samplerate)), file.samplerate
                file.seek((file.frames - frames) // 2)
                audio = np.ascontiguousarray(file.read(frames, dtype="float32", always_2d=True).T)
    except sf.LibsndfileError:
        return None
    if len(audio) != 2:
        return None
    width, spectrum = WidthMeter(rate_hz, 2), SpectrumMeter(rate_hz, 2)
    width.add(audio)
    spectrum.add(audio)
    shares_db, side_db = width.result(), spectrum.result().side_db(*WIDTH_HZ)
    if shares_db is None or side_db is None or side_db < NARROWEST_DB:
        return None
    return package, readings(shares_db, side_db)


def weights_of(songs: Floats) -> Floats:
    """Weights (readings,) that add up to 1, for songs of shape (songs, readings)."""
    covariance = np.cov(songs.T) + RIDGE_DB2 * np.eye(songs.shape[1])
    weights = np.linalg.solve(covariance, np.ones(songs.shape[1]))
    return np.asarray(weights / weights.sum(), np.float64)


def fit(packages: NDArray[np.str_], songs: Floats) -> tuple[Floats, float, float]:
    """Weights, what finished songs usually give, and how far held-out songs lie from it (1.48 median |dB|)."""
    off = np.zeros(len(songs))
    for package in np.unique(packages):
        own = packages == package
        weights = weights_of(songs[~own])
        off[own] = songs[own] @ weights - np.mean(songs[~own] @ weights)
    weights = weights_of(songs)
    return weights, float(np.mean(songs @ weights)), 1.48 * float(np.median(np.abs(off)))


def module(weights: Floats, usual_db: float, spread_db: float, songs: int) -> str:
    """The text of core/master/finished_width.py."""
    figures = textwrap.wrap(", ".join(f"{weight:.3f}" for weight in weights), 100)
    lines = [
        f'"""How far {songs} finished songs agree on their width: made by benchmarks/width.py, not by hand."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "# fmt: off",
        "WEIGHTS: Final = (",
        *(f"    {line}" for line in figures),
        ")",
        '"""Of each of `core.master.width.readings`; they add up to 1."""',
        "# fmt: on",
        f"USUAL_DB: Final = {usual_db:.2f}",
        '"""What the weighted readings of a finished song come to on the mean."""',
        f"SPREAD_DB: Final = {spread_db:.2f}",
        '"""How far songs of packages that the weights do not know lie from it."""',
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--report", action="store_true", help="only say what the figures that are there are worth")
    parser.add_argument("--out", type=Path, default=ROOT / "core" / "master" / "finished_width.py")
    options = parser.parse_args()
    chosen = list(training_songs(options.data, options.music))
    if options.report:
        chosen = [song for song in chosen if song[0] in VALIDATION_PACKAGES]
    with ProcessPoolExecutor(2) as pool:
        found = [measured for measured in pool.map(measure, chosen) if measured]
    packages, songs = np.array([package for package, _ in found]), np.array([read for _, read in found])
    known = ~np.isin(packages, list(VALIDATION_PACKAGES))
    if options.report:
        for name, done_db in (("untouched", 0.0), ("narrowed", NARROWED_DB)):
            left = [done_db + correction_db(turned(song[:-1] + done_db, song[-1] + done_db)) for song in songs]
            print(f"{len(songs)} validation songs {name}: {np.abs(left).mean():.2f} dB from the original")
        return
    options.out.write_text(module(*fit(packages[known], songs[known]), int(known.sum())))


if __name__ == "__main__":
    main()
