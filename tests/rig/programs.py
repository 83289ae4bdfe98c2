"""How long other programs find a recording: the proof that it can be opened without us."""

from __future__ import annotations

import os
import subprocess
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import soundfile

Lengths = dict[Path, int]


def frames_in_every_program(files: Sequence[Path]) -> Lengths:
    """Frames of each file, on which Python's wave, libsndfile, sox and ffprobe have to agree, without a complaint.

    Where a header counts nothing yet, ffprobe counts what follows it up to the file's end, and both are right.
    """
    lengths = frames_in_quick_programs(files)
    probed = {path: frames for path, frames in by_ffprobe(files).items() if lengths[path]}
    assert probed == {path: frames for path, frames in lengths.items() if frames}, f"ffprobe finds {probed}"
    return lengths


def frames_in_quick_programs(files: Sequence[Path]) -> Lengths:
    """The same without ffprobe, which takes a process for each file."""
    found = {name: program(files) for name, program in _QUICK.items()}
    lengths = found["soundfile"]
    for name, other in found.items():
        assert other == lengths, f"{name} finds {other}, soundfile finds {lengths}"
    return lengths


def frames_read_by_every_program(files: Sequence[Path]) -> Lengths:
    """Frames that each program gets out of each file, on which they have to agree: of files that nobody closed.

    Such a header speaks of audio to come. sox says that the file ends early; the others take it as it is. Where a
    header counts nothing yet, some read what follows it and some nothing, and all are right.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = {
            "soundfile": [len(soundfile.read(path, dtype="int32")[0]) for path in files],
            "wave": [_read_by_wave(path) for path in files],
            "sox": list(pool.map(_read_by_sox, files)),
            "ffmpeg": list(pool.map(_read_by_ffmpeg, files)),
        }
    lengths = read.pop("soundfile")
    for name, other in read.items():
        differ = [one for one in zip(files, lengths, other, strict=True) if one[1] and one[1] != one[2]]
        assert not differ, f"soundfile and {name} read: {differ}"
    return dict(zip(files, lengths, strict=True))


def by_ffprobe(files: Sequence[Path]) -> Lengths:
    """Frames of each file by ffprobe, which may not complain."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(files, pool.map(_by_ffprobe, files), strict=True))


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


def _read_by_wave(path: Path) -> int:
    with wave.open(str(path)) as file:
        return len(file.readframes(file.getnframes())) // file.getsampwidth()


def _read_by_sox(path: Path) -> int:
    done = subprocess.run(["sox", str(path), "-t", "s32", "-"], capture_output=True, timeout=60, check=True)
    assert done.stderr in (b"", b"sox WARN wav: Premature EOF on .wav input file\n"), done.stderr
    return len(done.stdout) // 4


def _read_by_ffmpeg(path: Path) -> int:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s32le", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert done.stderr == b"", f"ffmpeg complains: {done.stderr!r}"
    return len(done.stdout) // 4


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), f"{command[0]} complains: {done.stderr}"
    return done.stdout.strip()


_QUICK: Final[dict[str, Callable[[Sequence[Path]], Lengths]]] = {
    "soundfile": _by_soundfile,
    "wave": _by_wave,
    "sox": _by_sox,
}
