"""What a stream of audio says about itself, gathered block by block in bounded memory.

Each gatherer has `add(block)`, float32 of shape (channels, frames), and is read when the stream has ended. Together
they keep a hundred small numbers per second of audio and never the audio.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.hearing import ERB_EDGES_HZ
from core.analysis.loudness import k_weighted
from core.dsp.windows import hann

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

STEPS_PER_S: Final = 100
"""Energy is kept in steps of 10 ms."""

BAND_HZ: Final[tuple[float, ...]] = tuple(1000.0 * 2.0 ** (n / 3.0) for n in range(-16, 13))
"""Centres of third-octave bands from 25 Hz to 16 kHz (IEC 61260-1, base 2)."""

CLIP_LEVEL: Final = 0.99
CLIP_RUN: Final = 3
"""Three equal samples in a row this close to full scale are a converter that had no numbers left."""


class Envelope:
    """Energy over time, plain and K-weighted (ITU-R BS.1770-5, annex 1), with the peak of every step."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.step_samples = max(round(rate_hz / STEPS_PER_S), 1)
        self._filter = k_weighted(rate_hz, channels)
        self._energy: list[Floats] = []
        self._weighted: list[Floats] = []
        self._peaks: list[Floats] = []

    def add(self, block: Audio) -> None:
        """Take whole steps; a shorter rest at the end of the stream counts as one step."""
        weighted = self._filter.process(block)
        whole = block.shape[1] - block.shape[1] % self.step_samples
        for part in (slice(0, whole), slice(whole, None)):
            if block[:, part].size:
                self._energy.append(self._mean_squares(block[:, part]))
                self._weighted.append(self._mean_squares(weighted[:, part]))
                steps = self._by_step(block[:, part])
                self._peaks.append(np.maximum(steps.max(axis=(0, 2)), -steps.min(axis=(0, 2))).astype(np.float64))

    def _by_step(self, audio: NDArray[Any]) -> NDArray[Any]:
        """(channels, steps, samples of a step), of whole steps or of one that is shorter."""
        return audio.reshape(audio.shape[0], -1, min(self.step_samples, audio.shape[1]))

    def _mean_squares(self, audio: NDArray[Any]) -> Floats:
        steps = self._by_step(audio)
        means: Floats = np.einsum("csf,csf->s", steps, steps).astype(np.float64) / steps.shape[2]
        return means

    def energy(self) -> Floats:
        """Mean square per step, summed over channels."""
        return np.concatenate(self._energy)

    def weighted_energy(self) -> Floats:
        """K-weighted mean square per step, summed over channels."""
        return np.concatenate(self._weighted)

    def peaks(self) -> Floats:
        """Largest sample magnitude per step."""
        return np.concatenate(self._peaks)


class Spectrum:
    """Mean power spectrum, flatness and pitch from Hann windows of about 170 ms, the channels' powers added."""

    PITCH_EVERY: Final = 4
    LOWEST_PITCH_HZ: Final = 35.0
    HIGHEST_PITCH_HZ: Final = 1_400.0

    def __init__(self, rate_hz: int) -> None:
        self.size = 2 ** round(math.log2(rate_hz * 0.17))
        self._rate_hz = rate_hz
        self._window = hann(self.size).astype(np.float32)
        reference = np.fft.irfft(np.abs(np.fft.rfft(self._window)) ** 2)
        self._window_correlation = reference / reference[0]
        self._power = np.zeros(self.size // 2 + 1)
        self._rest: Audio | None = None
        self._flatness: list[Floats] = []
        self._frame_power: list[Floats] = []
        self._pitches: list[tuple[float, float]] = []
        self._ear_power: list[Floats] = []
        self._frames_seen = 0
        self.frequencies_hz = np.asarray(np.fft.rfftfreq(self.size, 1.0 / rate_hz), np.float64)
        self._tonal_range = slice(*np.searchsorted(self.frequencies_hz, (80.0, 10_000.0)))
        self._ear_edges = np.searchsorted(self.frequencies_hz, ERB_EDGES_HZ)
        self._scale = 2.0 / (self.size * float(np.square(self._window).sum()))

    def add(self, block: Audio) -> None:
        """Take any number of frames; what does not fill a window waits for the next block."""
        data = block if self._rest is None else np.concatenate((self._rest, block), axis=1)
        windows = data.shape[1] // self.size
        self._rest = data[:, windows * self.size :].copy()
        if windows:
            self._add_windows(data[:, : windows * self.size].reshape(data.shape[0], windows, self.size))

    def finish(self) -> None:
        """Use the rest of a stream that was shorter than one window."""
        if self._frames_seen == 0 and self._rest is not None and self._rest.shape[1]:
            before = (self.size - self._rest.shape[1]) // 2
            after = self.size - self._rest.shape[1] - before
            self._add_windows(np.pad(self._rest, ((0, 0), (before, after)))[:, None, :])

    def _add_windows(self, windows: Audio) -> None:
        spectra = np.fft.rfft(windows * self._window, axis=-1)
        power = np.square(np.abs(spectra)).sum(axis=0, dtype=np.float64)
        self._power += power.sum(axis=0)
        tonal = power[:, self._tonal_range] + 1e-20
        self._flatness.append(np.exp(np.log(tonal).mean(axis=1)) / tonal.mean(axis=1))
        self._frame_power.append(power.sum(axis=1))
        self._ear_power.append(self._in_ear_bands(power))
        first = -self._frames_seen % self.PITCH_EVERY
        self._frames_seen += power.shape[0]
        self._pitches += [self._pitch(frame) for frame in power[first :: self.PITCH_EVERY]]

    def _in_ear_bands(self, power: Floats) -> Floats:
        cumulative = np.concatenate((np.zeros((power.shape[0], 1)), np.cumsum(power, axis=1)), axis=1)
        edges = np.minimum(self._ear_edges, power.shape[1])
        in_bands: Floats = np.diff(cumulative[:, edges], axis=1) * self._scale
        return in_bands

    def ear_power(self) -> Floats:
        """Mean square in every ERB band (`core.analysis.hearing`), shape (windows, bands)."""
        return np.concatenate(self._ear_power) if self._ear_power else np.zeros((0, ERB_EDGES_HZ.size - 1))

    @property
    def window_s(self) -> float:
        """Length of a window."""
        return float(self.size / self._rate_hz)

    def _pitch(self, power: Floats) -> tuple[float, float]:
        """Fundamental in Hz and how periodic the frame is (0..1), from its autocorrelation (Boersma, 1993, eq. 9)."""
        total = power.sum()
        if total <= 1e-12:
            return 0.0, 0.0
        shortest, longest = int(self._rate_hz / self.HIGHEST_PITCH_HZ), int(self._rate_hz / self.LOWEST_PITCH_HZ)
        correlation = np.fft.irfft(power)[: longest + 2]
        correlation = correlation / correlation[0] / self._window_correlation[: longest + 2]
        middle = correlation[1:-1]
        peaks = np.flatnonzero((middle > correlation[:-2]) & (middle >= correlation[2:])) + 1
        peaks = peaks[peaks >= shortest]
        if not peaks.size:
            return 0.0, 0.0
        best = float(correlation[peaks].max())
        lag = peaks[np.argmax(correlation[peaks] > 0.92 * best)]
        return self._rate_hz / float(lag), min(best, 1.0)

    def mean_power(self) -> Floats:
        """Power per frequency, summed over the stream: loud moments count most."""
        return self._power

    def flatness(self) -> float:
        """0 for a tone, towards 1 for noise, 80 Hz to 10 kHz, weighted by each window's power."""
        if not self._flatness:
            return 0.0
        weights = np.concatenate(self._frame_power)
        total = float(weights.sum())
        return float((np.concatenate(self._flatness) * weights).sum() / total) if total > 0.0 else 0.0

    def pitch(self) -> tuple[float | None, float]:
        """Median fundamental in Hz of the periodic windows, and what share of the sounding windows was periodic."""
        weights = np.concatenate(self._frame_power)[:: self.PITCH_EVERY] if self._frame_power else np.zeros(0)
        if not weights.size or weights.max() <= 0.0:
            return None, 0.0
        sounding = weights > weights.max() * 1e-3
        found = np.array(self._pitches)[sounding]
        periodic = found[:, 1] > 0.75
        return (float(np.median(found[periodic, 0])) if periodic.any() else None), float(periodic.mean())


class Clipping:
    """Samples in runs that sit flat at full scale."""

    def __init__(self) -> None:
        self.samples = 0

    def add(self, block: Audio) -> None:
        """Count the block's clipped samples, every channel."""
        if max(block.max(initial=0.0), -block.min(initial=0.0)) < CLIP_LEVEL:
            return
        for channel in block:
            hot = np.flatnonzero(np.abs(channel) >= CLIP_LEVEL)
            flat = np.diff(hot, prepend=-9) == 1
            flat[1:] &= np.abs(np.diff(channel[hot])) < 1e-6
            starts = np.flatnonzero(~flat)
            runs = np.diff(np.append(starts, hot.size))
            self.samples += int(runs[runs >= CLIP_RUN].sum())


class Hum:
    """Mains hum, looked for in the quietest second of every block where a tone that never stops shows best."""

    HARMONICS: Final = 6

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._window = hann(rate_hz)
        self._seconds: list[tuple[float, Floats]] = []

    def add(self, block: Audio) -> None:
        """Keep the 1 Hz spectrum, up to 1 kHz, of the block's quietest second that isn't digital silence."""
        seconds = block.shape[1] // self._rate_hz
        if not seconds:
            return
        mono = block[:, : seconds * self._rate_hz].mean(axis=0, dtype=np.float64).reshape(seconds, self._rate_hz)
        energy = np.square(mono).mean(axis=1)
        if energy.max() <= 1e-14:
            return
        quietest = int(np.argmin(np.where(energy > 1e-14, energy, np.inf)))
        spectrum = np.abs(np.fft.rfft(mono[quietest] * self._window))[:1000] * (2.0 / self._window.sum())
        self._seconds.append((float(energy[quietest]), np.square(spectrum) / 2.0))

    def result(self) -> tuple[int, float] | None:
        """Mains frequency (50 or 60 Hz) and the hum's level in dBFS RMS, or None.

        Hum is three harmonics or more that each stand 12 dB out of their surroundings, the first or second among them.
        """
        if not self._seconds:
            return None
        quiet = min(energy for energy, _ in self._seconds)
        power = np.mean([spectrum for energy, spectrum in self._seconds if energy <= 4.0 * quiet], axis=0)
        found = [hum for hum in (self._harmonics(power, mains) for mains in (50, 60)) if hum is not None]
        return max(found, key=lambda hum: hum[1], default=None)

    def _harmonics(self, power: Floats, mains: int) -> tuple[int, float] | None:
        total, standing = 0.0, []
        for harmonic in range(1, self.HARMONICS + 1):
            at = mains * harmonic
            line = float(power[at - 1 : at + 2].sum()) / 1.5
            around = np.concatenate((power[at - 12 : at - 4], power[at + 5 : at + 13]))
            if line > 16.0 * 1.5 * float(np.median(around)) + 1e-20 and power[at] >= power[at - 2 : at + 3].max():
                standing.append(harmonic)
                total += line
        if len(standing) < 3 or standing[0] > 2:
            return None
        return mains, 10.0 * math.log10(total)


class Stereo:
    """How alike left and right are."""

    def __init__(self) -> None:
        self._left = self._right = self._product = 0.0

    def add(self, block: Audio) -> None:
        """Take a block of two channels; of one channel there is nothing to say."""
        if block.shape[0] == 2:
            left, right = block
            self._left += float(np.dot(left, left))
            self._right += float(np.dot(right, right))
            self._product += float(np.dot(left, right))

    def correlation(self) -> float | None:
        """-1..1; None for mono or where a side is silent."""
        scale = math.sqrt(self._left * self._right)
        return max(-1.0, min(1.0, self._product / scale)) if scale > 0.0 else None

    def balance_db(self) -> float | None:
        """Right above left; None for mono or where a side is silent."""
        if self._left <= 0.0 or self._right <= 0.0:
            return None
        return 10.0 * math.log10(self._right / self._left)


class ZeroCrossings:
    """Sign changes, a cheap hint at where a sound's weight lies."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, block: Audio) -> None:
        """Count the first channel's sign changes."""
        self._count += int(np.count_nonzero(np.diff(np.signbit(block[0]))))

    def per_s(self, duration_s: float) -> float:
        """Mean rate over the stream."""
        return self._count / duration_s if duration_s > 0.0 else 0.0


def onset_times_s(energy: Floats, active: NDArray[np.bool_]) -> Floats:
    """Beginnings of strokes and notes: steps 6 dB above the mean of the last 60 ms and at least 70 ms apart.

    `energy` is per 10 ms step, `active` says in which steps the track sounds.
    """
    level = 10.0 * np.log10(energy + 1e-12)
    before = np.lib.stride_tricks.sliding_window_view(np.pad(level[:-1], (7, 0), constant_values=-120.0)[1:], 6)
    rises = np.flatnonzero((level - before.mean(axis=1) > 6.0) & active)
    times: list[float] = []
    for step in rises:
        if not times or step - times[-1] > 7:
            times.append(float(step))
    return np.array(times) / STEPS_PER_S


def band_powers(power: Floats, frequencies_hz: Floats) -> Floats:
    """Sum a power spectrum in third-octave bands (`BAND_HZ`); bands narrower than a bin take their share of it."""
    cumulative = np.concatenate(([0.0], np.cumsum(power)))
    width = frequencies_hz[1]
    edges = np.append(np.array(BAND_HZ) * 2.0 ** (-1 / 6), BAND_HZ[-1] * 2.0 ** (1 / 6))
    positions = np.clip(edges / width + 0.5, 0.0, float(power.size))
    bands: Floats = np.diff(np.interp(positions, np.arange(power.size + 1), cumulative))
    return np.maximum(bands, 1e-20)
