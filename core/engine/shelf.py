"""The library as the engine serves it: the open session, its takes, bounces and plans, and the requests about them."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import Final, get_args

import msgspec

from core.engine.board import Board
from core.engine.interface import InterfaceKeeper
from core.errors import OtoError
from core.protocol.requests import (
    CreateSession,
    EditMarker,
    EditSession,
    EditTake,
    EditTrack,
    GetOverview,
    SetAlbum,
    SetComp,
    StepAlbum,
    StepComp,
)
from core.protocol.topics import (
    BouncesTopic,
    CompTopic,
    KeptPlan,
    PlanLetter,
    PlansTopic,
    PlanVersion,
    Problem,
    SessionSummary,
    SessionTopic,
    TakesTopic,
    UnreadableSession,
)
from core.settings import Settings
from sessions.albums import load_album, save_album, step_album
from sessions.comping import lay_out
from sessions.errors import LibraryError
from sessions.model import Album, AlbumSong, Bounce, Comp, Marker, Overview, SampleFormat, Session, Take, Track
from sessions.overview import load_overview
from sessions.store import Library

log = logging.getLogger(__name__)

LETTERS: Final[tuple[PlanLetter, ...]] = get_args(PlanLetter)


class Shelf:
    """Holds the open session. Reads and writes go through the library; the board shows the result."""

    def __init__(self, board: Board, library: Library) -> None:
        self.library = library
        self.session: Session | None = None
        self._board = board
        self._takes: list[Take] = []
        self._gap_turned: tuple[str, int] | None = None
        """Session and song whose gap was the album's last change: turning it further is the same step of undo."""

    # ------------------------------------------------------------ sessions

    def summaries(self) -> list[SessionSummary]:
        """A line per session, newest first."""
        return [
            SessionSummary(
                id=session.id,
                name=session.name,
                created_utc=session.created_utc,
                takes=len(self.library.takes(session.id)),
                tracks=len(session.tracks),
                bytes=self.library.session_bytes(session.id),
                path=str(self.library.session_path(session.id)),
                notes=session.notes,
            )
            for session in self.library.sessions()
        ]

    def unreadable(self) -> list[UnreadableSession]:
        """The sessions that hold takes and that no list can show, with what mends them."""
        mends = "'oto doctor --repair' mends what it can, once the engine has ended."
        return [
            UnreadableSession(id=name, message=error.message, hint=error.hint if error.code == "newer" else mends)
            for name, error in self.library.unreadable().items()
        ]

    def need_open_session(self) -> Session:
        """The open session. Raises OtoError("not_found") when there is none."""
        if self.session is None:
            raise OtoError("not_found", "No session is open.", "Make one with N, or open one.")
        return self.session

    async def need_session(self, keeper: InterfaceKeeper, settings: Settings) -> Session:
        """The open session, made now if there is none: REC always works."""
        if self.session is None:
            await self.create(CreateSession(), keeper, settings.rate_hz, settings.sample_format)
        return self.need_open_session()

    def of(self, session_id: str | None) -> Session:
        """A session by id or name, or the open one."""
        return self.need_open_session() if session_id is None else self.library.session(session_id)

    async def create(
        self, request: CreateSession, keeper: InterfaceKeeper, rate_hz: int, sample_format: SampleFormat
    ) -> Session:
        """Make a session with a track per input of the present interface, at a rate that it can, and open it."""
        interface = keeper.wanted()
        if interface is not None and (able_hz := interface.rate_near(rate_hz)) != rate_hz:
            message = f"{interface.name} can't run at {rate_hz} Hz: the new session is at {able_hz} Hz."
            self._board.notify("info", message)
            rate_hz = able_hz
        names = interface.channel_names if interface is not None else ()
        count = interface.inputs if interface is not None else 0
        tracks = tuple(
            Track(id=f"t{number}", name=names[number - 1] if number <= len(names) else f"Input {number}", input=number)
            for number in range(1, count + 1)
        )
        session = await asyncio.to_thread(
            self.library.create_session,
            request.name.strip() or dt.datetime.now().astimezone().strftime("Session %H.%M"),
            rate_hz=rate_hz,
            sample_format=sample_format,
            device=interface.id if interface is not None else None,
            tracks=tracks,
        )
        return self.open(session)

    def open(self, session: Session) -> Session:
        """Make this the open session."""
        self.session = session
        self._show_session()
        self._takes = self.library.takes(session.id)
        self._show_takes()
        self.show_comp()
        self.show_bounces()
        self.show_plans()
        return session

    def close(self) -> None:
        """Open none."""
        self.session = None
        self._board.put(SessionTopic())
        self._board.put(TakesTopic())
        self._board.put(CompTopic())
        self._board.put(BouncesTopic())
        self._board.put(PlansTopic())

    async def edit_session(self, request: EditSession) -> Session:
        """Rename, annotate, or choose the sample format."""
        session = self.of(request.session)
        changes = {
            field: value
            for field in ("name", "notes", "sample_format")
            if (value := getattr(request, field)) is not None
        }
        return await self._save(msgspec.structs.replace(session, **changes))

    async def edit_track(self, request: EditTrack) -> Session:
        """Rename a track, give it a role, arm it or patch it."""
        session = self.need_open_session()
        if all(track.id != request.track for track in session.tracks):
            raise OtoError("not_found", f"This session has no track {request.track!r}.")
        changes: dict[str, object] = {
            field: value for field in ("name", "armed", "input") if (value := getattr(request, field)) is not None
        }
        if request.role is not None:
            changes["role"] = request.role or None
        tracks = tuple(
            msgspec.structs.replace(track, **changes) if track.id == request.track else track
            for track in session.tracks
        )
        return await self._save(msgspec.structs.replace(session, tracks=tracks))

    async def arm_all(self, armed: bool) -> Session:
        """Arm or disarm every track."""
        session = self.need_open_session()
        tracks = tuple(msgspec.structs.replace(track, armed=armed) for track in session.tracks)
        return await self._save(msgspec.structs.replace(session, tracks=tracks))

    async def fit_to_interface(self, keeper: InterfaceKeeper) -> None:
        """Give an empty session's tracks to a newly chosen interface."""
        session, interface = self.session, keeper.wanted()
        if session is None or interface is None or session.device == interface.id or self.takes():
            return
        await asyncio.to_thread(self.library.trash_session, session.id)
        await self.create(CreateSession(name=session.name), keeper, session.rate_hz, session.sample_format)

    # ------------------------------------------------------------ takes

    def takes(self) -> list[Take]:
        """Takes of the open session, oldest first, as they are now: one that is being recorded included."""
        return [] if self.session is None else self._takes

    def begin_take(self, take: Take) -> Take:
        """Give a take its number and folder on disk."""
        numbered = msgspec.structs.replace(take, number=self.library.next_take_number(take.session))
        self.library.begin_take(numbered)
        return numbered

    async def edit_take(self, request: EditTake) -> Take:
        """Name, annotate, star, or set aside."""
        session = self.of(request.session)
        changes = {
            field: value for field in ("name", "notes", "starred") if (value := getattr(request, field)) is not None
        }

        def change() -> Take:
            take = self.library.take(session.id, request.take, request.false_number)
            take = msgspec.structs.replace(take, **changes)
            self.library.save_take(take)
            if request.false_take is False and take.false_take:
                take = self.library.unmark_false(session.id, take.number, take.false_number)
            elif request.false_take and not take.false_take:
                take = self.library.mark_false(session.id, take.number)
            return take

        take = await asyncio.to_thread(change)
        self.show_plans()
        await self.read_takes()
        return take

    async def edit_marker(self, request: EditMarker) -> Take:
        """Name a marker anew, or take it away. Raises OtoError("not_found")."""
        session = self.of(request.session)

        def change() -> Take:
            take = self.library.take(session.id, request.take, request.false_number)
            markers = list(take.markers)
            at = next((n for n, marker in enumerate(markers) if marker.at_samples == request.at_samples), None)
            if at is None and request.again and request.name is not None and request.at_samples >= 0:
                markers.append(Marker(at_samples=request.at_samples, name=request.name))
                markers.sort(key=lambda one: one.at_samples)
            elif at is None:
                raise OtoError("not_found", f"Take {request.take} has no such marker.", "Somebody else took it away.")
            elif request.name is None:
                del markers[at]
            else:
                markers[at] = msgspec.structs.replace(markers[at], name=request.name)
            take = msgspec.structs.replace(take, markers=tuple(markers))
            self.library.save_take(take)
            return take

        take = await asyncio.to_thread(change)
        await self.read_takes()
        return take

    async def mark_false(self, session_id: str, number: int) -> None:
        """Set a take aside; its number is free again."""
        await asyncio.to_thread(self.library.mark_false, session_id, number)
        self.show_plans()
        await self.read_takes()

    async def read_takes(self) -> None:
        """Look at the open session's takes on disk again; what is being recorded stays as it is in memory."""
        session = self.session
        if session is None:
            return
        running = {take.number: take for take in self._takes if take.status == "recording"}
        takes = await asyncio.to_thread(self.library.takes, session.id)
        if self.session is not None and self.session.id == session.id:
            self._takes = [
                running.get(take.number, take) if take.status == "recording" and not take.false_take else take
                for take in takes
            ]
            self._show_takes()
            self.show_comp()

    async def add_marker(self, number: int, false_number: int, at_samples: int, name: str) -> Marker:
        """Set a marker in a finished take."""
        session = self.need_open_session()

        def add() -> Marker:
            take = self.library.take(session.id, number, false_number)
            marker = Marker(at_samples=at_samples, name=name or f"Marker {len(take.markers) + 1}")
            markers = tuple(sorted((*take.markers, marker), key=lambda one: one.at_samples))
            self.library.save_take(msgspec.structs.replace(take, markers=markers))
            return marker

        marker = await asyncio.to_thread(add)
        await self.read_takes()
        return marker

    # ------------------------------------------------------------ the comp that is being put together

    async def set_comp(self, request: SetComp) -> Comp:
        """Keep another comp; refused when it can't be laid out of the takes that are there."""
        session = self.need_open_session()
        comp = Comp(parts=request.parts, fade_ms=request.fade_ms)
        if comp.parts:
            comp = msgspec.structs.replace(comp, parts=lay_out(comp, self._takes).parts)
        await asyncio.to_thread(self.library.save_comp, session.id, comp)
        self.show_comp()
        return comp

    async def step_comp(self, request: StepComp) -> Comp | None:
        """Undo or redo a change of the comp; None when there is none."""
        session = self.need_open_session()
        comp = await asyncio.to_thread(self.library.step_comp, session.id, forward=request.redo)
        self.show_comp()
        return comp

    def show_comp(self) -> None:
        """Refresh the comp topic: its takes may have gone, or come back."""
        if self.session is None:
            return
        comp, notes, problem = Comp(), tuple[str, ...](), None
        try:
            comp = self.library.load_comp(self.session.id)
            notes = lay_out(comp, self._takes).notes if comp.parts else ()
        except LibraryError as error:
            problem = Problem(code=error.code, message=error.message, hint=error.hint)
        self._board.put(CompTopic(comp=comp, notes=notes, problem=problem))

    # ------------------------------------------------------------ bounces

    async def set_album(self, request: SetAlbum) -> None:
        """Keep another order of mixes. Raises OtoError("not_found", "bad_input")."""
        session = self.need_open_session()
        for song in request.songs:
            if self.bounce(song.bounce).kind != "mix":
                raise OtoError("bad_input", f"{song.bounce} is no mix.", "An album is made of mixes.")
        gap = _changed_gap(self._album(session), request.songs)
        turned = None if gap is None else (session.id, gap)
        same_step = turned is not None and turned == self._gap_turned
        folder = self.library.session_path(session.id)
        await asyncio.to_thread(save_album, folder, Album(songs=request.songs), same_step=same_step)
        self._gap_turned = turned
        self.show_bounces()

    async def step_album(self, request: StepAlbum) -> Album | None:
        """Undo or redo a change of the album; None when there is none."""
        session = self.need_open_session()
        self._gap_turned = None
        folder = self.library.session_path(session.id)
        album = await asyncio.to_thread(step_album, folder, forward=request.redo)
        self.show_bounces()
        return album

    def bounce(self, bounce_id: str) -> Bounce:
        """A bounce of the open session."""
        session = self.need_open_session()
        for bounce in self.library.bounces(session.id):
            if bounce.id == bounce_id:
                return bounce
        raise OtoError("not_found", f"This session has no bounce {bounce_id!r}.")

    def overview(self, request: GetOverview) -> Overview | None:
        """What a take or a bounce looks like; None when nobody has looked yet."""
        session = self.of(request.session)
        if request.bounce is not None:
            bounce = next((one for one in self.library.bounces(session.id) if one.id == request.bounce), None)
            if bounce is None:
                raise OtoError("not_found", f"This session has no bounce {request.bounce!r}.")
            return load_overview(self.library.bounce_path(session.id, bounce.id), bounce.frames)
        if request.take is None:
            raise OtoError("bad_input", "An overview is of a take or of a bounce.")
        take = self.library.take(session.id, request.take, request.false_number)
        if take.status == "recording":
            raise OtoError("busy", f"Take {take.number} is still being recorded.", "Stop it first.")
        return load_overview(self.library.take_path(session.id, take.number, take.false_number), take.frames)

    # ------------------------------------------------------------ the board

    def show_take(self, take: Take) -> None:
        """Show a take that is being recorded, or just was, as it is in memory."""
        others = [one for one in self._takes if one.number != take.number or one.false_take]
        self._takes = sorted((*others, take), key=lambda one: (one.number, not one.false_take, one.false_number))
        self._show_takes()

    def _show_takes(self) -> None:
        self._board.put(TakesTopic(takes=tuple(self._takes)))

    def show_bounces(self) -> None:
        """Refresh the bounces topic."""
        if self.session is None:
            return
        self._board.put(
            BouncesTopic(
                bounces=tuple(self.library.bounces(self.session.id)),
                exports=tuple(self.library.exports(self.session.id)),
                album=self._album(self.session),
            )
        )

    def _album(self, session: Session) -> tuple[AlbumSong, ...]:
        """The album's songs; one that can't be read keeps nobody from the session."""
        try:
            return load_album(self.library.session_path(session.id)).songs
        except LibraryError as error:
            log.warning("%s", error.message)
            return ()

    def show_plans(self) -> None:
        """Refresh the plans topic: a worker may have written one."""
        if self.session is not None:
            versions = self.library.plan_versions(self.session.id)
            plans = tuple(PlanVersion(kind=kind, take=take, version=version) for kind, take, version in versions)
            kept = tuple(
                KeptPlan(take=take, letter=letter, version=version)
                for take, name, version in self.library.kept_mix_plans(self.session.id)
                for letter in LETTERS
                if letter == name
            )
            self._board.put(PlansTopic(plans=plans, kept=kept))

    def _show_session(self) -> None:
        session = self.need_open_session()
        self._board.put(SessionTopic(session=session, path=str(self.library.session_path(session.id))))

    async def _save(self, session: Session) -> Session:
        await asyncio.to_thread(self.library.save_session, session)
        if self.session is not None and self.session.id == session.id:
            self.session = session
            self._show_session()
        return session


def _changed_gap(before: tuple[AlbumSong, ...], now: tuple[AlbumSong, ...]) -> int | None:
    """Which song's gap is all that differs between two albums; None when anything else does."""
    if [song.bounce for song in before] != [song.bounce for song in now]:
        return None
    changed = [n for n, (one, other) in enumerate(zip(before, now, strict=True)) if one != other]
    return changed[0] if len(changed) == 1 else None
