"""What it costs to mix again after a fader was moved, report included: with what is kept of earlier mixes, and without.

    python benchmarks/strips.py [--tracks 16] [--seconds 240] [--folder FOLDER]

The tracks and the plan are those of benchmarks/desk.py, six EQ bands, compressor, pan and two reverb sends each; only
the last track (a bass, say) sends nothing. Every render is a process of its own; processor seconds are its user and
system time, without its imports, and what of them the report took. `--folder` says on which disk the tracks and what is
kept lie. The last column compares the file with the one of a render without a cache.
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
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from core.plans.document import MixPlan

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).parent))

import desk  # noqa: E402 - the benchmark beside this one

FADERS = {"none": {}, "first": {0: -6.0}, "last": {-1: -6.0}}
"""Which faders were moved, and where to."""
STEPS = (
    ("without a cache", "none", False),
    ("first, strips and returns are kept", "none", True),
    ("again, nothing changed", "none", True),
    ("again, one fader moved", "first", True),
    ("again, one that feeds no reverb moved", "last", True),
    ("the first of these without a cache", "first", False),
    ("the other without a cache", "last", False),
)
"""Name, what was moved, whether strips and returns are kept."""


def plan_of(files: Sequence[Path], moved: str) -> MixPlan:
    """The plan of benchmarks/desk.py without the last track's sends, and with other faders."""
    from core.plans.document import Setting

    plan = desk.plan_of(files)
    strips = [dict(strip.settings) for strip in plan.strips]
    for space in desk.SENDS_DB:
        del strips[-1][f"send_{space}_db"]
    for track, fader_db in FADERS[moved].items():
        strips[track]["fader_db"] = Setting(value=fader_db)
    replaced = [replace(strip, settings=settings) for strip, settings in zip(plan.strips, strips, strict=True)]
    return replace(plan, strips=tuple(replaced))


def render_once(folder: Path, moved: str, keeps: bool) -> None:
    """In a process of its own: print seconds, processor seconds, those of the report, and what was rendered."""
    from core import memory
    from core.desk.render import render_mix
    from core.desk.sources import file_sources
    from core.desk.stripcache import StripCache
    from core.jobs.reports import draw_mix

    files = sorted(folder.glob("*.wav"))
    out = folder / "out" / "mix.wav"
    plan = plan_of(files, moved)
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
    parser.add_argument("--once", nargs=3, metavar=("FOLDER", "MOVED", "KEEPS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        render_once(Path(options.once[0]), options.once[1], options.once[2] == "True")
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "out").mkdir()
        desk.make_tracks(folder, options.tracks, options.seconds)
        print(f"{options.tracks} tracks x {options.seconds:.0f} s, {os.cpu_count()} cores")
        print("| mix | CPU-s | of them report | seconds | MB kept | same file |\n|---|---|---|---|---|---|")
        without: dict[str, str] = {}
        rows = []
        for what, moved, keeps in STEPS:
            command = [sys.executable, __file__, "--once", str(folder), moved, str(keeps)]
            wall_s, used_s, report_s, digest = subprocess.check_output(command, text=True).split()
            kept_mb = sum(path.stat().st_size for path in (folder / "strips").glob("*.strip")) / 1e6
            rows.append((what, float(used_s), float(report_s), float(wall_s), kept_mb if keeps else 0.0, moved, digest))
            if not keeps:
                without[moved] = digest
        for what, used_s, report_s, wall_s, kept_mb, moved, digest in rows:
            same = "yes" if digest == without[moved] else "NO"
            print(f"| {what} | {used_s:.1f} | {report_s:.1f} | {wall_s:.1f} | {kept_mb:.0f} | {same} |")


if __name__ == "__main__":
    main()
