"""A folder of recordings as one long multichannel signal, read in blocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from devices.errors import DeviceError
from devices.text import printable

AUDIO_SUFFIXES: Final = frozenset({".wav", ".wave", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".caf", ".ogg"})


READ_AHEAD_FRAMES: Final = 16_384


class FolderPlayer:
    """Every channel of every file of a folder, in the order of the names, each file from the first sample on.

    Files that end before the longest are silent from there on. Raises DeviceError: "not_found" when there is nothing to
    play, "bad_input" when files can't be read or have another rate than the stream.
    """

    def __init__(self, folder: Path, rate_hz: int, *, loop: bool) -> None:
        self._files = [_open_at(path, rate_hz) for path in audio_files(folder)]
        if not self._files:
            raise _nothing_in(folder)
        self.channels = sum(file.channels for file in self._files)
        self.frames = max(file.frames for file in self._files)
        self._loop = loop and self.frames > 0
        self._position = 0
        self._ahead = np.zeros((0, self.channels), np.float32)

    def read(self, audio: NDArray[np.float32]) -> None:
        """Fill (frames, channels) with what comes next; channels that nobody wants are dropped."""
        done = 0
        while done < len(audio):
            if not len(self._ahead):
                self._read_ahead()
            count = min(len(audio) - done, len(self._ahead))
            audio[done : done + count] = self._ahead[:count, : audio.shape[1]]
            self._ahead = self._ahead[count:]
            done += count

    def _read_ahead(self) -> None:
        if self._loop and self._position == self.frames:
            self._position = 0
            for file in self._files:
                file.seek(0)
        left = self.frames - self._position
        count = min(READ_AHEAD_FRAMES, left) if self._loop else READ_AHEAD_FRAMES
        self._ahead = np.zeros((count, self.channels), np.float32)
        self._position += count
        channel = 0
        for file in self._files:
            heard = file.read(count, dtype="float32", always_2d=True)
            self._ahead[: len(heard), channel : channel + file.channels] = heard
            channel += file.channels

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


def describe(folder: Path) -> tuple[tuple[str, ...], int]:
    """What each channel is called, after its file, and the rate of the first file; raises as FolderPlayer does."""
    names: list[str] = []
    rates_hz: list[int] = []
    for path in audio_files(folder):
        with _open(path) as file:
            name = printable(re.sub(r"^\d+[ ._-]+", "", path.stem)) or printable(path.stem)
            names += [name] if file.channels == 1 else [f"{name} {n + 1}" for n in range(file.channels)]
            rates_hz.append(file.samplerate)
    if not names:
        raise _nothing_in(folder)
    return tuple(names), rates_hz[0]


def _nothing_in(folder: Path) -> DeviceError:
    return DeviceError("not_found", f"There is no audio in {folder}.", "Choose a folder that holds WAV or FLAC files.")


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part.casefold()) for part in re.split(r"(\d+)", path.name)]


def _open(path: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError) as error:
        raise DeviceError(
            "bad_input",
            f"{printable(path.name)} can't be read as audio.",
            "Take it out of the folder, or choose another folder.",
        ) from error


def _open_at(path: Path, rate_hz: int) -> soundfile.SoundFile:
    file = _open(path)
    if file.samplerate != rate_hz:
        file.close()
        raise DeviceError(
            "bad_input",
            f"{printable(path.name)} was recorded at {file.samplerate} Hz; the session runs at {rate_hz} Hz.",
            f"Use a session at {file.samplerate} Hz.",
        )
    return file
