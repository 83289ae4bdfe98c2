"""What a report costs beside the render that it tells about, in processor seconds.

    python -m benchmarks.report ../shared/data/multitracks/test/eif_caesium [--seconds 190] [--runs 2]

The song's tracks are repeated to the length, mixed, mastered and reported. Proposing is counted with the render, as it
is when a person asks for a mix; the delivery check belongs to the master.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile

from core import memory
from core.desk.sources import file_sources
from core.jobs import mastering, work
from core.jobs.reports import draw_master, draw_mix

T = TypeVar("T")


def cpu_s(do: Callable[[], T], runs: int) -> tuple[T, float]:
    """What it returns, and the least that it took: what else runs on the machine only adds."""
    least = float("inf")
    for _ in range(runs):
        memory.give_back()  # as between the stages of a job
        start = time.process_time()
        done = do()
        least = min(least, time.process_time() - start)
    return done, least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song", type=Path, help="a folder of tracks")
    parser.add_argument("--seconds", type=float, default=190.0)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    runs = options.runs
    with tempfile.TemporaryDirectory(prefix="oto-report-") as made, memory.kept():
        folder = Path(made)
        tracks = [lengthened(path, folder, options.seconds) for path in sorted(options.song.glob("*.ogg"))]
        sources = file_sources(tracks)
        mix, master = folder / "mix.wav", folder / "master.wav"
        (mix_plan, mixed), mix_s = cpu_s(lambda: work.mix(sources, mix), runs)
        drawn, mix_report_s = cpu_s(
            lambda: draw_mix(mix_plan, sources, mix, folder / "mix.html", meter=mixed.meter, title="", made=""),
            runs,
        )
        assert drawn.path, drawn.notes
        wish = mastering.wish_from({})
        (plan, mastered), master_s = cpu_s(lambda: mastering.master(file_sources([mix])[0], master, wish), runs)
        delivery, delivery_s = cpu_s(lambda: mastering.delivery_of(master, plan, wish), runs)
        drawn, report_s = cpu_s(
            lambda: draw_master(
                plan, mix, master, folder / "master.html", meter=mastered.meter, title="", made="", delivery=delivery
            ),
            runs,
        )
        assert drawn.path, drawn.notes
        page_kb = (folder / "master.html").stat().st_size / 1000
    print(f"| {len(tracks)} tracks, {options.seconds:g} s | render | report | share |\n|---|---|---|---|")
    print(f"| mix | {mix_s:.1f} CPU-s | {mix_report_s:.1f} CPU-s | {mix_report_s / mix_s:.0%} |")
    print(
        f"| master | {master_s + delivery_s:.1f} CPU-s (check {delivery_s:.1f}) | {report_s:.1f} CPU-s "
        f"| {report_s / (master_s + delivery_s):.0%} |"
    )
    print(f"page {page_kb:.0f} kB; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def lengthened(path: Path, folder: Path, seconds: float) -> Path:
    """A track repeated up to a length, as a recorder would have written it."""
    audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    frames = round(seconds * rate_hz)
    out = folder / f"{path.stem}.wav"
    soundfile.write(out, np.tile(audio, (-(-frames // len(audio)), 1))[:frames], rate_hz, subtype="PCM_24")
    return out


if __name__ == "__main__":
    main()
