"""What it costs to know what is on sixteen tracks of four minutes: time, processor time, memory, and each step's share.

The stems of a folder of multitracks, looped to length, are written as 24-bit files and listened to by a process of its
own, as `oto analyse` and a proposal do it.

    python -m benchmarks.listening ../shared/data/multitracks/validation
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 48_000


def looped(stem: Path, out: Path, length_s: float) -> None:
    audio, _ = soundfile.read(stem, dtype="float32", always_2d=True)
    frames = round(length_s * RATE_HZ)
    soundfile.write(out, np.resize(audio[:, 0], frames), RATE_HZ, subtype="PCM_24")


def cost(code: str, files: list[Path], home: Path) -> dict[str, float]:
    """Run code on `sources` in a fresh process; seconds, processor seconds and the highest resident memory."""
    home.mkdir(exist_ok=True)
    program = f"""
import json, re, resource, time
from pathlib import Path
from core.desk.sources import file_sources
sources = file_sources([Path(each) for each in {[str(file) for file in files]!r}])
began = time.monotonic()
{code}
used = resource.getrusage(resource.RUSAGE_SELF)
peak_kb = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([time.monotonic() - began, used.ru_utime + used.ru_stime, peak_kb / 1024.0]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OTO_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, cpu_s, rss_mb = json.loads(done.stdout.splitlines()[-1])
    return {"s": seconds, "cpu_s": cpu_s, "rss_mb": rss_mb}


STEPS = (
    ("nothing: loading the modules", "import core.jobs.work"),
    ("measuring alone", "from core.analysis.track import analyse_source\nfor each in sources: analyse_source(each)"),
    (
        "listening by rules: measuring, drawing pictures",
        "from core.jobs.listening import listen\nlisten(sources, 'rules')",
    ),
    ("recognising what was heard before", "from core.jobs.listening import listen\nlisten(sources)"),
    ("`oto analyse` of what was heard before (bleed)", "from core.jobs.work import analyse\nanalyse(sources)"),
)
FRESH = ("`oto analyse`, all of it", "from core.jobs.work import analyse\nanalyse(sources)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("multitracks", type=Path)
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--length", type=float, default=240.0, metavar="SECONDS")
    options = parser.parse_args()
    stems = sorted(options.multitracks.rglob("*.ogg"))
    chosen = [stems[at * len(stems) // options.tracks] for at in range(options.tracks)]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"Audio {number}.wav" for number in range(1, len(chosen) + 1)]
        for stem, file in zip(chosen, files, strict=True):
            looped(stem, file, options.length)
        print(f"load {os.getloadavg()[0]:.1f}; {len(files)} tracks of {options.length:g} s")
        print("| step | s | processor s | peak MB |\n|---|---|---|---|")
        home = Path(folder) / "home"
        for at, (what, code) in enumerate((*STEPS, FRESH)):
            place = Path(folder) / "fresh" if at == len(STEPS) else home
            found = cost(code, files, place)
            print(f"| {what} | {found['s']:.1f} | {found['cpu_s']:.1f} | {found['rss_mb']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
