"""The crash-safe WAV/RF64 writer: at every moment the file on disk is a complete file that any program opens.

Layout: RIFF | JUNK (28 bytes, room for ds64) | bext | fmt | fact (float only) | data | iXML | cue | LIST adtl. Audio
always starts at byte 1024, so that it can be found even when the header was lost, and the whole header is one write of
1024 bytes. Above 4 GiB the same bytes become RF64 and ds64 in place (EBU Tech 3306); nothing else moves.

Audio is written first and the header after it, straight to the kernel, so a process that is killed leaves a header
that speaks of audio that is there. What was appended after the last `publish` lies behind that audio; `repair` takes it
in.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from sessions import chunks
from sessions.chunks import Bext, BextLoudness, Ixml, WavInfo
from sessions.errors import LibraryError
from sessions.files import sync_folder
from sessions.model import Marker, SampleFormat

HEADER_BYTES: Final = 1024
"""Where the audio starts."""

_libc: Final = ctypes.CDLL(None, use_errno=True)
_SYNC_FILE_RANGE_WRITE: Final = 2

_UNSET: Final = 0xFFFFFFFF
"""In a 32-bit size field of RF64: look in ds64."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_TRAILER_START: Final = b"iXML"
_LONGEST_TEXT: Final = 16 * 1024 * 1024
"""Chunks of words larger than this are skipped when a file is read."""


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


class WavWriter:
    """One growing file. One thread appends, publishes and closes; `sync` may come from another."""

    def __init__(
        self, path: Path, *, rate_hz: int, sample_format: SampleFormat, info: WavInfo | None = None, channels: int = 1
    ) -> None:
        """Make the file, already a valid one with no audio in it. Raises LibraryError("exists"), OSError."""
        self.path = path
        self.format = WavFormat(rate_hz=rate_hz, sample_format=sample_format, channels=channels)
        self.info = info or WavInfo()
        self._frame_bytes = self.format.frame_bytes
        self._data_bytes = 0
        self._header = _blank_header(self.format, self.info)
        self._lock = threading.Lock()
        self._folder_synced = False
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError as error:
            raise LibraryError(
                "exists", f"{path.name} is already there; OTO never writes over audio.", "Choose another name."
            ) from error
        try:
            self.publish()
        except BaseException:
            os.close(self._fd)
            raise

    @property
    def frames(self) -> int:
        """Frames appended so far."""
        return self._data_bytes // self._frame_bytes

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Write whole frames, packed little-endian (24-bit: three bytes a sample; float: IEEE 754 single).

        Raises OSError, for instance when the disk is full; `frames` then says what is safe, and `publish` and `close`
        still work. Raises ValueError for a torn frame.
        """
        view = memoryview(data).cast("B")
        if len(view) % self._frame_bytes:
            raise ValueError(f"{len(view)} bytes are not whole frames of {self._frame_bytes} bytes")
        start = HEADER_BYTES + self._data_bytes
        at = start
        try:
            while view:
                written = os.pwrite(self._fd, view, at)
                at += written
                view = view[written:]
        finally:
            self._data_bytes += (at - start) // self._frame_bytes * self._frame_bytes

    def extend_silence(self, frames: int) -> None:
        """Grow by silence that takes no space on the disk (a hole): keeps time true where audio was lost."""
        end = HEADER_BYTES + self._data_bytes + frames * self._frame_bytes
        # A frame that a failed append left torn would sound inside the hole.
        os.ftruncate(self._fd, HEADER_BYTES + self._data_bytes)
        os.ftruncate(self._fd, end)
        self._data_bytes += frames * self._frame_bytes

    def publish(self) -> int:
        """Make the header speak of everything appended so far, in one write. Returns the frames it speaks of."""
        data_bytes = self._padded()
        _set_sizes(self._header, data_bytes, 0, self._frame_bytes)
        os.pwrite(self._fd, self._header, 0)
        return data_bytes // self._frame_bytes

    def begin_sync(self) -> None:
        """Have what was written set off for the disk, without waiting until it is there. Does nothing once closed.

        A hint, which some file systems don't take. Raises OSError when the disk fails or is full: the kernel may tell
        that here and not again.
        """
        with self._lock:
            if self._fd < 0:
                return
            failed = _libc.sync_file_range(self._fd, ctypes.c_int64(0), ctypes.c_int64(0), _SYNC_FILE_RANGE_WRITE)
            number = ctypes.get_errno()
        if failed and number in {errno.EIO, *_NO_ROOM}:
            raise OSError(number, os.strerror(number), str(self.path))

    def sync(self) -> None:
        """Wait until everything written has reached the disk. Can take seconds; meant for a thread of its own.

        Does nothing once closed. Raises OSError.
        """
        with self._lock:
            if self._fd < 0:
                return
            descriptor = os.dup(self._fd)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if not self._folder_synced:
            sync_folder(self.path.parent)
            self._folder_synced = True

    def close(self, markers: Sequence[Marker] = (), *, loudness: BextLoudness | None = None, sync: bool = True) -> None:
        """Publish, add iXML and the markers, sync and close. A second call does nothing.

        Markers are positions within this file; those past its end are left out. A disk without room for
        the words after the audio gets a complete file without them. Raises OSError.
        """
        if self._fd < 0:
            return
        try:
            if loudness is not None:
                self.info = msgspec.structs.replace(self.info, loudness=loudness)
                self._header = _blank_header(self.format, self.info)
            data_bytes = self.publish() * self._frame_bytes
            _write_trailer(self._fd, self._header, data_bytes, self.format, self.info, markers)
            if sync:
                self.sync()
        finally:
            with self._lock:
                os.close(self._fd)
                self._fd = -1

    def _padded(self) -> int:
        """Add the pad byte that odd data needs (RIFF aligns to 2), or say that only one frame less fits the disk."""
        if self._data_bytes % 2 == 0:
            return self._data_bytes
        try:
            os.pwrite(self._fd, b"\0", HEADER_BYTES + self._data_bytes)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return self._data_bytes - self._frame_bytes
        return self._data_bytes


_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def repair(
    path: Path, *, otherwise: WavFormat | None = None, info: WavInfo | None = None, markers: Sequence[Marker] = ()
) -> int:
    """Make a file that `WavWriter` left behind complete: its header speaks of all whole frames that are there.

    Takes in audio that was not published yet, trims a torn last frame, and leaves a file that was closed as it is. A
    file whose header never reached the disk is given a new one when `otherwise` says what it held. With `info`, a file
    that was not closed also gets its iXML and markers. Returns the frames in the file.

    Raises LibraryError("bad_input") when the file has no header of OTO's and `otherwise` is None; OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        length = os.fstat(fd).st_size
        header = bytearray(os.pread(fd, HEADER_BYTES, 0))
        own = _read_own(header)
        if own is None:
            if otherwise is None:
                raise LibraryError(
                    "bad_input", f"{path.name} was not written by OTO's recorder, so it was left as it is.", ""
                )
            form, published, closed_bytes = otherwise, 0, 0
            header = _blank_header(form, info or WavInfo())
        else:
            form, published, closed_bytes = own
        audio_end = HEADER_BYTES + published + published % 2
        if closed_bytes > audio_end and length >= closed_bytes:
            return published // form.frame_bytes
        available = max(0, length - HEADER_BYTES)
        beyond = os.pread(fd, len(_TRAILER_START), audio_end)
        finished = closed_bytes > audio_end or (beyond != b"" and _TRAILER_START.startswith(beyond))
        data_bytes = min(available, published) if finished else available
        data_bytes -= data_bytes % form.frame_bytes
        os.ftruncate(fd, HEADER_BYTES + data_bytes)
        os.ftruncate(fd, HEADER_BYTES + data_bytes + data_bytes % 2)
        _set_sizes(header, data_bytes, 0, form.frame_bytes)
        os.pwrite(fd, header, 0)
        if info is not None:
            _write_trailer(fd, header, data_bytes, form, info, markers)
        os.fsync(fd)
        return data_bytes // form.frame_bytes
    finally:
        os.close(fd)


def is_whole(path: Path) -> bool:
    """Whether a file's header fits its length; a file of other makers is taken at its word. Raises OSError."""
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        header = file.read(HEADER_BYTES)
        own = _read_own(header)
        if own is None:
            return not _was_ours(path, header)
        form, data_bytes, closed_bytes = own
        audio_end = HEADER_BYTES + data_bytes + data_bytes % 2
        file.seek(audio_end)
        words = file.read(len(_TRAILER_START))
    ends = closed_bytes == audio_end or (closed_bytes > audio_end and words == _TRAILER_START)
    return ends and length >= closed_bytes and data_bytes % form.frame_bytes == 0


def restate(path: Path, form: WavFormat, frames: int, info: WavInfo, markers: Sequence[Marker] = ()) -> int:
    """Give a file of `WavWriter` whose header is damaged a new one, as its take's document knows it.

    The audio stays as it is. Of a file that was cut short the torn last frame goes, and torn words behind the audio are
    written anew. Returns the frames that are there, at most `frames`. Raises LibraryError("bad_input") for a file that
    some other program wrote, OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        length = os.fstat(fd).st_size
        if length <= HEADER_BYTES or not _was_ours(path, os.pread(fd, HEADER_BYTES, 0)):
            raise LibraryError("bad_input", f"{path.name} is no file of OTO's recorder, so it was left as it is.", "")
        data_bytes = min(frames, (length - HEADER_BYTES) // form.frame_bytes) * form.frame_bytes
        audio_end = HEADER_BYTES + data_bytes + data_bytes % 2
        header = _blank_header(form, info)
        rest = os.pread(fd, _LONGEST_TEXT, audio_end)
        words_whole = _are_whole_words(rest)
        _set_sizes(header, data_bytes, len(rest) if words_whole else 0, form.frame_bytes)
        os.pwrite(fd, header, 0)
        if not words_whole and (len(rest) < form.frame_bytes or rest.startswith(_TRAILER_START)):
            os.ftruncate(fd, HEADER_BYTES + data_bytes)
            os.ftruncate(fd, audio_end)
            _write_trailer(fd, header, data_bytes, form, info, markers)
        os.fsync(fd)
        return data_bytes // form.frame_bytes
    finally:
        os.close(fd)


def _are_whole_words(rest: bytes) -> bool:
    """Whether what follows the audio are the chunks of `_write_trailer`, up to the end."""
    at = 0
    while at + 8 <= len(rest):
        size = int.from_bytes(rest[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return rest.startswith(_TRAILER_START) and at == len(rest)


def _was_ours(path: Path, header: bytes) -> bool:
    """Whether what is left of a header is of `WavWriter`: nothing but zeros, or most of its words in their places."""
    with contextlib.suppress(LibraryError):
        if read_info(path).data_offset != HEADER_BYTES:
            return False
    places = {
        0: (b"RIFF", b"RF64"),
        8: (b"WAVE",),
        12: (b"JUNK", b"ds64"),
        48: (b"bext",),
        HEADER_BYTES - 8: (b"data",),
    }
    return not any(header) or sum(header[at : at + 4] in words for at, words in places.items()) >= 3


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
                if size == _UNSET and len(sizes64) >= 16:
                    size = int.from_bytes(sizes64[8:16], "little")
                data = (at + 8, min(size, length - at - 8))
            elif name == b"ds64":
                sizes64 = file.read(min(size, 28))
            elif name == b"LIST" and size <= _LONGEST_TEXT:
                labels |= chunks.parse_labels(file.read(size))
            elif name in (b"fmt ", b"bext", b"iXML", b"cue ") and size <= _LONGEST_TEXT:
                bodies.setdefault(name, file.read(size))
            at += 8 + size + size % 2
    form = bodies.get(b"fmt ", b"")
    if data is None or len(form) < 16:
        raise LibraryError("bad_input", f"{path.name} is a WAV file without audio in it.", "")
    tag, channels, rate_hz, _, align, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    return WavFile(
        container=container,
        rate_hz=rate_hz,
        channels=channels,
        bits=bits,
        is_float=tag == _FLOAT,
        data_offset=data[0],
        data_bytes=data[1],
        frames=data[1] // max(1, align),
        bext=chunks.parse_bext(bodies.get(b"bext", b"")),
        ixml=chunks.parse_ixml(bodies[b"iXML"]) if b"iXML" in bodies else None,
        markers=chunks.parse_cues(bodies[b"cue "], labels) if b"cue " in bodies else (),
    )


def _blank_header(form: WavFormat, info: WavInfo) -> bytearray:
    """The 1024 bytes before the audio, its sizes still those of an empty file."""
    tag = _PCM if form.sample_format == "pcm24" else _FLOAT
    described = struct.pack(
        "<HHIIHH", tag, form.channels, form.rate_hz, form.rate_hz * form.frame_bytes, form.frame_bytes, form.bits
    )
    if tag == _PCM:
        after = chunks.chunk(b"fmt ", described)
    else:
        after = chunks.chunk(b"fmt ", described + b"\0\0") + chunks.chunk(b"fact", bytes(4))
    mode = {1: "mono", 2: "stereo"}.get(form.channels, "multitrack")
    history = f"A=PCM,F={form.rate_hz},W={form.bits},M={mode},T=OTO\r\n"
    before = b"RIFF\0\0\0\0WAVE" + chunks.chunk(b"JUNK", bytes(28))
    bext = chunks.bext_body(info, history, HEADER_BYTES - len(before) - 8 - len(after) - 8)
    return bytearray(before + chunks.chunk(b"bext", bext) + after + b"data\0\0\0\0")


def _set_sizes(header: bytearray, data_bytes: int, trailer_bytes: int, frame_bytes: int) -> None:
    """Write every size into a header, as RIFF while 32 bits hold them and as RF64 from then on."""
    riff_bytes = HEADER_BYTES - 8 + data_bytes + data_bytes % 2 + trailer_bytes
    frames = data_bytes // frame_bytes
    if riff_bytes < _UNSET:
        struct.pack_into("<4sI", header, 0, b"RIFF", riff_bytes)
        struct.pack_into("<4sI28x", header, 12, b"JUNK", 28)
        small_frames, small_data = frames, data_bytes
    else:
        struct.pack_into("<4sI", header, 0, b"RF64", _UNSET)
        struct.pack_into("<4sIQQQI", header, 12, b"ds64", 28, riff_bytes, data_bytes, frames, 0)
        small_frames = small_data = _UNSET
    if header[-20:-16] == b"fact":
        struct.pack_into("<I", header, HEADER_BYTES - 12, small_frames)
    struct.pack_into("<I", header, HEADER_BYTES - 4, small_data)


def _write_trailer(
    fd: int, header: bytearray, data_bytes: int, form: WavFormat, info: WavInfo, markers: Sequence[Marker]
) -> None:
    """Put the words after the audio and let the header speak of them; where the disk has no room, leave both out.

    A file without audio gets none, since some programs take a data size of 0 for "up to the end of the file".
    """
    if not data_bytes:
        return
    trailer = chunks.chunk(_TRAILER_START, chunks.ixml_body(info, form.rate_hz, form.bits, form.channels))
    trailer += chunks.cue_chunks([marker for marker in markers if marker.at_samples < data_bytes // form.frame_bytes])
    audio_end = HEADER_BYTES + data_bytes + data_bytes % 2
    try:
        written = os.pwrite(fd, trailer, audio_end)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        written = 0
    if written < len(trailer):
        os.ftruncate(fd, audio_end)
        return
    os.ftruncate(fd, audio_end + len(trailer))
    _set_sizes(header, data_bytes, len(trailer), form.frame_bytes)
    os.pwrite(fd, header, 0)


def _read_own(header: bytes | bytearray) -> tuple[WavFormat, int, int] | None:
    """Format, data bytes and length of the whole file that a header of `WavWriter` speaks of; None for any other."""
    if len(header) < HEADER_BYTES or header[8:12] != b"WAVE" or header[-8:-4] != b"data":
        return None
    (small_riff,) = struct.unpack_from("<I", header, 4)
    (small_data,) = struct.unpack_from("<I", header, HEADER_BYTES - 4)
    if header[:4] == b"RIFF" and header[12:16] == b"JUNK":
        riff_bytes, data_bytes = small_riff, small_data
    elif header[:4] == b"RF64" and header[12:16] == b"ds64":
        riff_bytes, data_bytes = struct.unpack_from("<QQ", header, 20)
    else:
        return None
    (bext_bytes,) = struct.unpack_from("<I", header, 52)
    at = 56 + bext_bytes
    if header[48:52] != b"bext" or at + 24 > HEADER_BYTES or header[at : at + 4] != b"fmt ":
        return None
    tag, channels, rate_hz, _, align, _ = struct.unpack_from("<HHIIHH", header, at + 8)
    form = WavFormat(rate_hz=rate_hz, sample_format="pcm24" if tag == _PCM else "float32", channels=channels)
    return (form, data_bytes, riff_bytes + 8) if channels and align == form.frame_bytes else None
