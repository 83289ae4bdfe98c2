"""What the instruments share: filters drawn through points, convolution, many damped sines at once; in numpy alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Signal: TypeAlias = NDArray[np.float32]
Curve: TypeAlias = tuple[tuple[float, float], ...]
"""Points (hz, db), rising in frequency; straight between them over log frequency, level beyond them."""

BLOCK = 1 << 16
"""Frames that are worked on at a time."""
_ROW = 512


def fast_length(least: int) -> int:
    """The smallest of at least `least` that is 8, 9, 10 or 12 times a power of two: quick to transform."""
    power = 1 << max(least.bit_length() - 4, 0)
    return next(factor * power for factor in (8, 9, 10, 12, 16) if factor * power >= least)


def gains(curve: Curve, hz: NDArray[np.floating]) -> NDArray[np.float64]:
    """Linear gain of `curve` at each frequency."""
    points = np.array(curve)
    return np.asarray(10 ** (np.interp(np.log(np.maximum(hz, 1.0)), np.log(points[:, 0]), points[:, 1]) / 20))


@lru_cache(maxsize=64)
def filter_of(curve: Curve, rate_hz: int, seconds: float = 0.04) -> Signal:
    """Impulse response with the magnitude of `curve` and the least delay.

    Real cepstrum folded onto positive time (Oppenheim & Schafer, Discrete-Time Signal Processing, chapter 13).
    """
    taps = fast_length(int(seconds * rate_hz))
    log_magnitude = np.log(gains(curve, np.fft.rfftfreq(2 * taps, 1 / rate_hz)))
    cepstrum = np.fft.irfft(log_magnitude)
    cepstrum[1:taps] *= 2
    cepstrum[taps + 1 :] = 0
    impulse = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:taps].astype(np.float32)
    return fade_out(impulse, taps // 4)


def convolve(signal: Signal, impulse: Signal) -> Signal:
    """`signal` through `impulse`, as long as `signal`; overlap-add, so that memory stays that of one copy."""
    block = min(signal.size, max(BLOCK, fast_length(impulse.size)))
    size = fast_length(block + impulse.size)
    response = np.fft.rfft(impulse, size)
    out = np.zeros(signal.size + size, np.float32)
    for start in range(0, signal.size, block):
        out[start : start + size] += np.fft.irfft(np.fft.rfft(signal[start : start + block], size) * response, size)
    return out[: signal.size]


def powers(step: NDArray[np.complex128], count: int) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """Factors of exp(step * n) for n = 0..count-1: exp(step * (512 a + b)) = first[a] * second[b], each (.., steps)."""
    rows = np.exp(step * _ROW * np.arange(-(-count // _ROW))[:, None])
    return rows.astype(np.complex64), np.exp(step * np.arange(_ROW)[:, None]).astype(np.complex64)


def exponential(step: complex, count: int) -> NDArray[np.complex64]:
    """exp(step * n) for n = 0..count-1, by two short tables instead of as many exponentials."""
    rows, columns = powers(np.array([step]), count)
    return np.asarray((rows * columns[:, 0]).reshape(-1)[:count])


def damped_sines(
    hz: NDArray[np.float64], levels: NDArray[np.float64], t60_s: NDArray[np.float64], frames: int, rate_hz: int
) -> Signal:
    """Sum of sines that start at zero and fall by 60 dB in `t60_s` each.

    The imaginary part of a product of two complex numbers is a scalar product of two pairs of real ones, so the sum
    over all sines is one product of matrices.
    """
    step = (2j * np.pi * hz - np.log(1000.0) / t60_s) / rate_hz
    rows, columns = powers(step, frames)
    first = np.concatenate((rows.imag, rows.real), axis=1) * np.tile(levels, 2).astype(np.float32)
    second = np.concatenate((columns.real, columns.imag), axis=1)
    return np.asarray((first @ second.T).reshape(-1)[:frames])


def white_noise(frames: int, rate_hz: int, chance: np.random.Generator) -> Signal:
    """Normal noise with the same density per hertz at every rate: unit RMS at 48 kHz."""
    noise = chance.standard_normal(frames, dtype=np.float32)
    noise *= np.float32(np.sqrt(rate_hz / 48_000))
    return noise


def place(track: Signal, sound: Signal, start: int, gain: float = 1.0) -> None:
    """Add `sound` to `track` from frame `start` on, which may be negative; what sticks out is left off."""
    end = min(start + sound.size, track.size)
    if end > max(start, 0):
        track[max(start, 0) : end] += np.float32(gain) * sound[max(-start, 0) : end - start]


def fade_out(sound: Signal, frames: int) -> Signal:
    """Let the last `frames` of `sound` fall to nothing along half a cosine, in place."""
    frames = min(frames, sound.size)
    if frames:
        sound[-frames:] *= (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, frames))).astype(np.float32)
    return sound
