"""How long other programs find a recording: the proof that it can be opened without us."""

from __future__ import annotations

import os
import subprocess
import wave
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile

Lengths = dict[Path, int]


def frames_in_every_program(files: Sequence[Path]) -> Lengths:
    """Frames of each file, on which Python's wave, libsndfile, sox and ffprobe have to agree, without a complaint."""
    return _agreed(files, {**_QUICK, "ffprobe": by_ffprobe})


def frames_in_quick_programs(files: Sequence[Path]) -> Lengths:
    """The same without ffprobe, which takes a process for each file."""
    return _agreed(files, _QUICK)


def by_ffprobe(files: Sequence[Path]) -> Lengths:
    """Frames of each file by ffprobe, which may not complain."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(files, pool.map(_by_ffprobe, files), strict=True))


def _agreed(files: Sequence[Path], programs: Mapping[str, Callable[[Sequence[Path]], Lengths]]) -> Lengths:
    found = {name: program(files) for name, program in programs.items()}
    lengths = found["soundfile"]
    for name, other in found.items():
        assert other == lengths, f"{name} finds {other}, soundfile finds {lengths}"
    return lengths


def _by_soundfile(files: Sequence[Path]) -> Lengths:
    return {path: soundfile.info(path).frames for path in files}


def _by_wave(files: Sequence[Path]) -> Lengths:
    lengths = {}
    for path in files:
        with wave.open(str(path)) as file:
            lengths[path] = file.getnframes()
    return lengths


def _by_sox(files: Sequence[Path]) -> Lengths:
    lengths = _run("soxi", "-s", *map(str, files)).split() if files else []
    return {path: int(length) for path, length in zip(files, lengths, strict=True)}


def _by_ffprobe(path: Path) -> int:
    said = _run("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=duration_ts", str(path))
    return 0 if said in ("", "N/A") else int(said)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), f"{command[0]} complains: {done.stderr}"
    return done.stdout.strip()


_QUICK = {"soundfile": _by_soundfile, "wave": _by_wave, "sox": _by_sox}
