"""Takes and bounces as something the player can play."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from core.engine.player import Stereo
from core.errors import OtoError
from sessions.model import Clip, Take
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
    """Several tapes as one: stems beside each other."""

    def __init__(self, tapes: Sequence[FileTape]) -> None:
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

    def __init__(self, folders: Sequence[tuple[Path, Take]], rate_hz: int) -> None:
        self.frames = max((take.frames for _, take in folders), default=0)
        self._clips: list[tuple[Clip, soundfile.SoundFile, np.ndarray[tuple[int], np.dtype[np.float32]]]] = []
        count = max(1, sum(len(take.tracks) for _, take in folders))
        level = 1.0 / np.sqrt(count)
        for folder, take in folders:
            if take.rate_hz != rate_hz:
                raise OtoError(
                    "bad_input",
                    f"Take {take.number} has {take.rate_hz} Hz, the interface runs at {rate_hz} Hz.",
                    "Choose the session's rate for the interface, then play again.",
                )
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


def take_tape(library: Library, session_id: str, number: int, rate_hz: int, false_number: int = 0) -> TakeTape:
    """A take with the takes it was overdubbed on."""
    folders: list[tuple[Path, Take]] = []
    wanted: int | None = number
    while wanted is not None:
        take = library.take(session_id, wanted, false_number)
        folders.append((library.take_path(session_id, wanted, false_number), take))
        wanted, false_number = take.overdub_of, 0
    return TakeTape(folders, rate_hz)


def _sides(name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    last = name.replace("_", " ").replace("-", " ").split(" ")[-1].lower()
    if last in ("l", "left"):
        return np.array([1.0, 0.0], dtype=np.float32)
    if last in ("r", "right"):
        return np.array([0.0, 1.0], dtype=np.float32)
    return np.array([0.7071, 0.7071], dtype=np.float32)
