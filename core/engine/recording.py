"""A take while it is being recorded: its writers, its journal, its losses, and how it becomes a finished document."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import itertools
import logging
import time
from collections.abc import Callable
from pathlib import Path

from core.engine.capture import Capture, InputLost
from core.engine.takewriter import DiskFailed, Finished, Overrun, TakeWriter, WriterEvent
from sessions.errors import LibraryError
from sessions.journal import (
    ClipEnded,
    ClipStarted,
    Event,
    GapFound,
    Journal,
    LossCounted,
    LossKind,
    MarkerAdded,
    TakeEnded,
    checkpoint,
    fold,
)
from sessions.layout import JOURNAL_FILE, clip_file_name, clip_info, markers_from
from sessions.model import Clip, GapCause, Marker, Session, Take
from sessions.store import Library
from sessions.wav import WavWriter

log = logging.getLogger(__name__)


class Recording:
    """One take from REC to its last sample, across as many clips as the interface's absences make.

    The journal is the truth: everything that happens is an event that is appended to it, and `take` is what the events
    fold to. Lives on the event loop; its writers are threads that report back to it.
    """

    def __init__(
        self,
        library: Library,
        session: Session,
        take: Take,
        mirror: Path | None,
        *,
        on_paused: Callable[[], None],
        on_ended: Callable[[Recording], None],
        next_clip: int = 1,
        until_samples: int | None = None,
    ) -> None:
        self.take = take
        self.session = session
        self.disk_error: Exception | None = None
        self.mirror_failed = False
        self.ended = asyncio.Event()
        """Set when the take's document is complete on disk."""
        self._library = library
        self._mirror_root = mirror
        self._mirror_folder: Path | None = None
        self._on_paused = on_paused
        self._on_ended = on_ended
        self._loop = asyncio.get_running_loop()
        self._folder = library.take_path(session.id, take.number)
        self._journal = Journal(self._folder / JOURNAL_FILE)
        self._next_clip = next_clip
        self._until_samples = until_samples
        self._clips: tuple[Clip, ...] = ()
        self._capture: Capture | None = None
        self._writer: TakeWriter | None = None
        self._mirror: TakeWriter | None = None
        self._origin = 0
        self._clock: tuple[float, int] | None = None
        """A moment of the monotonic clock and where on the timeline it was."""
        self._lost_at_samples: int | None = None
        self._stopping = False
        self._saving: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether audio is being written now (false while the interface is away)."""
        return self._writer is not None

    @property
    def mirrored(self) -> bool:
        """Whether a second folder was asked for."""
        return self._mirror_root is not None

    @property
    def written_to(self) -> int:
        """The ring position up to which the files are written."""
        return self._writer.position if self._writer is not None else 0

    def position_frames(self, ring_end: int) -> int:
        """Where on the take's timeline ring position `ring_end` is."""
        return max(0, ring_end - self._origin)

    def start_clip(self, capture: Capture, position: int) -> None:
        """Write from ring position `position` on, as the take's next clip."""
        start_samples = self._next_start(capture, position)
        self._capture = capture
        self._origin = position - start_samples
        self._clock = (time.monotonic(), capture.ring.end - self._origin)
        self._clips = tuple(
            Clip(
                track=track.id,
                file=clip_file_name(self.take, track.id, self._next_clip),
                start_samples=start_samples,
                frames=0,
            )
            for track in self.take.tracks
        )
        self._next_clip += 1
        for clip in self._clips:
            self._add(ClipStarted(track=clip.track, file=clip.file, start_samples=start_samples))
        self._writer = self._make_writer(capture, position, lambda: self._folder, self._main_event)
        if self._mirror is not None:
            self.mirror_failed = True  # it has not caught up with the clip before
        if self._mirror_root is not None and not self.mirror_failed:
            self._mirror = self._make_writer(capture, position, self._claim_mirror, self._mirror_event)
        for writer in self._writers():
            if writer.is_alive():
                continue
            if self._until_samples is not None:
                writer.stop_at(max(position, self._origin + self._until_samples))
            writer.start()

    def mark(self, at_samples: int, name: str) -> Marker:
        """Set a marker and journal it at once."""
        self._add(MarkerAdded(at_samples=at_samples, name=name))
        return Marker(at_samples=at_samples, name=name)

    def input_lost(self, loss: InputLost) -> None:
        """Count and journal audio that never reached the ring, if it belongs to this take."""
        at_samples = loss.at - self._origin
        if not self.running or at_samples < 0:
            return
        self._lose("ring_overruns" if loss.ours else "overflows", at_samples, loss.frames)

    def pause(self, ring_end: int) -> None:
        """The interface is gone: finish the files; the take stays open for a next clip."""
        self._lost_at_samples = self.position_frames(ring_end)
        for writer in self._writers():
            stop = writer.stop_position
            writer.stop_at(max(writer.start_position, ring_end if stop is None else min(stop, ring_end)))

    def adopt(self, lost_s: float) -> None:
        """Take over a take that the process before this one had to leave `lost_s` seconds ago."""
        self._lost_at_samples = self.take.frames
        self._clock = (time.monotonic() - lost_s, self.take.frames)

    def stop(self, position: int) -> None:
        """End the take at a ring position; one whose interface is away ends where that went."""
        self._stopping = True
        if self._writer is None:
            self._finish()
        elif self._lost_at_samples is None:
            for writer in self._writers():
                stop = writer.stop_position
                writer.stop_at(max(writer.start_position, position if stop is None else min(stop, position)))

    def _writers(self) -> list[TakeWriter]:
        return [writer for writer in (self._writer, self._mirror) if writer is not None]

    def _next_start(self, capture: Capture, position: int) -> int:
        if self._lost_at_samples is None or self._clock is None:
            return 0
        then_s, at_samples = self._clock
        now_samples = at_samples + round((time.monotonic() - then_s) * self.take.rate_hz)
        start_samples = max(self._lost_at_samples, now_samples - (capture.ring.end - position))
        away = start_samples - self._lost_at_samples
        self._add(GapFound(at_samples=self._lost_at_samples, frames=away, cause="device_lost"))
        self._lost_at_samples = None
        return start_samples

    def _claim_mirror(self) -> Path:
        """A folder of this take's own in the mirror; one that is there belongs to an earlier take of that number."""
        if self._mirror_folder is None:
            assert self._mirror_root is not None
            parent = self._mirror_root / self.session.id
            parent.mkdir(parents=True, exist_ok=True)
            for number in itertools.count(1):
                folder = parent / (self._folder.name + (f" ({number})" if number > 1 else ""))
                try:
                    folder.mkdir()
                except FileExistsError:
                    continue
                self._mirror_folder = folder
                break
        assert self._mirror_folder is not None
        return self._mirror_folder

    def _make_writer(
        self,
        capture: Capture,
        position: int,
        folder: Callable[[], Path],
        receive: Callable[[TakeWriter, WriterEvent], None],
    ) -> TakeWriter:
        take, clips, session_name = self.take, self._clips, self.session.name

        def open_files() -> list[WavWriter]:
            where = folder()
            return [
                WavWriter(
                    where / clip.file,
                    rate_hz=take.rate_hz,
                    sample_format=take.sample_format,
                    info=clip_info(take, track, session_name, clip.start_samples),
                )
                for clip, track in zip(clips, take.tracks, strict=True)
            ]

        def tell(event: WriterEvent) -> None:
            try:
                self._loop.call_soon_threadsafe(receive, writer, event)
            except RuntimeError:
                log.warning("the engine ended before a writer did")

        writer = TakeWriter(
            capture.ring,
            rate_hz=take.rate_hz,
            channels=tuple(track.input - 1 for track in take.tracks if track.input is not None),
            start=position,
            open_files=open_files,
            markers=lambda: markers_from(self.take.markers, clips[0].start_samples),
            tell=tell,
        )
        return writer

    def _main_event(self, writer: TakeWriter, event: WriterEvent) -> None:
        if isinstance(event, Overrun):
            self._lose("ring_overruns", event.at_frames + self._clips[0].start_samples, event.frames)
            return
        if isinstance(event, DiskFailed):
            self.disk_error = event.error
            self._stopping = True
            with contextlib.suppress(OSError, LibraryError):
                self._library.make_room_to_close(self.session.id, self.take.number)
            self._add(LossCounted(kind="disk_errors"))
            if self._mirror is not None:  # now the only copy of what the disk did not take
                self._mirror.stop_at(writer.stop_position or writer.ring_end)
        for clip in self._clips:
            self._add(ClipEnded(file=clip.file, frames=event.frames))
        self._writer = None
        if self._stopping or self._lost_at_samples is None:
            self._finish()
        else:
            self._on_paused()

    def _mirror_event(self, writer: TakeWriter, event: WriterEvent) -> None:
        if not isinstance(event, Overrun) and writer is self._mirror:
            self._mirror = None
        if not isinstance(event, Finished):
            self.mirror_failed = True
            self._add(LossCounted(kind="mirror_errors"))

    def _finish(self) -> None:
        if self._saving is not None:
            return
        self._add(TakeEnded(frames=self.take.frames))
        self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        try:
            self.take = await asyncio.to_thread(self._library.finish_take, self.session.id, self.take.number)
        except Exception as error:
            # The journal beside the files says everything; recovery at the next start folds it in.
            self.disk_error = error
            log.exception("take %d could not be closed", self.take.number)
        self._journal.close()
        self.ended.set()
        self._on_ended(self)

    def _lose(self, kind: LossKind, at_samples: int, frames: int | None) -> None:
        cause: GapCause = "ring_overrun" if kind == "ring_overruns" else "overflow"
        self._add(LossCounted(kind=kind))
        self._add(GapFound(at_samples=at_samples, frames=frames, cause=cause))

    def _add(self, event: Event) -> None:
        if self.ended.is_set():
            return
        try:
            self._journal.append(event)
        except OSError:
            log.exception("the journal of take %d could not be written", self.take.number)
        self.take = fold(self.take, (checkpoint(self.take), event))


def samples_since_midnight(moment: dt.datetime, rate_hz: int) -> int:
    """The bext time reference (EBU Tech 3285) of a local time."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return round((moment - midnight).total_seconds() * rate_hz)
