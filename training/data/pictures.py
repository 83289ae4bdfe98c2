"""Draws the pictures that the recogniser learns from and is measured on: `python -m training.data.pictures`.

One shard per split and collection under $OTO_TRAINING/pictures; a shard that exists is kept, so that the command can be
stopped and started again. Training clips are drawn clean and harmed (bleed is added to their pictures while training).
Of validation and test each track is drawn clean, and harmed with other players' bleed mixed into the sound.
"""

from __future__ import annotations

import argparse
import time
import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.analysis.roles import guess_from_sound
from core.analysis.track import analyse_source
from core.models.features import BANDS, EXCERPT_S, FRAMES, excerpts
from training.data import clips
from training.data.clips import Audio, Clip
from training.data.manifest import SPLITS, Split
from training.data.places import training_root
from training.data.rehearsal import rehearse, with_bleed

HARMED_STEMS: Final = 2
"""Versions of a real stem, which are few, beside the clean one."""
HARMED_STEM_S: Final = 20
"""Of a training stem, from a random place."""
EXCERPTS_OF_CLIP: Final = 2
SEED: Final = 20


@dataclass(frozen=True)
class Pictures:
    """Pictures with where they come from, one row each."""

    mel: NDArray[np.float16]
    """Shape (n, 200, 64)."""
    label: NDArray[np.str_]
    group: NDArray[np.str_]
    kind: NDArray[np.str_]
    track: NDArray[np.str_]
    """Pictures of one track are answered together."""
    harmed: NDArray[np.bool_]
    rule: NDArray[np.str_]
    """What the rules hear; empty where they were not asked (training)."""


@dataclass(frozen=True)
class Heard:
    """A clip's audio as a source of the analysis."""

    audio: Audio
    name: str = ""
    channels: int = 1
    rate_hz: int = clips.RATE_HZ

    @property
    def frames(self) -> int:
        """Length in samples."""
        return self.audio.size

    def read(self, start: int, frames: int) -> Audio:
        """Float32 of shape (1, frames), silent past the end."""
        part = self.audio[start : start + frames]
        return np.pad(part, (0, frames - part.size))[None]


def shard(split: Split, name: str) -> Path:
    """The file of one collection."""
    return training_root() / "pictures" / split / f"{name}.npz"


def load(paths: list[Path]) -> Pictures:
    """Shards as one."""
    loaded = [np.load(path) for path in paths]
    columns = {field.name: np.concatenate([each[field.name] for each in loaded]) for field in fields(Pictures)}
    return Pictures(**columns)


def draw(split: Split, name: str, amount: clips.Amount | None = None) -> Pictures:
    """The pictures of one collection; the same for the same split and name."""
    rng = np.random.default_rng([SEED, zlib.crc32(f"{split}/{name}".encode())])
    drawn = clips.clips(split, name, rng, amount)
    heard = [] if split == "train" else list(drawn)
    rows: list[tuple[NDArray[np.float16], Clip, str, bool, str]] = []
    for at, clip in enumerate(heard or drawn):
        real = clip.kind == "stem"
        most = 6 if real else EXCERPTS_OF_CLIP
        versions = [(clip.audio, False)]
        if name in clips.PRODUCED:
            most = clips.AGAIN_S // EXCERPT_S
        elif split == "train":
            parts = [_part(clip.audio, rng) for _ in range(HARMED_STEMS)] if real else [clip.audio]
            versions += [(rehearse(part, rng), True) for part in parts]
        else:
            others = _others(split, heard, at, rng)
            versions.append((rehearse(with_bleed(clip.audio, others, rng), rng), True))
        for audio, harmed in versions:
            mel = excerpts(audio, clips.RATE_HZ, most=most).astype(np.float16)
            rule = "" if split == "train" else guess_from_sound(analyse_source(Heard(audio))).role
            rows.append((mel, clip, f"{split}/{name}/{at}", harmed, rule))
    counts = [len(row[0]) for row in rows]
    return Pictures(
        mel=np.concatenate([row[0] for row in rows]) if rows else np.zeros((0, FRAMES, BANDS), np.float16),
        label=np.repeat([row[1].label for row in rows], counts),
        group=np.repeat([row[1].group for row in rows], counts),
        kind=np.repeat([row[1].kind for row in rows], counts),
        track=np.repeat([row[2] for row in rows], counts),
        harmed=np.repeat([row[3] for row in rows], counts),
        rule=np.repeat([row[4] for row in rows], counts),
    )


def _part(audio: Audio, rng: Generator) -> Audio:
    """The stretch of HARMED_STEM_S with the most sound of five random ones."""
    length = min(HARMED_STEM_S * clips.RATE_HZ, audio.size)
    starts = rng.integers(0, audio.size - length + 1, 5)
    return max((audio[start : start + length] for start in starts), key=lambda part: float(np.square(part).sum()))


def _others(split: Split, heard: list[Clip], at: int, rng: Generator) -> list[Audio]:
    """Up to three other players: of the same song where there is one, else of the same collection."""
    clip = heard[at]
    if clip.kind == "stem":
        pool = [other for other in clips.song_stems(split, clip.group) if not np.array_equal(other, clip.audio)]
    else:
        pool = [other.audio for other in heard if other.label != clip.label] or [other.audio for other in heard]
    pool = [other for other in pool if float(np.abs(other).max(initial=0.0)) > clips.QUIETEST]
    chosen = rng.permutation(len(pool))[: rng.integers(1, 4)]
    return [pool[each] for each in chosen]


def _make(split: Split, name: str) -> str:
    path = shard(split, name)
    if path.exists():
        return f"{split}/{name}: kept"
    start_s = time.monotonic()
    drawn = draw(split, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part.npz")
    np.savez(written, **{field.name: getattr(drawn, field.name) for field in fields(Pictures)})
    written.rename(path)
    return f"{split}/{name}: {len(drawn.label)} pictures in {time.monotonic() - start_s:.0f} s"


def main() -> None:
    """Draw what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=SPLITS, action="append", help="only this split; may be given several times")
    parser.add_argument("--only", action="append", help="only this collection; may be given several times")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    wanted = [(split, name) for split in asked.split or SPLITS for name in clips.collections(split)
              if not asked.only or name in asked.only]  # fmt: skip
    with ProcessPoolExecutor(asked.jobs) as pool:
        for line in pool.map(_make, *zip(*wanted, strict=True)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
