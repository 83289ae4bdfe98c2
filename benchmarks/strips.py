"""What it costs to mix again after a fader was moved, report included: with what is kept of the last mix, and without.

    python benchmarks/strips.py [--tracks 16] [--seconds 240] [--folder FOLDER]

The tracks and the plan are those of benchmarks/desk.py: six EQ bands, compressor, pan and two reverb sends each. Every
render is a process of its own; processor seconds are its user and system time, without its imports, and what of them
the report took. `--folder` says on which disk the tracks and the strips lie. The last column compares the file with the
one of a render without a cache.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).parent))

import desk  # noqa: E402 - the benchmark beside this one

STEPS = (
    ("without a cache", -9.0, False),
    ("first, strips are kept", -9.0, True),
    ("again, nothing changed", -9.0, True),
    ("again, one fader moved", -6.0, True),
    ("that fader without a cache", -6.0, False),
)
"""Name, fader of the first track, whether strips are kept."""


def render_once(folder: Path, fader_db: float, keeps: bool) -> None:
    """In a process of its own: print seconds, processor seconds, those of the report, and what was rendered."""
    from core.desk.render import render_mix
    from core.desk.sources import file_sources
    from core.desk.stripcache import StripCache
    from core.jobs import memory
    from core.jobs.reports import draw_mix

    files = sorted(folder.glob("*.wav"))
    out = folder / "out" / "mix.wav"
    plan = desk.plan_of(files, fader_db)
    sources = file_sources(files)
    before_s, started = cpu_s(), time.perf_counter()
    cache = StripCache(folder / "strips", 8_000_000_000) if keeps else None
    with memory.kept():
        mixed = render_mix(plan, sources, out, cache=cache)
        rendered_s = cpu_s()
        draw_mix(
            plan,
            sources,
            out,
            folder / "out" / "report.html",
            meter=mixed.meter,
            title="benchmark",
            made="",
            portraits=folder / "portraits" if keeps else None,
        )
    wall_s, drawn_s = time.perf_counter() - started, cpu_s()
    print(wall_s, drawn_s - before_s, drawn_s - rendered_s, hashlib.sha256(out.read_bytes()).hexdigest())


def cpu_s() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--once", nargs=3, metavar=("FOLDER", "DB", "KEEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        render_once(Path(options.once[0]), float(options.once[1]), options.once[2] == "True")
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "out").mkdir()
        desk.make_tracks(folder, options.tracks, options.seconds)
        print(f"{options.tracks} tracks x {options.seconds:.0f} s, {os.cpu_count()} cores")
        print("| mix | CPU-s | of them report | seconds | MB of strips | same file |\n|---|---|---|---|---|---|")
        without: dict[float, str] = {}
        rows = []
        for what, fader_db, keeps in STEPS:
            command = [sys.executable, __file__, "--once", str(folder), str(fader_db), str(keeps)]
            wall_s, used_s, report_s, digest = subprocess.check_output(command, text=True).split()
            kept_mb = sum(path.stat().st_size for path in (folder / "strips").glob("*.strip")) / 1e6
            rows.append(
                (what, float(used_s), float(report_s), float(wall_s), kept_mb if keeps else 0.0, fader_db, digest)
            )
            if not keeps:
                without[fader_db] = digest
        for what, used_s, report_s, wall_s, kept_mb, fader_db, digest in rows:
            same = "yes" if digest == without[fader_db] else "NO"
            print(f"| {what} | {used_s:.1f} | {report_s:.1f} | {wall_s:.1f} | {kept_mb:.0f} | {same} |")


if __name__ == "__main__":
    main()
