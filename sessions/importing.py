"""Makes a session out of recordings made elsewhere: a recorder's card, the stems of a DAW.

Files are read in blocks, so memory stays small whatever their length, and written into a hidden folder that appears in
the library only when everything is there. The originals are only ever read.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sessions.arranging import Chain, Source, arrange, format_of, started_utc, time_reference, usual_rate
from sessions.errors import LibraryError, full_disk_explained
from sessions.files import sync_folder, write_atomic
from sessions.layout import TAKE_FILE, clip_file_name, clip_info, take_folder_name
from sessions.lostsizes import mended
from sessions.migrate import dump
from sessions.model import Clip, SampleFormat, Session, Take, TakeTrack, Track
from sessions.staging import clear_abandoned, staging
from sessions.store import SESSION_FILE, Library
from sessions.wav import WavWriter
from sessions.wavread import read_info

Progress = Callable[[float, str], bool]
"""Called with the fraction done (0..1) and what is being done; returns False when the work shall end."""

SUFFIXES: Final = frozenset(
    f".{suffix}"
    for suffix in (
        *("wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "caf", "flac"),
        *("mp3", "mp2", "ogg", "oga", "opus", "au", "snd", "voc", "ircam", "sf"),
    )
)
"""What is looked for in a folder; a file that is named outright may be called anything."""

_EXACT_SUBTYPES: Final = frozenset(
    (
        *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "ALAC_16", "ALAC_20", "ALAC_24", "ULAW", "ALAW"),
        *("DPCM_8", "DPCM_16", "DWVW_12", "DWVW_16", "DWVW_24"),
    )
)
"""Encodings whose samples 24 bits hold exactly."""
_ESTIMATED_LENGTH: Final = frozenset({"MP3", "OGG"})
_BLOCK_FRAMES: Final = 65_536
_RATES_HZ: Final = range(8_000, 384_001)
LOUDEST: Final = 1e10
"""Full scale is 1: what a float file may hold. The desk refuses a track with more, as it does what is not a number."""


def import_recordings(
    library: Library,
    paths: Sequence[Path],
    *,
    name: str = "",
    rate_hz: int | None = None,
    progress: Progress | None = None,
) -> Session:
    """Make a session with one take out of files and folders, and return it.

    Files with several channels become a track for each. Samples of up to 24 bits arrive bit for bit as pcm24; float,
    32-bit and rate-converted ones as float32. `rate_hz` None takes the rate that most files have. Files whose bext
    time references fit together keep their offsets.

    Raises LibraryError: "not_found", "bad_input" (naming every file that can't be read, or the
    first that holds what no mix could use), "no_space", "cancelled";
    OSError.
    """
    clear_abandoned(library.root)
    sources = _look_at([Path(path) for path in paths])
    chains = arrange(sources)
    rate = rate_hz or usual_rate(chains)
    if rate not in _RATES_HZ:
        raise LibraryError("bad_input", f"{rate} Hz is not a rate that OTO works at.", "Choose 8 to 384 kHz.")
    # One format for all, in which float32 holds 24 bits exactly: a lost header is made again from what the take says.
    sample_format: SampleFormat = "pcm24" if all(format_of(chain, rate) == "pcm24" for chain in chains) else "float32"
    _refuse_without_space(library, chains, rate, sample_format)
    session_name = name.strip() or _session_name(paths)
    tracks = tuple(
        TakeTrack(id=f"t{number}", name=track)
        for number, track in enumerate((track for chain in chains for track in chain.names), start=1)
    )
    take = Take(
        number=1,
        session="",
        status="complete",
        origin="imported",
        rate_hz=rate,
        sample_format=sample_format,
        started_utc=started_utc(chains),
        time_reference_samples=time_reference(chains, rate),
        tracks=tracks,
    )
    full = "The disk became full. Nothing was imported and the originals are as they were."
    with full_disk_explained(full, "Empty the trash, or import fewer files."), staging(library.root) as hidden:
        folder = hidden / "takes" / take_folder_name(take.number)
        folder.mkdir(parents=True)
        work = _Work(take, session_name, folder, progress, sum(s.frames * s.channels for s in sources))
        clips = [clip for chain in chains for clip in work.convert(chain)]
        take = msgspec.structs.replace(
            take, clips=tuple(clips), frames=max(clip.start_samples + clip.frames for clip in clips)
        )
        return _appear(library, hidden, session_name, take)


def _look_at(paths: Sequence[Path]) -> list[Source]:
    """Every audio file that the paths name, in the order that people count in."""
    files: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise LibraryError("not_found", f"There is no '{path}'.", "Nothing was imported. Check the name.")
        found = sorted(_audio_files(path), key=_natural) if path.is_dir() else [path]
        files |= {file.resolve(): file for file in found}
    if not files:
        names = " and ".join(f"'{path}'" for path in paths)
        raise LibraryError("bad_input", f"There is no audio in {names}.", "Name a folder or files with recordings.")
    sources: list[Source] = []
    bad: list[str] = []
    for file in files.values():
        try:
            sources.append(_look_at_file(file))
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            bad.append(f"'{file}' ({_reason(error)})")
    if bad:
        raise LibraryError(
            "bad_input",
            f"{len(bad)} of {len(files)} files can't be read as audio: {', '.join(bad)}. Nothing was imported.",
            "Leave them out, or copy them from the card again.",
        )
    return sources


def _audio_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield path


def _look_at_file(path: Path) -> Source:
    with mended(path) as readable, soundfile.SoundFile(readable) as file:
        if file.frames <= 0:
            raise ValueError("it holds no audio")
        bext, names = None, dict[int, str]()
        with contextlib.suppress(LibraryError):
            info = read_info(path)
            bext = info.bext
            names = _names_in_description(bext.description if bext else "")
            names |= info.ixml.track_names if info.ixml else {}
        return Source(
            path=path,
            rate_hz=file.samplerate,
            channels=file.channels,
            frames=file.frames,
            exact=file.subtype in _EXACT_SUBTYPES,
            estimated=file.format in _ESTIMATED_LENGTH,
            bext=bext,
            given_names=names,
        )


def _names_in_description(description: str) -> dict[int, str]:
    """Track names as Sound Devices and Zoom write them into bext: lines of "sTRK1=Kick", "zTRK2=Snare"."""
    return {int(n): name.strip() for n, name in re.findall(r"^[a-z]?TRK(\d+)=(.+)$", description, re.MULTILINE)}


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts "Track 2" before "Track 10"."""
    return [
        (int(part), "") if part.isdecimal() else (0, part.casefold())
        for part in re.split(r"(\d+)", str(path.with_suffix("")))
    ]


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "its name is not in UTF-8: rename it, or the folder it is in"
    return str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error).rstrip(".").strip()


def _session_name(paths: Sequence[Path]) -> str:
    first = Path(paths[0]).resolve()
    return first.name if first.is_dir() else first.stem if len(paths) == 1 else first.parent.name


def _refuse_without_space(library: Library, chains: Sequence[Chain], rate_hz: int, sample_format: SampleFormat) -> None:
    sample_bytes = 3 if sample_format == "pcm24" else 4
    needed = sum(float(chain.length_s) * rate_hz * len(chain.names) * sample_bytes for chain in chains)
    free = shutil.disk_usage(library.root).free
    if needed >= free:
        raise LibraryError(
            "no_space",
            f"The recordings need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free. Nothing was imported.",
            "Empty the trash, or import fewer files.",
        )


class _Work:
    """Writes chains into a take's folder, and says how far it is."""

    def __init__(self, take: Take, session_name: str, folder: Path, progress: Progress | None, samples: int) -> None:
        self._take, self._session_name, self._folder = take, session_name, folder
        self._progress, self._samples, self._done = progress, samples, 0
        self._tracks = iter(take.tracks)

    def convert(self, chain: Chain) -> list[Clip]:
        """Write a chain: for every channel a track, for every file a clip."""
        tracks = [next(self._tracks) for _ in chain.names]
        rate_hz, sample_format = self._take.rate_hz, self._take.sample_format
        # One converter runs through all files of a chain, so that nothing is heard where one ends.
        converter = None
        if chain.first.rate_hz != rate_hz:
            converter = soxr.ResampleStream(
                chain.first.rate_hz, rate_hz, chain.first.channels, dtype="float32", quality="VHQ"
            )
        start = round(chain.start_s * rate_hz)
        clips: list[Clip] = []
        for number, source in enumerate(chain.sources, start=1):
            files = [clip_file_name(self._take, track.id, number) for track in tracks]
            with contextlib.ExitStack() as stack:
                writers: list[WavWriter] = []
                for track, file in zip(tracks, files, strict=True):
                    info = clip_info(self._take, track, self._session_name, start)
                    writers.append(
                        WavWriter(self._folder / file, rate_hz=rate_hz, sample_format=sample_format, info=info)
                    )
                    stack.callback(writers[-1].close)
                last_source = number == len(chain.sources)
                for block, last in self._blocks(source, "int32" if sample_format == "pcm24" else "float32"):
                    audio = block if converter is None else converter.resample_chunk(block, last and last_source)
                    for writer, channel in zip(writers, audio.T, strict=True):
                        writer.append(_packed(channel))
                frames = writers[0].frames
            clips += [
                Clip(track=track.id, file=file, start_samples=start, frames=frames)
                for track, file in zip(tracks, files, strict=True)
            ]
            start += frames
        return clips

    def _blocks(self, source: Source, dtype: str) -> Iterator[tuple[NDArray[np.int32] | NDArray[np.float32], bool]]:
        """The file's audio, (frames, channels) a block, and whether it is the last one."""
        read = 0
        try:
            with mended(source.path) as readable, soundfile.SoundFile(readable) as file:
                while True:
                    block = file.read(_BLOCK_FRAMES, dtype=dtype, always_2d=True)
                    if dtype == "float32":
                        _refuse_unusable(source, block, read)
                    read += len(block)
                    self._report(block.size, source)
                    last = len(block) < _BLOCK_FRAMES
                    yield block, last
                    if last:
                        break
        except (soundfile.SoundFileError, OSError) as error:
            raise self._damaged(source, _reason(error)) from error
        if read < source.frames and not source.estimated:
            raise self._damaged(source, f"it ends after {read} of {source.frames} frames")

    def _report(self, samples: int, source: Source) -> None:
        self._done += samples
        doing = f"Importing {source.path.name}"
        if self._progress is not None and not self._progress(min(1.0, self._done / self._samples), doing):
            raise LibraryError("cancelled", "The import was cancelled. Nothing was imported.", "")

    def _damaged(self, source: Source, reason: str) -> LibraryError:
        return LibraryError(
            "bad_input",
            f"'{source.path}' can't be read to its end ({reason}). Nothing was imported.",
            "Leave it out, or copy it from the card again.",
        )


def _refuse_unusable(source: Source, block: NDArray[np.float32], start: int) -> None:
    """Say it of a file now, while its original is at hand, and not when its take is mixed."""
    if abs(np.min(block, initial=0.0)) <= LOUDEST and abs(np.max(block, initial=0.0)) <= LOUDEST:
        return
    at = int(np.flatnonzero(~(np.abs(block) <= LOUDEST).all(axis=1))[0])
    what = "a sample beyond +200 dBFS" if np.isfinite(block[at]).all() else "something that is not a number"
    raise LibraryError(
        "bad_input",
        f"'{source.path}' holds {what} at {(start + at) / source.rate_hz:.3f} s, and no mix could use it. "
        "Nothing was imported.",
        "Leave it out, or have the program that made it write it again.",
    )


def _packed(channel: NDArray[np.int32] | NDArray[np.float32]) -> bytes:
    """One channel as the file holds it: float32, or the upper 24 bits of int32, little-endian."""
    if channel.dtype == np.float32:
        return np.ascontiguousarray(channel, dtype="<f4").tobytes()
    return np.ascontiguousarray(channel, dtype="<i4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()


def _appear(library: Library, hidden: Path, session_name: str, take: Take) -> Session:
    """Write the documents and move the hidden folder to its place in the library."""
    session_id = library.claim_session_folder(session_name)
    try:
        session = Session(
            id=session_id,
            name=session_name,
            created_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
            sequence=library.next_sequence(),
            rate_hz=take.rate_hz,
            sample_format=take.sample_format,
            tracks=tuple(Track(id=track.id, name=track.name, armed=False) for track in take.tracks),
        )
        take = msgspec.structs.replace(take, session=session_id)
        folder = hidden / "takes" / take_folder_name(take.number)
        write_atomic(folder / TAKE_FILE, dump(take))
        write_atomic(hidden / SESSION_FILE, dump(session))
        hidden.rename(library.root / session_id)
        sync_folder(library.root)
    except BaseException:
        with contextlib.suppress(OSError):
            (library.root / session_id).rmdir()
        raise
    return session
