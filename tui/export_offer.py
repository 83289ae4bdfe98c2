"""What an export would write: how much, whether it fits, and what is said about it. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.protocol.topics import Bounce, Drive, ExportRecord
from tui import words

FORMATS: Final = {
    "wav24": "WAV 24 bit, for the next studio",
    "wav16": "WAV 16 bit, for discs and old players",
    "flac": "FLAC, lossless and smaller",
    "mp3": "MP3, plays everywhere",
    "ogg": "Ogg Vorbis",
    "opus": "Opus, smallest",
    "stems": "Stems, every strip on its own",
}
"""What the exporter can write."""

BYTES_PER_FRAME: Final = {"wav24": 6.0, "wav16": 4.0, "flac": 4.2, "mp3": 0.84, "ogg": 0.6, "opus": 0.5, "stems": 8.0}
"""Of a stereo frame at 44.1 or 48 kHz; an upper guess where the format compresses. Stems are 32-bit float, each."""


@dataclass(frozen=True)
class Offer:
    """What is chosen, and whether it can be done."""

    bounces: tuple[Bounce, ...]
    formats: tuple[str, ...]
    to: str
    """Folder or drive path; "" when none is chosen."""
    label: str
    bytes: int
    seconds: float | None = None
    """How long it will take at the pace of the last export to there; None where there was none."""
    refusal: str = ""


def stems_of(bounce: Bounce, bounces: Sequence[Bounce]) -> int:
    """How many stems belong to a bounce: its own, or those of the mix that it is a master of."""
    if bounce.stems or bounce.source_bounce is None:
        return len(bounce.stems)
    return next((len(other.stems) for other in bounces if other.id == bounce.source_bounce), 0)


def file_bytes(bounce: Bounce, format: str) -> int:
    """About how big one file will be."""
    return int(bounce.frames * BYTES_PER_FRAME[format])


def offer(
    bounces: Sequence[Bounce],
    every: Sequence[Bounce],
    formats: Sequence[str],
    drive: Drive | None,
    folder: str,
    exports: Sequence[ExportRecord] = (),
) -> Offer:
    """Add it up and see whether it fits. `folder` is somewhere on the box and is checked by the engine.

    `exports` are those that were done, oldest first: what is written there once more will take as long.
    """
    total, biggest = 0, 0
    for bounce in bounces:
        for format in formats:
            one = file_bytes(bounce, format)
            total += one * (stems_of(bounce, every) if format == "stems" else 1)
            biggest = max(biggest, one)
    label = words.clean(drive.label or drive.path) if drive else words.clean(folder)
    to = drive.path if drive else folder
    refusal = _missing(bounces, every, formats) or _no_room(drive, to, total, biggest)
    return Offer(tuple(bounces), tuple(formats), to, label, total, _seconds(total, to, exports), refusal)


def _seconds(bytes: int, to: str, exports: Sequence[ExportRecord]) -> float | None:
    for export in reversed(exports):
        written = sum(file.bytes for file in export.files)
        if export.destination == to and export.took_s and written:
            return bytes * export.took_s / written
    return None


def _missing(bounces: Sequence[Bounce], every: Sequence[Bounce], formats: Sequence[str]) -> str:
    if not bounces:
        return "Choose a bounce: Enter on its line."
    if not formats:
        return "Choose a format: Enter on its line."
    bare = [bounce for bounce in bounces if not stems_of(bounce, every)]
    if "stems" in formats and bare:
        return f"{words.clean(bare[0].id)} has no stems: t on Mix renders a mix with them."
    return ""


def _no_room(drive: Drive | None, to: str, total: int, biggest: int) -> str:
    if not to:
        return "Plug in a drive, or press g for a folder of this box."
    if drive is None:
        return ""
    if not drive.writable:
        return f"{words.clean(drive.label)} is write-protected."
    if total > drive.free_bytes:
        return f"{words.size(total)} do not fit: {words.clean(drive.label)} has {words.size(drive.free_bytes)} free."
    if drive.max_file_bytes is not None and biggest > drive.max_file_bytes:
        return f"{drive.file_system} holds no file of {words.size(biggest)}: choose FLAC, or another drive."
    return ""
