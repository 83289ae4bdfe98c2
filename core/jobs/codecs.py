"""What lossy codecs make of a master: a trip through each encoder and back, for the delivery check."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import OtoError
from core.export.formats import FORMATS, encode

LOSSY: Final = ("mp3", "ogg", "opus")
"""Formats of the export that lose something; libsndfile decodes them."""
AAC_BITS_PER_S: Final = 256_000
"""What music shops sell."""


def round_trips() -> dict[str, Callable[[Path, Path], Path]]:
    """A function per codec that encodes a file into a folder and returns what a decoder makes of it.

    AAC is among them where ffmpeg is installed. Each raises OtoError when its encoder fails.
    """
    trips: dict[str, Callable[[Path, Path], Path]] = {name: _through(name) for name in LOSSY}
    if shutil.which("ffmpeg"):
        trips["aac"] = _through_aac
    return trips


def _through(name: str) -> Callable[[Path, Path], Path]:
    def trip(source: Path, folder: Path) -> Path:
        out = folder / f"copy{FORMATS[name].suffix}"
        encode(source, out, FORMATS[name])
        return out

    return trip


def _through_aac(source: Path, folder: Path) -> Path:
    encoded, decoded = folder / "copy.m4a", folder / "copy.wav"
    _ffmpeg("-i", str(source), "-c:a", "aac", "-b:a", str(AAC_BITS_PER_S), str(encoded))
    _ffmpeg("-i", str(encoded), "-c:a", "pcm_f32le", str(decoded))
    return decoded


def _ffmpeg(*words: str) -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OtoError("failed", f"ffmpeg could not try AAC: {said}", "The master itself is safe.")
