"""Where the desk's audio comes from: files, and the clips of a take laid on their timeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

from core.desk.pcm import Pcm
from core.dsp.audio import Audio, Floats, checked
from core.errors import Exit, OtoError
from sessions.model import Take, TakeTrack
from sessions.names import unique_name

_FADE_S = 0.005
"""Where a span cuts into what sounds."""


class Source(Protocol):
    """One track's audio. Reading is cheapest forwards; one reader at a time."""

    @property
    def name(self) -> str:
        """The strip it feeds."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    @property
    def frames(self) -> int:
        """Length in samples."""
        ...

    @property
    def rate_hz(self) -> int:
        """Samples per second."""
        ...

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames) as float32 (channels, frames); silence outside the source.

        Raises OtoError("bad_input") when the file can't be read or holds what `checked` refuses.
        """
        ...


class TakeLibrary(Protocol):
    """As much of `sessions.store.Library` as the desk needs."""

    def take(self, session_id: str, number: int) -> Take:
        """A take's document."""
        ...

    def take_path(self, session_id: str, number: int) -> Path:
        """The folder of its files."""
        ...


def _unreadable(path: Path, error: Exception) -> OtoError:
    return OtoError(
        "bad_input",
        f"{path.name} can't be read as audio: {error}",
        "Is it complete, and an audio file? Nothing was changed.",
        Exit.BAD_INPUT,
    )


class FileSource:
    """An audio file of one or two channels, in any format that libsndfile reads."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        if not path.is_file():
            raise OtoError("not_found", f"There is no file {path}.", "Check the name.", Exit.NOT_FOUND)
        try:
            self._file = soundfile.SoundFile(path)
        except (soundfile.SoundFileError, OSError) as error:
            raise _unreadable(path, error) from error
        if self._file.channels > 2:
            raise OtoError(
                "bad_input",
                f"{path.name} has {self._file.channels} channels; a strip takes one or two.",
                "Import it (`oto import`): that makes a track of each channel.",
                Exit.BAD_INPUT,
            )
        self._path = path
        self._at = 0
        stat = path.stat()
        self.identity = f"{path.absolute()}:{stat.st_size}:{stat.st_mtime_ns}"
        self.name = path.stem if name is None else name
        self.channels = self._file.channels
        self.frames = self._file.frames
        self.rate_hz = self._file.samplerate
        self._pcm = Pcm.of(path, channels=self.channels, frames=self.frames)

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames), silence outside the file."""
        first, last = max(start, 0), min(start + frames, self.frames)
        if first >= last:
            return np.zeros((self.channels, frames), np.float32)
        try:
            audio = self._decoded(first, last - first) if self._pcm is None else self._pcm.read(first, last - first)
        except (soundfile.SoundFileError, OSError) as error:
            raise _unreadable(self._path, error) from error
        audio = checked(np.ascontiguousarray(audio), name=self._path.name, start=first, rate_hz=self.rate_hz)
        if audio.shape[1] == frames:
            return audio
        out = np.zeros((self.channels, frames), np.float32)
        out[:, first - start : first - start + audio.shape[1]] = audio
        return out

    def _decoded(self, first: int, frames: int) -> Audio:
        if first != self._at:
            self._file.seek(first)
        audio: Audio = self._file.read(frames, dtype="float32", always_2d=True).T
        self._at = first + audio.shape[1]
        return audio


class ClipSource:
    """A track of a take: its clips where they were recorded, silence where nothing was."""

    def __init__(self, name: str, clips: Sequence[tuple[int, FileSource]], *, frames: int, rate_hz: int) -> None:
        self.name = name
        self.channels = max((clip.channels for _, clip in clips), default=1)
        self.frames = frames
        self.rate_hz = rate_hz
        self._clips = tuple(clips)
        laid = ",".join(f"{at}={clip.identity}" for at, clip in clips)
        self.identity = f"{frames}@{rate_hz}:{laid}"

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames) of the timeline, silence outside the clips."""
        out = np.zeros((self.channels, frames), np.float32)
        for at, clip in self._clips:
            first, last = max(start, at), min(start + frames, at + clip.frames)
            if first < last:
                out[:, first - start : last - start] = clip.read(first - at, last - first)
        return out


class ResampledSource:
    """A source at another rate, converted as it is read (soxr, very high quality)."""

    def __init__(self, source: Source, rate_hz: int) -> None:
        self._source = source
        self.name = source.name
        self.channels = source.channels
        self.rate_hz = rate_hz
        self.frames = -(-source.frames * rate_hz // source.rate_hz)
        identity = identity_of(source)
        self.identity = None if identity is None else f"{identity}->{rate_hz}"
        self._rewind()

    def _rewind(self) -> None:
        self._stream = soxr.ResampleStream(self._source.rate_hz, self.rate_hz, self.channels, quality="VHQ")
        self._fed = 0
        self._at = 0
        self._ready = np.zeros((0, self.channels), np.float32)

    def _fill(self, frames: int) -> None:
        """Convert until `frames` samples are ready, or the source is at its end."""
        pieces = [self._ready]
        ready = len(self._ready)
        while ready < frames and self._fed < self._source.frames:
            length = min(1 << 16, self._source.frames - self._fed)
            block = self._source.read(self._fed, length)
            self._fed += length
            pieces.append(
                self._stream.resample_chunk(np.ascontiguousarray(block.T), last=self._fed == self._source.frames)
            )
            ready += len(pieces[-1])
        self._ready = np.concatenate(pieces)

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames), silence outside. Going backwards starts the conversion anew."""
        out = np.zeros((self.channels, frames), np.float32)
        first, last = max(start, 0), min(start + frames, self.frames)
        if first < last:
            if first < self._at:
                self._rewind()
            while self._at < first:
                self._take(min(1 << 16, first - self._at))
            audio = self._take(last - first)
            out[:, first - start : first - start + len(audio)] = audio.T
        return out

    def _take(self, frames: int) -> Audio:
        self._fill(frames)
        taken, self._ready = self._ready[:frames], self._ready[frames:]
        self._at += frames
        return taken


def at_rate(source: Source, rate_hz: int) -> Source:
    """The source itself, or converted to `rate_hz`."""
    return source if source.rate_hz == rate_hz else ResampledSource(source, rate_hz)


class SpannedSource:
    """A stretch of a source, silent outside, faded over 5 ms where something was cut off."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source = source
        self._start = start
        self.name = source.name
        self.channels = source.channels
        self.rate_hz = source.rate_hz
        self.frames = max(min(end, source.frames) - start, 0)
        identity = identity_of(source)
        self.identity = None if identity is None else f"{identity}[{start}:{end}]"
        fade = min(round(_FADE_S * source.rate_hz), self.frames // 2)
        self._fade_in = fade if start > 0 else 0
        self._fade_out = fade if end < source.frames else 0

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames) of the stretch."""
        out = np.zeros((self.channels, frames), np.float32)
        first, last = max(start, 0), min(start + frames, self.frames)
        if first < last:
            out[:, first - start : last - start] = self._source.read(self._start + first, last - first)
            index = np.arange(first, last, dtype=np.float64)
            if first < self._fade_in:
                out[:, first - start : last - start] *= _ramp(index + 0.5, self._fade_in)
            if last > self.frames - self._fade_out:
                out[:, first - start : last - start] *= _ramp(self.frames - 0.5 - index, self._fade_out)
        return out


def _ramp(distance: Floats, length: int) -> Audio:
    """Rises from 0 to 1 over `length` samples as half a cosine."""
    ramp: Audio = (0.5 - 0.5 * np.cos(np.pi * np.minimum(distance / length, 1.0))).astype(np.float32)
    return ramp


def identity_of(source: Source) -> str | None:
    """What names the audio of a source as long as its files stay as they are; None for what is not made of files."""
    return source.identity if isinstance(source, FileSource | ClipSource | ResampledSource | SpannedSource) else None


def file_sources(paths: Sequence[Path]) -> list[Source]:
    """A source per file, named as the file without its suffix; equal names are numbered.

    Raises OtoError: "not_found", "bad_input" for what isn't audio or has more than two channels.
    """
    names: list[str] = []
    for path in paths:
        names.append(unique_name(path.stem, names))
    return [FileSource(path, name) for path, name in zip(paths, names, strict=True)]


def take_sources(library: TakeLibrary, session_id: str, take_number: int) -> list[Source]:
    """A source per track of a take and of the takes it was overdubbed on, oldest take first.

    A track that was recorded again over an older take replaces the older recording. A converted rate is
    the newest take's. Raises what the library raises, and OtoError("bad_input") for files that can't be read.
    """
    chain: list[Take] = []
    number: int | None = take_number
    while number is not None and all(number != take.number for take in chain):
        chain.append(library.take(session_id, number))
        number = chain[-1].overdub_of
    claimed: set[str] = set()
    found: list[tuple[Take, TakeTrack]] = []
    for take in chain:
        recorded = {clip.track for clip in take.clips}
        fresh = [track for track in take.tracks if track.id in recorded and track.id not in claimed]
        claimed.update(track.id for track in fresh)
        found = [(take, track) for track in fresh] + found
    names: list[str] = []
    for _, track in found:
        names.append(unique_name(track.name, names))
    return [
        at_rate(_track_source(library, take, track, name), chain[0].rate_hz)
        for (take, track), name in zip(found, names, strict=True)
    ]


def _track_source(library: TakeLibrary, take: Take, track: TakeTrack, name: str) -> Source:
    folder = library.take_path(take.session, take.number)
    clips = [(clip.start_samples, FileSource(folder / clip.file)) for clip in take.clips if clip.track == track.id]
    end = max(start + clip.frames for start, clip in clips)
    return ClipSource(name, clips, frames=max(end, take.frames), rate_hz=take.rate_hz)
