"""Makes a comp: reads the pieces of its tracks, and writes them as a take of its own.

Samples outside the fades arrive as they are in the takes, bit for bit. What is made lies in a hidden folder until it
is complete; the takes that it is made of are only ever read.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import soundfile
from numpy.typing import NDArray

from sessions.comping import CompTrack, Layout, Piece, lay_out
from sessions.errors import LibraryError, full_disk_explained
from sessions.layout import clip_file_name, clip_info, markers_from
from sessions.model import Clip, Comp, SampleFormat, Take
from sessions.staging import clear_abandoned, staging
from sessions.store import Library
from sessions.wav import WavWriter

Progress = Callable[[float, str], bool]
"""Called with the fraction done (0..1) and what is being done; returns False when the work shall end."""

Samples = NDArray[np.float64]
"""Full scale is 1.0; 24-bit and float samples are exact in it."""

FREE_SOME: Final = "Empty the trash, or export and remove old sessions."
_BLOCK_FRAMES: Final = 65_536
_FULL_SCALE: Final = 1 << 23


class SplicedTrack:
    """One track of a comp, read out of its takes' files. One reader at a time."""

    def __init__(self, track: CompTrack, folder: Callable[[Take], Path]) -> None:
        """Open its files; `folder` says where a take's lie. Raises LibraryError("bad_input") naming a broken one."""
        self.track = track.track
        self._pieces: list[tuple[Piece, list[tuple[Clip, soundfile.SoundFile]]]] = []
        opened: dict[Path, soundfile.SoundFile] = {}
        for piece in track.pieces:
            clips: list[tuple[Clip, soundfile.SoundFile]] = []
            for clip in piece.take.clips:
                inside = (
                    clip.start_samples < piece.start + piece.frames and clip.start_samples + clip.frames > piece.start
                )
                if clip.track == track.track.id and inside:
                    path = folder(piece.take) / clip.file
                    if path not in opened:
                        opened[path] = _opened(path)
                    clips.append((clip, opened[path]))
            self._pieces.append((piece, clips))

    @property
    def sample_format(self) -> SampleFormat:
        """What holds all of it exactly."""
        files = [file for _, clips in self._pieces for _, file in clips]
        return "pcm24" if all(file.subtype == "PCM_24" for file in files) else "float32"

    def stretches(self) -> list[tuple[int, int]]:
        """Where it plays, from and to; it is silent between these."""
        found: list[tuple[int, int]] = []
        for piece, clips in self._pieces:
            if not clips:
                continue
            if found and piece.at <= found[-1][1]:
                found[-1] = (found[-1][0], piece.end)
            else:
                found.append((piece.at, piece.end))
        return found

    def read(self, start: int, frames: int) -> Samples:
        """Samples [start, start + frames) of the comp, silence where nothing plays.

        Raises LibraryError("bad_input").
        """
        out = np.zeros(frames)
        for piece, clips in self._pieces:
            first, last = max(start, piece.at), min(start + frames, piece.end)
            if first >= last:
                continue
            audio = np.zeros(last - first)
            at = piece.start + first - piece.at
            for clip, file in clips:
                begin, end = max(at, clip.start_samples), min(at + len(audio), clip.start_samples + clip.frames)
                if begin < end:
                    audio[begin - at : end - at] = _samples(file, begin - clip.start_samples, end - begin)
            _lay(out[first - start : last - start], audio, piece, first - piece.at)
        return out


def _lay(out: Samples, audio: Samples, piece: Piece, offset: int) -> None:
    """Put a part of a piece, from `offset` within it, over what is there; in the fades both are heard."""
    index = np.arange(offset, offset + len(audio))
    rising = np.minimum((index + 0.5) / max(piece.fade_in, 1), 1.0)
    falling = np.minimum((piece.frames - index - 0.5) / max(piece.fade_out, 1), 1.0)
    fading = ((index < piece.fade_in) | (index >= piece.frames - piece.fade_out)).nonzero()[0]
    body = np.ones(len(audio), bool)
    body[fading] = False
    out[body] = audio[body]
    # sin² + cos² = 1: two performances are not alike, so that their powers add up.
    gain = np.sin(0.5 * np.pi * rising[fading]) * np.sin(0.5 * np.pi * falling[fading])
    out[fading] += audio[fading] * gain


def make_comp(
    library: Library, session_id: str, comp: Comp, *, name: str = "", progress: Progress | None = None
) -> tuple[Take, Layout]:
    """Write a comp as the session's next take, with its recipe, and return it with how it was laid out.

    A track is 24 bit when all that it is made of is, else float. Raises LibraryError: what `comping.lay_out` raises,
    "bad_input" for a file that can't be read to its end, "no_space", "cancelled"; OSError. Then no take was made.
    """
    clear_abandoned(library.root)
    session = library.session(session_id)
    layout = lay_out(comp, library.takes(session.id))
    first = library.take(session.id, layout.parts[0].take, layout.parts[0].false_number)
    take = Take(
        number=0,
        session=session.id,
        name=name,
        status="complete",
        origin="comp",
        rate_hz=layout.rate_hz,
        sample_format="pcm24",
        started_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
        time_reference_samples=first.time_reference_samples
        + (0 if layout.overdub_of is not None else layout.parts[0].start_samples),
        frames=layout.frames,
        tracks=tuple(track.track for track in layout.tracks),
        markers=layout.markers,
        gaps=layout.gaps,
        overdub_of=layout.overdub_of,
        comp=Comp(parts=layout.parts, fade_ms=comp.fade_ms),
    )
    full = "The disk became full. No comp was made, and the takes are as they were."
    with (
        full_disk_explained(full, "Empty the trash, or export and remove old sessions."),
        staging(library.root) as hidden,
    ):
        prepared = hidden / "take"
        prepared.mkdir()
        tracks = [
            SplicedTrack(track, lambda one: library.take_path(session.id, one.number, one.false_number))
            for track in layout.tracks
        ]
        _refuse_without_space(library, tracks)
        work = _Work(take, session.name, prepared, progress, sum(e - s for t in tracks for s, e in t.stretches()))
        clips = [clip for track in tracks if (clip := work.write(track)) is not None]
        formats: set[SampleFormat] = {track.sample_format for track in tracks}
        take = msgspec.structs.replace(
            take, clips=tuple(clips), sample_format="pcm24" if formats <= {"pcm24"} else "float32"
        )
        return library.add_take(prepared, take), layout


def _refuse_without_space(library: Library, tracks: Sequence[SplicedTrack]) -> None:
    needed = sum(
        (end - start) * (3 if track.sample_format == "pcm24" else 4)
        for track in tracks
        for start, end in track.stretches()
    )
    free = shutil.disk_usage(library.root).free
    if needed >= free:
        raise LibraryError(
            "no_space",
            f"The comp needs {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB are free. The takes are as they were.",
            FREE_SOME,
        )


class _Work:
    """Writes tracks into a folder, and says how far it is."""

    def __init__(self, take: Take, session_name: str, folder: Path, progress: Progress | None, samples: int) -> None:
        self._take, self._session_name, self._folder = take, session_name, folder
        self._progress, self._samples, self._done = progress, max(samples, 1), 0

    def write(self, track: SplicedTrack) -> Clip | None:
        """One file from where the track first plays to where it last does; None when it never does."""
        stretches = track.stretches()
        if not stretches:
            return None
        start, form = stretches[0][0], track.sample_format
        # The take's number is not known before it appears, so its files don't speak of it.
        info = msgspec.structs.replace(
            clip_info(self._take, track.track, self._session_name, start),
            description=f"{self._session_name}, comp: {track.track.name}",
            take_number=None,
        )
        file = clip_file_name(self._take, track.track.id)
        writer = WavWriter(self._folder / file, rate_hz=self._take.rate_hz, sample_format=form, info=info)
        try:
            for begin, end in stretches:
                writer.extend_silence(begin - start - writer.frames)
                for at in range(begin, end, _BLOCK_FRAMES):
                    block = track.read(at, min(_BLOCK_FRAMES, end - at))
                    writer.append(_packed(block, form))
                    self._report(len(block), track.track.name)
        finally:
            writer.close(markers_from(self._take.markers, start))
        return Clip(track=track.track.id, file=file, start_samples=start, frames=writer.frames)

    def _report(self, samples: int, track: str) -> None:
        self._done += samples
        if self._progress is not None and not self._progress(min(1.0, self._done / self._samples), f"joining {track}"):
            raise LibraryError("cancelled", "The comp was cancelled. The takes are as they were.", "")


def _packed(audio: Samples, form: SampleFormat) -> bytes:
    """Samples as the file holds them; what two takes add up to beyond full scale is held there in 24 bits."""
    if form == "float32":
        return audio.astype("<f4").tobytes()
    whole = np.clip(np.rint(audio * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _opened(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise _broken(path.name, str(error)) from error


def _samples(file: soundfile.SoundFile, start: int, frames: int) -> Samples:
    try:
        file.seek(start)
        audio: Samples = file.read(frames, dtype="float64", always_2d=True)[:, 0]
    except (soundfile.SoundFileError, OSError) as error:
        raise _broken(Path(file.name).name, str(error)) from error
    if len(audio) < frames:
        raise _broken(Path(file.name).name, "it ends too early")
    return audio


def _broken(file: str, reason: str) -> LibraryError:
    return LibraryError(
        "bad_input",
        f"'{file}' can't be read ({reason.rstrip('.')}). No comp was made, and the takes are as they were.",
        "`oto doctor` looks the library over; leave that take out.",
    )
