"""Making files of OTO's recorder whole again: after a kill, a power cut, or damage to a header."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from sessions.chunks import WavInfo
from sessions.errors import LibraryError
from sessions.model import Marker
from sessions.wavheader import HEADER_BYTES, TRAILER_START, WavFormat, blank_header, read_own, set_sizes, write_trailer
from sessions.wavread import LONGEST_TEXT, read_info


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
        own = read_own(header)
        if own is None:
            if otherwise is None:
                raise LibraryError(
                    "bad_input", f"{path.name} was not written by OTO's recorder, so it was left as it is.", ""
                )
            form, published, closed_bytes = otherwise, 0, 0
            header = blank_header(form, info or WavInfo())
        else:
            form, published, closed_bytes = own
        audio_end = HEADER_BYTES + published + published % 2
        if closed_bytes > audio_end and length >= closed_bytes:
            return published // form.frame_bytes
        available = max(0, length - HEADER_BYTES)
        beyond = os.pread(fd, len(TRAILER_START), audio_end)
        finished = closed_bytes > audio_end or (beyond != b"" and TRAILER_START.startswith(beyond))
        data_bytes = min(available, published) if finished else available
        data_bytes -= data_bytes % form.frame_bytes
        os.ftruncate(fd, HEADER_BYTES + data_bytes)
        os.ftruncate(fd, HEADER_BYTES + data_bytes + data_bytes % 2)
        set_sizes(header, data_bytes, 0, form.frame_bytes)
        os.pwrite(fd, header, 0)
        if info is not None:
            write_trailer(fd, header, data_bytes, form, info, markers)
        os.fsync(fd)
        return data_bytes // form.frame_bytes
    finally:
        os.close(fd)


def is_whole(path: Path) -> bool:
    """Whether a file's header fits its length; a file of other makers is taken at its word. Raises OSError."""
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        header = file.read(HEADER_BYTES)
        own = read_own(header)
        if own is None:
            return not _was_ours(path, header)
        form, data_bytes, closed_bytes = own
        audio_end = HEADER_BYTES + data_bytes + data_bytes % 2
        file.seek(audio_end)
        words = file.read(len(TRAILER_START))
    ends = closed_bytes == audio_end or (closed_bytes > audio_end and words == TRAILER_START)
    return ends and length >= closed_bytes and data_bytes % form.frame_bytes == 0


def restate(path: Path, form: WavFormat, frames: int, info: WavInfo, markers: Sequence[Marker] = ()) -> int:
    """Give a file of `WavWriter` whose header is damaged a new one, as its take's document knows it.

    The audio stays as it is. Of a file that was cut short the torn last frame goes, and torn words behind the audio are
    written anew. Returns the frames that are there, at most `frames`. Raises LibraryError("bad_input") for a file that
    some other program wrote, OSError.
    """
    if not can_be_restated(path):
        raise LibraryError("bad_input", f"{path.name} is no file of OTO's recorder, so it was left as it is.", "")
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        length = os.fstat(fd).st_size
        data_bytes = min(frames, (length - HEADER_BYTES) // form.frame_bytes) * form.frame_bytes
        audio_end = HEADER_BYTES + data_bytes + data_bytes % 2
        header = blank_header(form, info)
        rest = os.pread(fd, LONGEST_TEXT, audio_end)
        words_whole = _are_whole_words(rest)
        set_sizes(header, data_bytes, len(rest) if words_whole else 0, form.frame_bytes)
        os.pwrite(fd, header, 0)
        if not words_whole and (len(rest) < form.frame_bytes or rest.startswith(TRAILER_START)):
            os.ftruncate(fd, HEADER_BYTES + data_bytes)
            os.ftruncate(fd, audio_end)
            write_trailer(fd, header, data_bytes, form, info, markers)
        os.fsync(fd)
        return data_bytes // form.frame_bytes
    finally:
        os.close(fd)


def can_be_restated(path: Path) -> bool:
    """Whether a file holds audio that `restate` can give a header. Raises OSError."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size > HEADER_BYTES and _was_ours(path, file.read(HEADER_BYTES))


def _are_whole_words(rest: bytes) -> bool:
    """Whether what follows the audio are the chunks of `write_trailer`, up to the end."""
    at = 0
    while at + 8 <= len(rest):
        size = int.from_bytes(rest[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return rest.startswith(TRAILER_START) and at == len(rest)


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
