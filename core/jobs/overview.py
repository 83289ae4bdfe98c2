"""Looks at a take or a bounce as a whole: its peaks; of a bounce loudness and spectrum, of a master more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.analysis.loudness import k_weighted
from core.analysis.spectrum import SpectrumMeter
from core.desk.sources import file_sources
from core.dsp.audio import Audio, Chain, Memoryless
from core.dsp.gain import gain
from core.dsp.statespace import StateSpace
from core.errors import Exit, OtoError
from core.master.chain import master_chain
from core.master.delivery import check_delivery
from core.master.finished import FINISHED
from core.master.render import processed
from core.master.tone import HEARD_HZ
from core.plans.document import MasterPlan
from core.progress import Progress, report
from sessions.model import Bounce, DeliveryCheck, Overview, Take
from sessions.overview import COLUMNS, SILENCE

BLOCK_S: Final = 10
SHORT_TERM_S: Final = 3
"""The window of short-term loudness (EBU Tech 3341)."""
SILENT_LUFS: Final = -70.0

Peaks = NDArray[np.float32]
"""Largest magnitude per column, shape (COLUMNS,)."""


def take_overview(take: Take, folder: Path, progress: Progress | None = None) -> Overview:
    """Peaks of every track of a take, and how loud they are together. Raises OtoError("bad_input", "cancelled")."""
    peaks = {track.id: np.zeros(COLUMNS, np.float32) for track in take.tracks}
    energy = np.zeros(take.frames // take.rate_hz + 2)
    for number, clip in enumerate(take.clips):
        report(progress, number / len(take.clips), f"looking at {clip.file}")
        at, loudness = clip.start_samples, _Seconds(take.rate_hz)
        for block in _blocks(folder / clip.file):
            add_peaks(peaks[clip.track], block, at, take.frames)
            loudness.add(block)
            at += block.shape[1]
        first = round(clip.start_samples / take.rate_hz)
        heard = loudness.energy[: len(energy) - first]
        energy[first : first + len(heard)] += heard
    return Overview(
        frames=take.frames,
        rate_hz=take.rate_hz,
        level_lufs=_level_lufs(energy / max(len(take.tracks), 1)),
        peaks={track: half_decibels(columns) for track, columns in peaks.items()},
    )


def _level_lufs(energy: NDArray[np.float64]) -> float | None:
    """How loud seconds of K-weighted energy are together, quiet ones left out as in BS.1770-5; None when all is silent.

    The energies of tracks are added up as if none of them was alike, and divided by their number, as they are played.
    That is a little off for two microphones of one source, and off by as much in every take of them.
    """
    loud = energy[energy > 10.0 ** ((SILENT_LUFS + 0.691) / 10.0)]
    if not len(loud):
        return None
    loud = loud[loud > 0.1 * loud.mean()]
    return round(float(10.0 * np.log10(loud.mean())) - 0.691, 1)


@dataclass(frozen=True)
class Origin:
    """What a master was made from."""

    plan: MasterPlan
    mix: Path


def bounce_overview(
    bounce: Bounce, folder: Path, origin: Origin | None = None, progress: Progress | None = None
) -> Overview:
    """Peaks, also of stems, loudness and spectrum of a bounce; what the limiter did and the delivery check of a master.

    Raises OtoError("bad_input", "cancelled").
    """
    peaks = np.zeros(COLUMNS, np.float32)
    loudness, spectrum = _Seconds(bounce.rate_hz), SpectrumMeter(bounce.rate_hz, 2)
    at = 0
    for block in _blocks(folder / bounce.file):
        report(progress, at / max(bounce.frames, 1), f"looking at {bounce.id}")
        add_peaks(peaks, block, at, bounce.frames)
        loudness.add(block)
        spectrum.add(block if len(block) == 2 else np.repeat(block, 2, axis=0))
        at += block.shape[1]
    heard = {"mix": peaks}
    for name, file in (bounce.stems | bounce.returns).items():
        report(progress, 1.0, f"looking at {name}")
        heard[name] = _peaks(folder / file, bounce.frames)
    usual = FINISHED["any"]
    delivery = () if origin is None else check_delivery(folder / bounce.file, origin.plan.target).checks
    return Overview(
        frames=bounce.frames,
        rate_hz=bounce.rate_hz,
        peaks={name: half_decibels(columns) for name, columns in heard.items()},
        loudness_lufs=loudness.short_term_lufs(),
        band_hz=tuple(round(hz, 1) for hz in BAND_HZ),
        band_db=_against_mean(spectrum.result().levels_db()),
        usual_low_db=usual["low_db"],
        usual_high_db=usual["high_db"],
        limiter_db=() if origin is None or bounce.album_track else _limited_db(folder / bounce.file, origin, progress),
        delivery=tuple(DeliveryCheck(name=one.name, passes=one.passes, says=one.says) for one in delivery),
    )


def _against_mean(levels_db: NDArray[np.float64]) -> tuple[float, ...]:
    """By the measure of `core.master.finished`: against the mean of the bands that every song has."""
    bands = np.array(BAND_HZ)
    mean_db = levels_db[(bands >= HEARD_HZ[0]) & (bands <= HEARD_HZ[1])].mean()
    return tuple(round(float(db), 1) for db in levels_db - mean_db)


def _limited_db(master: Path, origin: Origin, progress: Progress | None) -> tuple[float, ...]:
    """Per second, the highest peak that went into the limiter against the one that came out."""
    (mix,) = file_sources([origin.mix])
    chain = master_chain(origin.plan.settings, mix.rate_hz, mix.channels, origin.plan.curve)
    level = Memoryless(lambda block: gain(block, gain_db=chain.loudness_gain_db))
    went_in = _Loudest(mix.rate_hz)
    for block in processed(mix, Chain([chain.shaping, level]), progress, "looking at the limiter"):
        went_in.add(block)
    came_out = _Loudest(mix.rate_hz)
    for block in _blocks(master):
        came_out.add(block)
    pairs = zip(went_in.peaks, came_out.peaks, strict=False)
    return tuple(
        round(max(20.0 * math.log10(before / after), 0.0), 1) if after > 0.0 else 0.0 for before, after in pairs
    )


class _Loudest:
    """The highest sample of every second."""

    def __init__(self, rate_hz: int) -> None:
        self.peaks: list[float] = []
        self._rate_hz = rate_hz
        self._at = 0

    def add(self, block: Audio) -> None:
        loudest = np.abs(block).max(axis=0, initial=0.0)
        while len(loudest):
            if self._at % self._rate_hz == 0:
                self.peaks.append(0.0)
            head, loudest = np.split(loudest, [self._rate_hz - self._at % self._rate_hz])
            self.peaks[-1] = max(self.peaks[-1], float(head.max()))
            self._at += len(head)


def _peaks(path: Path, frames: int) -> Peaks:
    peaks, at = np.zeros(COLUMNS, np.float32), 0
    for block in _blocks(path):
        add_peaks(peaks, block, at, frames)
        at += block.shape[1]
    return peaks


def add_peaks(peaks: Peaks, block: Audio, at_samples: int, frames: int) -> None:
    """Raise the columns of `peaks` to what sounds in `block`, (channels, n), which starts at `at_samples`."""
    if not block.shape[1] or at_samples >= frames:
        return
    loudest = np.abs(block).max(axis=0)[: frames - at_samples]
    columns = (at_samples + np.arange(0, len(loudest))) * COLUMNS // frames
    first = np.flatnonzero(np.diff(columns, prepend=-1))
    touched = columns[first]
    peaks[touched] = np.maximum(peaks[touched], np.maximum.reduceat(loudest, first))


def half_decibels(peaks: Peaks) -> bytes:
    """Magnitudes as bytes: half decibels below full scale, 255 for silence."""
    with np.errstate(divide="ignore"):
        below = np.clip(np.rint(-40.0 * np.log10(peaks)), 0, SILENCE)
    return below.astype(np.uint8).tobytes()


class _Seconds:
    """Short-term loudness at the end of every second: BS.1770-5 weighting over windows of three seconds."""

    def __init__(self, rate_hz: int) -> None:
        self._filter: StateSpace | None = None
        self._rate_hz = rate_hz
        self._rest = np.zeros(0)
        self._energy: list[float] = []

    def add(self, block: Audio) -> None:
        if self._filter is None:
            self._filter = k_weighted(self._rate_hz, len(block))
        power = np.concatenate((self._rest, np.square(self._filter.process(block)).sum(axis=0)))
        seconds = len(power) // self._rate_hz
        whole = power[: seconds * self._rate_hz].reshape(seconds, self._rate_hz)
        self._energy += whole.mean(axis=1).tolist()
        self._rest = power[seconds * self._rate_hz :]

    @property
    def energy(self) -> NDArray[np.float64]:
        """Mean square of every whole second so far."""
        return np.array(self._energy)

    def short_term_lufs(self) -> tuple[float | None, ...]:
        """A value per whole second; windows at the start are as short as what there is."""
        readings: list[float | None] = []
        for end in range(1, len(self._energy) + 1):
            power = float(np.mean(self._energy[max(end - SHORT_TERM_S, 0) : end]))
            lufs = -0.691 + 10.0 * float(np.log10(power)) if power > 0.0 else SILENT_LUFS
            readings.append(round(lufs, 1) if lufs > SILENT_LUFS else None)
        return tuple(readings)


def _blocks(path: Path) -> Iterator[Audio]:
    try:
        with soundfile.SoundFile(path) as file:
            for block in file.blocks(BLOCK_S * file.samplerate, dtype="float32", always_2d=True):
                yield block.T
    except (soundfile.SoundFileError, OSError) as error:
        raise OtoError(
            "bad_input", f"{path.name} can't be read as audio: {error}", "'oto doctor' says more.", Exit.BAD_INPUT
        ) from error
