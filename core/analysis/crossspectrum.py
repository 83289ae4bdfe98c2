"""What two tracks have in common: cross-spectra over chosen frames, and the delay, polarity and level they tell.

Frames lie on one grid for all tracks, so each is read and transformed once, forwards, however many pairs ask for it.
A pair keeps its cross-spectrum in a few groups of frames: what is common to all groups is common to the tracks, what
is not is chance.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from core.analysis.track import Source
from core.dsp.windows import hann
from core.progress import Progress, report

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Pair = tuple[int, int]
"""Numbers of two tracks: the first is the one whose sound is looked for on the second."""

FRAME_S: Final = 0.17
HIGHEST_HZ: Final = 12_000.0
GROUPS: Final = 4
PAIRS_AT_ONCE: Final = 800
"""A pair takes 110 kB."""
LOWEST_HZ: Final = 30.0
ONSET_AT_S: Final = 0.006
DIRECT_S: Final = 0.015
AGREEING_S: Final = 0.002
"""How far from the whole's delay a group of frames may look for its own."""


@dataclass(frozen=True)
class CrossSpectrum:
    """Means over the frames of a pair, by frequency up to 12 kHz."""

    rate_hz: int
    frame: int
    """Samples of a frame."""
    frames: int
    first: Floats
    """Power of the first track."""
    second: Floats
    groups: Complexes
    """conj(first) x second of each group of frames, shape (groups, frequencies)."""
    firsts: Floats
    """Power of the first track in each group of frames, shape (groups, frequencies)."""

    @property
    def cross(self) -> Complexes:
        """Over all frames."""
        mean: Complexes = self.groups.mean(axis=0)
        return mean

    @property
    def omega(self) -> Floats:
        """Radians per sample."""
        return np.arange(self.first.size).astype(np.float64) * (2.0 * math.pi / self.frame)

    def coherence(self) -> Floats:
        """Magnitude-squared coherence, 0..1, what chance gives to so few frames taken off."""
        raw = np.abs(self.cross) ** 2 / np.maximum(self.first * self.second, 1e-30)
        return np.clip((raw - 1.0 / self.frames) / (1.0 - 1.0 / self.frames), 0.0, 1.0)

    def common_power(self) -> Floats:
        """Power on the second track that comes with the first, by third octave; without bias, so below 0 by chance.

        The first's power times the squared gain on the way. The gain is taken from products of different groups alone,
        in which what the second hears besides has the mean 0, and over a whole band, since a note that sounds in one
        group only says nothing.
        """
        agreeing = _by_band(np.abs(self.groups.sum(axis=0)) ** 2 - (np.abs(self.groups) ** 2).sum(axis=0))
        possible = _by_band(self.firsts.sum(axis=0) ** 2 - (self.firsts**2).sum(axis=0))
        power: Floats = _by_band(self.first) * agreeing / np.maximum(possible, 1e-30)
        return power

    def correlation(self, lag_samples: float = 0.0) -> float:
        """How alike the two are, -1..1, when the second is moved `lag_samples` earlier, in the band that they share.

        Powers are matched per frequency, so that neither level nor equaliser counts.
        """
        return float(np.mean(self.correlations(lag_samples)))

    def correlations(self, lag_samples: float = 0.0) -> Floats:
        """`correlation` of each group of frames."""
        weight = np.sqrt(self.first * self.second)
        turned = self.groups * np.exp(1j * self.omega * lag_samples)
        each: Floats = turned.real.sum(axis=1) / max(float(weight.sum()), 1e-30)
        return each


@dataclass(frozen=True)
class Lag:
    """When the second track hears what the first hears."""

    samples: float
    """Positive where the second is later."""
    inverted: bool
    prominence: float
    """See `Correlation.prominence`."""
    spread_samples: float
    """How far from the whole three of the four groups of frames are at most."""


def gather(
    sources: Sequence[Source],
    wanted: Mapping[Pair, Sequence[int]],
    *,
    onsets: bool = False,
    progress: Progress | None = None,
) -> dict[Pair, CrossSpectrum]:
    """Cross-spectra of the pairs in `wanted`, each over the frames whose numbers it names (at least one per group).

    The tracks of all pairs have one rate (`comparable`). Frame n starts at n times the frame's length. With `onsets`
    only the direct sound of the strongest onset in the first track's frame is kept, for 90 ms that fade out, before the
    room answers. Memory is bounded by `PAIRS_AT_ONCE` pairs. Raises OtoError("cancelled").
    """
    pairs = list(wanted)
    found: dict[Pair, CrossSpectrum] = {}
    for at in range(0, len(pairs), PAIRS_AT_ONCE):
        part = {pair: wanted[pair] for pair in pairs[at : at + PAIRS_AT_ONCE]}
        found |= _gather(sources, part, onsets, progress)
    return found


def comparable(sources: Sequence[Source]) -> list[int]:
    """The tracks that can be compared sample by sample: those of the rate that most have."""
    counted = Counter(source.rate_hz for source in sources)
    rate_hz = max(counted, key=lambda rate: (counted[rate], rate), default=0)
    return [at for at, source in enumerate(sources) if source.rate_hz == rate_hz]


def frame_samples(rate_hz: int) -> int:
    """Length of a frame: the power of two that is nearest to 170 ms."""
    return int(2 ** round(math.log2(rate_hz * FRAME_S)))


def _gather(
    sources: Sequence[Source], wanted: Mapping[Pair, Sequence[int]], onsets: bool, progress: Progress | None
) -> dict[Pair, CrossSpectrum]:
    if not wanted:
        return {}
    rate_hz = sources[next(iter(wanted))[0]].rate_hz
    frame = frame_samples(rate_hz)
    size = frame // 2 if onsets else frame
    window = _direct_window(size, rate_hz) if onsets else hann(size).astype(np.float32)
    bins = min(int(HIGHEST_HZ * size / rate_hz), size // 2)
    pairs = list(wanted)
    cross = np.zeros((len(pairs), GROUPS, bins), np.complex64)
    first_power = np.zeros((len(pairs), GROUPS, bins), np.float32)
    second_power = np.zeros((len(pairs), bins), np.float32)
    by_frame: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, pair in enumerate(pairs):
        for turn, at in enumerate(wanted[pair]):
            by_frame[at].append((number, turn % GROUPS))
    for done, at in enumerate(sorted(by_frame)):
        report(progress, done / len(by_frame), "Comparing the tracks")
        users = by_frame[at]
        tracks = {track for number, _ in users for track in pairs[number]}
        heard = {track: sources[track].read(at * frame, frame).mean(axis=0) for track in sorted(tracks)}
        starts = {pairs[number][0]: 0 for number, _ in users}
        if onsets:
            starts = {track: _onset(heard[track], frame - size, rate_hz) for track in starts}
        looked_at = sorted({(track, starts[pairs[number][0]]) for number, _ in users for track in pairs[number]})
        windows = np.stack([heard[track][start : start + size] for track, start in looked_at]) * window
        found_there = scipy.fft.rfft(windows)[:, :bins]
        spectra = dict(zip(looked_at, found_there, strict=True))
        powers = dict(zip(looked_at, np.square(found_there.real) + np.square(found_there.imag), strict=True))
        for number, group in users:
            first, second = pairs[number]
            start = starts[first]
            cross[number, group] += np.conj(spectra[first, start]) * spectra[second, start]
            first_power[number, group] += powers[first, start]
            second_power[number] += powers[second, start]
    found = {}
    for number, pair in enumerate(pairs):
        frames = len(wanted[pair])
        sizes = np.array([len(range(group, frames, GROUPS)) for group in range(GROUPS)])
        found[pair] = CrossSpectrum(
            rate_hz=rate_hz,
            frame=size,
            frames=frames,
            first=first_power[number].sum(axis=0, dtype=np.float64) / frames,
            second=second_power[number].astype(np.float64) / frames,
            groups=cross[number].astype(np.complex128) / sizes[:, None],
            firsts=first_power[number].astype(np.float64) / sizes[:, None],
        )
    return found


def _by_band(spectrum: Floats) -> Floats:
    """Sums over third octaves; the lowest are a frequency each."""
    octaves = math.log2(spectrum.size)
    edges = np.unique(np.round(2.0 ** np.arange(0.0, octaves, 1.0 / 3.0)).astype(np.intp))
    sums: Floats = np.add.reduceat(spectrum, np.concatenate(([0], edges[edges < spectrum.size])))
    return sums


def _direct_window(size: int, rate_hz: int) -> NDArray[np.float32]:
    """Rises for 4 ms up to the onset at 6 ms, then fades by 1/e every 15 ms."""
    t = np.arange(size) / rate_hz
    fading = np.exp(-np.maximum(t - ONSET_AT_S, 0.0) / DIRECT_S) * np.clip((size / rate_hz - t) / DIRECT_S, 0.0, 1.0)
    return np.asarray(np.clip(t / 0.004, 0.0, 1.0) * fading, dtype=np.float32)


def _onset(audio: NDArray[np.float32], latest: int, rate_hz: int) -> int:
    """Where a window must start, 0 to `latest`, for the steepest rise of energy (5 ms against the 20 before)."""
    step = max(rate_hz // 1000, 1)
    energy = np.add.reduceat(np.square(audio, dtype=np.float64), np.arange(0, audio.size, step))
    sums = np.concatenate((np.zeros(21), np.cumsum(energy), np.full(5, energy.sum())))
    rise = (sums[25:] - sums[20:-5]) - (sums[20:-5] - sums[:-25]) / 4.0
    ahead = round(ONSET_AT_S * rate_hz)
    return int(np.clip(np.argmax(rise[: (latest + ahead) // step]) * step - ahead, 0, latest))


class Correlation:
    """Correlation of two tracks by lag: a peak where the second hears what the first hears.

    Generalised cross-correlation with the phase transform (Knapp and Carter, IEEE Trans. ASSP 24(4), 1976), each
    frequency weighted by its coherence, since phase says nothing where the tracks have nothing in common.
    """

    def __init__(self, spectrum: CrossSpectrum) -> None:
        self._spectrum = spectrum
        self._weight = spectrum.coherence()
        self._weight[: max(int(LOWEST_HZ * spectrum.frame / spectrum.rate_hz), 1)] = 0.0
        self._curve, self._whitened = _correlation_curve(self._weight, spectrum.cross, spectrum.frame)
        self._rms = math.sqrt(max(float(np.square(self._curve).mean()), 1e-30))

    def prominence(self, earliest_s: float, latest_s: float) -> float:
        """The largest magnitude between two lags against the RMS over all: 4 for chance, 10 and more for one source."""
        return float(np.abs(self._curve[self._lags(earliest_s, latest_s)]).max()) / self._rms

    def lag(self, earliest_s: float, latest_s: float) -> Lag:
        """Delay and polarity of the second track by the peak of the largest magnitude between two lags."""
        lags, rate_hz, omega = self._lags(earliest_s, latest_s), self._spectrum.rate_hz, self._spectrum.omega
        coarse = int(lags[np.argmax(np.abs(self._curve[lags]))])
        inverted = bool(self._curve[coarse] < 0.0)
        samples = _peak(self._whitened, omega, coarse, inverted)
        near = lags[np.abs(lags - coarse) <= AGREEING_S * rate_hz]
        apart = []
        for group in self._spectrum.groups:
            own, whitened = _correlation_curve(self._weight, group, self._spectrum.frame)
            start = int(near[np.argmax(-own[near] if inverted else own[near])])
            apart.append(abs(_peak(whitened, omega, start, inverted) - samples))
        return Lag(
            samples=samples,
            inverted=inverted,
            prominence=self.prominence(earliest_s, latest_s),
            spread_samples=sorted(apart)[GROUPS - 2],
        )

    def _lags(self, earliest_s: float, latest_s: float) -> NDArray[np.intp]:
        rate_hz = self._spectrum.rate_hz
        return np.arange(round(earliest_s * rate_hz), round(latest_s * rate_hz) + 1)


def _correlation_curve(weight: Floats, cross: Complexes, frame: int) -> tuple[Floats, Complexes]:
    """Correlation by lag (in the order of an inverse FFT) and the whitened spectrum that it is made of."""
    whitened = weight * cross / np.maximum(np.abs(cross), 1e-30)
    return np.asarray(scipy.fft.irfft(whitened, frame)), whitened


def _peak(whitened: Complexes, omega: Floats, start: int, inverted: bool) -> float:
    """The top of the correlation's hill next to `start`, by Newton's method on its exact derivatives."""
    at = float(start)
    for _ in range(8):
        turned = whitened * np.exp(1j * omega * at)
        slope, bend = -(omega * turned.imag).sum(), -(omega**2 * turned.real).sum()
        if (bend if inverted else -bend) <= 0.0:
            break
        step = -slope / bend
        if abs(at + step - start) > 1.0:
            break
        at += step
        if abs(step) < 1e-4:
            break
    return float(at)
