"""A float32 WAV that is the same file for the same audio."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from core.dsp.audio import Audio
from sessions.chunks import BEXT_FIXED_BYTES, WavInfo, bext_body

_FLOAT = 3
_RIFF_LIMIT = 0xFFFF_FFFF


class FloatWav:
    """Writes 32-bit float WAV, RF64 beyond 4 GiB (EBU Tech 3306), under a partial name that becomes `path` at the end.

    libsndfile would put the time of day into the file, so that rendering twice would give two files. What fails or is
    left by an exception disappears; what was at `path` before stays. Audio that begins `start_samples` into its take
    says so in a bext chunk (EBU Tech 3285), by which other programs lay it there; `description` is said there too.
    """

    def __init__(
        self, path: Path, *, rate_hz: int, channels: int, start_samples: int = 0, description: str = ""
    ) -> None:
        self.path = path
        self.frames = 0
        self._rate_hz = rate_hz
        self._channels = channels
        self._about = WavInfo(description=description, time_reference_samples=start_samples)
        self._partial = path.with_name(path.name + ".part")
        self._file: BinaryIO | None = None

    def _opened(self) -> BinaryIO:
        """The file, made with the first audio: by then a signal that ends the process unwinds through `__exit__`."""
        if self._file is None:
            self._partial.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("wb")
            self._file.write(self._header())
        return self._file

    def _header(self) -> bytes:
        frame_bytes = 4 * self._channels
        data_bytes = self.frames * frame_bytes
        body = self._origin()
        body += struct.pack("<4sIHHIIHHH", b"fmt ", 18, _FLOAT, self._channels, self._rate_hz,
                           self._rate_hz * frame_bytes, frame_bytes, 32, 0)  # fmt: skip
        big = data_bytes + 100 + len(body) > _RIFF_LIMIT
        body += struct.pack("<4sII", b"fact", 4, min(self.frames, _RIFF_LIMIT))
        body += struct.pack("<4sI", b"data", _RIFF_LIMIT if big else data_bytes)
        riff_bytes = 4 + 36 + len(body) + data_bytes
        if big:
            room = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, data_bytes, self.frames, 0)
            return struct.pack("<4sI4s", b"RF64", _RIFF_LIMIT, b"WAVE") + room + body
        room = struct.pack("<4sI28x", b"JUNK", 28)
        return struct.pack("<4sI4s", b"RIFF", riff_bytes, b"WAVE") + room + body

    def _origin(self) -> bytes:
        if self._about == WavInfo():
            return b""
        bext = bext_body(self._about, "", BEXT_FIXED_BYTES)
        return struct.pack("<4sI", b"bext", len(bext)) + bext

    def append(self, audio: Audio) -> None:
        """Write (channels, frames) audio behind what is there."""
        self._opened().write(np.ascontiguousarray(audio.T, dtype="<f4").data)
        self.frames += audio.shape[1]

    def __enter__(self) -> FloatWav:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                file = self._opened()
                file.seek(0)
                file.write(self._header())
                file.flush()
                os.fsync(file.fileno())
                file.close()
                self._partial.replace(self.path)
        finally:
            if self._file is not None:
                with contextlib.suppress(OSError):  # what could not be written was told already
                    self._file.close()
            self._partial.unlink(missing_ok=True)
