"""How fast the desk mixes, how much processor and memory it takes: 16 tracks, EQ, compressor, pan, two reverbs, sum.

    python benchmarks/desk.py [--tracks 16] [--seconds 240] [--runs 3] [--only desk]

Every contender works on the same files in a process of its own, in turns; the table shows the median of the runs. A
peer is a function in `PEERS` that mixes `files` into `out`; it must do the same work.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
RATE_HZ = 48_000


def make_tracks(folder: Path, tracks: int, seconds: float) -> list[Path]:
    """Noise that swells and fades like music does, a different colour on each track, as 24-bit mono WAV."""
    import numpy as np
    import soundfile

    files = []
    for track in range(tracks):
        random = np.random.Generator(np.random.PCG64(track))
        path = folder / f"{track + 1:02d}.wav"
        with soundfile.SoundFile(path, "w", RATE_HZ, 1, "PCM_24") as file:
            left = round(seconds * RATE_HZ)
            while left:
                frames = min(left, 1 << 18)
                beat = np.exp(-np.arange(frames) % (RATE_HZ // 2 + 37 * track) / 6_000.0)
                noise = random.standard_normal(frames)
                file.write(0.2 * beat * np.convolve(noise, np.ones(track + 1) / (track + 1), "same"))
                left -= frames
        files.append(path)
    return files


def mix_with_desk(files: Sequence[Path], out: Path) -> None:
    """Six EQ bands and a high-pass, compressor, pan, two sends per track; room and plate."""
    from core.desk.render import render_mix
    from core.desk.sources import file_sources
    from core.plans.document import BusStrip, MixPlan, Setting, Strip

    def settings(**values: float | str) -> dict[str, Setting]:
        return {name: Setting(value=value) for name, value in values.items()}

    strips = tuple(
        Strip(
            track=path.stem,
            settings=settings(
                highpass_hz=60.0,
                **{f"eq{band}_gain_db": (-1.0) ** (band + number) * 3.0 for band in range(1, 7)},
                comp_threshold_db=-24.0,
                comp_ratio=3.0,
                comp_attack_ms=8.0,
                pan=-0.9 + 1.8 * number / max(1, len(files) - 1),
                fader_db=-9.0,
                send_room_db=-12.0,
                send_plate_db=-15.0,
            ),
        )
        for number, path in enumerate(files)
    )
    buses = (
        BusStrip(name="room", settings=settings(decay_s=0.6)),
        BusStrip(name="plate", settings=settings(decay_s=1.8)),
    )
    render_mix(MixPlan(oto_version="benchmark", strips=strips, buses=buses), file_sources(files), out)


PEERS: dict[str, tuple[str, Callable[[Sequence[Path], Path], None]]] = {"desk": ("core.desk.render", mix_with_desk)}
"""Name to the module it needs and how it mixes; a contender whose module is missing is left out."""


def run_once(name: str, folder: Path) -> None:
    """In a process of its own: mix, then print seconds, processor seconds and peak memory."""
    needs, mix = PEERS[name]
    if importlib.util.find_spec(needs) is None:
        raise SystemExit(f"{name}: {needs} is not installed")
    started = time.perf_counter()
    mix(sorted(folder.glob("*.wav")), folder / "out" / f"{name}.wav")
    wall_s = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=sorted(PEERS))
    parser.add_argument("--run", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.run:
        run_once(options.run[0], Path(options.run[1]))
        return
    names = [options.only] if options.only else list(PEERS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        make_tracks(folder, options.tracks, options.seconds)
        results: dict[str, list[list[float]]] = {name: [] for name in names}
        for _ in range(options.runs):
            for name in names:
                command = [sys.executable, __file__, "--run", name, str(folder)]
                printed = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout
                results[name].append([float(figure) for figure in printed.split()])
    print(f"{options.tracks} tracks x {options.seconds:.0f} s, {os.cpu_count()} cores, median of {options.runs}")
    print("| contender | seconds | x real time | processor seconds | peak MB |\n|---|---|---|---|---|")
    for name, runs in results.items():
        wall_s, cpu_s, peak_mb = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {wall_s:.2f} | {options.seconds / wall_s:.0f} | {cpu_s:.2f} | {peak_mb:.0f} |")


if __name__ == "__main__":
    main()
