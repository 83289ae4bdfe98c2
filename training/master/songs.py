"""Which finished songs the controller learns from, and how they are measured.

    nice -n 10 python -m training.master.songs ../shared/data --music /tmp/music

Songs are split by package, so that no album is on both sides. Of each song two excerpts count: the loudest 20 s of the
minute in its middle, and 20 s from anywhere. Each is measured as it is, squashed and expanded by random amounts; tone
and width are degraded later, in the spectrum, where that is exact and free. Kept: `OTO_TRAINING/master/portraits.npz`.
"""

from __future__ import annotations

import argparse
import csv
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from core.dsp.dynamics import Compressor
from core.dsp.limiter import limit
from core.models.mastering import Portrait, PortraitMeter

Audio = NDArray[np.float32]
Split = Literal["train", "validation", "test"]

TEST_PACKAGES: Final = frozenset({"supertuxkart-data", "hyperrogue-music", "singularity-music"})
VALIDATION_PACKAGES: Final = frozenset({"warzone2100-music", "freedroidrpg-data", "extremetuxracer-data", "zaz-data"})
TRAINING_FOLDER: Final = Path(os.environ.get("OTO_TRAINING", "/tmp/oto-training")) / "master"
EXCERPT_S: Final = 20.0
SEARCHED_S: Final = 60.0
VARIANTS: Final = ("as it is", "squashed", "expanded")
_SQUASH_RATIO, _MOST_EXPANSION = (2.0, 6.0), 0.6


class Song(msgspec.Struct, frozen=True):
    """A finished song and where it comes from."""

    package: str
    path: str
    split: Split


def all_songs(data: Path, music: Path) -> Iterator[Song]:
    """Every finished song that lies unpacked under `music`, and the mixes of the multitracks."""
    by_name: dict[str, list[Path]] = {}
    for path in sorted(music.rglob("*.*")):
        by_name.setdefault(path.name, []).append(path)
    for row in csv.DictReader((data / "facts" / "finished_music.csv").open()):
        tail = row["path"].removeprefix("/unz")
        found = [path for path in by_name.get(Path(tail).name, []) if str(path).endswith(tail)]
        if found:
            yield Song(row["source"], str(found[0]), split_of(row["source"]))
    splits: tuple[Split, ...] = ("train", "validation", "test")
    for split in splits:
        for path in sorted((data / "multitracks" / split).iterdir()):
            yield Song(f"multitracks {path.name.split('_')[0]}", str(path), split)


def split_of(package: str) -> Split:
    """On which side of the wall a package lies."""
    if package in TEST_PACKAGES:
        return "test"
    return "validation" if package in VALIDATION_PACKAGES else "train"


# ---------------------------------------------------------------- reading


def excerpts(song: Song) -> list[tuple[Audio, int]]:
    """Up to two excerpts, (2, frames) with their rate; none of what is too short or unreadable."""
    path = Path(song.path)
    random = np.random.default_rng(zlib.crc32(path.name.encode()))
    try:
        if path.is_dir():
            audio, rate_hz = _mix(path)
            return [(_loudest(audio, rate_hz), rate_hz)]
        with sf.SoundFile(path) as file:
            length, rate_hz = round(EXCERPT_S * file.samplerate), file.samplerate
            if file.frames < length or file.channels > 2:
                return []
            middle = _read(file, max(file.frames - round(SEARCHED_S * rate_hz), 0) // 2, round(SEARCHED_S * rate_hz))
            anywhere = _read(file, int(random.integers(0, file.frames - length + 1)), length)
            return [(_loudest(middle, rate_hz), rate_hz), (anywhere, rate_hz)]
    except sf.LibsndfileError:
        return []


def _read(file: sf.SoundFile, start: int, frames: int) -> Audio:
    file.seek(start)
    audio = file.read(frames, dtype="float32", always_2d=True).T
    return np.ascontiguousarray(np.broadcast_to(audio, (2, audio.shape[1])))


def _mix(folder: Path) -> tuple[Audio, int]:
    stems = [sf.read(path, dtype="float32", always_2d=True) for path in sorted(folder.glob("*.ogg"))]
    frames = min(len(audio) for audio, _ in stems)
    total = sum(np.broadcast_to(audio[:frames], (frames, 2)) for audio, _ in stems)
    return np.ascontiguousarray(np.asarray(total, np.float32).T), stems[0][1]


def _loudest(audio: Audio, rate_hz: int) -> Audio:
    second = np.square(audio[:, : audio.shape[1] // rate_hz * rate_hz]).reshape(2, -1, rate_hz).mean(axis=(0, 2))
    seconds = round(EXCERPT_S)
    if len(second) <= seconds:
        return audio
    start = int(np.convolve(second, np.ones(seconds), "valid").argmax()) * rate_hz
    return np.ascontiguousarray(audio[:, start : start + seconds * rate_hz])


# ---------------------------------------------------------------- degrading dynamics


def squashed(audio: Audio, rate_hz: int, random: np.random.Generator) -> Audio:
    """Compressed from somewhere around its level on, then pushed into a limiter."""
    level_db = 10 * float(np.log10(np.mean(np.square(audio)) + 1e-12))
    compressor = Compressor(
        rate_hz,
        2,
        threshold_db=float(np.clip(level_db - random.uniform(0.0, 9.0), -60.0, 0.0)),
        ratio=random.uniform(*_SQUASH_RATIO),
        attack_ms=float(np.exp(random.uniform(0.0, 3.4))),
        release_ms=random.uniform(50.0, 250.0),
        knee_db=6.0,
        makeup_db=0.0,
        sidechain_hz=10.0,
        mix=1.0,
    )
    pressed = compressor.process(audio)
    peak_db = 20 * float(np.log10(np.abs(pressed).max() + 1e-9))
    return limit(
        pressed, rate_hz, ceiling_dbtp=peak_db - random.uniform(0.0, 8.0), release_ms=random.uniform(40.0, 150.0)
    )


def expanded(audio: Audio, rate_hz: int, random: np.random.Generator) -> Audio:
    """Louder where it is loud: the level of every 20 ms moves away from the song's mean by a factor."""
    step = round(0.02 * rate_hz)
    steps = audio.shape[1] // step
    power = np.square(audio[:, : steps * step]).reshape(2, steps, step).mean(axis=(0, 2))
    level_db = 10 * np.log10(power + 1e-9 * power.mean() + 1e-20)
    away_db = np.clip(level_db - 10 * np.log10(power.mean() + 1e-20), -12.0, 12.0)
    gain_db = np.convolve(random.uniform(0.15, _MOST_EXPANSION) * away_db, np.ones(3) / 3, "same")
    at = (np.arange(steps) + 0.5) * step
    return audio * (10 ** (np.interp(np.arange(audio.shape[1]), at, gain_db) / 20)).astype(np.float32)


# ---------------------------------------------------------------- measuring


def portrait_of(audio: Audio, rate_hz: int) -> Portrait | None:
    """What the controller hears of an excerpt."""
    meter = PortraitMeter(rate_hz, len(audio))
    meter.add(audio)
    return meter.result()


def measure(song: Song) -> list[list[Portrait]]:
    """Per excerpt its portraits, one per variant."""
    random = np.random.default_rng(zlib.crc32(song.path.encode()))
    found: list[list[Portrait]] = []
    for audio, rate_hz in excerpts(song):
        if np.abs(audio).max(initial=0.0) < 1e-3:
            continue
        versions = (audio, squashed(audio, rate_hz, random), expanded(audio, rate_hz, random))
        portraits = [portrait for version in versions if (portrait := portrait_of(version, rate_hz))]
        if len(portraits) == len(VARIANTS):
            found.append(portraits)
    return found


def main() -> None:
    """Measure every song that may be learned from or chosen on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=TRAINING_FOLDER / "portraits.npz")
    parser.add_argument("--songs", type=int, help="only so many, drawn by lot")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    songs = [song for song in all_songs(options.data, options.music) if song.split != "test"]
    songs = [songs[i] for i in np.random.default_rng(1).permutation(len(songs))][: options.songs]
    kept: list[tuple[Song, list[Portrait]]] = []
    with ProcessPoolExecutor(options.workers) as pool:
        for count, (song, found) in enumerate(zip(songs, pool.map(measure, songs), strict=True), 1):
            kept += [(song, portraits) for portraits in found]
            print(f"{count}/{len(songs)} {song.package} {Path(song.path).name}", flush=True)
    fields: dict[str, Any] = {
        name: np.array([[getattr(portrait, name) for portrait in portraits] for _, portraits in kept])
        for name in Portrait.__dataclass_fields__
    }
    origin: dict[str, Any] = {
        "song": np.array([song.path for song, _ in kept]),
        "package": np.array([song.package for song, _ in kept]),
        "split": np.array([song.split for song, _ in kept]),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(options.out, **origin, **fields)


if __name__ == "__main__":
    main()
