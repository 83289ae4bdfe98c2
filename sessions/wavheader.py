"""The header of OTO's own WAV/RF64 files: how it is laid out, written and known again.

Layout: RIFF | JUNK (28 bytes, room for ds64) | bext | fmt | fact (float only) | data | iXML | cue | LIST adtl. Audio
always starts at byte 1024, so that it can be found even when the header was lost, and the whole header is one write of
1024 bytes. Above 4 GiB the same bytes become RF64 and ds64 in place (EBU Tech 3306); nothing else moves.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from sessions import chunks
from sessions.chunks import WavInfo
from sessions.model import Marker, SampleFormat

HEADER_BYTES: Final = 1024
"""Where the audio starts."""
TRAILER_START: Final = b"iXML"
"""How the words after the audio begin."""
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a full disk says."""
UNSET: Final = 0xFFFFFFFF
"""In a 32-bit size field of RF64: look in ds64."""
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
"""How samples are coded, in fmt."""


class WavFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How samples lie in a file."""

    rate_hz: int
    sample_format: SampleFormat
    channels: int = 1

    @property
    def bits(self) -> int:
        """Bits of a sample."""
        return 24 if self.sample_format == "pcm24" else 32

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: a sample of every channel."""
        return self.bits // 8 * self.channels


def blank_header(form: WavFormat, info: WavInfo) -> bytearray:
    """The 1024 bytes before the audio, its sizes still those of an empty file."""
    after = _format_chunks(form, frames=0)
    mode = {1: "mono", 2: "stereo"}.get(form.channels, "multitrack")
    history = f"A=PCM,F={form.rate_hz},W={form.bits},M={mode},T=OTO\r\n"
    before = b"RIFF\0\0\0\0WAVE" + chunks.chunk(b"JUNK", bytes(28))
    bext = chunks.bext_body(info, history, HEADER_BYTES - len(before) - 8 - len(after) - 8)
    return bytearray(before + chunks.chunk(b"bext", bext) + after + b"data\0\0\0\0")


def _format_chunks(form: WavFormat, *, frames: int) -> bytes:
    """What lies between bext and data: fmt, and fact where samples are floating point."""
    tag = PCM if form.sample_format == "pcm24" else FLOAT
    described = struct.pack(
        "<HHIIHH", tag, form.channels, form.rate_hz, form.rate_hz * form.frame_bytes, form.frame_bytes, form.bits
    )
    if tag == PCM:
        return chunks.chunk(b"fmt ", described)
    return chunks.chunk(b"fmt ", described + b"\0\0") + chunks.chunk(b"fact", frames.to_bytes(4, "little"))


def set_sizes(header: bytearray, data_bytes: int, trailer_bytes: int, frame_bytes: int) -> None:
    """Write every size into a header, as RIFF while 32 bits hold them and as RF64 from then on."""
    riff_bytes = HEADER_BYTES - 8 + data_bytes + data_bytes % 2 + trailer_bytes
    frames = data_bytes // frame_bytes
    if riff_bytes < UNSET:
        struct.pack_into("<4sI", header, 0, b"RIFF", riff_bytes)
        struct.pack_into("<4sI28x", header, 12, b"JUNK", 28)
        small_frames, small_data = frames, data_bytes
    else:
        struct.pack_into("<4sI", header, 0, b"RF64", UNSET)
        struct.pack_into("<4sIQQQI", header, 12, b"ds64", 28, riff_bytes, data_bytes, frames, 0)
        small_frames = small_data = UNSET
    if header[-20:-16] == b"fact":
        struct.pack_into("<I", header, HEADER_BYTES - 12, small_frames)
    struct.pack_into("<I", header, HEADER_BYTES - 4, small_data)


def write_trailer(
    fd: int, header: bytearray, data_bytes: int, form: WavFormat, info: WavInfo, markers: Sequence[Marker]
) -> None:
    """Put the words after the audio and let the header speak of them; where the disk has no room, leave both out.

    A file without audio gets none, since some programs take a data size of 0 for "up to the end of the file".
    """
    if not data_bytes:
        return
    trailer = chunks.chunk(TRAILER_START, chunks.ixml_body(info, form.rate_hz, form.bits, form.channels))
    trailer += chunks.cue_chunks([marker for marker in markers if marker.at_samples < data_bytes // form.frame_bytes])
    audio_end = HEADER_BYTES + data_bytes + data_bytes % 2
    try:
        written = os.pwrite(fd, trailer, audio_end)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        written = 0
    if written < len(trailer):
        os.ftruncate(fd, audio_end)
        return
    os.ftruncate(fd, audio_end + len(trailer))
    set_sizes(header, data_bytes, len(trailer), form.frame_bytes)
    os.pwrite(fd, header, 0)


def read_own(header: bytes | bytearray) -> tuple[WavFormat, int, int] | None:
    """Format, data bytes and length of the whole file that a header of `WavWriter` speaks of; None for any other."""
    if len(header) < HEADER_BYTES or header[8:12] != b"WAVE" or header[-8:-4] != b"data":
        return None
    (small_riff,) = struct.unpack_from("<I", header, 4)
    (small_data,) = struct.unpack_from("<I", header, HEADER_BYTES - 4)
    head, (head_bytes,) = (header[:4], header[12:16]), struct.unpack_from("<I", header, 16)
    if head == (b"RIFF", b"JUNK") and head_bytes == 28:
        riff_bytes, data_bytes = small_riff, small_data
    elif head == (b"RF64", b"ds64") and head_bytes == 28:
        riff_bytes, data_bytes = struct.unpack_from("<QQ", header, 20)
    else:
        return None
    (bext_bytes,) = struct.unpack_from("<I", header, 52)
    at = 56 + bext_bytes
    if header[48:52] != b"bext" or at + 24 > HEADER_BYTES:
        return None
    tag, channels, rate_hz = struct.unpack_from("<HHI", header, at + 8)
    form = WavFormat(rate_hz=rate_hz, sample_format="pcm24" if tag == PCM else "float32", channels=channels)
    try:
        described = _format_chunks(form, frames=int.from_bytes(header[-12:-8], "little"))
    except struct.error:  # no fmt can say that
        return None
    return (form, data_bytes, riff_bytes + 8) if header[at:-8] == described else None
