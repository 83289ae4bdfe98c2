"""Songs whose authors' balance is known: every track measured once, with the level and place its author gave it.

    nice -n 19 python -m training.mix.songs --workers 1

Can be stopped and called again: what was measured is kept under $OTO_TRAINING/mix, a file per song.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis, analyse_source
from core.mix.balance import level_lufs
from training.data.manifest import SPLITS, Split, sources
from training.data.packages import fetch
from training.data.places import packages, shared_data, training_root
from training.mix import midi, modules

Audio = NDArray[np.float32]

EXCERPT_S: Final = 30.0
PEAK_DBFS: Final = -10.0
"""Where every track peaks when it is measured; what is measured of its sound does not hang on it."""
INAUDIBLE_LU: Final = 30.0
"""Tracks further below the mix are left out: nobody chose their level to be heard."""
FEWEST_TRACKS: Final = 2
MOST_TRACKS: Final = 32

MODULE_PACKAGES: Final[dict[str, Split]] = {
    "bomberclone-data": "train",
    "ceferino-data": "train",
    "circuslinux-data": "train",
    "criticalmass-data": "train",
    "freedroid-data": "train",
    "gltron": "train",
    "madbomber-data": "train",
    "monsterz-data": "train",
    "njam-data": "validation",
    "pachi-data": "validation",
    "rafkill-data": "train",
    "tecnoballz-data": "train",
}
"""Debian packages with tracker modules; each lies wholly on one side of the split."""
MODULE_SUFFIXES: Final = frozenset({".mod", ".xm", ".s3m", ".it", ".stm"})
MIDI_SIDES: Final[dict[int, Split]] = {0: "validation", 1: "test"}
"""By the last digit of a song's place in the list, as for the recogniser; the others are for training."""
FONTS: Final[dict[Split, tuple[str, ...]]] = {
    "train": ("fluid_r3",),
    "validation": ("tim_gm",),
    "test": ("gm_bank",),
}


class Track(msgspec.Struct, frozen=True):
    """One track of a song."""

    name: str
    heard: TrackAnalysis
    """Of the track at `PEAK_DBFS`."""
    author_lufs: float
    """How loud its author left it."""
    pan: float | None = None
    """Where its author put it, for a mono track."""


class Song(msgspec.Struct, frozen=True):
    """A song as its author balanced it."""

    name: str
    kind: str
    """multitrack, module or midi."""
    split: Split
    tracks: tuple[Track, ...]


@dataclass(frozen=True)
class Task:
    """A song that can be measured."""

    kind: str
    split: Split
    path: str
    font: str = ""
    split_kit: bool = False

    @property
    def name(self) -> str:
        """Names the file that is kept."""
        path = Path(self.path)
        stem = path.name if self.kind == "multitrack" else "-".join((*path.parts[-4:-1], path.stem))
        return "-".join(filter(None, (self.kind, stem, self.font))).replace(" ", "_")


def folder() -> Path:
    """Where measured songs are kept."""
    return training_root() / "mix" / "songs"


def tasks() -> list[Task]:
    """Every song that is there, the most telling kinds first; those of test are for reporting."""
    multitracks = [
        Task("multitrack", split, str(path.parent))
        for split in SPLITS
        for path in sorted((shared_data() / "multitracks" / split).glob("*/meta.json"))
    ]
    return [*multitracks, *_modules(), *_midi()]


def _modules() -> list[Task]:
    found = []
    for package, split in MODULE_PACKAGES.items():
        listed = packages() / "usr" / "share" / "doc" / package
        names = {package, package.removesuffix("-data")}
        places = [packages() / "usr" / "share" / place / name for place in ("games", "") for name in names]
        files = sorted({path for place in places if listed.exists() for path in place.rglob("*")})
        found += [Task("module", split, str(path)) for path in files if path.suffix.lower() in MODULE_SUFFIXES]
    return found


def _midi() -> list[Task]:
    found = []
    for at, path in enumerate(sorted((shared_data() / "midi" / "freedoom").rglob("*.mid"))):
        split = MIDI_SIDES.get(at % 10, "train")
        fonts = FONTS[split]
        found.append(Task("midi", split, str(path), fonts[at // 2 % len(fonts)], at % 4 < 2))
    return found


# ---------------------------------------------------------------- measuring


@dataclass
class _Heard:
    """Audio at the level at which a track is measured, as a source."""

    name: str
    audio: Audio
    rate_hz: int

    @property
    def channels(self) -> int:
        return len(self.audio)

    @property
    def frames(self) -> int:
        return int(self.audio.shape[1])

    def read(self, start: int, frames: int) -> Audio:
        return self.audio[:, start : start + frames]


def measured(name: str, audio: Audio, rate_hz: int, pan: float | None = None) -> Track | None:
    """A track as its author left it, (channels, frames); None for one that is silent."""
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < 1e-4:
        return None
    if len(audio) == 2 and np.abs(audio[0] - audio[1]).max() < 1e-4 * peak:
        audio = audio[:1] * np.float32(math.sqrt(2.0))
    gain_db = PEAK_DBFS - 20.0 * math.log10(float(np.abs(audio).max()))
    heard = analyse_source(_Heard(name, audio * np.float32(10.0 ** (gain_db / 20.0)), rate_hz))
    if heard.integrated_lufs is None and heard.active_lufs is None:
        return None
    return Track(name, heard, level_lufs(heard) - gain_db, pan)


def measure(task: Task) -> Song:
    """Play a song track by track and measure each."""
    tracks = [track for track in _tracks(task) if track is not None]
    whole = 10.0 * math.log10(sum(10.0 ** (track.author_lufs / 10.0) for track in tracks)) if tracks else 0.0
    audible = [track for track in tracks if track.author_lufs > whole - INAUDIBLE_LU]
    loudest = sorted(audible, key=lambda track: -track.author_lufs)[:MOST_TRACKS]
    return Song(task.name, task.kind, task.split, tuple(track for track in audible if track in loudest))


def _tracks(task: Task) -> Iterator[Track | None]:
    path = Path(task.path)
    if task.kind == "multitrack":
        for stem in json.loads((path / "meta.json").read_text())["stems"]:
            audio, rate_hz = soundfile.read(path / stem["file"], dtype="float32", always_2d=True)
            yield measured(stem["name"], np.ascontiguousarray(audio.T), rate_hz)
    elif task.kind == "module":
        for name, audio in modules.stems(path, EXCERPT_S):
            yield measured(name, audio, modules.RATE_HZ)
    else:
        font = next(each.path for each in sources() if each.name == task.font)
        for part, audio in midi.play(midi.parts(path, EXCERPT_S, split_kit=task.split_kit), font, EXCERPT_S):
            yield measured(part.name, audio[None, :], midi.RATE_HZ, part.pan)


def measure_and_keep(task: Task) -> str:
    """Measure a song unless that was done, and say what came of it."""
    file = folder() / f"{task.name}.msgpack"
    if file.exists():
        return f"{task.name}: there"
    try:
        song = measure(task)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        return f"{task.name}: {error}"
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(msgspec.msgpack.encode(song))
    partial.replace(file)
    return f"{task.name}: {len(song.tracks)} tracks"


def songs(split: Split, *kinds: str) -> list[Song]:
    """The measured songs of one side of the split, with at least `FEWEST_TRACKS` tracks."""
    found = []
    for file in sorted(folder().glob("*.msgpack")):
        song = msgspec.msgpack.decode(file.read_bytes(), type=Song)
        if song.split == split and len(song.tracks) >= FEWEST_TRACKS and (not kinds or song.kind in kinds):
            found.append(song)
    return found


def seed_of(song: Song) -> int:
    """A number of its own for every song, the same on every machine."""
    return zlib.crc32(song.name.encode())


def main() -> None:
    """Fetch what is missing and measure every song."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    if shutil.which("fluidsynth") is None or modules.library() is None:
        raise SystemExit("Install first: fluidsynth libopenmpt0")
    fetch(MODULE_PACKAGES, packages())
    planned = tasks()
    with ProcessPoolExecutor(options.workers) as pool:
        for count, said in enumerate(pool.map(measure_and_keep, planned), 1):
            print(f"{count}/{len(planned)} {said}", flush=True)


if __name__ == "__main__":
    main()
