"""How close a proposed mix of recordings comes to the one a song's author made.

There is no free session of a band with its human mix. So every stem of a song becomes what one microphone might have
made of it (`training.data.rehearsal`): one channel, in a room, through a microphone's tone, with noise, hum or clipping
at times, at a level of its own. What the engineer then proposes is compared with the author's mix of the stems, beside
the recordings as they come and all equally loud, both in the middle: mean balance error per stem in LU (trims and
faders only), and the whole mix's differences as `benchmarks.balance` measures them. Seeded by the song's name.

    python -m benchmarks.recorded ../shared/data/multitracks --split validation
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.balance import FEATURES, INAUDIBLE_LU, errors_lu, mix_features, strip_gains_db
from core.analysis.track import analyse_source
from core.desk.render import render_mix
from core.desk.sources import FileSource
from core.mix.balance import level_lufs
from core.mix.engineer import propose_mix
from core.plans.document import MixPlan
from training.data.rehearsal import RATE_HZ, rehearse

Audio = NDArray[np.float32]
METHODS = ("unity sum", "equal loudness", "engineer")
CANCELS = 0.05
"""Where less of a stem's power is left in the sum of its sides, its left side alone is taken."""


@dataclass(frozen=True)
class Sound:
    """Audio in memory as a source, (channels, frames)."""

    name: str
    audio: Audio
    rate_hz: int = RATE_HZ

    @property
    def channels(self) -> int:  # noqa: D102
        return len(self.audio)

    @property
    def frames(self) -> int:  # noqa: D102
        return int(self.audio.shape[1])

    def read(self, start: int, frames: int) -> Audio:
        """Samples of it, silence behind its end."""
        part = self.audio[:, start : start + frames]
        return np.pad(part, ((0, 0), (0, frames - part.shape[1])))


def stems_of(folder: Path) -> list[Sound]:
    """Audible stems of a song as their author left them, in stereo."""
    found = []
    for entry in json.loads((folder / "meta.json").read_text())["stems"]:
        source = FileSource(folder / entry["file"])
        if entry["rel_lu"] >= -INAUDIBLE_LU and source.rate_hz == RATE_HZ:
            audio = np.broadcast_to(source.read(0, source.frames), (2, source.frames))
            found.append(Sound(entry["name"], np.ascontiguousarray(audio)))
    return found


def recorded(stem: Sound, random: np.random.Generator) -> Sound:
    """What one microphone might have made of a stem."""
    middle = stem.audio.sum(axis=0) * np.float32(math.sqrt(0.5))
    if np.square(middle).sum() < CANCELS * np.square(stem.audio).sum():
        middle = stem.audio[0]
    return Sound(stem.name, rehearse(middle, random)[None])


def summed(tracks: Sequence[Sound], gains_db: Sequence[float]) -> Audio:
    """Tracks with these gains, those of one channel in the middle, (2, frames)."""
    total = np.zeros((2, max(track.frames for track in tracks)), np.float32)
    for track, gain_db in zip(tracks, gains_db, strict=True):
        total[:, : track.frames] += track.audio * np.float32(10.0 ** (gain_db / 20.0))
    return total


def rendered(plan: MixPlan, tracks: Sequence[Sound]) -> Audio:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mix.wav"
        render_mix(plan, tracks, out, rate_hz=RATE_HZ)
        mixed, _ = soundfile.read(out, dtype="float32", always_2d=True)
    return np.ascontiguousarray(mixed.T[:, : max(track.frames for track in tracks)])


def compare(folder: Path) -> dict[str, list[float]]:
    """Per method the balance error in LU and the differences in the order of `FEATURES`, in dB."""
    random = np.random.default_rng(zlib.crc32(folder.name.encode()))
    stems = stems_of(folder)
    tracks = [recorded(stem, random) for stem in stems]
    analyses = {track.name: analyse_source(track) for track in tracks}
    plan = propose_mix(tracks, analyses=analyses)
    levels = [level_lufs(analyses[track.name]) for track in tracks]
    even = [-level for level in levels]
    gains = {"unity sum": [0.0] * len(tracks), "equal loudness": even, "engineer": strip_gains_db(plan)}
    author_lufs = [level_lufs(analyse_source(stem)) for stem in stems]
    author = mix_features(summed(stems, [0.0] * len(stems)), RATE_HZ)
    found = {}
    for method in METHODS:
        mix = rendered(plan, tracks) if method == "engineer" else summed(tracks, gains[method])
        placed = [level + gain_db for level, gain_db in zip(levels, gains[method], strict=True)]
        balance_lu = statistics.fmean(errors_lu(author_lufs, placed))
        found[method] = [balance_lu, *mix_features(mix, RATE_HZ).apart(author)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("multitracks", type=Path)
    parser.add_argument("--split", choices=("train", "validation", "test"), default="validation")
    arguments = parser.parse_args()
    songs = {}
    for meta in sorted((arguments.multitracks / arguments.split).glob("*/meta.json")):
        songs[meta.parent.name] = compare(meta.parent)
        print(meta.parent.name, flush=True)
    print(f"\n| recordings against the author's mix ({arguments.split}) | songs | {' | '.join(METHODS)} |")
    print("|---|---|" + "---|" * len(METHODS))
    for index, measure in enumerate(("balance, LU", *(f"{feature}, dB" for feature in FEATURES))):
        means = [statistics.fmean(found[method][index] for found in songs.values()) for method in METHODS]
        print(f"| {measure} | {len(songs)} | {' | '.join(f'{mean:.2f}' for mean in means)} |")


if __name__ == "__main__":
    main()
