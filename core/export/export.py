"""Puts finished music on a drive or in a folder: every format encoded here first, then copied there and verified."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import soundfile

from core.errors import Exit, OtoError
from core.export.copy import copy_verified, told_as_drive_errors
from core.export.formats import FORMATS, Format, encode, rate_for
from core.export.tags import Tags
from core.progress import Progress, report
from core.scratch import scratch_folder
from devices.drives import drive_at
from sessions.model import ExportedFile
from sessions.names import safe_name

STEMS: Final = "stems"
RATES_HZ: Final = range(8_000, 384_001)
ENCODING_SHARE: Final = 0.5
"""Of the progress; the rest is bytes on the drive, written and read back."""

SLACK_BYTES: Final = 1 << 20
"""Room that a drive's own books need beside the files."""


@dataclass(frozen=True)
class ExportItem:
    """One song to export."""

    source: Path
    """Any audio file that libsndfile reads."""
    name: str
    """File name without its suffix; made safe for the drive."""
    tags: Tags = field(default_factory=Tags)
    bounce: str | None = None
    """Id of the bounce it comes from, for the record."""
    stems: Mapping[str, Path] = field(default_factory=dict)
    """Copied as they are into a folder of their own when the format "stems" is asked for."""
    beside: Sequence[Path] = ()
    """Files that go along whatever the format, copied as they are under the song's name."""


@dataclass(frozen=True)
class _Parcel:
    """A file that is ready to be copied."""

    path: Path
    folder: Path
    name: str
    bounce: str | None


def check_formats(names: Sequence[str]) -> None:
    """Raise OtoError("bad_input") naming the first format that OTO can't write."""
    for name in names:
        if name not in FORMATS and name != STEMS:
            known = ", ".join([*FORMATS, STEMS])
            raise OtoError("bad_input", f"OTO can't write the format {name!r}.", f"Formats: {known}.", Exit.BAD_INPUT)


def export_files(
    items: Sequence[ExportItem],
    destination: Path,
    formats: Sequence[str],
    *,
    rate_hz: int | None = None,
    progress: Progress | None = None,
) -> list[ExportedFile]:
    """Write every item in every format ("wav16" "wav24" "flac" "mp3" "ogg" "opus" "stems") and prove that it arrived.

    What would not fit the drive or its file system is refused before anything is written there. Existing files keep
    their names; the new ones get " (2)". Raises OtoError: "bad_input", "no_space", "drive_lost", "verify_failed",
    "cancelled"; the message says which files are already safe.
    """
    check_formats(formats)
    _check_wishes(items, destination, formats, rate_hz)
    with told_as_drive_errors(str(destination)):
        destination.mkdir(parents=True, exist_ok=True)
    destination = destination.absolute()
    limit_bytes = drive_at(destination).max_file_bytes
    _refuse_what_cannot_fit(_estimates(items, formats, rate_hz), destination, limit_bytes)
    # No format is larger than the 32-bit float of a bounce.
    encoded = [(item.name, item.source.stat().st_size) for item in items for name in formats if name != STEMS]
    with scratch_folder() as staging:
        _refuse_what_cannot_fit(encoded, staging.parent, None)
        parcels = _encode_all(items, destination, formats, rate_hz, staging, progress)
        _refuse_what_cannot_fit(
            [(parcel.name, parcel.path.stat().st_size) for parcel in parcels], destination, limit_bytes
        )
        return _deliver(parcels, progress)


def _check_wishes(items: Sequence[ExportItem], destination: Path, formats: Sequence[str], rate_hz: int | None) -> None:
    """Refuse what could only end in a drive without the song on it."""
    if destination.exists() and not destination.is_dir():
        raise OtoError("bad_input", f"{destination} is a file.", "Name a drive or a folder.", Exit.BAD_INPUT)
    if rate_hz is not None and rate_hz not in RATES_HZ:
        words = f"{rate_hz} Hz is not a rate for music."
        raise OtoError("bad_input", words, f"Choose {RATES_HZ[0]} to {RATES_HZ[-1]} Hz.", Exit.BAD_INPUT)
    bare = [item.bounce or item.name for item in items if not item.stems]
    if STEMS in formats and bare:
        raise OtoError(
            "bad_input",
            f"{bare[0]} has no stems, so nothing was written.",
            "'oto mix SESSION --stems FOLDER', or t on Mix, renders a mix with them.",
            Exit.BAD_INPUT,
        )


def _estimates(items: Sequence[ExportItem], formats: Sequence[str], rate_hz: int | None) -> list[tuple[str, int]]:
    """Names and sizes known before encoding: PCM and stems. Compressed files are checked once they are made."""
    sizes: list[tuple[str, int]] = []
    for item in items:
        sizes += [(path.name, path.stat().st_size) for path in item.beside]
        info = soundfile.info(item.source)
        for name in formats:
            if name == STEMS:
                sizes += [(stem, path.stat().st_size) for stem, path in item.stems.items()]
            elif FORMATS[name].container == "WAV":
                frames = info.frames * rate_for(FORMATS[name], info.samplerate, rate_hz) // info.samplerate
                sizes.append((item.name + ".wav", frames * info.channels * (FORMATS[name].bits or 0) // 8))
    return sizes


def _refuse_what_cannot_fit(sizes: Sequence[tuple[str, int]], destination: Path, limit_bytes: int | None) -> None:
    for name, count in sizes:
        if limit_bytes is not None and count > limit_bytes:
            raise OtoError(
                "bad_input",
                f"{name!r} would be {_gb(count)}; the drive's file system holds {_gb(limit_bytes)} in one file. "
                "Nothing was written.",
                "Export FLAC instead, or use a drive with exFAT or ext4.",
                Exit.BAD_INPUT,
            )
    needed = sum(count for _, count in sizes) + SLACK_BYTES
    with told_as_drive_errors(str(destination)):
        free = shutil.disk_usage(destination).free
    if needed > free:
        raise OtoError(
            "no_space",
            f"The export needs {_gb(needed)} and {destination} has {_gb(free)} free. Nothing was written.",
            "Make room there, or export fewer formats.",
            Exit.NO_SPACE,
        )


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _encode_all(
    items: Sequence[ExportItem],
    destination: Path,
    formats: Sequence[str],
    rate_hz: int | None,
    staging: Path,
    progress: Progress | None,
) -> list[_Parcel]:
    """Make every file in the staging folder; stems stay where they are."""
    parcels: list[_Parcel] = []
    steps = max(len(items) * len(formats), 1)
    step = 0
    for item in items:
        base = safe_name(item.name)
        parcels += [_Parcel(path, destination, base + path.suffix, item.bounce) for path in item.beside]
        for name in formats:
            if name == STEMS:
                folder = destination / f"{base} stems"
                if folder.is_symlink():
                    words = f"{folder.name!r} on the drive is a link to somewhere else, so nothing was written."
                    raise OtoError("bad_input", words, "Remove it, or use another drive.", Exit.BAD_INPUT)
                parcels += [
                    _Parcel(path, folder, safe_name(stem) + path.suffix, item.bounce)
                    for stem, path in item.stems.items()
                ]
            else:
                wanted = FORMATS[name]
                file_name = base + _mark(wanted, formats) + wanted.suffix
                made = staging / f"{step}{wanted.suffix}"
                part = _part(progress, step / steps * ENCODING_SHARE, ENCODING_SHARE / steps)
                encode(item.source, made, wanted, rate_hz=rate_hz, tags=item.tags, progress=part)
                parcels.append(_Parcel(made, destination, file_name, item.bounce))
            step += 1
    return parcels


def _mark(wanted: Format, formats: Sequence[str]) -> str:
    """Tells the two WAVs apart when both are asked for."""
    both = wanted.bits is not None and {"wav16", "wav24"} <= set(formats) and wanted.container == "WAV"
    return f" {wanted.bits}-bit" if both else ""


def _part(progress: Progress | None, start: float, share: float) -> Progress | None:
    """A step's own progress as a part of the whole."""
    if progress is None:
        return None
    return lambda fraction, doing: progress(start + share * fraction, doing)


def _deliver(parcels: Sequence[_Parcel], progress: Progress | None) -> list[ExportedFile]:
    total = max(sum(parcel.path.stat().st_size for parcel in parcels) * 2, 1)
    moved = 0
    done: list[ExportedFile] = []
    try:
        for parcel in parcels:

            def tell(count: int, name: str = parcel.name) -> None:
                nonlocal moved
                moved += count
                report(progress, ENCODING_SHARE + (1 - ENCODING_SHARE) * moved / total, f"copying {name}")

            with told_as_drive_errors(parcel.name):
                parcel.folder.mkdir(exist_ok=True)
            copied = copy_verified(parcel.path, parcel.folder, parcel.name, moved=tell)
            done.append(
                ExportedFile(
                    path=str(copied.path), bytes=copied.bytes, sha256=copied.sha256, source_bounce=parcel.bounce
                )
            )
    except OtoError as error:
        safe = ", ".join(Path(file.path).name for file in done) or "none"
        raise OtoError(
            error.code, f"{error.message} Verified files of this export: {safe}.", error.hint, error.exit_code
        ) from error
    return done
