"""How far apart two balances of one song by one person are: the stems' sum and the record that was made of it.

    nice -n 10 python -m training.mix.twice ../shared/data/multitracks/test/eif_caesium

The record is found in time by correlation. Then a gain is sought for every stem with which their powers add up to
the record's, in bands and moments; an equaliser per band and a gain per moment are left free, as a master's equaliser
and limiter are. The same search is made for a sum with known gains under a limiter, which says how well it finds them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from scipy.signal import correlate, resample_poly

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

RATE_HZ: Final = 24_000
RECORD: Final = "REFERENCE_master_24k_band_limited.m4a"
WINDOW: Final = 4_096
BANDS: Final = 24
STEPS: Final = 500
TONE, MOMENT, GAIN = 1e-3, 3e-3, 5e-4
"""What a squared dB of a band, of a moment and of a stem costs, against a dB of distance."""
FLOOR: Final = 1e-3
"""Of a band's mean power: below it nothing is compared."""
KNOWN_SPREAD_DB: Final = 2.0


def stems(song: Path) -> tuple[list[str], Audio]:
    """Names and audio of a song's stems, (stems, 2, frames) at `RATE_HZ`."""
    names, parts = [], []
    for stem in json.loads((song / "meta.json").read_text())["stems"]:
        audio, rate_hz = soundfile.read(song / stem["file"], dtype="float32", always_2d=True)
        parts.append(resample_poly(np.broadcast_to(audio.T, (2, len(audio))), RATE_HZ, rate_hz, axis=1))
        names.append(stem["name"])
    return names, np.stack(parts).astype(np.float32)


def record(song: Path) -> Audio:
    """The record, (2, frames) at `RATE_HZ`."""
    command = ["ffmpeg", "-v", "error", "-i", str(song / RECORD), "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-"]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    return np.ascontiguousarray(np.frombuffer(told, np.float32).reshape(-1, 2).T)


def found(whole: Audio, mix: Audio) -> Audio:
    """The part of a longer recording at which a mix lies in it."""
    alike = np.abs(correlate(whole.sum(axis=0), mix.sum(axis=0), "valid", "fft"))
    start = int(alike.argmax())
    return whole[:, start : start + mix.shape[1]]


def powers(audio: Audio) -> Floats:
    """(moments, bands) of (channels, frames)."""
    framed = audio[:, : audio.shape[1] // WINDOW * WINDOW].reshape(len(audio), -1, WINDOW) * np.hanning(WINDOW)
    power = np.square(np.abs(np.fft.rfft(framed, axis=2))).sum(axis=0)
    edges = np.unique(np.geomspace(4, WINDOW // 2, BANDS + 1).astype(int))
    return np.asarray(np.add.reduceat(power, edges[:-1], axis=1))


def gains_db(parts: Audio, target: Audio) -> tuple[Floats, float]:
    """Gains of the stems against their median, and the distance in dB that is left."""
    own, wanted = torch.from_numpy(np.stack([powers(part) for part in parts])), torch.from_numpy(powers(target))
    own, wanted = own / wanted.mean(), wanted / wanted.mean()
    floor = FLOOR * wanted.mean(dim=0, keepdim=True)
    stem, band, moment = (
        torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in (len(own), wanted.shape[1], len(wanted))
    )
    optimiser = torch.optim.Adam([stem, band, moment], 0.1)
    for _ in range(STEPS):
        total = (own * 10.0 ** (stem[:, None, None] / 10.0)).sum(0) * 10.0 ** ((band + moment[:, None]) / 10.0)
        apart = (10.0 * torch.log10((total + floor) / (wanted + floor))).abs().mean()
        costs = ((TONE, band), (MOMENT, moment), (GAIN, stem))
        loss = apart + sum(cost * torch.square(each).mean() for cost, each in costs)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    gains = stem.detach().numpy()
    return gains - np.median(gains), float(apart.detach())


def known(parts: Audio) -> float:
    """Mean error in dB with which gains are found that are known, under a limiter that bends all that is loud."""
    random = np.random.default_rng(0)
    true = random.normal(0.0, KNOWN_SPREAD_DB, len(parts))
    mix = np.tensordot(10.0 ** (true / 20.0), parts, 1)
    gains, _ = gains_db(parts, np.tanh(3.0 * mix / np.abs(mix).max()).astype(np.float32))
    return float(np.abs(gains - (true - np.median(true))).mean())


def main() -> None:
    """Print a song's gains."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("song", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    names, parts = stems(options.song)
    gains, left = gains_db(parts, found(record(options.song), parts.sum(axis=0)))
    for name, gain in zip(names, gains, strict=True):
        print(f"{name:24}{gain:+.1f} dB")
    print(f"{np.abs(gains).mean():.2f} dB per stem on the mean; {left:.2f} dB of distance left")
    print(f"known gains are found within {known(parts):.2f} dB on the mean")


if __name__ == "__main__":
    main()
