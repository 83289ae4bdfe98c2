"""Looks at a take or a bounce as a whole: peaks along its length, and for a bounce loudness and spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.analysis.loudness import k_weighting
from core.analysis.spectrum import SpectrumMeter
from core.dsp.audio import Audio
from core.errors import Exit, OtoError
from core.progress import Progress, report
from sessions.model import Bounce, Overview, Take
from sessions.overview import COLUMNS, SILENCE

BLOCK_S: Final = 10
SHORT_TERM_S: Final = 3
"""The window of short-term loudness (EBU Tech 3341)."""
SILENT_LUFS: Final = -70.0

Peaks = NDArray[np.float32]
"""Largest magnitude per column, shape (COLUMNS,)."""


def take_overview(take: Take, folder: Path, progress: Progress | None = None) -> Overview:
    """Peaks of every track of a take. Raises OtoError("bad_input", "cancelled")."""
    peaks = {track.id: np.zeros(COLUMNS, np.float32) for track in take.tracks}
    for number, clip in enumerate(take.clips):
        report(progress, number / len(take.clips), f"looking at {clip.file}")
        at = clip.start_samples
        for block in _blocks(folder / clip.file):
            add_peaks(peaks[clip.track], block, at, take.frames)
            at += block.shape[1]
    return Overview(
        frames=take.frames,
        rate_hz=take.rate_hz,
        peaks={track: half_decibels(columns) for track, columns in peaks.items()},
    )


def bounce_overview(bounce: Bounce, folder: Path, progress: Progress | None = None) -> Overview:
    """Peaks, short-term loudness and spectrum of a bounce. Raises OtoError("bad_input", "cancelled")."""
    peaks = np.zeros(COLUMNS, np.float32)
    loudness, spectrum = _Seconds(bounce.rate_hz), SpectrumMeter(bounce.rate_hz, 2)
    at = 0
    for block in _blocks(folder / bounce.file):
        report(progress, at / max(bounce.frames, 1), f"looking at {bounce.id}")
        add_peaks(peaks, block, at, bounce.frames)
        loudness.add(block)
        spectrum.add(block if len(block) == 2 else np.repeat(block, 2, axis=0))
        at += block.shape[1]
    return Overview(
        frames=bounce.frames,
        rate_hz=bounce.rate_hz,
        peaks={"mix": half_decibels(peaks)},
        loudness_lufs=loudness.short_term_lufs(),
        band_hz=tuple(round(hz, 1) for hz in BAND_HZ),
        band_db=tuple(round(float(db), 1) for db in spectrum.result().levels_db()),
    )


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
        self._filter = k_weighting(rate_hz)
        self._state: NDArray[np.float64] | None = None
        self._rate_hz = rate_hz
        self._rest = np.zeros(0)
        self._energy: list[float] = []

    def add(self, block: Audio) -> None:
        numerator, denominator = self._filter
        if self._state is None:
            self._state = np.zeros((len(block), len(numerator) - 1))
        weighted, self._state = scipy.signal.lfilter(numerator, denominator, block, axis=1, zi=self._state)
        power = np.concatenate((self._rest, np.square(weighted).sum(axis=0)))
        seconds = len(power) // self._rate_hz
        whole = power[: seconds * self._rate_hz].reshape(seconds, self._rate_hz)
        self._energy += whole.mean(axis=1).tolist()
        self._rest = power[seconds * self._rate_hz :]

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
