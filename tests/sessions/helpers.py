"""What several of these tests need."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sessions.model import Bounce, SampleFormat, Session, Take, TakeTrack


def new_take(session: Session, number: int = 1, **changes: object) -> Take:
    values: dict[str, object] = {
        "number": number,
        "session": session.id,
        "status": "recording",
        "rate_hz": session.rate_hz,
        "sample_format": session.sample_format,
        "started_utc": "2026-11-22T10:00:00+00:00",
        "time_reference_samples": 48_000 * 3600,
        "tracks": tuple(TakeTrack(id=t.id, name=t.name, input=t.input) for t in session.tracks),
    }
    return Take(**(values | changes))  # type: ignore[arg-type]


def new_bounce(session_id: str, bounce_id: str, **changes: object) -> Bounce:
    """A mix of take 1, a sample long and of no hash unless told."""
    values: dict[str, object] = {
        "id": bounce_id,
        "kind": "mix",
        "session": session_id,
        "take": 1,
        "file": "mix.wav",
        "plan": "plan.json",
        "created_utc": "",
        "rate_hz": 48_000,
        "frames": 1,
        "integrated_lufs": None,
        "true_peak_dbtp": None,
        "sha256": "",
        "oto_version": "0",
    }
    return Bounce(**(values | changes))  # type: ignore[arg-type]


def need(*tools: str) -> None:
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")


def ffprobe(path: Path, *what: str) -> dict:
    """What ffmpeg thinks of a file; fails the test when it complains."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *what, str(path)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def frames_by_every_program(path: Path, *, pcm: bool = True, large: bool = False) -> set[int]:
    """How long each program finds a file; a set of one when they agree.

    Python's wave knows neither float nor RF64; sox reads a large file through to count its samples, so it is not asked.
    """
    need("ffprobe", "soxi")
    probed = ffprobe(path, "-show_entries", "stream=duration_ts")["streams"][0].get("duration_ts", 0)
    found = {soundfile.info(path).frames, int(probed)}
    if not large:
        counted = subprocess.run(["soxi", "-s", str(path)], capture_output=True, text=True, timeout=30)
        assert counted.returncode == 0, counted.stderr
        found.add(int(counted.stdout))
    if pcm:
        with wave.open(str(path)) as file:
            found.add(file.getnframes())
    return found


def pack(values: np.ndarray, sample_format: SampleFormat = "pcm24") -> bytes:
    if sample_format == "float32":
        return values.astype("<f4").tobytes()
    return values.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def ramp(frames: int, start: int = 0) -> np.ndarray:
    return (np.arange(start, start + frames) * 7919) % (1 << 24) - (1 << 23)


def samples(path: Path) -> np.ndarray:
    """What libsndfile reads, as 24-bit integers."""
    return soundfile.read(path, dtype="int32")[0] >> 8
