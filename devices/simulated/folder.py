"""A folder of recordings as one long multichannel signal, read in blocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from devices.errors import DeviceError
from devices.text import printable

AUDIO_SUFFIXES: Final = frozenset({".wav", ".wave", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".caf", ".ogg"})


class FolderPlayer:
    """Every channel of every file of a folder, in the order of the names, each file from the first sample on.

    Files that end before the longest are silent from there on. Raises DeviceError: "not_found" when there is nothing to
    play, "bad_input" when files can't be read or have another rate than the stream.
    """

    def __init__(self, folder: Path, rate_hz: int, *, loop: bool) -> None:
        self._files = [_open(path, rate_hz) for path in audio_files(folder)]
        if not self._files:
            raise DeviceError(
                "not_found", f"There is no audio in {folder}.", "Choose a folder that holds WAV or FLAC files."
            )
        self.channels = sum(file.channels for file in self._files)
        self.frames = max(file.frames for file in self._files)
        self._loop = loop and self.frames > 0
        self._position = 0

    def read(self, audio: NDArray[np.float32]) -> None:
        """Fill (frames, channels) with what comes next; channels that nobody wants are dropped."""
        done = 0
        while done < len(audio):
            count = len(audio) - done
            if self._loop:
                count = min(count, self.frames - self._position)
            self._read_stretch(audio[done : done + count])
            done += count
            self._position += count
            if self._loop and self._position == self.frames:
                self._rewind()

    def _read_stretch(self, audio: NDArray[np.float32]) -> None:
        first = 0
        for file in self._files:
            wanted = audio[:, first : first + file.channels]
            first += file.channels
            if wanted.shape[1] == 0:
                return
            heard = file.read(len(audio), dtype="float32", always_2d=True)
            wanted[: len(heard)] = heard[:, : wanted.shape[1]]
            wanted[len(heard) :] = 0.0

    def _rewind(self) -> None:
        self._position = 0
        for file in self._files:
            file.seek(0)

    def close(self) -> None:
        """Close every file."""
        for file in self._files:
            file.close()


def audio_files(folder: Path) -> list[Path]:
    """The audio files of a folder, "2 Snare" before "10 Keys"."""
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()]
    except OSError as error:
        raise DeviceError(
            "not_found", f"The folder {folder} can't be read: {error.strerror}.", "Choose another folder."
        ) from error
    return sorted((path for path in found if not path.name.startswith(".")), key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part.casefold()) for part in re.split(r"(\d+)", path.name)]


def _open(path: Path, rate_hz: int) -> soundfile.SoundFile:
    name = printable(path.name)
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise DeviceError(
            "bad_input", f"{name} can't be read as audio.", "Take it out of the folder, or choose another folder."
        ) from error
    if file.samplerate != rate_hz:
        file.close()
        raise DeviceError(
            "bad_input",
            f"{name} was recorded at {file.samplerate} Hz; the session runs at {rate_hz} Hz.",
            f"Use a session at {file.samplerate} Hz.",
        )
    return file
