"""What a WAV, RF64 or BW64 file of any maker says of itself."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Final

import msgspec

from sessions import chunks
from sessions.chunks import Bext, Ixml
from sessions.errors import LibraryError
from sessions.model import Marker
from sessions.wavheader import EXTENSIBLE, FLOAT, UNSET

LONGEST_TEXT: Final = 16 * 1024 * 1024
"""Chunks of words larger than this are skipped when a file is read."""


class WavFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a WAV, RF64 or BW64 file of any maker says of itself."""

    container: str
    """One of "RIFF", "RF64", "BW64"."""
    rate_hz: int
    channels: int
    bits: int
    is_float: bool
    data_offset: int
    data_bytes: int
    """As the header says, but never more than there is."""
    frames: int
    bext: Bext | None = None
    ixml: Ixml | None = None
    markers: tuple[Marker, ...] = ()


def read_info(path: Path) -> WavFile:
    """Read what a WAV, RF64 or BW64 file of any maker says of itself, without reading its audio.

    Raises LibraryError("bad_input") when it is none, OSError.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(12)
        container = head[:4].decode("latin-1")
        if container not in ("RIFF", "RF64", "BW64") or head[8:12] != b"WAVE":
            raise LibraryError("bad_input", f"{path.name} is not a WAV file.", "")
        at, sizes64 = 12, b""
        data: tuple[int, int] | None = None
        bodies: dict[bytes, bytes] = {}
        labels: dict[int, str] = {}
        while at + 8 <= length:
            file.seek(at)
            name, size = struct.unpack("<4sI", file.read(8))
            if name == b"data" and data is None:
                if size == UNSET and len(sizes64) >= 16:
                    size = int.from_bytes(sizes64[8:16], "little")
                data = (at + 8, min(size, length - at - 8))
            elif data is not None and not data[1] and not any(name):
                break  # silence behind a length that was never written: there are no chunks in it
            elif name == b"ds64":
                sizes64 = file.read(min(size, 28))
            elif name == b"LIST" and size <= LONGEST_TEXT:
                labels |= chunks.parse_labels(file.read(size))
            elif name in (b"fmt ", b"bext", b"iXML", b"cue ") and size <= LONGEST_TEXT:
                bodies.setdefault(name, file.read(size))
            at += 8 + size + size % 2
    form = bodies.get(b"fmt ", b"")
    if data is None or len(form) < 16:
        raise LibraryError("bad_input", f"{path.name} is a WAV file without audio in it.", "")
    tag, channels, rate_hz, _, align, bits = struct.unpack_from("<HHIIHH", form)
    if tag == EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    return WavFile(
        container=container,
        rate_hz=rate_hz,
        channels=channels,
        bits=bits,
        is_float=tag == FLOAT,
        data_offset=data[0],
        data_bytes=data[1],
        frames=data[1] // max(1, align),
        bext=chunks.parse_bext(bodies.get(b"bext", b"")),
        ixml=chunks.parse_ixml(bodies[b"iXML"]) if b"iXML" in bodies else None,
        markers=chunks.parse_cues(bodies[b"cue "], labels) if b"cue " in bodies else (),
    )
