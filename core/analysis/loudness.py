"""Loudness as broadcasters and streaming services measure it, in one pass: ITU-R BS.1770-5, EBU Tech 3341 and 3342.

Energy is gathered per 10 ms. Momentary and short-term maxima slide over these, so that they don't depend on where in a
block something begins; gated loudness and loudness range use steps of 100 ms, as the documents define them. What is
kept for the end is one number per 100 ms.
"""

from __future__ import annotations

import math
from array import array
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from core.dsp.audio import checked
from core.dsp.statespace import StateSpace, of_sections
from core.dsp.truepeak import TruePeakMeter
from core.errors import Exit, OtoError
from core.progress import Progress, report

CHANNEL_WEIGHTS: Final[dict[int, tuple[float, ...]]] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}
"""BS.1770-5 table 3 for mono, stereo, L R C, L R Ls Rs, L R C Ls Rs, and L R C LFE Ls Rs."""

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_LOW_CUT_HZ, _LOW_CUT_Q = 38.13547087602444, 0.5003270373238773
_STEP_S: Final = 0.01
_STEPS_PER_HOP: Final = 10
HOP_S: Final = _STEP_S * _STEPS_PER_HOP
"""Gated loudness, its range and its curve over time move in steps of this length."""
MOMENTARY_HOPS: Final = 4
SHORT_TERM_HOPS: Final = 30
_MOMENTARY_STEPS: Final = 40
_SHORT_TERM_STEPS: Final = 300
_ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_RANGE_GATE_LU: Final = -20.0
_READ_FRAMES: Final = 32_768


class Loudness(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter reads at the end. A reading is None where it is undefined: silence, or too short for its window."""

    integrated_lufs: float | None
    """Gated loudness of the whole (BS.1770-5 equation 7)."""
    loudness_range_lu: float | None
    """Spread of the short-term loudness between its 10th and 95th percentile (EBU Tech 3342)."""
    momentary_max_lufs: float | None
    """Loudest 400 ms."""
    short_term_max_lufs: float | None
    """Loudest 3 s."""
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None
    duration_s: float


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """Second-order sections (2, 6) of the K-weighting filter at any rate: the two stages of BS.1770-5.

    The standard tabulates 48 kHz only. The analogue prototypes behind its tables are those of De Man, "Evaluation of
    Implementations of the EBU R128 Loudness Measurement", AES 145 (2018), mapped by the bilinear transform.
    """
    high, band = 10 ** (_SHELF_DB / 20), 10 ** (_SHELF_DB / 20 * 0.4996667741545416)
    k, damping = math.tan(math.pi * _SHELF_HZ / rate_hz), 1 / _SHELF_Q
    norm = 1 + k * damping + k * k
    shelf_b = [(high + band * k * damping + k * k) / norm, 2 * (k * k - high) / norm]
    shelf_b.append((high - band * k * damping + k * k) / norm)
    shelf_a = [1.0, 2 * (k * k - 1) / norm, (1 - k * damping + k * k) / norm]
    k, damping = math.tan(math.pi * _LOW_CUT_HZ / rate_hz), 1 / _LOW_CUT_Q
    norm = 1 + k * damping + k * k
    low_cut_a = [1.0, 2 * (k * k - 1) / norm, (1 - k * damping + k * k) / norm]
    return np.array([[*shelf_b, *shelf_a], [1.0, -2.0, 1.0, *low_cut_a]])


def k_weighted(rate_hz: int, channels: int) -> StateSpace:
    """The K-weighting filter over a stream of `channels`, for blocks of any size and to be measured, not heard."""
    return StateSpace(*of_sections(k_weighting(rate_hz)), channels, dtype=np.float32)


class LoudnessMeter:
    """Measures a stream block by block; what it reads does not depend on the sizes of the blocks.

    Raises OtoError "bad_input" for more than six channels, a rate below 8 kHz, and audio that is not a number
    or beyond +200 dBFS, telling where in `name` it is.
    """

    def __init__(self, rate_hz: int, channels: int, name: str = "The audio") -> None:
        if channels not in CHANNEL_WEIGHTS:
            raise OtoError(
                "bad_input",
                f"Loudness is defined for 1 to 6 channels; this has {channels}.",
                "Measure the tracks one by one, or mix them first.",
                Exit.BAD_INPUT,
            )
        if rate_hz < 8_000:
            raise OtoError(
                "bad_input", f"Loudness can't be measured at {rate_hz} Hz.", "Use 8 kHz or more.", Exit.BAD_INPUT
            )
        self._rate_hz = rate_hz
        self._name = name
        self._weights = np.array(CHANNEL_WEIGHTS[channels])
        self._heard = np.flatnonzero(self._weights)
        self._step_frames = round(rate_hz * _STEP_S)
        self._filter = k_weighted(rate_hz, len(self._heard))
        self._rest = np.zeros((len(self._heard), 0), np.float32)
        self._recent: NDArray[np.float64] = np.zeros(0)
        self._steps = 0
        self._hops = array("d")
        self._momentary_max = 0.0
        self._short_term_max = 0.0
        self._peaks = TruePeakMeter(channels)
        self._frames = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Measure float32 (channels, frames)."""
        if block.shape[1] == 0:
            return
        block = checked(block, name=self._name, start=self._frames, rate_hz=self._rate_hz)
        self._frames += block.shape[1]
        self._peaks.add(block)
        heard = block if len(self._heard) == block.shape[0] else block[self._heard]
        self._gather(np.concatenate((self._rest, self._filter.process(heard)), axis=1))

    def _gather(self, weighted: NDArray[np.float32]) -> None:
        """Turn K-weighted audio into energies of whole 10 ms steps, and slide the windows over them."""
        steps = weighted.shape[1] // self._step_frames
        used = steps * self._step_frames
        self._rest = weighted[:, used:].copy()
        if steps == 0:
            return
        by_step = weighted[:, :used].reshape(len(self._heard), steps, self._step_frames)
        energy = np.einsum("csf,csf->cs", by_step, by_step).astype(np.float64) / self._step_frames
        fresh = self._weights[self._heard] @ energy
        steps_before = self._steps
        self._steps += steps
        recent = np.concatenate((self._recent, fresh))
        self._momentary_max = max(self._momentary_max, _loudest(recent, _MOMENTARY_STEPS, steps))
        self._short_term_max = max(self._short_term_max, _loudest(recent, _SHORT_TERM_STEPS, steps))
        first = len(recent) - steps - steps_before % _STEPS_PER_HOP
        hops = (len(recent) - first) // _STEPS_PER_HOP
        whole = recent[first : first + hops * _STEPS_PER_HOP]
        self._hops.frombytes(whole.reshape(hops, _STEPS_PER_HOP).mean(axis=1).tobytes())
        self._recent = recent[-(_SHORT_TERM_STEPS - 1) :].copy()

    def hops(self) -> NDArray[np.float64]:
        """K-weighted energy of each whole `HOP_S` so far, summed over the channels with their weights."""
        return np.frombuffer(self._hops, dtype=np.float64).copy()

    def result(self) -> Loudness:
        """What has been measured so far; measuring may go on after it."""
        hops = self.hops()
        return Loudness(
            integrated_lufs=integrated_lufs(hops),
            loudness_range_lu=_loudness_range(_sliding_mean(hops, _SHORT_TERM_STEPS // _STEPS_PER_HOP)),
            momentary_max_lufs=_lufs(self._momentary_max),
            short_term_max_lufs=_lufs(self._short_term_max),
            true_peak_dbtp=_decibels(self._peaks.true_peak),
            sample_peak_dbfs=_decibels(self._peaks.sample_peak),
            duration_s=self._frames / self._rate_hz,
        )


def measure_file(path: Path, progress: Progress | None = None) -> Loudness:
    """Measure any file that libsndfile reads, in bounded memory.

    Raises OtoError: "not_found" when there is no such file, "bad_input" when it can't be read as audio or measured,
    "cancelled" when `progress` says so.
    """
    if not path.exists():
        raise OtoError("not_found", f"There is no file {path}.", "Check the name.", Exit.NOT_FOUND)
    try:
        with sf.SoundFile(path) as file:
            meter = LoudnessMeter(file.samplerate, file.channels, path.name)
            buffer = np.empty((_READ_FRAMES, file.channels), dtype=np.float32)
            done = 0
            while len(block := file.read(out=buffer)):
                meter.add(np.ascontiguousarray(block.T))
                done += len(block)
                report(progress, min(done / max(file.frames, 1), 1.0), f"measuring {path.name}")
    except sf.LibsndfileError as error:
        raise OtoError(
            "bad_input",
            f"{path.name} can't be read as audio: {error.error_string}",
            "Use WAV, FLAC, MP3, Ogg or Opus.",
            Exit.BAD_INPUT,
        ) from error
    return meter.result()


def _sliding_mean(energy: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if len(energy) < length:
        return np.zeros(0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(energy, length).mean(axis=1))


def _loudest(recent: NDArray[np.float64], length: int, fresh: int) -> float:
    """Greatest mean energy of any window of `length` steps that ends in the `fresh` newest ones."""
    tail = recent[-(fresh + length - 1) :]
    if len(tail) < length:
        return 0.0
    total = np.concatenate(([0.0], np.cumsum(tail)))
    return float((total[length:] - total[:-length]).max()) / length


def _lufs(energy: float) -> float | None:
    """BS.1770-5 equation 2; None for what is as good as silence."""
    return -0.691 + 10 * math.log10(energy) if energy > 1e-15 else None


def _energy(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)


def _decibels(amplitude: float) -> float | None:
    return 20 * math.log10(amplitude) if amplitude > 0 else None


def sliding_lufs(hops: NDArray[np.float64], window_hops: int) -> NDArray[np.float64]:
    """Loudness of every window of `window_hops` hops, in order of their ends; -inf for silence.

    `MOMENTARY_HOPS` and `SHORT_TERM_HOPS` give the two curves of EBU Tech 3341.
    """
    energy = _sliding_mean(hops, window_hops)
    return np.where(energy > 1e-15, -0.691 + 10 * np.log10(np.maximum(energy, 1e-15)), -np.inf)


def integrated_lufs(hops: NDArray[np.float64]) -> float | None:
    """Gated loudness from K-weighted energies of 100 ms each, summed over channels with their weights."""
    return _integrated(_sliding_mean(hops, _MOMENTARY_STEPS // _STEPS_PER_HOP))


def _integrated(blocks: NDArray[np.float64]) -> float | None:
    """Two gates, the second 10 LU below what the first lets through (BS.1770-5 equations 4 to 7)."""
    loud = blocks[blocks > _energy(_ABSOLUTE_GATE_LUFS)]
    if not loud.size:
        return None
    gate = loud.mean() * 10 ** (_RELATIVE_GATE_LU / 10)
    return _lufs(float(loud[loud > gate].mean()))


def _loudness_range(blocks: NDArray[np.float64]) -> float | None:
    """EBU Tech 3342 section 3: gates at -70 LUFS and 20 LU below, then the nearest-rank percentiles."""
    loud = blocks[blocks >= _energy(_ABSOLUTE_GATE_LUFS)]
    if not loud.size:
        return None
    kept = np.sort(loud[loud >= loud.mean() * 10 ** (_RANGE_GATE_LU / 10)])
    low, high = (kept[round((len(kept) - 1) * part)] for part in (0.10, 0.95))
    return float(10 * np.log10(high / low))
