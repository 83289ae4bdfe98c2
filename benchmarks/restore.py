"""Degrade and restore: finished music made worse by known amounts, mastered, and held against what it was.

    python benchmarks/restore.py ../shared/data --music /tmp/music --peer PYTHON_WITH_MATCHERING [--songs N]

The songs are those of the packages kept for testing (supertuxkart-data, hyperrogue-music, singularity-music, unpacked
under --music) and the mixes of multitracks/test, or those of --packages; of each the middle --seconds count. Each is
darkened (-1.5 dB per octave from 250 Hz up), dulled (one pole at 2.5 kHz), squashed (compressed 4:1 from 6 dB below its
loudness on, then 6 dB into a limiter) and narrowed (sides -6 dB), and left as it is; with --faults also brightened (1
dB per octave from 250 Hz up), muddy (5 dB around 250 Hz), widened (sides +4 dB), pressed (compressed 3:1 from 14 dB
below its loudness on), limited (by 8 dB) and clipped (tanh, from -6 LUFS). What has to do the restoring:

- loudness only: the degraded song itself;
- rules and model: OTO's mastering engineers (--engineers), with no reference and no word about the style, for broadcast
  (-23 LUFS), where nothing has to be limited;
- ..., streaming: the same for -14 LUFS, where a dynamic song pays for loudness with crest (with --streaming);
- Matchering: given another song of the same package, the one that follows in the list.

Distance = mean over third octaves from 45 Hz to 14 kHz of |dB|, + |dB| of crest, + |dB| of sides against the middle
(150 Hz to 14 kHz, sides below -30 dB counting as none), each of the loudness-matched song against the original.
Intervals are 95 % of the mean, by bootstrap over songs.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray
from styles import TEST_PACKAGES, read_mix

from core.analysis.features import BAND_HZ
from core.analysis.loudness import LoudnessMeter
from core.analysis.spectrum import SpectrumMeter
from core.desk.sources import FileSource
from core.dsp.dynamics import Compressor
from core.dsp.limiter import limit
from core.dsp.linear_phase import shape_tone
from core.master.engineer import propose_master
from core.master.render import render_master
from core.master.targets import TARGETS
from core.models import mastering
from core.models.runtime import Unusable

Audio = NDArray[np.float32]
BANDS = np.array(BAND_HZ)
JUDGED = (BANDS >= 45.0) & (BANDS <= 14_000.0)
NO_SIDE_DB = -30.0
MATCHERING = """
import sys, matchering
other, *jobs = sys.argv[1:]
for song, out in zip(jobs[::2], jobs[1::2]):
    matchering.process(target=song, reference=other, results=[matchering.Result(out, subtype="FLOAT")])
"""
ENGINEERS = ("rules", "model")
MODELS = Path(os.environ["OTO_MODELS"]) if "OTO_MODELS" in os.environ else None
"""A folder with a controller that is not in use yet."""
TARGETS_OF = {"": "broadcast", ", streaming": "streaming"}
CONTENDERS = ("loudness only", *(f"{name}{at}" for at in TARGETS_OF for name in ENGINEERS), "Matchering")


@dataclass(frozen=True)
class Song:
    """A song to degrade, and another of its kind."""

    path: Path
    other: Path


def songs(data: Path, music: Path, packages: set[str]) -> Iterator[Song]:
    """Every song of the packages with the one that follows it in its package or family."""
    families: dict[str, list[Path]] = {}
    for row in csv.DictReader((data / "facts" / "finished_music.csv").open()):
        path = music / row["path"].removeprefix("/")
        if row["source"] in packages and path.exists():
            families.setdefault(row["source"], []).append(path)
    if packages == TEST_PACKAGES:
        families["multitracks"] = sorted((data / "multitracks" / "test").iterdir())
    for family in families.values():
        for path, other in zip(family, [*family[1:], family[0]], strict=True):
            yield Song(path, other)


def read(path: Path, seconds: float) -> tuple[Audio, int]:
    """The middle of a song or the sum of its stems, always stereo."""
    if path.is_dir():
        audio, rate_hz = read_mix(path)
        start = max(audio.shape[1] - round(seconds * rate_hz), 0) // 2
        audio = audio[:, start : start + round(seconds * rate_hz)]
    else:
        with sf.SoundFile(path) as file:
            frames, rate_hz = min(file.frames, round(seconds * file.samplerate)), file.samplerate
            file.seek((file.frames - frames) // 2)
            audio = file.read(frames, dtype="float32", always_2d=True).T
    return np.ascontiguousarray(np.repeat(audio, 2, axis=0) if len(audio) == 1 else audio[:2]), rate_hz


# ---------------------------------------------------------------- degrading


def _toned(audio: Audio, rate_hz: int, gains_db: NDArray[np.float64]) -> Audio:
    gains = tuple(map(float, gains_db))
    return shape_tone(audio, rate_hz, freq_hz=tuple(BAND_HZ), mid_db=gains, side_db=gains)


def darkened(audio: Audio, rate_hz: int) -> Audio:
    return _toned(audio, rate_hz, np.where(BANDS > 250.0, -1.5 * np.log2(BANDS / 250.0), 0.0))


def dulled(audio: Audio, rate_hz: int) -> Audio:
    return _toned(audio, rate_hz, -10 * np.log10(1 + (BANDS / 2_500.0) ** 2))


def squashed(audio: Audio, rate_hz: int) -> Audio:
    lufs = loudness(audio, rate_hz)
    compressor = Compressor(
        rate_hz, 2, threshold_db=lufs - 6.0, ratio=4.0, attack_ms=2.0, release_ms=80.0, knee_db=6.0, makeup_db=0.0,
        sidechain_hz=10.0, mix=1.0,
    )  # fmt: skip
    pressed = compressor.process(audio)
    peak_db = 20 * float(np.log10(np.abs(pressed).max()))
    return limit(pressed, rate_hz, ceiling_dbtp=peak_db - 6.0, release_ms=60.0)


def pressed(audio: Audio, rate_hz: int) -> Audio:
    compressor = Compressor(
        rate_hz, 2, threshold_db=loudness(audio, rate_hz) - 14.0, ratio=3.0, attack_ms=5.0, release_ms=120.0,
        knee_db=6.0, makeup_db=0.0, sidechain_hz=10.0, mix=1.0,
    )  # fmt: skip
    return compressor.process(audio)


def limited(audio: Audio, rate_hz: int) -> Audio:
    peak_db = 20 * float(np.log10(np.abs(audio).max()))
    return limit(audio, rate_hz, ceiling_dbtp=peak_db - 8.0, release_ms=100.0)


def clipped(audio: Audio, rate_hz: int) -> Audio:
    gain = np.float32(10 ** ((-6.0 - loudness(audio, rate_hz)) / 20))
    return np.tanh(audio * gain).astype(np.float32)


def narrowed(audio: Audio, _rate_hz: int) -> Audio:
    return _sides(audio, -6.0)


def _sides(audio: Audio, gain_db: float) -> Audio:
    middle, side = audio.mean(axis=0), 0.5 * (audio[0] - audio[1]) * 10 ** (gain_db / 20)
    return np.stack([middle + side, middle - side]).astype(np.float32)


def brightened(audio: Audio, rate_hz: int) -> Audio:
    return _toned(audio, rate_hz, np.where(BANDS > 250.0, np.log2(BANDS / 250.0), 0.0))


def muddy(audio: Audio, rate_hz: int) -> Audio:
    return _toned(audio, rate_hz, 5.0 * np.exp(-0.5 * np.square(np.log2(BANDS / 250.0) / 0.6)))


def widened(audio: Audio, _rate_hz: int) -> Audio:
    return _sides(audio, 4.0)


def untouched(audio: Audio, _rate_hz: int) -> Audio:
    return audio


FAULTS: dict[str, Callable[[Audio, int], Audio]] = {
    fault.__name__: fault
    for fault in (
        *(darkened, dulled, squashed, narrowed, untouched),
        *(brightened, muddy, widened, pressed, limited, clipped),
    )
}
USUAL_FAULTS = list(FAULTS)[:5]


# ---------------------------------------------------------------- measuring


def loudness(audio: Audio, rate_hz: int) -> float:
    meter = LoudnessMeter(rate_hz, len(audio))
    meter.add(audio)
    found = meter.result().integrated_lufs
    return -70.0 if found is None else found


def portrait(audio: Audio, rate_hz: int) -> tuple[NDArray[np.float64], float, float]:
    """Band levels, crest and width of a song at -23 LUFS, all in dB."""
    audio = audio * np.float32(10 ** ((-23.0 - loudness(audio, rate_hz)) / 20))
    meter = SpectrumMeter(rate_hz, 2)
    meter.add(audio)
    found = meter.result()
    power = np.array(found.middle) + np.array(found.side)
    levels = 10 * np.log10(np.maximum(power / audio.shape[1], 1e-14))
    crest = 20 * np.log10(np.abs(audio).max() / np.sqrt(np.mean(np.square(audio), dtype=np.float64)))
    width = found.side_db(150.0, 14_000.0)
    return levels, float(crest), NO_SIDE_DB if width is None else max(width, NO_SIDE_DB)


def distance(song: Audio, original: Audio, rate_hz: int) -> tuple[float, float, float]:
    """Spectrum, crest and width apart, in dB. Bands that the original does not have are left out."""
    frames = min(song.shape[1], original.shape[1])
    ours, theirs = portrait(song[:, :frames], rate_hz), portrait(original[:, :frames], rate_hz)
    heard = JUDGED & (theirs[0] > theirs[0].max() - 80.0)
    return float(np.abs(ours[0] - theirs[0])[heard].mean()), abs(ours[1] - theirs[1]), abs(ours[2] - theirs[2])


# ---------------------------------------------------------------- restoring


def with_oto(song: Path, engineer: str, target: str, out: Path) -> None:
    source = FileSource(song)
    found = mastering.controller(MODELS) if engineer == "model" else None
    if isinstance(found, Unusable):
        raise SystemExit(found.why)
    render_master(propose_master(source, TARGETS[target], controller=found), source, out)


def with_matchering(peer: str, other: Path, jobs: dict[Path, Path]) -> None:
    """Songs and where their masters go, in one process, so that its start counts once."""
    words = [str(word) for job in jobs.items() for word in job]
    subprocess.run([peer, "-c", MATCHERING, str(other), *words], check=True, capture_output=True)


def judge(
    job: tuple[Song, str, float, list[str], dict[str, tuple[str, str]]],
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Distances of one song: per fault and contender."""
    song, peer, seconds, faults, engineers = job
    original, rate_hz = read(song.path, seconds)
    result: dict[str, dict[str, tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other, out = folder / "other.wav", folder / "out.wav"
        bad = {fault: folder / f"{fault}.wav" for fault in faults}
        matched = {fault: folder / f"{fault} matched.wav" for fault in faults}
        for fault in faults:
            degraded = FAULTS[fault](original, rate_hz)
            sf.write(bad[fault], degraded.T, rate_hz, subtype="FLOAT")
            result[fault] = {"loudness only": distance(degraded, original, rate_hz)}
            for contender, (engineer, target) in engineers.items():
                with_oto(bad[fault], engineer, target, out)
                result[fault][contender] = distance(at_rate(out, rate_hz), original, rate_hz)
        if peer:
            model, model_hz = read(song.other, seconds)
            sf.write(other, model.T, model_hz, subtype="FLOAT")
            with_matchering(peer, other, {bad[fault]: matched[fault] for fault in faults})
            for fault in faults:
                result[fault]["Matchering"] = distance(at_rate(matched[fault], rate_hz), original, rate_hz)
    return result


def at_rate(path: Path, rate_hz: int) -> Audio:
    """A master at the original's rate: Matchering works at a rate of its own."""
    made, made_hz = sf.read(path, dtype="float32")
    if made_hz != rate_hz:
        made = soxr.resample(made, made_hz, rate_hz, quality="VHQ")
    return np.ascontiguousarray(made.T)


def interval(values: NDArray[np.float64]) -> str:
    """Mean and half of its 95 % interval."""
    random = np.random.default_rng(1)
    means = values[random.integers(0, len(values), (4_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return f"{values.mean():.2f} ± {(high - low) / 2:.2f}"


def report(found: list[dict[str, dict[str, list[float]]]]) -> None:
    print("Mean and 95 % interval in dB; lower is nearer to the original")
    print("| fault | contender | songs | distance | spectrum | crest | width | nearer than loudness only |")
    print("|---|---|---|---|---|---|---|---|")
    for fault in FAULTS:
        chosen = [song[fault] for song in found if fault in song]
        for name in CONTENDERS:
            figures = np.array([song[name] for song in chosen if name in song])
            if not len(figures):
                continue
            plain = np.array([sum(song["loudness only"]) for song in chosen if name in song])
            nearer = f"{np.mean(figures.sum(axis=1) < plain):.0%}" if name != "loudness only" else ""
            parts = " | ".join(f"{part.mean():.2f}" for part in figures.T)
            print(f"| {fault} | {name} | {len(figures)} | {interval(figures.sum(axis=1))} | {parts} | {nearer} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--peer", default=os.environ.get("OTO_PEER_PYTHON", ""), help="a Python that has Matchering")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--songs", type=int, help="only so many, drawn by lot")
    parser.add_argument("--faults", nargs="*", choices=FAULTS, default=USUAL_FAULTS)
    parser.add_argument("--engineers", nargs="*", choices=ENGINEERS, default=list(ENGINEERS))
    parser.add_argument("--packages", nargs="*", default=sorted(TEST_PACKAGES))
    parser.add_argument("--streaming", action="store_true", help="also let OTO master for streaming")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="append each song's figures to this file, and go on from it")
    options = parser.parse_args()
    chosen = list(songs(options.data, options.music, set(options.packages)))
    chosen = [chosen[i] for i in np.random.default_rng(1).permutation(len(chosen))][: options.songs]
    known: dict[str, dict[str, dict[str, list[float]]]] = {}
    if options.keep and options.keep.exists():
        known = dict(json.loads(line) for line in options.keep.read_text().splitlines())
    todo = [song for song in chosen if str(song.path) not in known]
    ends = list(TARGETS_OF)[: 2 if options.streaming else 1]
    engineers = {f"{name}{end}": (name, TARGETS_OF[end]) for end in ends for name in options.engineers}
    jobs = [(song, options.peer, options.seconds, options.faults, engineers) for song in todo]
    with ProcessPoolExecutor(options.workers) as pool:
        for song, found in zip(todo, pool.map(judge, jobs), strict=True):
            known[str(song.path)] = json.loads(json.dumps(found))
            if options.keep:
                with options.keep.open("a") as file:
                    print(json.dumps((str(song.path), found)), file=file)
            print(f"{len(known)}/{len(chosen)} {song.path.name}", file=sys.stderr, flush=True)
    report([known[str(song.path)] for song in chosen if str(song.path) in known])


if __name__ == "__main__":
    main()
