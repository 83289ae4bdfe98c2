"""Test signals that can be found again in what was captured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def write_noise(
    path: Path, *, channels: int, seconds: float, silence_s: float = 0.0, rate_hz: int = 48_000, seed: int = 1
) -> NDArray[np.float32]:
    """A 16-bit WAV of silence and then noise, another on each channel; returns it as float32 (frames, channels)."""
    noise = np.random.default_rng(seed).integers(-20_000, 20_000, (round(seconds * rate_hz), channels), np.int16)
    noise[noise == 0] = 1
    audio = np.concatenate([np.zeros((round(silence_s * rate_hz), channels), np.int16), noise])
    soundfile.write(path, audio, rate_hz, subtype="PCM_16")
    return audio.astype(np.float32) / 32768.0


def write_long_noise(path: Path, *, channels: int, seconds: float, rate_hz: int = 48_000, seed: int = 1) -> None:
    """A 16-bit WAV of noise, another on each channel, of any length: made a second at a time."""
    chance = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    with soundfile.SoundFile(path, "w", rate_hz, channels, "PCM_16") as file:
        for start in range(0, frames, rate_hz):
            file.write(chance.integers(-20_000, 20_000, (min(rate_hz, frames - start), channels), np.int16))


def find(source: NDArray[np.float32], captured: NDArray[np.float32]) -> int:
    """The frame of `source` with which `captured` begins; raises ValueError when it is nowhere.

    Looks for eight frames of noise in a row on the first channel, which occur once.
    """
    sounding = np.flatnonzero(captured[:, 0])
    if len(sounding) == 0 or sounding[0] + 8 > len(captured):
        raise ValueError("nothing was captured")
    at = int(sounding[0])
    windows = np.lib.stride_tricks.sliding_window_view(source[:, 0], 8)
    found = np.flatnonzero((windows == captured[at : at + 8, 0]).all(axis=1))
    if len(found) != 1:
        raise ValueError(f"the captured noise occurs {len(found)} times in the source")
    return int(found[0]) - at
