"""Everything a screen shows, as one value: the latest of each topic, and what this studio itself has to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from core.network import Network
from core.protocol.topics import (
    Bounce,
    BouncesTopic,
    BoxTopic,
    CompTopic,
    ControlsTopic,
    DeviceTopic,
    DrivesTopic,
    Job,
    JobsTopic,
    Meters,
    Notice,
    NoticesTopic,
    PlansTopic,
    SessionTopic,
    SettingsTopic,
    Take,
    TakesTopic,
    Topic,
    Track,
    TransportTopic,
)

Link = Literal["connecting", "up", "lost"]

QUIET: Final = ("overview", "hash", "taste")
"""Kinds of work that nobody on a screen asked for."""


class Said(msgspec.Struct, frozen=True):
    """A line for the person at this terminal: why a key did nothing, what the engine refused, what was done."""

    level: Literal["info", "warning", "error"]
    message: str
    hint: str = ""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """What is known now. Screens are functions of it."""

    link: Link = "connecting"
    transport: TransportTopic = TransportTopic()
    device: DeviceTopic = DeviceTopic()
    session: SessionTopic = SessionTopic()
    takes: TakesTopic = TakesTopic()
    comp: CompTopic = CompTopic()
    bounces: BouncesTopic = BouncesTopic()
    plans: PlansTopic = PlansTopic()
    jobs: JobsTopic = JobsTopic()
    drives: DrivesTopic = DrivesTopic()
    box: BoxTopic = BoxTopic()
    network: Network = Network()
    """What this studio itself has seen of it; the engine may see none."""
    settings: SettingsTopic = SettingsTopic()
    controls: ControlsTopic = ControlsTopic()
    notices: NoticesTopic = NoticesTopic()
    meters: Meters | None = None
    """None until an interface delivers."""
    said: Said | None = None
    """Until Esc, or until the engine has something newer."""
    guide: int | None = None
    """Which step of the guided first recording is shown; None when nobody is guided."""
    keys: Mapping[str, tuple[str, ...]] = {}
    """Keys by action, where a person has given an action others than it came with."""
    notices_read: int = 0
    """Number of the last notice that was dismissed."""

    def with_topic(self, topic: Topic) -> Picture:
        """The picture with one topic's new value."""
        picture = msgspec.structs.replace(self, **{_FIELD_OF[type(topic)]: topic})
        if isinstance(topic, DeviceTopic) and topic.current is None:
            return msgspec.structs.replace(picture, meters=None)
        if isinstance(topic, NoticesTopic) and _last_number(topic) < self.notices_read:
            return msgspec.structs.replace(picture, notices_read=0)  # another engine, which counts anew
        if isinstance(topic, NoticesTopic) and _last_number(topic) > _last_number(self.notices):
            return msgspec.structs.replace(picture, said=None)
        return picture

    def saying(self, said: Said | None) -> Picture:
        """The picture with a line of this studio's own, or without one."""
        return msgspec.structs.replace(self, said=said)

    def linked(self, link: Link) -> Picture:
        """The picture with the link in another state. What was known stays on screen while the engine is away.

        What was said while it was away was about that, and is over when it is back.
        """
        back = self.link == "lost" and link == "up"
        return msgspec.structs.replace(self, link=link, said=None if back else self.said)

    def dismissed(self) -> Picture:
        """The picture with nothing left to say."""
        return msgspec.structs.replace(self, said=None, notices_read=_last_number(self.notices))

    @property
    def recording(self) -> bool:
        """A take is running, or about to after its count-in."""
        return self.transport.state in ("recording", "counting_in")

    @property
    def playing(self) -> bool:
        """A take or a bounce is heard."""
        return self.transport.state == "playing"

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Tracks of the open session."""
        return self.session.session.tracks if self.session.session else ()

    @property
    def position_s(self) -> float:
        """Where the tape is."""
        if self.meters is not None and (self.recording or self.playing):
            return self.meters.position_s
        return self.transport.position_s

    @property
    def remaining_s(self) -> float | None:
        """How long the disk lasts."""
        if self.meters is not None and self.meters.remaining_s is not None:
            return self.meters.remaining_s
        return self.transport.remaining_s

    @property
    def preroll_filled_s(self) -> float:
        """How much of the pre-roll there is already."""
        return self.meters.preroll_filled_s if self.meters is not None else self.transport.preroll_filled_s

    @property
    def finished_takes(self) -> tuple[Take, ...]:
        """Takes that can be mixed, oldest first."""
        return tuple(take for take in self.takes.takes if take.status != "recording" and not take.false_take)

    @property
    def songs(self) -> tuple[Bounce, ...]:
        """Mixes and masters, newest first."""
        return tuple(bounce for bounce in self.bounces.bounces if bounce.kind != "motif")

    @property
    def running_jobs(self) -> tuple[Job, ...]:
        """Work in progress that somebody asked for, oldest first: what runs, then what waits."""
        open_jobs = [job for job in self.jobs.jobs if job.state in ("running", "queued") and job.kind not in QUIET]
        return tuple(sorted(open_jobs, key=lambda job: (job.state != "running", job.created_utc)))

    @property
    def overview_is_made(self) -> bool:
        """Whether a worker looks at a take or a bounce, or will."""
        return any(job.kind == "overview" and job.state in ("running", "queued") for job in self.jobs.jobs)

    @property
    def notice(self) -> Notice | None:
        """The engine's newest notice, until it is dismissed."""
        last = self.notices.notices[-1] if self.notices.notices else None
        return last if last is not None and last.number > self.notices_read else None


_FIELD_OF: Final[dict[type, str]] = {
    TransportTopic: "transport",
    DeviceTopic: "device",
    SessionTopic: "session",
    TakesTopic: "takes",
    CompTopic: "comp",
    BouncesTopic: "bounces",
    PlansTopic: "plans",
    JobsTopic: "jobs",
    DrivesTopic: "drives",
    BoxTopic: "box",
    SettingsTopic: "settings",
    ControlsTopic: "controls",
    NoticesTopic: "notices",
    Meters: "meters",
}


def _last_number(topic: NoticesTopic) -> int:
    return topic.notices[-1].number if topic.notices else 0
