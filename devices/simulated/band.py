"""A band in a rehearsal room, recorded: one 24-bit WAV file for each input of the simulated interface.

    python -m devices.simulated.band FOLDER --rate 48000 [--seconds N] [--seed N]

The same arguments give the same bytes on the same machine. Importing this module is cheap; playing is not, and loads
numpy.
"""

from __future__ import annotations

import argparse
import wave
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from devices.simulated.arrangement import arrange
from devices.simulated.stage import CHANNEL_NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CHANNEL_NAMES", "RATES_HZ", "channel_path", "main", "render_band", "song_duration_s"]

RATES_HZ = (44_100, 192_000)
"""Lowest and highest rate that the band can be recorded at."""


def channel_path(folder: Path, name: str) -> Path:
    """The file of a channel: numbered, so that a folder's order is that of the inputs."""
    return folder / f"{CHANNEL_NAMES.index(name) + 1:02d} {name}.wav"


def song_duration_s(seed: int = 1) -> float:
    """How long the whole song lasts with its ring-out."""
    return arrange(seed).duration_s


def render_band(folder: Path, rate_hz: int, seconds: float | None = None, seed: int = 1) -> None:
    """Write every channel of the song into `folder` as mono 24-bit WAV.

    `seconds` ends the take early; None, or more than the song lasts, is the whole song. Another `seed` is another take
    by the same people. Raises ValueError for a rate outside RATES_HZ.
    """
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise ValueError(f"The band can be recorded at {RATES_HZ[0]} to {RATES_HZ[1]} Hz, not at {rate_hz} Hz.")
    from devices.simulated.take import play

    score = arrange(seed)
    duration_s = score.duration_s if seconds is None else min(seconds, score.duration_s)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        writers = {
            name: files.enter_context(wave.open(str(channel_path(folder, name)), "wb")) for name in CHANNEL_NAMES
        }
        for writer in writers.values():
            writer.setnchannels(1)
            writer.setsampwidth(3)
            writer.setframerate(rate_hz)
        for name, audio in play(score, rate_hz, round(duration_s * rate_hz), seed):
            writers[name].writeframesraw(_pcm24(audio))


def _pcm24(audio: NDArray[np.float32]) -> bytes:
    """24-bit samples, packed; what goes beyond full scale is clipped, as a converter does."""
    import numpy as np

    samples = np.rint(np.clip(audio, -1.0, 1.0 - 2.0**-23) * np.float32(2**23)).astype("<i4")
    packed = np.empty((samples.size, 3), np.uint8)
    for byte in range(3):
        packed[:, byte] = samples.view(np.uint8)[byte::4]
    return packed.tobytes()


def main(arguments: Sequence[str] | None = None) -> None:
    """Record the band into a folder."""
    parser = argparse.ArgumentParser(prog="python -m devices.simulated.band", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="made if it is not there; a file for each channel is written into it")
    parser.add_argument("--rate", type=int, default=48_000, metavar="HZ", help="44100 to 192000 (default 48000)")
    parser.add_argument("--seconds", type=float, help="end the take early (default: the whole song)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another take (default 1)")
    options = parser.parse_args(arguments)
    render_band(options.folder, options.rate, options.seconds, options.seed)


if __name__ == "__main__":
    main()
