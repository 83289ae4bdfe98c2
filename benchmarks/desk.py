"""What a mix costs: tracks with six EQ bands, compressor, pan and two reverb sends, and their sum; beside pedalboard.

    python benchmarks/desk.py [--tracks 16] [--seconds 240] [--runs 3] [--peer PYTHON]

Both contenders get the same synthesised files, in turns, each in a process of its own: it reads the files, mixes, and
writes a stereo float WAV. Processor seconds are user and system time of the whole process, imports included. OTO also
measures the loudness of the mix, as it always does. pedalboard (Spotify's, whose processors are JUCE's) gets the same
bands, compressor settings, pan and sends through its own classes; its reverb is Freeverb, which is much simpler
than a convolution. It lives in an environment of its own, which `--peer` or OTO_PEERS names:

    python3 -m venv peers && peers/bin/pip install pedalboard
    OTO_PEERS=peers/bin/python python benchmarks/desk.py
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.plans.document import MixPlan

ROOT = Path(__file__).resolve().parents[1]
RATE_HZ = 48_000
FREQUENCIES_HZ = (90.0, 200.0, 500.0, 2_000.0, 5_000.0, 9_000.0)
QS = (0.7, 1.0, 1.0, 1.0, 1.0, 0.7)
THRESHOLD_DB, RATIO, ATTACK_MS, RELEASE_MS = -24.0, 3.0, 8.0, 120.0
FADER_DB = -9.0
SENDS_DB = {"room": -12.0, "plate": -15.0}
DECAYS_S = {"room": 0.6, "plate": 1.8}


def gains_db(track: int) -> list[float]:
    """Of the six bands of a track."""
    return [3.0 if (band + track) % 2 else -3.0 for band in range(6)]


def pan_of(track: int, tracks: int) -> float:
    """From -0.9 to +0.9."""
    return 1.8 * track / max(1, tracks - 1) - 0.9


def make_tracks(folder: Path, tracks: int, seconds: float) -> None:
    """Noise of a colour and a rhythm of its own on each track, never silent, as 24-bit mono WAV."""
    import numpy as np
    import soundfile

    for track in range(tracks):
        random = np.random.Generator(np.random.PCG64(track))
        beat_samples = RATE_HZ // 2 + 37 * track
        with soundfile.SoundFile(folder / f"{track + 1:02d}.wav", "w", RATE_HZ, 1, "PCM_24") as file:
            for start in range(0, round(seconds * RATE_HZ), 1 << 18):
                frames = min(round(seconds * RATE_HZ) - start, 1 << 18)
                beat = np.exp(-(np.arange(start, start + frames) % beat_samples) / 6_000.0)
                colour = np.convolve(random.standard_normal(frames), np.ones(track + 1) / (track + 1), "same")
                file.write(0.2 * beat * colour)


def plan_of(files: Sequence[Path]) -> MixPlan:
    """Every track with the same kinds of settings."""
    from core.plans.document import BusStrip, MixPlan, Setting, Settings, Strip

    def settings(values: dict[str, float]) -> Settings:
        return {name: Setting(value=value) for name, value in values.items()}

    strips = []
    for track, path in enumerate(files):
        values = {"pan": pan_of(track, len(files)), "fader_db": FADER_DB}
        for band, gain_db in enumerate(gains_db(track)):
            values |= {
                f"eq{band + 1}_freq_hz": FREQUENCIES_HZ[band],
                f"eq{band + 1}_gain_db": gain_db,
                f"eq{band + 1}_q": QS[band],
            }
        values |= {
            "comp_threshold_db": THRESHOLD_DB,
            "comp_ratio": RATIO,
            "comp_attack_ms": ATTACK_MS,
            "comp_release_ms": RELEASE_MS,
        }
        values |= {f"send_{space}_db": level_db for space, level_db in SENDS_DB.items()}
        strips.append(Strip(track=path.stem, settings=settings(values)))
    buses = tuple(BusStrip(name=space, settings=settings({"decay_s": decay_s})) for space, decay_s in DECAYS_S.items())
    return MixPlan(oto_version="benchmark", strips=tuple(strips), buses=buses)


def mix_with_oto(files: Sequence[Path], out: Path) -> None:
    """By the desk."""
    sys.path.insert(0, str(ROOT))
    from core import memory
    from core.desk.render import render_mix
    from core.desk.sources import file_sources

    with memory.kept():
        render_mix(plan_of(files), file_sources(files), out)


def mix_with_pedalboard(files: Sequence[Path], out: Path) -> None:
    """Block by block, every effect keeping its state, as its documentation advises for long audio."""
    import numpy as np
    import pedalboard
    from pedalboard.io import AudioFile

    block_frames = 131_072

    def strip(track: int) -> pedalboard.Pedalboard:
        shapes = [pedalboard.LowShelfFilter, *[pedalboard.PeakFilter] * 4, pedalboard.HighShelfFilter]
        bands = [
            shape(cutoff_frequency_hz=freq_hz, gain_db=gain_db, q=q)
            for shape, freq_hz, gain_db, q in zip(shapes, FREQUENCIES_HZ, gains_db(track), QS, strict=True)
        ]
        compressor = pedalboard.Compressor(
            threshold_db=THRESHOLD_DB, ratio=RATIO, attack_ms=ATTACK_MS, release_ms=RELEASE_MS
        )
        return pedalboard.Pedalboard([*bands, compressor])

    fader = 10.0 ** (FADER_DB / 20.0)
    strips = [strip(track) for track in range(len(files))]
    angles = [(pan_of(track, len(files)) + 1.0) * math.pi / 4.0 for track in range(len(files))]
    sides = [np.array([[math.cos(angle)], [math.sin(angle)]], np.float32) * np.float32(fader) for angle in angles]
    sends = {space: np.float32(10.0 ** (level_db / 20.0)) for space, level_db in SENDS_DB.items()}
    reverbs = {
        space: pedalboard.Reverb(room_size=size, wet_level=1.0, dry_level=0.0, width=1.0)
        for space, size in (("room", 0.3), ("plate", 0.7))
    }
    tail_frames = round(max(DECAYS_S.values()) * RATE_HZ)
    readers = [AudioFile(str(path)) for path in files]
    total = max(reader.frames for reader in readers) + tail_frames
    with AudioFile(str(out), "w", RATE_HZ, 2, bit_depth=32) as written:
        for start in range(0, total, block_frames):
            frames = min(block_frames, total - start)
            mix = np.zeros((2, frames), np.float32)
            sent = {space: np.zeros((2, frames), np.float32) for space in reverbs}
            for reader, board, gains in zip(readers, strips, sides, strict=True):
                dry = reader.read(frames)
                if not dry.shape[1]:
                    continue
                placed = board.process(dry, RATE_HZ, reset=False) * gains
                mix[:, : placed.shape[1]] += placed
                for space, total_sent in sent.items():
                    total_sent[:, : placed.shape[1]] += placed * sends[space]
            for space, effect in reverbs.items():
                mix += effect.process(sent[space], RATE_HZ, reset=False)
            written.write(mix)


CONTENDERS: dict[str, Callable[[Sequence[Path], Path], None]] = {
    "OTO": mix_with_oto,
    "pedalboard": mix_with_pedalboard,
}


def run_once(name: str, folder: Path) -> None:
    """In a process of its own: mix, then print seconds, processor seconds and peak megabytes."""
    started = time.perf_counter()
    CONTENDERS[name](sorted(folder.glob("*.wav")), folder / "out" / f"{name}.wav")
    wall_s = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measured(python: str, name: str, folder: Path) -> tuple[float, ...]:
    """Figures of one run."""
    command = [python, str(Path(__file__).resolve()), "--run", name, str(folder)]
    return tuple(float(figure) for figure in subprocess.check_output(command, text=True).split())


def has_pedalboard(python: str | None) -> bool:
    """Whether there is a peer to run against."""
    return (
        python is not None and subprocess.run([python, "-c", "import pedalboard"], capture_output=True).returncode == 0
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", metavar="PYTHON", default=os.environ.get("OTO_PEERS"))
    parser.add_argument("--run", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_once(options.run[0], Path(options.run[1]))
        return
    interpreters = {"OTO": sys.executable}
    if has_pedalboard(options.peer):
        interpreters["pedalboard"] = options.peer
    else:
        print("pedalboard isn't there; see --help for how to install it and name its interpreter", file=sys.stderr)
    results: dict[str, list[tuple[float, ...]]] = {name: [] for name in interpreters}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        make_tracks(folder, options.tracks, options.seconds)
        for _ in range(options.runs):
            for contender, python in interpreters.items():
                results[contender].append(measured(python, contender, folder))
    print(f"{options.tracks} tracks x {options.seconds:.0f} s, {os.cpu_count()} cores, median of {options.runs}")
    print("| contender | processor seconds | seconds | x real time | peak MB |\n|---|---|---|---|---|")
    medians = {
        name: [statistics.median(column) for column in zip(*runs, strict=True)] for name, runs in results.items()
    }
    for contender, (wall_s, cpu_s, peak_mb) in medians.items():
        print(f"| {contender} | {cpu_s:.2f} | {wall_s:.2f} | {options.seconds / wall_s:.0f} | {peak_mb:.0f} |")
    if "pedalboard" in medians:
        print(f"pedalboard takes {medians['pedalboard'][1] / medians['OTO'][1]:.2f} times OTO's processor seconds")


if __name__ == "__main__":
    main()
