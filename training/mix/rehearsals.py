"""Multitrack songs as a rehearsal would have recorded them, and the desk fitted to what their people made of them.

    nice -n 19 python -m training.mix.rehearsals

Every stem becomes one microphone's track: mono, in a room, with a microphone's tone, perhaps livelier than it was, at
a level of its own. The desk is then fitted to the author's mix (`training.desk.fit`): its settings say what brings such
tracks nearest to what a person made. Kept under $OTO_TRAINING/mix, per song and lot: what is heard of the tracks, and
the fit as JSON. Can be stopped and called again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly

from core.analysis.roles import guess_role
from core.analysis.track import TrackAnalysis, analyse_source
from core.mix.balance import level_lufs
from core.mix.dynamics import DESK_PEAK_DBFS, loud_peak_dbfs
from core.mix.presets import PRESETS
from training.data.manifest import Split
from training.data.places import shared_data, training_root
from training.data.rehearsal import rehearse
from training.desk.fit import Fit, Prior, fit, start
from training.master.songs import expanded

Audio = NDArray[np.float32]

RATE_HZ: Final = 48_000
EXCERPT_S: Final = 20.0
FITTED_S: Final = 3.0
FITTED_RATE_HZ: Final = 24_000
"""Half the rate and three seconds are what a processor has time for."""
STEPS: Final = 40
MOST_TRACKS: Final = 8
"""The loudest are fitted, and are the song."""
FEWEST_TRACKS: Final = 2
LIVELIER: Final = 0.4
"""Share of the tracks whose dynamics are wider than what the author let through."""
SPLITS: Final[tuple[Split, ...]] = ("train", "validation")
"""What is learned from and chosen by; songs of test are fitted by `training.mix.groups`, to report."""
USUAL_FADER_DB: Final = -6.0
"""Where the middle fader of a song stands, since the level of the whole is nobody's opinion."""
USUAL_SEND_DB: Final = -18.0
NO_COMPRESSOR: Final = (1.3, 0.3)
"""Ratio and spread of its logarithm for roles that usually have none."""


class Take(msgspec.Struct, frozen=True):
    """One track as the rehearsal left it."""

    name: str
    heard: TrackAnalysis
    """At the desk's level."""
    author_lufs: float
    """How loud its author left the stem."""


class Rehearsal(msgspec.Struct, frozen=True):
    """A song as it might have been recorded."""

    song: str
    split: Split
    takes: tuple[Take, ...]
    fit: Fit


@dataclass(frozen=True)
class Recording:
    """The audio of a rehearsal."""

    takes: tuple[Take, ...]
    stems: Audio
    """As their author left them: (tracks, 2, frames)."""
    tracks: Audio
    """As they were recorded, at the desk's level: (tracks, frames)."""


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

    def read(self, start: int, frames: int) -> Audio:  # noqa: D102
        return self.audio[:, start : start + frames]


def folder(split: Split) -> list[Path]:
    """The songs of a split, those of few stems first: a fit costs as much as it has tracks."""
    found = (path.parent for path in (shared_data() / "multitracks" / split).glob("*/meta.json"))
    return sorted(found, key=lambda path: (len(list(path.glob("*.ogg"))), path.name))


def recorded(path: Path, lot: int) -> Recording:
    """A song's loudest excerpt as one lot of a rehearsal recorded it; the same lot is always the same."""
    random = np.random.default_rng([zlib.crc32(path.name.encode()), lot])
    meta = json.loads((path / "meta.json").read_text())
    entries = sorted(meta["stems"], key=lambda entry: -entry["rel_lu"])[:MOST_TRACKS]
    entries.sort(key=lambda entry: str(entry["file"]))
    stems = _loudest(np.stack([_stereo(path / entry["file"]) for entry in entries]), round(EXCERPT_S * RATE_HZ))
    takes, tracks, played = [], [], []
    for entry, stem in zip(entries, stems, strict=True):
        track, name = _taken(stem, random), entry["name"]
        author, before = analyse_source(Sound(name, stem)), analyse_source(Sound(name, track[None]))
        if author.integrated_lufs is None or before.integrated_lufs is None:
            continue
        track *= np.float32(10.0 ** ((DESK_PEAK_DBFS - loud_peak_dbfs(before)) / 20.0))
        takes.append(Take(name, analyse_source(Sound(name, track[None])), level_lufs(author)))
        tracks.append(track)
        played.append(stem)
    return Recording(tuple(takes), np.array(played), np.array(tracks))


def _taken(stem: Audio, random: np.random.Generator) -> Audio:
    """One microphone's track of a stem."""
    track = stem.sum(axis=0) * np.float32(math.sqrt(0.5))
    if np.square(track).sum() < 0.05 * np.square(stem).sum():
        track = stem[0]
    if random.random() < LIVELIER:
        track = expanded(np.stack([track, track]), RATE_HZ, random)[0]
    return rehearse(track, random)


def _stereo(path: Path) -> Audio:
    audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    wide = np.broadcast_to(audio.T, (2, len(audio)))
    return np.ascontiguousarray(wide if rate_hz == RATE_HZ else resample_poly(wide, RATE_HZ, rate_hz, axis=1))


def _loudest(stems: Audio, frames: int) -> Audio:
    """The window, in steps of a second, in which most of the song's stems are at their loudest."""
    seconds = stems.shape[2] // RATE_HZ
    power = np.square(stems[:, :, : seconds * RATE_HZ]).reshape(len(stems), 2, seconds, RATE_HZ).mean(axis=(1, 3))
    playing = np.sqrt(power / np.maximum(power.max(axis=1, keepdims=True), 1e-12)).sum(axis=0)
    wanted = max(frames // RATE_HZ, 1)
    if seconds <= wanted:
        return stems
    start = int(np.convolve(playing, np.ones(wanted), "valid").argmax()) * RATE_HZ
    return np.ascontiguousarray(stems[:, :, start : start + frames])


# ---------------------------------------------------------------- fitting


def priors(name: str, heard: TrackAnalysis) -> dict[str, Prior]:
    """Where a role's preset has the knobs, and how far from there a person may turn them."""
    preset = PRESETS[guess_role(name, heard).role]
    ratio, ratio_spread = (preset.ratio, 0.4) if preset.reduction_db > 0.0 else NO_COMPRESSOR
    send_db = max((level for level in (preset.plate_db, preset.room_db, preset.hall_db) if level is not None),
                  default=USUAL_SEND_DB)  # fmt: skip
    return {
        "fader_db": Prior(USUAL_FADER_DB, 6.0),
        "pan": Prior(0.0, 0.4),
        **{f"eq{band}_gain_db": Prior(0.0, 4.0) for band in range(1, 7)},
        "comp_threshold_db": Prior(DESK_PEAK_DBFS - preset.reduction_db / (1.0 - 1.0 / ratio), 4.0),
        "comp_ratio": Prior(ratio, ratio_spread),
        "comp_attack_ms": Prior(preset.attack_ms, 0.5),
        "comp_release_ms": Prior(preset.release_ms, 0.5),
        "send_plate_db": Prior(send_db, 6.0),
    }


def excerpt(recording: Recording) -> tuple[Audio, Audio]:
    """Tracks (tracks, 1, frames) and the author's mix (2, frames) where most of its stems play, at the fit's rate."""
    both = np.concatenate([recording.stems, np.repeat(recording.tracks[:, None], 2, axis=1)], axis=1)
    chosen = _loudest(both.reshape(-1, 2, both.shape[2]), round(FITTED_S * RATE_HZ)).reshape(len(both), 4, -1)
    slow = resample_poly(chosen, FITTED_RATE_HZ, RATE_HZ, axis=2).astype(np.float32)
    tracks, target = slow[:, 2:3].copy(), slow[:, :2].sum(axis=0)
    faders_db, _ = start(tracks, target)
    target *= np.float32(10.0 ** ((USUAL_FADER_DB - np.median(faders_db)) / 20.0))
    return tracks, target


def fitted(recording: Recording) -> Fit:
    """The desk's settings for the excerpt of a recording."""
    tracks, target = excerpt(recording)
    known = [priors(take.name, take.heard) for take in recording.takes]
    return fit(torch.from_numpy(tracks), torch.from_numpy(target), FITTED_RATE_HZ, known, steps=STEPS)


# ---------------------------------------------------------------- keeping


def kept() -> Path:
    """Where rehearsals and fits lie."""
    return training_root() / "mix" / "rehearsals"


def rehearsal(path: Path, split: Split, lot: int) -> str:
    """Record and fit one lot of a song unless that was done, and say what came of it."""
    file = kept() / f"{path.name}-{lot}.msgpack"
    if file.exists():
        return f"{file.stem}: there"
    recording = recorded(path, lot)
    if len(recording.takes) < FEWEST_TRACKS:
        return f"{file.stem}: fewer than {FEWEST_TRACKS} tracks sound"
    found = fitted(recording)
    _write(file, msgspec.msgpack.encode(Rehearsal(path.name, split, recording.takes, found)))
    told: dict[str, Any] = {
        "song": path.name,
        "lot": lot,
        "tracks": [take.name for take in recording.takes],
        "fit": found,
    }
    _write(file.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(told), indent=1))
    return f"{file.stem}: {len(recording.takes)} tracks, {found.before:.2f} dB before, {found.after:.2f} after"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(file)


def rehearsals(split: Split) -> list[Rehearsal]:
    """What was recorded and fitted of a split."""
    found = [msgspec.msgpack.decode(file.read_bytes(), type=Rehearsal) for file in sorted(kept().glob("*.msgpack"))]
    return [one for one in found if one.split == split]


def main() -> None:
    """Record and fit every song, lot by lot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lots", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for lot in range(options.lots):
        for split in SPLITS:
            for path in folder(split):
                print(rehearsal(path, split, lot), flush=True)


if __name__ == "__main__":
    main()
