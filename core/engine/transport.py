"""The tape machine: record, next take, stop, mark, keep, play, and what happens when interface or disk fail."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from core.engine.board import Board
from core.engine.capture import Capture, InputLost
from core.engine.deck import Deck
from core.engine.interface import InterfaceKeeper, round_trip_key
from core.engine.packing import BYTES_PER_SAMPLE
from core.engine.player import Click, Tape
from core.engine.recording import Recording, samples_since_midnight
from core.engine.shelf import Shelf
from core.engine.space import remaining_s
from core.engine.tapes import SilentTape
from core.errors import OtoError
from core.protocol.requests import KeepLast, Mark, Play, Record, Seek
from core.protocol.topics import DeviceTopic, Meters, State, TransportTopic
from core.settings import Settings
from sessions.model import Losses, Marker, Session, Take, TakeTrack

STOP_TIMEOUT_S: Final = 60.0
PLAY_LEAD_S: Final = 0.3


class Transport:
    """What the tape does. Lives on the event loop; everything slow or real-time has its own thread."""

    def __init__(self, board: Board, shelf: Shelf, keeper: InterfaceKeeper, settings: Callable[[], Settings]) -> None:
        self._board = board
        self._shelf = shelf
        self._keeper = keeper
        self._settings = settings
        self._recording: Recording | None = None
        self._begins_at = 0
        self._finishing: set[Recording] = set()
        self._deck = Deck(keeper, shelf)
        self._last_losses = Losses()
        keeper.listener = self

    # ------------------------------------------------------------ state

    @property
    def recording(self) -> Take | None:
        """The take being recorded."""
        return None if self._recording is None else self._recording.take

    @property
    def busy(self) -> bool:
        """Whether a take is being recorded or finished."""
        return self._recording is not None or bool(self._finishing)

    @property
    def state(self) -> State:
        """What a person sees in large letters."""
        if self._recording is not None:
            capture = self._keeper.capture
            waiting = capture is not None and self._recording.running and capture.ring.end < self._begins_at
            return "counting_in" if waiting else "recording"
        if self._deck.playing is not None:
            return "playing"
        return "idle" if self._keeper.capture is not None else "no_device"

    def refuse_while_recording(self, what: str) -> None:
        """Raise OtoError("busy") if a take is running."""
        if self._recording is not None:
            raise OtoError(
                "busy", f"{what} has to wait: take {self._recording.take.number} is being recorded.", "Stop it first."
            )

    def publish(self) -> None:
        """Put the transport topic on the board."""
        recording, capture = self._recording, self._keeper.capture
        settings = self._settings()
        losses = self._last_losses if recording is None else recording.take.losses
        mirror: Literal["off", "ok", "failed"] = "off"
        if recording is not None and recording.mirrored:
            mirror = "failed" if recording.mirror_failed else "ok"
        playing = self._deck.playing if recording is None else None
        take = playing.take if playing is not None else None
        self._board.put(
            TransportTopic(
                state=self.state,
                take=recording.take.number if recording is not None else take,
                false_number=playing.false_number if playing is not None else 0,
                bounce=playing.bounce if playing is not None else None,
                comp=playing is not None and playing.comp,
                stems=playing.stems if playing is not None else (),
                position_s=round(self.position_s(), 3),
                length_s=self._deck.length_s if playing is not None else None,
                remaining_s=self.remaining_s(),
                preroll_s=settings.preroll_s,
                preroll_filled_s=self._preroll_filled_s(capture),
                loop=playing.loop if playing is not None else None,
                overdub_of=recording.take.overdub_of if recording is not None else None,
                losses=losses,
                mirror=mirror,
            )
        )

    def position_s(self) -> float:
        """Where the tape is."""
        capture = self._keeper.capture
        if self._recording is not None:
            frames = self._recording.take.frames
            if capture is not None and self._recording.running:
                frames = self._recording.position_frames(capture.ring.end)
            return frames / self._keeper.rate_hz
        return self._deck.position_s

    def meters(self) -> Meters | None:
        """Levels of every input now; None without an interface."""
        capture = self._keeper.capture
        if capture is None:
            return None
        levels = capture.meters.read()
        return Meters(
            peak_dbfs=levels.peak_dbfs,
            hold_dbfs=levels.hold_dbfs,
            rms_dbfs=levels.rms_dbfs,
            clips=levels.clips,
            position_s=round(self.position_s(), 3),
            remaining_s=self.remaining_s(),
            preroll_filled_s=self._preroll_filled_s(capture),
        )

    def remaining_s(self) -> float | None:
        """How long the disk lasts at this rate and number of armed tracks, short of the reserve."""
        session = self._shelf.session
        if session is None:
            return None
        tracks = (
            len(self._recording.take.tracks) if self._recording is not None else sum(t.armed for t in session.tracks)
        )
        bytes_per_s = max(1, tracks) * session.rate_hz * BYTES_PER_SAMPLE[session.sample_format]
        seconds = remaining_s(self._shelf.library.root, bytes_per_s)
        return None if seconds is None else float(round(seconds))

    # ------------------------------------------------------------ recording

    async def record(self, request: Record) -> int:
        """Start a take, or the next one without a gap; returns its number."""
        session, capture = await self._ready_to_write()
        following = self._recording
        if following is not None and (request.overdub_of is not None or request.count_in_bars):
            self.refuse_while_recording("An overdub or a count-in")
        if following is None or following.take.overdub_of is not None:
            self._deck.silence()
        tape = None if request.overdub_of is None else self._deck.tape_of_take(request.overdub_of)
        tracks = self._armed(session, capture)
        start, preroll = self._start_position(capture, request, tape)
        now = dt.datetime.now().astimezone()
        began = now - dt.timedelta(seconds=(capture.ring.end - start) / session.rate_hz)
        take = Take(
            number=0,
            session=session.id,
            name=request.name,
            status="recording",
            rate_hz=session.rate_hz,
            sample_format=session.sample_format,
            started_utc=began.astimezone(dt.UTC).isoformat(timespec="milliseconds"),
            time_reference_samples=samples_since_midnight(began, session.rate_hz),
            preroll_samples=preroll,
            tracks=tracks,
            overdub_of=request.overdub_of,
        )
        try:
            take = await asyncio.to_thread(self._shelf.begin_take, take)
        except Exception:
            if following is None:
                self._deck.silence()
            raise
        if following is not None:
            following.stop(start)
            self._finishing.add(following)
        until = None
        if request.seconds is not None:
            until = take.preroll_samples + round(request.seconds * session.rate_hz)
        self._recording = self._new_recording(session, take, until_samples=until)
        self._keeper.pin()
        self._begins_at = start
        self._recording.start_clip(capture, start)
        capture.hurry.set()
        if self._keeper.capture is not capture:  # it went while the take's folder was being made
            self._recording.pause(capture.ring.end)
        self._show(self._recording)
        self.publish()
        return take.number

    async def stop(self) -> int | None:
        """End the take or the playback; returns the take's number once it and those before it are complete on disk."""
        recording = self.end_take()
        if recording is None:
            return None
        await self.settle()
        return recording.take.number

    def end_take(self) -> Recording | None:
        """End the take or the playback now; the take's files close in their own time."""
        player = self._keeper.player
        recording = self._recording
        self._deck.silence()
        if recording is None:
            self.publish()
            return None
        self._recording = None
        self._finishing.add(recording)
        capture = self._keeper.capture
        recording.stop(capture.ring.end if capture is not None else 0)
        if player is not None and player.slipped and recording.take.overdub_of is not None:
            self._board.notify(
                "warning",
                f"The playback under take {recording.take.number} stumbled: it may sit late against the tape.",
                "Listen to it; record it again if it does.",
            )
        self.publish()
        return recording

    async def settle(self, session_id: str | None = None, number: int | None = None) -> None:
        """Wait until takes that were stopped are complete on disk: all of them, or the one that is named."""
        for recording in list(self._finishing):
            take = recording.take
            if number is None or (take.session, take.number) == (session_id, number):
                await self._closed(recording)

    async def _closed(self, recording: Recording) -> None:
        try:
            await asyncio.wait_for(recording.ended.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            raise OtoError(
                "timeout",
                f"Take {recording.take.number} is stopped, but the disk is slow to take its end.",
                "Leave the box on until the take shows as complete.",
            ) from None

    async def false_take(self) -> None:
        """Keep what is being recorded, or the last take, but out of the way; its number is free again."""
        session = self._shelf.need_open_session()
        number = await self.stop() if self._recording is not None else None
        if number is None:
            takes = [take.number for take in self._shelf.takes() if not take.false_take]
            if not takes:
                raise OtoError("not_found", "There is no take to mark as false.")
            number = takes[-1]
        await self.settle(session.id, number)
        await self._shelf.mark_false(session.id, number)

    async def keep_last(self, request: KeepLast) -> int:
        """Make a take out of the last seconds; returns its number."""
        self.refuse_while_recording("Keeping what was played")
        session, capture = await self._ready_to_write()
        end = capture.ring.end
        start = max(_reachable(capture), end - round(request.seconds * session.rate_hz))
        if start >= end:
            raise OtoError("bad_input", "Nothing has been heard long enough to keep yet.", "Wait a few seconds.")
        began = dt.datetime.now().astimezone() - dt.timedelta(seconds=(end - start) / session.rate_hz)
        take = Take(
            number=0,
            session=session.id,
            status="recording",
            origin="retro",
            rate_hz=session.rate_hz,
            sample_format=session.sample_format,
            started_utc=began.astimezone(dt.UTC).isoformat(timespec="milliseconds"),
            time_reference_samples=samples_since_midnight(began, session.rate_hz),
            tracks=self._armed(session, capture),
        )
        take = await asyncio.to_thread(self._shelf.begin_take, take)
        recording = self._new_recording(session, take, until_samples=end - start)
        self._finishing.add(recording)
        recording.start_clip(capture, start)
        await self._closed(recording)
        return take.number

    async def mark(self, request: Mark) -> Marker:
        """Set a marker where the tape is."""
        at_samples = round(self.position_s() * self._keeper.rate_hz)
        if self._recording is not None:
            count = len(self._recording.take.markers) + 1
            marker = self._recording.mark(at_samples, request.name or f"Marker {count}")
            self._show(self._recording)
            return marker
        playing = self._deck.playing
        if playing is not None and playing.take is not None:
            session = self._shelf.need_open_session()
            await self.settle(session.id, playing.take)
            return await self._shelf.add_marker(playing.take, playing.false_number, at_samples, request.name)
        raise OtoError(
            "bad_input", "Markers are set while recording or while playing a take.", "Start one of them first."
        )

    def resume(self, take: Take, next_clip: int, lost_s: float) -> None:
        """Go on with a take of the process before this one, as soon as the interface is open."""
        session = self._shelf.need_open_session()
        self._recording = self._new_recording(session, take, next_clip=next_clip)
        self._recording.adopt(lost_s)
        self._begins_at = 0

    def guard_disk(self) -> None:
        """Stop cleanly while the disk still has its reserve. Called a few times a second."""
        if self._recording is None:
            return
        if self.remaining_s() != 0.0:
            return
        number = self._recording.take.number
        self._board.notify(
            "error",
            f"The disk is full up to its reserve: take {number} was stopped and is complete and safe.",
            "Export what is finished and empty the trash before the next take.",
        )
        self.end_take()

    # ------------------------------------------------------------ playing

    async def play(self, request: Play) -> None:
        """Play a take or a bounce of the open session; keeps the position when asked for none while playing."""
        self.refuse_while_recording("Playing")
        self._deck.play(request)
        self.publish()

    async def seek(self, request: Seek) -> None:
        """Go elsewhere on the tape."""
        self._deck.seek(request)
        self.publish()

    def apply_monitoring(self) -> None:
        """Stopped and recording: inputs are heard (if monitoring is on); playing: the tape alone."""
        self._deck.monitor(self._settings().monitor and (self._recording is not None or self._deck.playing is None))

    # ------------------------------------------------------------ what the interface tells

    def interface_opened(self, capture: Capture) -> None:
        """Audio comes in; an interrupted take goes on."""
        capture.hold_back = self._disk_is_behind
        self._go_on()
        self.publish()

    def _go_on(self) -> None:
        """Go on with an interrupted take, once its interface is back and its last files are closed."""
        recording, capture = self._recording, self._keeper.capture
        if recording is None or capture is None or recording.running:
            return
        if max(track.input or 1 for track in recording.take.tracks) > capture.stream.inputs:
            return
        self._keeper.pin()
        recording.start_clip(capture, capture.ring.oldest)
        capture.hurry.set()
        self._board.notify("info", f"The interface is back: take {recording.take.number} goes on.")

    def interface_lost(self, capture: Capture) -> None:
        """Finish the files of a running take; it stays open for when the interface is back."""
        self._deck.silence()
        if self._recording is not None:
            self._recording.pause(capture.ring.end)
        self.publish()

    def input_lost(self, loss: InputLost) -> None:
        """Count what never came."""
        if self._recording is not None:
            self._recording.input_lost(loss)
            self.publish()

    def playback_finished(self) -> None:
        """The tape has run out."""
        if self._deck.playing is not None and self._recording is None:
            self._deck.silence()
        self.publish()

    # ------------------------------------------------------------ inner parts

    async def _ready_to_write(self) -> tuple[Session, Capture]:
        """The open session (made now if there is none: REC always works) and an interface that runs as it wants."""
        self._keeper.need_open()
        session = await self._shelf.need_session(self._keeper, self._settings())
        await self._keeper.fit(session.rate_hz, session.sample_format)
        if self.remaining_s() == 0.0:
            raise OtoError(
                "no_space",
                "The disk is full up to its reserve; nothing was started and all takes are safe.",
                "Export what is finished, or empty the trash.",
            )
        return session, self._keeper.need_open()

    def _new_recording(
        self, session: Session, take: Take, *, next_clip: int = 1, until_samples: int | None = None
    ) -> Recording:
        folder = self._settings().mirror_folder
        return Recording(
            self._shelf.library,
            session,
            take,
            Path(folder).expanduser() if folder else None,
            on_paused=self._go_on,
            on_ended=self._recording_ended,
            next_clip=next_clip,
            until_samples=until_samples,
        )

    def _show(self, recording: Recording) -> None:
        if self._shelf.session is not None and recording.take.session == self._shelf.session.id:
            self._shelf.show_take(recording.take)

    def _recording_ended(self, recording: Recording) -> None:
        self._finishing.discard(recording)
        self._last_losses = recording.take.losses
        if recording is self._recording:
            self._recording = None
            self._deck.silence()
        number, error = recording.take.number, recording.disk_error
        if error is not None:
            reason = getattr(error, "strerror", None) or error
            self._board.notify(
                "error",
                f"The disk refused to write ({reason}): take {number} ends there. What came before is safe.",
                "Check the disk with 'oto doctor'.",
            )
        if recording.mirror_failed:
            self._board.notify("warning", f"The mirror of take {number} is incomplete; the take itself is whole.")
        if not self.busy and self._keeper.capture is not None:
            self._keeper.capture.hurry.clear()
        if not self.busy:
            self._keeper.pinned = None
        self._show(recording)
        self.publish()

    def _disk_is_behind(self) -> bool:
        capture = self._keeper.capture
        recordings = [*self._finishing] + ([self._recording] if self._recording is not None else [])
        behind = [one.written_to for one in recordings if one.running]
        return (
            capture is not None and bool(behind) and capture.ring.end - min(behind) > capture.ring.capacity_frames // 2
        )

    def _armed(self, session: Session, capture: Capture) -> tuple[TakeTrack, ...]:
        tracks = tuple(
            TakeTrack(id=track.id, name=track.name, role=track.role, input=track.input)
            for track in session.tracks
            if track.armed and track.input is not None and track.input <= capture.stream.inputs
        )
        if session.tracks and all(track.input is None for track in session.tracks):
            raise OtoError(
                "bad_input",
                f"'{session.name}' was imported: its tracks have no inputs.",
                "Make a new session to record.",
            )
        if not tracks:
            raise OtoError("bad_input", "No track is armed on an input of this interface.", "Arm at least one track.")
        return tracks

    def _start_position(self, capture: Capture, request: Record, tape: Tape | None) -> tuple[int, int]:
        """Where in the ring the take starts, and how much of it was heard before REC."""
        settings, ring, player = self._settings(), capture.ring, self._keeper.player
        rate_hz = self._keeper.rate_hz
        if self._recording is not None:
            return ring.end, 0
        needs_lead = tape is not None or request.count_in_bars > 0
        if not needs_lead or player is None or not capture.stream.outputs:
            if tape is not None:
                raise OtoError("no_device", "Overdubbing needs an interface with outputs.")
            seconds = settings.preroll_s if request.preroll_s is None else request.preroll_s
            end = ring.end
            start = min(max(_reachable(capture), end - round(seconds * rate_hz)), end)
            if settings.click and player is not None:
                player.click = Click(rate_hz, settings.tempo_bpm, settings.beats_per_bar, end, None)
            return start, end - start
        begins_at = ring.end + round(PLAY_LEAD_S * rate_hz)
        if request.count_in_bars > 0 or settings.click:
            beats = None if settings.click else request.count_in_bars * settings.beats_per_bar
            click = Click(rate_hz, settings.tempo_bpm, settings.beats_per_bar, begins_at, beats)
            player.click = click
            begins_at += round(click.bar_frames * request.count_in_bars)
        player.slipped = False
        player.play(tape or SilentTape(), start=0, begins_at=begins_at)
        return begins_at + self._round_trip(capture), 0

    def _round_trip(self, capture: Capture) -> int:
        device = self._board.get(DeviceTopic).current
        key = round_trip_key(device.id, self._keeper.rate_hz) if device is not None else ""
        measured = self._settings().round_trips.get(key)
        if measured is None:
            self._board.notify(
                "warning",
                "The round trip of this interface was never measured: the overdub may sit a few milliseconds off.",
                "Connect output 1 to input 1 and run 'oto latency'.",
            )
            return capture.stream.output_latency_frames
        return measured

    def _preroll_filled_s(self, capture: Capture | None) -> float:
        if capture is None:
            return 0.0
        filled_s = capture.ring.filled_frames / self._keeper.rate_hz
        return round(min(filled_s, self._settings().preroll_s), 1)


def _reachable(capture: Capture) -> int:
    """The first position a writer may start from: a second from being overwritten, while the disk wakes up."""
    oldest = capture.ring.oldest
    return oldest + capture.stream.rate_hz if oldest else 0
