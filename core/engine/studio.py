"""The engine as one thing: its parts, and what each request makes them do."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from core import paths
from core.engine import about
from core.engine.autorecord import AutoRecorder
from core.engine.board import Board
from core.engine.care import Care
from core.engine.choices import Choices
from core.engine.controls import Controls
from core.engine.explained import explained
from core.engine.interface import InterfaceKeeper
from core.engine.plans import Plans
from core.engine.power import power_off
from core.engine.preferences import Preferences
from core.engine.queue import JobQueue
from core.engine.server import Connection, Handler, Server
from core.engine.shelf import Shelf
from core.engine.signals import Signaller
from core.engine.transport import Transport
from core.errors import OtoError
from core.protocol import requests, topics
from core.version import VERSION
from devices import drives, health
from sessions.model import Overview, Session, Take
from sessions.recover import Recovered, recover
from sessions.store import Library

log = logging.getLogger(__name__)


METERS_HZ: Final = 12
GUARD_EVERY_S: Final = 0.25
BOX_EVERY_S: Final = 5.0
DRIVES_EVERY_S: Final = 1.0
STATE_EVERY_S: Final = 1.0
RESUME_WITHIN_S: Final = 60.0


class Studio:
    """Wires the parts together and answers requests. Lives on the event loop."""

    def __init__(self, *, spawn_workers: bool, resume: bool, device: str | None = None) -> None:
        self.board = Board()
        self.preferences = Preferences(self.board, device)
        self.library = Library(paths.library())
        self.shelf = Shelf(self.board, self.library)
        self.plans = Plans(self.shelf)
        self.keeper = InterfaceKeeper(self.board, self.preferences.now, paths.cache())
        self.transport = Transport(self.board, self.shelf, self.keeper, self.preferences.now)
        self.choices = Choices(self.board, self.preferences, self.keeper, self.transport, self.shelf)
        self.queue = JobQueue(self.board, paths.jobs_folder(), spawn_workers=spawn_workers)
        self._in_order = asyncio.Lock()
        self.signaller = Signaller(self.board, self.keeper, self.preferences.now)
        self.auto_recorder = AutoRecorder(self.board, self.shelf, self.transport, self.preferences.now, self._in_order)
        self.controls = Controls(self.board, self.preferences.now, self.preferences.change)
        self.care = Care(self.board, self.shelf, self.queue, self.preferences.now)
        self.server = Server(self.board, self._handlers(), VERSION)
        self.ended = asyncio.Event()
        self.idle_since_s: float | None = time.monotonic()
        self._resume = resume
        self._tasks: list[asyncio.Task[None]] = []
        self._mounts = b""
        self._models, self._system = about.models(), about.system()
        self._closing = False

    # ------------------------------------------------------------ life

    async def start(self, socket_path: Path) -> None:
        """Recover, listen, and open the interface."""
        await self._recover()
        self.preferences.show()
        if self.shelf.session is None and (latest := self._open_latest()) is not None:
            self.keeper.bind(latest.rate_hz, latest.sample_format)
        await self.server.listen(socket_path)
        for work, every_s in (
            (self._meters, 1.0 / METERS_HZ),
            (self._guard, GUARD_EVERY_S),
            (self._tick, STATE_EVERY_S),
            (self._box, BOX_EVERY_S),
            (self._drives, DRIVES_EVERY_S),
        ):
            self._tasks.append(asyncio.create_task(_repeat(work, every_s)))
        self._tasks.append(asyncio.create_task(self.keeper.run()))

    async def close(self) -> None:
        """Finish takes first, then let go of everything."""
        self._closing = True
        try:
            self.transport.end_take()
            await self.transport.settle()
        except Exception:
            log.exception("the last take could not be closed; recovery will do it")
        for task in self._tasks:
            task.cancel()
        self.queue.close()
        await self.keeper.close()
        await self.server.close()

    def alive(self) -> bool:
        """Whether audio moves, or none is expected: what the watchdog wants to know."""
        capture = self.keeper.capture
        return capture is None or capture.moving

    def status_line(self) -> str:
        """One line for the service manager."""
        topic = self.board.get(topics.TransportTopic)
        return f"{topic.state}" + (f", take {topic.take}" if topic.take is not None else "")

    async def _recover(self) -> None:
        found = await asyncio.to_thread(recover, self.library)
        for one in found:
            self.board.notify("warning", one.message)
        if not found or not self._resume:
            return
        last = max(found, key=lambda one: one.written_s)
        if not _may_go_on(last):
            return
        self.shelf.open(self.library.session(last.take.session))
        take, clip = self.library.resume_take(last.take.session, last.take.number)
        self.keeper.bind(take.rate_hz, take.sample_format)
        self.transport.resume(take, clip, time.time() - last.written_s)

    def _open_latest(self) -> Session | None:
        sessions = self.library.sessions()
        return self.shelf.open(sessions[0]) if sessions else None

    # ------------------------------------------------------------ what happens by the clock

    async def _meters(self) -> None:
        if any(connection.wants_meters for connection in self.server.connections):
            meters = self.transport.meters()
            if meters is not None:
                self.board.put(meters)
                await self.auto_recorder.hear(meters.peak_dbfs)
        elif self.keeper.capture is not None:
            # The first reading of a new client must not hold an old peak.
            await self.auto_recorder.hear(self.keeper.capture.meters.read().peak_dbfs)

    async def _guard(self) -> None:
        self.transport.apply_monitoring()
        self.transport.guard_disk()

    async def _tick(self) -> None:
        self.transport.publish()
        self.queue.tend()
        await self.care.tick(recording=self.transport.busy)
        busy = bool(self.server.connections - self.queue.workers) or self.transport.busy or self.queue.busy
        if busy:
            self.idle_since_s = None
        elif self.idle_since_s is None:
            self.idle_since_s = time.monotonic()

    async def _box(self) -> None:
        reading = await asyncio.to_thread(health.read_health, self.library.root)
        self.board.put(
            topics.BoxTopic(
                **_fields(reading, topics.BoxTopic),
                version=VERSION,
                system=self._system,
                models=self._models,
            )
        )

    async def _drives(self) -> None:
        mounts = await asyncio.to_thread(Path("/proc/self/mountinfo").read_bytes)
        if mounts != self._mounts:
            self._mounts = mounts
            await self._look_for_drives()

    async def _look_for_drives(self) -> list[topics.Drive]:
        found = await asyncio.to_thread(drives.list_drives)
        listed = [topics.Drive(**_fields(drive, topics.Drive)) for drive in found]
        self.board.put(topics.DrivesTopic(drives=tuple(listed)))
        return listed

    # ------------------------------------------------------------ requests

    def _handlers(self) -> dict[type[Any], Handler]:
        return {
            requests.GetStatus: self._now(lambda _: self._status()),
            requests.ListSessions: self._threaded(lambda _: self.shelf.summaries()),
            requests.ListUnreadable: self._threaded(lambda _: self.shelf.unreadable()),
            requests.ListTakes: self._threaded(lambda r: self.library.takes(self.shelf.of(r.session).id)),
            requests.ListBounces: self._threaded(lambda r: self.library.bounces(self.shelf.of(r.session).id)),
            requests.GetPlan: self._now(self._get_plan),
            requests.ListDrives: self._list_drives,
            requests.CreateSession: self._ordered(self._create_session),
            requests.OpenSession: self._ordered(self._open_session),
            requests.EditSession: self._ordered(self._edit_session),
            requests.TrashSession: self._ordered(self._trash_session),
            requests.EditTrack: self._ordered(self._edit_track),
            requests.ArmAll: self._ordered(self._arm_all),
            requests.Record: self._ordered(self.transport.record),
            requests.Stop: self._stop,
            requests.FalseTake: self._ordered(lambda _: self.transport.false_take()),
            requests.Mark: self._ordered(self.transport.mark),
            requests.KeepLast: self._ordered(self.transport.keep_last),
            requests.EditTake: self._ordered(self._edit_take),
            requests.EditMarker: self._ordered(self._edit_marker),
            requests.SetComp: self._ordered(self.shelf.set_comp),
            requests.SetAlbum: self._ordered(self.shelf.set_album),
            requests.StepAlbum: self._ordered(self.shelf.step_album),
            requests.StepComp: self._ordered(self.shelf.step_comp),
            requests.GetOverview: self._get_overview,
            requests.TrashTake: self._ordered(self._trash_take),
            requests.ListTrash: self._threaded(lambda _: self.library.trash_entries()),
            requests.Restore: self._ordered(self._restore),
            requests.EmptyTrash: self._threaded(lambda _: self.library.empty_trash()),
            requests.Play: self._ordered(self.transport.play),
            requests.Seek: self._ordered(self.transport.seek),
            requests.SetPlanValue: self._ordered(self.plans.set_plan_value),
            requests.StepPlan: self._ordered(self.plans.step_plan),
            requests.SetPriority: self._ordered(self.plans.set_priority),
            requests.KeepPlan: self._ordered(self.plans.keep_plan),
            requests.ReplacePlan: self._ordered(self.plans.replace_plan),
            requests.StartJob: self._now(self._start_job),
            requests.CancelJob: self._now(lambda r: self.queue.cancel(r.job)),
            requests.TakeJob: self._take_job,
            requests.JobProgress: self._now(self.queue.progress),
            requests.FinishJob: self._finish_job,
            requests.SelectDevice: self._ordered(self.choices.select_device),
            requests.MeasureLatency: self._ordered(self.choices.measure_latency),
            requests.EditSettings: self._ordered(self.choices.edit_settings),
            requests.DescribeSettings: self._now(lambda _: explained()),
            requests.ReportControls: self.controls.report,
            requests.ReportHeard: self._now(self.controls.heard),
            requests.ListenToControls: self.controls.listen,
            requests.TeachControl: self._ordered(self.controls.teach),
            requests.ClearClips: self._now(lambda _: self._clear_clips()),
            requests.Shutdown: self._now(lambda _: self._end_soon()),
            requests.PowerOff: self._ordered(self._power_off),
        }

    def _now(self, answer: Callable[[Any], Any]) -> Handler:
        async def handle(request: Any, _: Connection) -> Any:
            return answer(request)

        return handle

    def _threaded(self, answer: Callable[[Any], Any]) -> Handler:
        async def handle(request: Any, _: Connection) -> Any:
            return await asyncio.to_thread(answer, request)

        return handle

    def _ordered(self, answer: Callable[[Any], Awaitable[Any]]) -> Handler:
        """Requests that change something are done one after the other, in the order they came."""

        async def handle(request: Any, _: Connection) -> Any:
            async with self._in_order:
                if self._closing:
                    raise OtoError("busy", "The engine is ending; all takes are being closed.", "Start it again.")
                return await answer(request)

        return handle

    async def _list_drives(self, _: requests.ListDrives, __: Connection) -> list[topics.Drive]:
        return await self._look_for_drives()

    async def _stop(self, _: requests.Stop, __: Connection) -> int | None:
        """In order with other requests, but the wait for the disk holds up nobody else."""
        async with self._in_order:
            recording = self.transport.end_take()
        if recording is None:
            return None
        await self.transport.settle(recording.take.session, recording.take.number)
        return recording.take.number

    def _status(self) -> topics.Status:
        self.transport.publish()
        get = self.board.get
        return topics.Status(
            transport=get(topics.TransportTopic),
            device=get(topics.DeviceTopic),
            session=get(topics.SessionTopic),
            takes=get(topics.TakesTopic),
            bounces=get(topics.BouncesTopic),
            jobs=get(topics.JobsTopic),
            drives=get(topics.DrivesTopic),
            box=get(topics.BoxTopic),
            settings=get(topics.SettingsTopic),
            notices=get(topics.NoticesTopic),
            version=VERSION,
            pid=self.server.pid,
            plans=get(topics.PlansTopic),
            comp=get(topics.CompTopic),
        )

    async def _create_session(self, request: requests.CreateSession) -> Session:
        self.transport.refuse_while_recording("A new session")
        session = await self.shelf.create(
            request, self.keeper, self.preferences.now().rate_hz, self.preferences.now().sample_format
        )
        return await self._opened(session)

    async def _open_session(self, request: requests.OpenSession) -> Session:
        self.transport.refuse_while_recording("Opening a session")
        return await self._opened(self.shelf.open(self.library.session(request.session)))

    async def _opened(self, session: Session) -> Session:
        await self.transport.stop()
        await self.keeper.fit(session.rate_hz, session.sample_format)
        return session

    async def _edit_session(self, request: requests.EditSession) -> Session:
        if request.sample_format is not None:
            self.transport.refuse_while_recording("Changing the format")
        session = await self.shelf.edit_session(request)
        if session is self.shelf.session:
            await self.keeper.fit(session.rate_hz, session.sample_format)
        return session

    async def _trash_session(self, request: requests.TrashSession) -> None:
        session = self.library.session(request.session)
        current = self.shelf.session
        if current is not None and current.id == session.id:
            self.transport.refuse_while_recording("Moving this session to the trash")
            await self.transport.stop()
        await asyncio.to_thread(self.library.trash_session, session.id)
        if current is not None and current.id == session.id:
            self.shelf.close()
            latest = self._open_latest()
            if latest is not None:
                await self.keeper.fit(latest.rate_hz, latest.sample_format)
            else:
                self.keeper.unbind()
                await self.keeper.reopen()

    async def _edit_track(self, request: requests.EditTrack) -> Session:
        if request.armed is not None or request.input is not None:
            self.transport.refuse_while_recording("Arming and patching")
        return await self.shelf.edit_track(request)

    async def _arm_all(self, request: requests.ArmAll) -> Session:
        self.transport.refuse_while_recording("Arming")
        return await self.shelf.arm_all(request.armed)

    async def _trash_take(self, request: requests.TrashTake) -> None:
        session = self.shelf.of(request.session)
        recording = self.transport.recording
        counts = request.false_number == 0
        if counts and recording is not None and (recording.session, recording.number) == (session.id, request.take):
            raise OtoError("busy", f"Take {request.take} is being recorded.", "Stop it first.")
        await self.transport.settle(session.id, request.take)
        await asyncio.to_thread(self.library.trash_take, session.id, request.take, request.false_number)
        await self.shelf.read_takes()

    async def _restore(self, request: requests.Restore) -> str:
        path = await asyncio.to_thread(self.library.restore_by_id, request.entry)
        await self.shelf.read_takes()
        return str(path)

    async def _edit_take(self, request: requests.EditTake) -> Take:
        await self.transport.settle(self.shelf.of(request.session).id, request.take)
        return await self.shelf.edit_take(request)

    async def _edit_marker(self, request: requests.EditMarker) -> Take:
        await self.transport.settle(self.shelf.of(request.session).id, request.take)
        return await self.shelf.edit_marker(request)

    async def _get_overview(self, request: requests.GetOverview, _: Connection) -> Overview | None:
        """From the disk, or made by a worker first."""
        overview = await asyncio.to_thread(self.shelf.overview, request)
        if overview is not None:
            return overview
        session = self.shelf.of(request.session).id
        options: dict[str, Any] = {"false_number": request.false_number}
        if request.bounce is not None:
            options = {"bounce": request.bounce}
        job = requests.StartJob(kind="overview", take=request.take, options=options)
        before = self.queue.like(job, session)
        if before is None or before.state == "cancelled":
            self.queue.add(job, session, request.take)
        elif before.problem is not None:
            raise OtoError(before.problem.code, before.problem.message, before.problem.hint)
        return None

    def _get_plan(self, request: requests.GetPlan) -> topics.Plan:
        session = self.shelf.of(request.session)
        if request.kept is not None:
            return self.plans.kept_plan(session.id, request.take, request.kept)
        return self.plans.plan(session.id, request.kind, request.take)

    def _start_job(self, request: requests.StartJob) -> topics.Job:
        if request.kind in ("backup", "restore", "autoexport", "taste"):
            return self.queue.add(request, "", None)
        session = self.shelf.of(request.session)
        take = request.take
        if request.kind == "comp" and request.options.get("comp") is None:
            # What is heard now is what is made, whatever becomes of it until a worker is free.
            comp = msgspec.json.encode(self.library.load_comp(session.id)).decode()
            request = msgspec.structs.replace(request, options={**request.options, "comp": comp})
        if take is None and request.kind not in ("export", "overview", "comp", "hash"):
            good = [one for one in self.library.takes(session.id) if not one.false_take and one.status != "recording"]
            if not good:
                raise OtoError("not_found", f"'{session.name}' has no finished take.", "Record one first.")
            take = good[-1].number
        return self.queue.add(request, session.id, take)

    async def _take_job(self, _: requests.TakeJob, connection: Connection) -> topics.Job | None:
        return self.queue.take(connection)

    async def _finish_job(self, request: requests.FinishJob, _: Connection) -> None:
        job = self.queue.finish(request)
        self.care.job_ended(job)
        self.shelf.show_bounces()
        self.shelf.show_plans()
        if job.kind == "comp":
            async with self._in_order:
                await self.shelf.read_takes()

    def _clear_clips(self) -> None:
        if self.keeper.capture is not None:
            self.keeper.capture.meters.clear()

    async def _power_off(self, _: requests.PowerOff) -> None:
        self.transport.refuse_while_recording("Switching off")
        if self.transport.busy or self.queue.busy:
            raise OtoError(
                "busy", "Switching off has to wait: work is in progress.", "Cancel it with C, or wait until it is done."
            )
        await power_off()

    def _end_soon(self) -> None:
        # Not at once: the answer has to reach whoever asked.
        asyncio.get_running_loop().call_later(0.1, self.ended.set)


def _may_go_on(found: Recovered) -> bool:
    """Whether a take is one that a crash interrupted a moment ago, and not something older or finished."""
    boot_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    lost_s = time.time() - found.written_s
    take = found.take
    unfinished = bool(take.clips) and not found.ended and take.origin == "recorded" and take.overdub_of is None
    return unfinished and found.written_s > boot_s and 0.0 <= lost_s < RESUME_WITHIN_S


def _fields(value: object, kind: type[Any]) -> dict[str, Any]:
    """The attributes of `value` that a message of `kind` has too."""
    return {name: getattr(value, name) for name in kind.__struct_fields__ if hasattr(value, name)}


async def _repeat(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    """Do something again and again; one failure is logged and does not end it."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s failed", work)
        await asyncio.sleep(every_s)
