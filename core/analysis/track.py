"""What one track is like: level, loudness over time, spectrum, strokes, noise, and what went wrong at its input.

One streaming pass; the result is small, holds no audio and can be kept as a file. What describes the sound rather than
its level (crest, bands, flatness, activity, onsets) does not change with gain.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.analysis.features import (
    BAND_HZ,
    STEPS_PER_S,
    Clipping,
    Envelope,
    Hum,
    Spectrum,
    Stereo,
    ZeroCrossings,
    band_powers,
    onset_times_s,
)
from core.analysis.hearing import ERB_HZ
from core.progress import Progress, report

Floats = NDArray[np.float64]

SILENT_DBFS: Final = -100.0
"""A peak below this is silence: less than the last bit of 16."""
CURVE_S: Final = 0.1
"""Length of a step of `TrackAnalysis.loudness_curve`."""
BLOCK_S: Final = 10
ACTIVE_BELOW_LOUD_LU: Final = 25.0
LONGEST_BREATH_STEPS: Final = 6
FLOOR_LUFS: Final = -120.0
EAR_FLOOR_DBFS: Final = -150
"""What a byte of 0 means in `TrackAnalysis.ear_levels`."""
SIBILANTS_HZ: Final = (4_500.0, 11_000.0)
LOUDEST_SIBILANTS: Final = 98.0
"""Percentile over the sounding windows."""
FALLEN_DB: Final = 10.0
LONGEST_FALL_STEPS: Final = 100
MOST_STROKES: Final = 1_000
"""Looked at to learn how fast they fall."""


class Source(Protocol):
    """Audio that can be read anywhere; `core.desk.sources` has the real ones."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def channels(self) -> int: ...  # noqa: D102
    @property
    def frames(self) -> int: ...  # noqa: D102
    @property
    def rate_hz(self) -> int: ...  # noqa: D102

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Float32 of shape (channels, frames)."""
        ...


class TrackAnalysis(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements of one track. Levels that silence does not have are None."""

    schema: int = 1
    rate_hz: int
    channels: int
    duration_s: float
    sample_peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    """While active, channels' powers added."""
    crest_db: float | None = None
    """Peak above RMS while active."""
    integrated_lufs: float | None = None
    """ITU-R BS.1770 with both gates; None below its absolute gate."""
    active_lufs: float | None = None
    """K-weighted loudness of the moments in which the track sounds."""
    loud_lufs: float | None = None
    """Loudness that the track reaches in its loudest twentieth (momentary, 400 ms)."""
    noise_floor_dbfs: float | None = None
    """RMS of the quiet pauses; None when there are none or they are digital silence."""
    noise_spread_db: float | None = None
    """How far the level of the pauses moves (20th to 80th percentile): little for noise, much for decays and bleed."""
    activity: float = 0.0
    """Share of the time in which the track sounds."""
    loudness_curve: tuple[float, ...] = ()
    """K-weighted loudness in LUFS per 100 ms, -120 for silence."""
    peak_curve_dbfs: tuple[float, ...] = ()
    """Sample peak per 100 ms, -120 for silence."""
    bands_db: tuple[float, ...] = ()
    """Third-octave levels (`core.analysis.features.BAND_HZ`) relative to the track's whole power."""
    centroid_hz: float | None = None
    """Centre of gravity of the spectrum on a logarithmic frequency axis."""
    flatness: float = 0.0
    """0 for tones, towards 1 for noise."""
    pitch_hz: float | None = None
    """Median fundamental, where there is one."""
    pitched: float = 0.0
    """Share of the sounding time that has a pitch."""
    onsets_per_s: float = 0.0
    """Strokes or notes per second while active."""
    onsets_s: tuple[float, ...] = ()
    """When strokes and notes begin, since the start of the track."""
    fall_ms: float | None = None
    """How long a stroke usually takes to fall 10 dB below its peak; None without strokes."""
    ear_levels: bytes = b""
    """Level per second and ERB band (`core.analysis.hearing.ERB_HZ`), a byte each, dB above -150 dBFS."""
    sibilance_db: float | None = None
    """4.5 to 11 kHz in the brightest fiftieth of the sounding moments, against the track's level while active."""
    sibilance_hz: float | None = None
    """Where these moments have their weight."""
    zero_crossings_per_s: float = 0.0
    clipped_samples: int = 0
    hum_hz: int | None = None
    """50 or 60 where mains hum was found in the quiet moments."""
    hum_dbfs: float | None = None
    correlation: float | None = None
    """Left against right, -1..1; None for mono."""
    balance_db: float | None = None
    """Right above left; None for mono."""

    def ear_powers(self) -> Floats:
        """Mean square per second and ERB band, shape (seconds, bands)."""
        levels = np.frombuffer(self.ear_levels, dtype=np.uint8).reshape(-1, len(ERB_HZ)).astype(np.float64)
        return np.where(levels > 0.0, 10.0 ** ((levels + EAR_FLOOR_DBFS) / 10.0), 0.0)

    @property
    def silent(self) -> bool:
        """Whether there is nothing on the track."""
        return self.sample_peak_dbfs is None

    def active_steps(self) -> NDArray[np.bool_]:
        """Which 100 ms steps sound, one value per step of `loudness_curve`."""
        if self.loud_lufs is None:
            return np.zeros(len(self.loudness_curve), dtype=np.bool_)
        return _active(np.array(self.loudness_curve), self.loud_lufs)


def analyse_source(source: Source, *, progress: Progress | None = None) -> TrackAnalysis:
    """Measure a source in one pass of ten-second blocks, so that memory does not grow with its length.

    Raises OtoError("cancelled") when `progress` no longer wants the work.
    """
    rate_hz, channels = source.rate_hz, source.channels
    envelope, spectrum = Envelope(rate_hz, channels), Spectrum(rate_hz)
    clipping, hum, stereo, crossings = Clipping(), Hum(rate_hz), Stereo(), ZeroCrossings()
    block_samples = BLOCK_S * STEPS_PER_S * envelope.step_samples
    for start in range(0, source.frames, block_samples):
        report(progress, start / source.frames, f"Listening to {source.name}")
        block = source.read(start, min(block_samples, source.frames - start))
        for gatherer in (envelope, spectrum, clipping, hum, stereo, crossings):
            gatherer.add(block)
    duration_s = source.frames / rate_hz
    nothing = TrackAnalysis(rate_hz=rate_hz, channels=channels, duration_s=duration_s)
    if not source.frames:
        return nothing
    spectrum.finish()

    peaks = envelope.peaks()
    curve = loudness_lufs(_in_steps(envelope.weighted_energy()))
    nothing = msgspec.structs.replace(nothing, loudness_curve=(FLOOR_LUFS,) * curve.size)
    if _db(peaks.max(), 20.0) < SILENT_DBFS:
        return nothing

    momentary = _momentary(10.0 ** ((curve + 0.691) / 10.0))
    loud_lufs = _loud(momentary)
    active = _active(curve, loud_lufs)
    energy = _in_steps(envelope.energy())
    rms_dbfs = _db(float(energy[active].mean()))
    active_10ms = np.repeat(active, STEPS_PER_S // 10)[: peaks.size]
    bands = band_powers(spectrum.mean_power(), spectrum.frequencies_hz)
    pitch_hz, pitched = spectrum.pitch()
    found_hum = hum.result()
    noise = _noise(energy, active)
    onsets = onset_times_s(envelope.weighted_energy(), active_10ms)
    ear_power = spectrum.ear_power()
    sibilance = _sibilance(ear_power, rms_dbfs)
    return TrackAnalysis(
        rate_hz=rate_hz,
        channels=channels,
        duration_s=duration_s,
        sample_peak_dbfs=_db(float(peaks.max()), 20.0),
        rms_dbfs=rms_dbfs,
        crest_db=_db(float(peaks.max()), 20.0) - rms_dbfs,
        integrated_lufs=_integrated(momentary),
        active_lufs=float(loudness_lufs(np.array(10.0 ** ((curve[active] + 0.691) / 10.0)).mean())),
        loud_lufs=loud_lufs,
        noise_floor_dbfs=noise[0] if noise else None,
        noise_spread_db=noise[1] if noise else None,
        activity=float(active.mean()),
        loudness_curve=_rounded(curve),
        peak_curve_dbfs=_rounded(20.0 * np.log10(np.maximum(_largest_in_steps(peaks), 1e-6))),
        bands_db=_rounded(10.0 * np.log10(np.maximum(bands / bands.sum(), 1e-12))),
        centroid_hz=float(np.exp((np.log(BAND_HZ) * bands).sum() / bands.sum())),
        flatness=spectrum.flatness(),
        pitch_hz=pitch_hz,
        pitched=pitched,
        onsets_per_s=onsets.size / (float(active.sum()) * CURVE_S),
        onsets_s=tuple(onsets.tolist()),
        fall_ms=_fall_ms(envelope.weighted_energy(), onsets),
        ear_levels=_per_second(ear_power, spectrum.window_s),
        sibilance_db=sibilance[0] if sibilance else None,
        sibilance_hz=sibilance[1] if sibilance else None,
        zero_crossings_per_s=crossings.per_s(duration_s),
        clipped_samples=clipping.samples,
        hum_hz=found_hum[0] if found_hum else None,
        hum_dbfs=found_hum[1] if found_hum else None,
        correlation=stereo.correlation(),
        balance_db=stereo.balance_db(),
    )


def loudness_lufs(weighted_energy: Floats | float) -> Floats:
    """Loudness of K-weighted energy, BS.1770-5 eq. 2."""
    return np.asarray(np.maximum(-0.691 + 10.0 * np.log10(np.maximum(weighted_energy, 1e-13)), FLOOR_LUFS))


def _db(value: float, factor: float = 10.0) -> float:
    return factor * math.log10(max(value, 1e-15))


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, 1).tolist())


def _grouped(per_10ms: Floats) -> tuple[Floats, NDArray[np.intp]]:
    return per_10ms, np.arange(0, per_10ms.size, STEPS_PER_S // 10)


def _in_steps(per_10ms: Floats) -> Floats:
    """Means over 100 ms."""
    values, starts = _grouped(per_10ms)
    means: Floats = np.add.reduceat(values, starts) / np.diff(np.append(starts, values.size))
    return means


def _largest_in_steps(per_10ms: Floats) -> Floats:
    largest: Floats = np.maximum.reduceat(*_grouped(per_10ms))
    return largest


def _momentary(weighted_energy: Floats) -> Floats:
    """Mean energy of 400 ms windows every 100 ms (BS.1770-5: 75 % overlap)."""
    if weighted_energy.size < 4:
        return np.array([weighted_energy.mean()])
    sums: Floats = np.convolve(weighted_energy, np.full(4, 0.25), mode="valid")
    return sums


def _integrated(momentary: Floats) -> float | None:
    """BS.1770-5 eq. 4 to 7: absolute gate at -70 LUFS, relative gate 10 LU below what passed it."""
    loud = momentary[loudness_lufs(momentary) > -70.0]
    if not loud.size:
        return None
    gate = loudness_lufs(loud.mean()) - 10.0
    return float(loudness_lufs(loud[loudness_lufs(loud) > gate].mean()))


def _loud(momentary: Floats) -> float:
    """Level of the loudest twentieth of the moments within 40 LU of the loudest."""
    loudness = loudness_lufs(momentary)
    return float(np.percentile(loudness[loudness > loudness.max() - 40.0], 95.0))


def _active(curve_lufs: Floats, loud_lufs: float) -> NDArray[np.bool_]:
    """Steps not far below the loud moments, with the breaths between strokes and words (up to 0.5 s) filled in."""
    sounding = curve_lufs > loud_lufs - ACTIVE_BELOW_LOUD_LU
    if not sounding.any():
        sounding = curve_lufs >= curve_lufs.max()
    at = np.flatnonzero(sounding)
    breaths = np.flatnonzero(np.diff(at) <= LONGEST_BREATH_STEPS)
    edges = np.zeros(sounding.size, dtype=np.int64)
    edges[at[breaths]] += 1
    edges[at[breaths + 1]] -= 1
    filled: NDArray[np.bool_] = sounding | (np.cumsum(edges) > 0)
    return filled


def _noise(energy: Floats, active: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Level and spread of the pauses at least 200 ms away from anything that sounds."""
    near = np.convolve(active, np.ones(5), mode="same") > 0 if active.size >= 5 else active
    pauses = energy[~near]
    pauses = pauses[pauses > 1e-14]
    if pauses.size < 5:
        return None
    quiet, loud = np.percentile(pauses, (20.0, 80.0))
    return _db(quiet), _db(loud) - _db(quiet)


def _per_second(ear_power: Floats, window_s: float) -> bytes:
    """Means over the windows that begin in each second, as bytes."""
    if not len(ear_power):
        return b""
    second = (np.arange(len(ear_power)) * window_s).astype(np.int64)
    starts = np.flatnonzero(np.diff(second, prepend=-1))
    means = np.add.reduceat(ear_power, starts) / np.diff(np.append(starts, len(second)))[:, None]
    levels = np.round(10.0 * np.log10(np.maximum(means, 1e-15))) - EAR_FLOOR_DBFS
    return np.asarray(np.clip(levels, 0.0, 255.0).astype(np.uint8)).tobytes()


def _sibilance(ear_power: Floats, rms_dbfs: float) -> tuple[float, float] | None:
    """Level of the sharpest moments against the track's, and their centre of gravity."""
    sharp = (SIBILANTS_HZ[0] <= ERB_HZ) & (SIBILANTS_HZ[1] >= ERB_HZ)
    highs = ear_power[:, sharp]
    power = highs.sum(axis=1)
    sounding = power[ear_power.sum(axis=1) > 10.0 ** ((rms_dbfs - ACTIVE_BELOW_LOUD_LU) / 10.0)]
    if sounding.size < 10:
        return None
    level = float(np.percentile(sounding, LOUDEST_SIBILANTS))
    moments = highs[power >= level].sum(axis=0)
    if level <= 0.0 or moments.sum() <= 0.0:
        return None
    return _db(level) - rms_dbfs, float(np.exp((np.log(ERB_HZ[sharp]) * moments).sum() / moments.sum()))


def _fall_ms(weighted_energy: Floats, onsets_s: Floats) -> float | None:
    """Median time from a stroke's peak to 10 dB below it, the next stroke or a second at the latest."""
    if not onsets_s.size:
        return None
    every = -(-onsets_s.size // MOST_STROKES)
    chosen = onsets_s[::every]
    starts = np.round(chosen * STEPS_PER_S).astype(np.int64)
    padded = np.pad(weighted_energy, (0, LONGEST_FALL_STEPS))
    strokes = padded[starts[:, None] + np.arange(LONGEST_FALL_STEPS)]
    peaks = np.argmax(strokes[:, :7], axis=1)
    height = strokes[np.arange(len(strokes)), peaks]
    fallen = (strokes < height[:, None] * 10.0 ** (-FALLEN_DB / 10.0)) & (
        np.arange(LONGEST_FALL_STEPS) > peaks[:, None]
    )
    steps = np.where(fallen.any(axis=1), np.argmax(fallen, axis=1), LONGEST_FALL_STEPS) - peaks
    gaps = np.diff(onsets_s, append=onsets_s[-1] + LONGEST_FALL_STEPS / STEPS_PER_S)[::every]
    return float(np.median(np.minimum(steps / STEPS_PER_S, gaps))) * 1_000.0
