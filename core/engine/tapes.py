"""Takes and bounces as something the player can play."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from core.engine.player import Stereo, Tape
from core.errors import OtoError
from sessions.comping import Layout, lay_out
from sessions.model import Clip, Take
from sessions.splicing import SplicedTrack
from sessions.store import Library


class SilentTape:
    """Nothing for ever: what runs while only a click is heard."""

    frames = 1 << 62

    def read(self, _start: int, frames: int) -> Stereo:
        """Return silence."""
        return np.zeros((frames, 2), dtype=np.float32)


class ArrayTape:
    """Audio from memory, (frames, 2)."""

    def __init__(self, audio: Stereo) -> None:
        self.frames = len(audio)
        self._audio = audio

    def read(self, start: int, frames: int) -> Stereo:
        """Return a stretch of the array."""
        return self._audio[start : start + frames]


class FileTape:
    """A stereo (or mono) file, such as a bounce."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        self._file = soundfile.SoundFile(path)
        if self._file.samplerate != rate_hz:
            self._file.close()
            raise OtoError(
                "bad_input",
                f"{path.name} has {self._file.samplerate} Hz, the interface runs at {rate_hz} Hz.",
                "Choose the session's rate for the interface, then play again.",
            )
        self.frames = self._file.frames

    def read(self, start: int, frames: int) -> Stereo:
        """Read a stretch; a mono file comes out of both sides."""
        self._file.seek(start)
        audio = self._file.read(frames, dtype="float32", always_2d=True)
        if audio.shape[1] == 1:
            audio = np.repeat(audio, 2, axis=1)
        out = np.zeros((frames, 2), dtype=np.float32)
        out[: len(audio)] = audio[:, :2]
        return out


class SumTape:
    """Several tapes as one: stems, or a comp and what is under it."""

    def __init__(self, tapes: Sequence[Tape]) -> None:
        self.frames = max((tape.frames for tape in tapes), default=0)
        self._tapes = tapes

    def read(self, start: int, frames: int) -> Stereo:
        """Add up a stretch."""
        out = np.zeros((frames, 2), dtype=np.float32)
        for tape in self._tapes:
            if start < tape.frames:
                out += tape.read(start, frames)
        return out


class TakeTape:
    """The raw tracks of takes, summed: pairs left and right by their names, everything else in the middle."""

    def __init__(self, folders: Sequence[tuple[Path, Take]], rate_hz: int, beside: int = 0) -> None:
        """`beside` counts the tracks of another tape that sounds with this one: it gets as much quieter."""
        self.frames = max((take.frames for _, take in folders), default=0)
        self._clips: list[tuple[Clip, soundfile.SoundFile, np.ndarray[tuple[int], np.dtype[np.float32]]]] = []
        level = _level(beside + sum(len(take.tracks) for _, take in folders))
        for folder, take in folders:
            _refuse_other_rate(f"Take {take.number}", take.rate_hz, rate_hz)
            names = {track.id: track.name for track in take.tracks}
            for clip in take.clips:
                gains = _sides(names.get(clip.track, "")) * np.float32(level)
                self._clips.append((clip, soundfile.SoundFile(folder / clip.file), gains))

    def read(self, start: int, frames: int) -> Stereo:
        """Sum what sounds in this stretch."""
        out = np.zeros((frames, 2), dtype=np.float32)
        for clip, file, gains in self._clips:
            begin, end = max(start, clip.start_samples), min(start + frames, clip.start_samples + file.frames)
            if begin >= end:
                continue
            file.seek(begin - clip.start_samples)
            audio = file.read(end - begin, dtype="float32", always_2d=True)[:, :1]
            out[begin - start : begin - start + len(audio)] += audio * gains
        return out


class CompTape:
    """The tracks of a comp that nobody has rendered yet, summed as those of a take are."""

    def __init__(self, layout: Layout, library: Library, session_id: str, rate_hz: int, beside: int = 0) -> None:
        """`beside` as for a `TakeTape`."""
        _refuse_other_rate("The comp", layout.rate_hz, rate_hz)
        self.frames = layout.frames
        level = np.float32(_level(beside + len(layout.tracks)))

        def folder(take: Take) -> Path:
            return library.take_path(session_id, take.number, take.false_number)

        self._tracks = [(SplicedTrack(track, folder), _sides(track.track.name) * level) for track in layout.tracks]

    def read(self, start: int, frames: int) -> Stereo:
        """Sum what sounds in this stretch."""
        out = np.zeros((frames, 2), dtype=np.float32)
        for track, gains in self._tracks:
            out += track.read(start, frames).astype(np.float32)[:, None] * gains
        return out


def comp_tape(library: Library, session_id: str, rate_hz: int) -> Tape:
    """The comp that is being put together, with the take that all of it was overdubbed on."""
    layout = lay_out(library.load_comp(session_id), library.takes(session_id))
    if layout.overdub_of is None:
        return CompTape(layout, library, session_id, rate_hz)
    under = _with_those_under(library, session_id, layout.overdub_of)
    comp = CompTape(layout, library, session_id, rate_hz, beside=sum(len(take.tracks) for _, take in under))
    return SumTape([TakeTape(under, rate_hz, beside=len(layout.tracks)), comp])


def take_tape(library: Library, session_id: str, number: int, rate_hz: int, false_number: int = 0) -> TakeTape:
    """A take with the takes it was overdubbed on."""
    return TakeTape(_with_those_under(library, session_id, number, false_number), rate_hz)


def _with_those_under(library: Library, session_id: str, number: int, false_number: int = 0) -> list[tuple[Path, Take]]:
    """A take's folder and document, then those of the take that it was played over, and so on."""
    folders: list[tuple[Path, Take]] = []
    wanted: int | None = number
    while wanted is not None:
        take = library.take(session_id, wanted, false_number)
        folders.append((library.take_path(session_id, wanted, false_number), take))
        wanted, false_number = take.overdub_of, 0
    return folders


def _level(tracks: int) -> float:
    return float(1.0 / np.sqrt(max(1, tracks)))


def _refuse_other_rate(what: str, its_hz: int, rate_hz: int) -> None:
    if its_hz != rate_hz:
        raise OtoError(
            "bad_input",
            f"{what} has {its_hz} Hz, the interface runs at {rate_hz} Hz.",
            "Choose the session's rate for the interface, then play again.",
        )


def _sides(name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    last = name.replace("_", " ").replace("-", " ").split(" ")[-1].lower()
    if last in ("l", "left"):
        return np.array([1.0, 0.0], dtype=np.float32)
    if last in ("r", "right"):
        return np.array([0.0, 1.0], dtype=np.float32)
    return np.array([0.7071, 0.7071], dtype=np.float32)
