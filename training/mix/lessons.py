"""What the settings of the desk are learned from: rehearsals, their fits, the rules' settings, and bent stems.

    nice -n 10 python -m training.mix.lessons

Made once from what `training.mix.rehearsals` kept, and kept beside it; can be stopped and called again.
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis, analyse_source
from core.mix.engineer import propose_mix
from core.models.mixing import FEATURES
from core.plans.parameters import STRIP, by_name
from training.data.manifest import Split
from training.desk import filters
from training.mix.examples import example
from training.mix.rehearsals import (
    RATE_HZ,
    Audio,
    Recording,
    Rehearsal,
    Sound,
    excerpt,
    folder,
    kept,
    priors,
    recorded,
)
from training.mix.songs import Song, Track

Floats = NDArray[np.float64]

EQ: Final = tuple(f"eq{band}_gain_db" for band in range(1, 7))
SETTINGS: Final = (
    "pan", *EQ, "comp_threshold_db", "comp_ratio", "comp_attack_ms", "comp_release_ms", "send_plate_db"
)  # fmt: skip
"""What is learned of every strip; of the pan only how far it is from the middle."""
GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "pan": (0,),
    "equaliser": tuple(range(1, 7)),
    "compressor": (7, 8, 9, 10),
    "send": (11,),
}
KNOBS: Final = by_name(STRIP)
BENDINGS: Final = 4
"""How often the stems of a song are bent by lot."""
BENT_DB: Final = 5.0
"""Spread of a band's random gain."""


class Bent(msgspec.Struct, frozen=True):
    """The author's stems with a random equaliser each: what takes it back is known."""

    fed: bytes
    gains_db: list[list[float]]
    """(tracks, 6) that undo it."""


class Lesson(msgspec.Struct, frozen=True):
    """A rehearsal as it is learned from."""

    song: str
    split: Split
    lot: int
    fed: bytes
    """(tracks, FEATURES)."""
    fitted: list[dict[str, float]]
    """The strips of the fit."""
    rules: list[dict[str, float]]
    """The numeric knobs that the rules would turn."""
    centre: list[list[float]]
    """(tracks, settings): where the roles' presets have them."""
    spread: list[list[float]]
    """How far from there a person may turn them, in the unit or as a factor's logarithm."""
    bands_db: list[list[float]]
    """(tracks, bands): the tracks' spectra."""
    pans: list[float]
    """How far from the middle the author's stems lie, by their powers."""
    bent: list[Bent]
    tracks: bytes
    """(tracks, frames) of float16 at the fit's rate."""
    mix: bytes
    """(2, frames) of the author's mix, float16."""

    @property
    def inputs(self) -> NDArray[np.float32]:
        """(tracks, FEATURES)."""
        return np.frombuffer(self.fed, np.float32).reshape(-1, FEATURES).copy()

    @property
    def audio(self) -> tuple[Audio, Audio]:
        """Tracks (tracks, 1, frames) and the mix (2, frames)."""
        own, mix = (np.frombuffer(each, np.float16).astype(np.float32) for each in (self.tracks, self.mix))
        return own.reshape(len(self.fitted), 1, -1), mix.reshape(2, -1)


def to_places(strips: Sequence[Mapping[str, float]], centre: Floats, spread: Floats) -> Floats:
    """(tracks, settings) of strips in spreads from their presets."""
    columns = []
    for at, name in enumerate(SETTINGS):
        values = np.array([strip[name] for strip in strips])
        if name == "pan":
            values = np.abs(values)
        away = np.log(values / centre[:, at]) if KNOBS[name].scale == "log" else values - centre[:, at]
        columns.append(away / spread[:, at])
    return np.column_stack(columns)


def lesson(one: Rehearsal, recording: Recording, lot: int) -> Lesson:
    """Everything that is learned of a rehearsal and of its stems, random numbers by song and lot."""
    random = np.random.default_rng([zlib.crc32(one.song.encode()), lot, 1])
    names = [take.name for take in one.takes]
    tracks, mix = excerpt(recording)
    known = [priors(take.name, take.heard) for take in one.takes]
    usual = [[prior[name] for name in SETTINGS] for prior in known]
    stems = [_middle(stem) for stem in recording.stems]
    left_right = [np.sqrt(np.square(stem).sum(axis=1) + 1e-12) for stem in recording.stems]
    return Lesson(
        song=one.song,
        split=one.split,
        lot=lot,
        fed=fed(names, [take.heard for take in one.takes]).tobytes(),
        fitted=list(one.fit.strips),
        rules=rules(one, recording),
        centre=[[prior.centre for prior in row] for row in usual],
        spread=[[prior.spread for prior in row] for row in usual],
        bands_db=[list(take.heard.bands_db) for take in one.takes],
        pans=[abs(4.0 / math.pi * math.atan2(right, left) - 1.0) for left, right in left_right],
        bent=[_bent(names, stems, random) for _ in range(BENDINGS)],
        tracks=tracks.astype(np.float16).tobytes(),
        mix=mix.astype(np.float16).tobytes(),
    )


def fed(names: Sequence[str], heard: Sequence[TrackAnalysis]) -> NDArray[np.float32]:
    """What the network sees of tracks of which nothing is set; all of them must sound."""
    tracks = tuple(Track(name, each, 0.0) for name, each in zip(names, heard, strict=True))
    seen = example(Song("", "", "train", tracks), tracks, [True] * len(tracks), [False] * len(tracks))
    return seen.fed


def rules(one: Rehearsal, recording: Recording) -> list[dict[str, float]]:
    """The numeric knobs of the strips that the rules propose; those that they leave alone are neutral."""
    sources = [Sound(take.name, track[None]) for take, track in zip(one.takes, recording.tracks, strict=True)]
    plan = propose_mix(sources, analyses={take.name: take.heard for take in one.takes})
    neutral = {name: float(knob.neutral) for name, knob in KNOBS.items() if knob.scale in ("linear", "log")}
    return [
        neutral | {name: float(each.value) for name, each in strip.settings.items() if name in neutral}
        for strip in plan.strips
    ]


def _middle(stem: Audio) -> Audio:
    """One channel of a stem."""
    mono = stem.sum(axis=0) * np.float32(math.sqrt(0.5))
    heard: Audio = mono if np.square(mono).sum() > 0.05 * np.square(stem).sum() else stem[0]
    return heard


def _bent(names: Sequence[str], stems: Sequence[Audio], random: np.random.Generator) -> Bent:
    """Stems through random equalisers of the desk's own bands."""
    gains = np.clip(random.normal(0.0, BENT_DB, (len(stems), len(EQ))), -12.0, 12.0)
    knobs = {f"eq{band}_{knob}": float(KNOBS[f"eq{band}_{knob}"].neutral) for band in range(1, 7)
             for knob in ("freq_hz", "q")}  # fmt: skip
    heard = []
    for name, stem, row in zip(names, stems, gains, strict=True):
        values = knobs | dict(zip(EQ, row.tolist(), strict=True))
        bent = filters.equalise(torch.from_numpy(stem)[None, None], RATE_HZ, **values)[0].numpy()
        heard.append(analyse_source(Sound(name, bent)))
    return Bent(fed(names, heard).tobytes(), (-gains).tolist())


# ---------------------------------------------------------------- keeping


def lessons(split: Split) -> list[Lesson]:
    """What was made of a split."""
    files = sorted((kept() / "lessons").glob("*.msgpack"))
    found = [msgspec.msgpack.decode(file.read_bytes(), type=Lesson) for file in files]
    return [one for one in found if one.split == split]


def keep(one: Rehearsal, lot: int) -> str:
    """Make a lesson unless there is one, and say what came of it."""
    file = kept() / "lessons" / f"{one.song}-{lot}.msgpack"
    if file.exists():
        return f"{file.stem}: there"
    recording = recorded(next(path for path in folder(one.split) if path.name == one.song), lot)
    made = lesson(one, recording, lot)
    if len(made.inputs) < len(one.takes):
        return f"{file.stem}: not every track of it is part of the balance"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.msgpack.encode(made))
    return f"{file.stem}: {len(one.takes)} tracks"


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    torch.set_num_threads(1)
    for file in sorted(kept().glob("*.msgpack")):
        one = msgspec.msgpack.decode(file.read_bytes(), type=Rehearsal)
        print(keep(one, int(file.stem.rpartition("-")[2])), flush=True)


if __name__ == "__main__":
    main()
