"""Mastering to -14 LUFS and -1 dBTP beside ffmpeg's loudnorm in two passes: processor, memory, and what comes out.

    python benchmarks/master.py [--seconds 190] [FILE ...]
    python benchmarks/master.py --alone --seconds 10800
    python benchmarks/master.py --reference REFERENCE --peer PYTHON_WITH_MATCHERING FILE ...

Every contender gets the same files in a process of its own; what it wrote is measured by ffmpeg's ebur128. OTO listens
twice (tone, dynamics, lows, limiter), proposes a plan and renders it; loudnorm measures, then applies gain or, where
peaks don't allow that, its dynamic mode.

With --reference the songs are mastered towards it by OTO and by Matchering, and what counts is how far the loudest
parts of each master are from those of the reference: mean |dB| over third octaves from 45 Hz to 14 kHz, |dB| of sides
against the middle, and loudness.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
from loudness import make_song, processor_s

from core.analysis.features import BAND_HZ
from core.master.reference import listen_to_references

ROOT = Path(__file__).resolve().parents[1]
TARGET_LUFS, CEILING_DBTP = -14.0, -1.0
OTO = """
import sys
from pathlib import Path
from core import memory
from core.desk.sources import file_sources
from core.master.engineer import propose_master
from core.master.render import render_master
from core.master.targets import TARGETS
with memory.kept():
    (source,) = file_sources([Path(sys.argv[1])])
    render_master(propose_master(source, TARGETS["streaming"]), source, Path(sys.argv[2]))
"""
OTO_REFERENCE = """
import sys
from pathlib import Path
from core import memory
from core.desk.sources import file_sources
from core.master.engineer import propose_master
from core.master.render import render_master
from core.master.targets import TARGETS
with memory.kept():
    (source,) = file_sources([Path(sys.argv[1])])
    plan = propose_master(source, TARGETS["streaming"], references=[Path(sys.argv[2])])
    render_master(plan, source, Path(sys.argv[3]))
"""
MATCHERING = """
import sys, matchering
matchering.process(target=sys.argv[1], reference=sys.argv[2], results=[matchering.Result(sys.argv[3], subtype="FLOAT")])
"""
LOUDNORM = f"loudnorm=I={TARGET_LUFS}:TP={CEILING_DBTP}:LRA=20"


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak as ffmpeg reads them."""
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true:framelog=verbose"]
    printed = subprocess.run([*command, "-f", "null", "-"], check=True, capture_output=True, text=True).stderr
    summary = dict(re.findall(r"(I|Peak):\s+(\S+)", printed[printed.rfind("Summary:") :]))
    return float(summary["I"]), float(summary["Peak"])


def master_with_oto(path: Path, out: Path) -> tuple[float, float]:
    """Processor seconds and peak megabytes."""
    return processor_s([sys.executable, "-c", OTO, str(path), str(out)])


def master_with_loudnorm(path: Path, out: Path) -> tuple[float, float]:
    """Processor seconds of both passes and the larger peak of megabytes; the measured pass is repeated to be read."""
    first = ["ffmpeg", "-hide_banner", "-nostats", "-y", "-i", str(path), "-af", f"{LOUDNORM}:print_format=json"]
    first += ["-f", "null", "-"]
    measuring_s, measuring_mb = processor_s(first)
    printed = subprocess.run(first, check=True, capture_output=True, text=True).stderr
    found = json.loads(printed[printed.rindex("{") : printed.rindex("}") + 1])
    known = {"measured_I": "input_i", "measured_TP": "input_tp", "measured_LRA": "input_lra", "offset": "target_offset"}
    known["measured_thresh"] = "input_thresh"
    settings = ":".join(f"{name}={found[key]}" for name, key in known.items())
    second = ["ffmpeg", "-hide_banner", "-nostats", "-y", "-i", str(path), "-af", f"{LOUDNORM}:{settings}:linear=true"]
    rate_hz = sf.info(path).samplerate
    applying_s, applying_mb = processor_s([*second, "-ar", str(rate_hz), "-c:a", "pcm_f32le", str(out)])
    return measuring_s + applying_s, max(measuring_mb, applying_mb)


def to_reference(files: list[Path], reference: Path, peer: str) -> None:
    """OTO and Matchering towards a song."""
    contenders = {
        "OTO": [sys.executable, "-c", OTO_REFERENCE],
        "Matchering": [peer, "-c", MATCHERING],
        "the song itself": [],
    }
    wanted = listen_to_references([reference])
    heard = (np.array(BAND_HZ) >= 45.0) & (np.array(BAND_HZ) <= 14_000.0)
    print(f"{len(files)} file(s) towards {reference.name}")
    print("| contender | processor seconds | peak MB | spectrum dB | width dB | loudness LU |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in contenders.items():
            rows = []
            for path in files:
                out = Path(folder) / "master.wav" if command else path
                used = processor_s([*command, str(path), str(reference), str(out)]) if command else (0.0, 0.0)
                found = listen_to_references([out])
                apart = (found.levels_db - wanted.levels_db)[heard]
                width = (found.side_db - wanted.side_db)[heard]
                off_lu = abs(found.integrated_lufs - wanted.integrated_lufs)
                rows.append((*used, np.abs(apart - apart.mean()).mean(), np.abs(width).mean(), off_lu))
            seconds, megabytes, spectrum, width_db, loudness = np.array(rows).T
            nearness = " | ".join(f"{figure.mean():.2f}" for figure in (spectrum, width_db, loudness))
            print(f"| {name} | {seconds.sum():.2f} | {megabytes.max():.0f} | {nearness} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=190.0)
    parser.add_argument("--alone", action="store_true", help="without loudnorm: what a long song costs")
    parser.add_argument("--reference", type=Path, help="master towards this song, beside Matchering")
    parser.add_argument("--peer", default=os.environ.get("OTO_PEER_PYTHON", ""), help="a Python that has Matchering")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    if options.reference:
        to_reference(options.files, options.reference, options.peer)
        return
    contenders = {"OTO": master_with_oto}
    if not options.alone:
        contenders["ffmpeg loudnorm, two passes"] = master_with_loudnorm
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in contenders}
    # A long song is gigabytes: not in memory, where a temporary folder may lie.
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        files = options.files
        if not files:
            files = [Path(folder) / "song.wav"]
            make_song(files[0], options.seconds / 60)
        for path in files:
            for name, master in contenders.items():
                out = Path(folder) / "master.wav"
                used = master(path, out)
                rows[name].append((*used, *ebur128(out)))
    print(f"{len(files)} file(s) to {TARGET_LUFS:g} LUFS, {CEILING_DBTP:g} dBTP; levels as ffmpeg ebur128 reads them")
    print("| contender | processor seconds | peak MB | mean loudness error LU | worst | highest true peak dBTP |")
    print("|---|---|---|---|---|---|")
    for name, found in rows.items():
        seconds, megabytes, loudness, peak = np.array(found).T
        error = np.abs(loudness - TARGET_LUFS)
        print(
            f"| {name} | {seconds.sum():.2f} | {megabytes.max():.0f} | {error.mean():.2f} | {error.max():.2f} | "
            f"{peak.max():.1f} |"
        )
    if not options.alone:
        ours, theirs = (np.array(found)[:, 0].sum() for found in rows.values())
        print(f"loudnorm takes {theirs / ours:.2f} times as much")


if __name__ == "__main__":
    main()
