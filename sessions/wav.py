"""The crash-safe WAV/RF64 writer: at every moment the file on disk is a complete file that any program opens.

Audio is written straight to the kernel, so that a process that is killed leaves all of it. A recording's header runs
some seconds ahead of its audio (`promise`), because a page that changes with every sync wears a card out: other
programs read such a file up to its end, and `wavrepair.repair` makes the header true. `publish` makes it true at once.
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from sessions.chunks import BextLoudness, WavInfo
from sessions.errors import LibraryError
from sessions.files import sync_folder
from sessions.model import Marker, SampleFormat
from sessions.wavheader import HEADER_BYTES, NO_ROOM, WavFormat, blank_header, set_sizes, write_trailer

PAGE_BYTES: Final = 4096
"""What file systems and the kernel's cache write at once, at the least."""

_libc: Final = ctypes.CDLL(None, use_errno=True)
_START_WRITING: Final = 2
_WAIT_UNTIL_WRITTEN: Final = 1 | 2 | 4
"""Flags of sync_file_range(2): before, write, after."""
_FALLOC_FL_KEEP_SIZE: Final = 1
_EXT4_SUPER_MAGIC: Final = 0xEF53


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
        self._promised_bytes = 0
        self._header = blank_header(self.format, self.info)
        self._sealed = False
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
        self._speak_of(data_bytes)
        return data_bytes // self._frame_bytes

    def promise(self, frames: int) -> None:
        """Have the header speak of everything appended and, when it has to be written for that, of `frames` to come."""
        if self._data_bytes > self._promised_bytes:
            self._speak_of(self._data_bytes + frames * self._frame_bytes)

    def claim(self, frames: int) -> None:
        """Have the disk keep space for `frames` more, in one piece where it can: its tables change little with them.

        Sealing gives back what was not needed. A hint, which a full disk can't take. Only ext4 is given it: there it
        was measured, and FAT would have to write a table of what it keeps.
        """
        if not _is_on_ext4(self._fd):
            return
        start, length = HEADER_BYTES + self._data_bytes, frames * self._frame_bytes
        _libc.fallocate(self._fd, _FALLOC_FL_KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(length))

    def whole_pages(self, frames: int) -> int:
        """How many of the next `frames` frames fill the file up to a page's end: none of its pages is written twice."""
        shared = math.gcd(self._frame_bytes, PAGE_BYTES)
        period = PAGE_BYTES // shared
        first = -(HEADER_BYTES // shared) * pow(self._frame_bytes // shared, -1, period) % period
        return max(0, frames - (self.frames + frames - first) % period)

    def begin_sync(self, *, wait: bool = False) -> None:
        """Have the audio that was written set off for the disk; `wait` until it is there. Does nothing once closed.

        No sync: the file may have grown without its name knowing. Some file systems don't take the hint. Raises OSError
        when the disk fails or is full: the kernel may tell that here and not again.
        """
        descriptor = self._duplicate()
        if descriptor is None:
            return
        flags = _WAIT_UNTIL_WRITTEN if wait else _START_WRITING
        try:
            failed = _libc.sync_file_range(descriptor, ctypes.c_int64(0), ctypes.c_int64(0), flags)
            number = ctypes.get_errno()
        finally:
            os.close(descriptor)
        if failed and number in {errno.EIO, *NO_ROOM}:
            raise OSError(number, os.strerror(number), str(self.path))

    def sync(self) -> None:
        """Wait until everything written has reached the disk. Can take seconds; meant for a thread of its own.

        Does nothing once closed. Raises OSError.
        """
        descriptor = self._duplicate()
        if descriptor is None:
            return
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if not self._folder_synced:
            sync_folder(self.path.parent)
            self._folder_synced = True

    def seal(self, markers: Sequence[Marker] = (), *, loudness: BextLoudness | None = None) -> None:
        """Publish and add iXML and the markers: nothing may be appended any more. A second call does nothing.

        Markers are positions within this file; those past its end are left out. A disk without room for
        the words after the audio gets a complete file without them. Raises OSError.
        """
        if self._sealed or self._fd < 0:
            return
        if loudness is not None:
            self.info = msgspec.structs.replace(self.info, loudness=loudness)
            self._header = blank_header(self.format, self.info)
        data_bytes = self.publish() * self._frame_bytes
        # Gives back what was claimed and not needed.
        os.ftruncate(self._fd, HEADER_BYTES + data_bytes + data_bytes % 2)
        write_trailer(self._fd, self._header, data_bytes, self.format, self.info, markers)
        self._sealed = True

    def close(self, markers: Sequence[Marker] = (), *, loudness: BextLoudness | None = None, sync: bool = True) -> None:
        """Seal, sync and close. A second call does nothing. Raises OSError."""
        if self._fd < 0:
            return
        try:
            self.seal(markers, loudness=loudness)
            if sync:
                self.sync()
        finally:
            with self._lock:
                os.close(self._fd)
                self._fd = -1

    def _speak_of(self, data_bytes: int) -> None:
        set_sizes(self._header, data_bytes, 0, self._frame_bytes)
        os.pwrite(self._fd, self._header, 0)
        self._promised_bytes = data_bytes

    def _duplicate(self) -> int | None:
        """A descriptor of this file that another thread may use while this one closes; None once closed."""
        with self._lock:
            return os.dup(self._fd) if self._fd >= 0 else None

    def _padded(self) -> int:
        """Add the pad byte that odd data needs (RIFF aligns to 2), or say that only one frame less fits the disk."""
        if self._data_bytes % 2 == 0:
            return self._data_bytes
        try:
            os.pwrite(self._fd, b"\0", HEADER_BYTES + self._data_bytes)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            return self._data_bytes - self._frame_bytes
        return self._data_bytes


def _is_on_ext4(descriptor: int) -> bool:
    answer = ctypes.create_string_buffer(256)
    if _libc.fstatfs(descriptor, answer):
        return False
    kind = ctypes.c_long.from_buffer(answer).value  # statfs(2): its first field, a word of the machine
    return kind == _EXT4_SUPER_MAGIC


def sync_together(files: Sequence[WavWriter]) -> None:
    """Sync files that grow together, so that the file system writes its own books once for all, not for each.

    Every file is handed to the disk before the first is waited for, and all audio is there before the first is asked to
    remember how long it is. Raises OSError.
    """
    for file in files:
        file.begin_sync()
    for file in files:
        file.begin_sync(wait=True)
    for file in files:
        file.sync()
