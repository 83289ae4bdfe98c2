"""How much processor a full loudness measurement takes: integrated, range and true peak of a long stereo file.

    python benchmarks/loudness.py [--minutes 60] [--runs 3] [FILE]

OTO's meter beside ffmpeg's `ebur128=peak=true`, each on the same 24-bit file in a process of its own, in turns. The
table shows the medians; processor seconds include starting up and reading the file.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.signal import lfilter

ROOT = Path(__file__).resolve().parents[1]
RATE_HZ = 48_000
OTO = """
import sys
from pathlib import Path
from core.analysis.loudness import measure_file
print(measure_file(Path(sys.argv[1])))
"""


def make_song(path: Path, minutes: float) -> None:
    """Noise with the tilt of music, beats and quiet stretches, peaks near full scale."""
    random = np.random.default_rng(1)
    with sf.SoundFile(path, "w", RATE_HZ, 2, "PCM_24", format="RF64" if minutes > 120 else "WAV") as file:
        for second in range(round(minutes * 60)):
            white = random.standard_normal((RATE_HZ, 2))
            tilted = lfilter([0.05], [1.0, -0.95], white, axis=0) + 0.02 * white
            beat = 0.3 + np.exp(-(np.arange(RATE_HZ) % 24_000) / 4_000)
            level = 0.25 if second % 60 < 15 else 1.0
            file.write(np.clip(0.9 * level * beat[:, None] * tilted, -0.98, 0.98))


LAUNCHER = """
import os, sys
null = os.open(os.devnull, os.O_WRONLY)
quiet = [(os.POSIX_SPAWN_DUP2, null, stream) for stream in (1, 2)]
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""
"""Small, because a child's peak memory counts from its parent's size."""


def processor_s(command: list[str]) -> tuple[float, float]:
    """Processor seconds and peak megabytes of a command."""
    launched = [sys.executable, "-S", "-c", LAUNCHER, *command]
    code, seconds, megabytes = subprocess.run(launched, check=True, capture_output=True, text=True).stdout.split()
    if code != "0":
        raise SystemExit(f"{command[0]} ended with {code}")
    return float(seconds), float(megabytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "song.wav"
        if options.file is None:
            make_song(path, options.minutes)
        ffmpeg = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true:framelog=verbose"]
        contenders = {
            "OTO": [sys.executable, "-c", OTO, str(path)],
            "ffmpeg ebur128=peak=true": [*ffmpeg, "-f", "null", "-"],
        }
        runs = {name: [processor_s(command) for _ in range(options.runs)] for name, command in contenders.items()}
    medians = {name: tuple(map(statistics.median, zip(*found, strict=True))) for name, found in runs.items()}
    print(f"{sf.info(path).duration / 60:.1f} minutes" if options.file else f"{options.minutes:g} minutes of stereo")
    print("| meter | processor seconds | peak MB |\n|---|---|---|")
    for name, (seconds, megabytes) in medians.items():
        print(f"| {name} | {seconds:.2f} | {megabytes:.0f} |")
    ours, theirs = (medians[name][0] for name in contenders)
    print(f"ffmpeg takes {theirs / ours:.2f} times as much")


if __name__ == "__main__":
    main()
