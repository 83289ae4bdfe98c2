"""What the engine tells: the topics of its state, and what they and its replies are made of.

The library's and the plans' own words travel as they are; clients find them here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.plans.document import Plan as Plan
from core.plans.document import Priority as Priority
from sessions.model import Album as Album
from sessions.model import AlbumSong as AlbumSong
from sessions.model import Bounce as Bounce
from sessions.model import Comp as Comp
from sessions.model import CompPart as CompPart
from sessions.model import DeliveryCheck as DeliveryCheck
from sessions.model import ExportRecord as ExportRecord
from sessions.model import Losses as Losses
from sessions.model import Marker as Marker
from sessions.model import Overview as Overview
from sessions.model import SampleFormat as SampleFormat
from sessions.model import Session as Session
from sessions.model import Take as Take
from sessions.model import Track as Track
from sessions.model import TrashEntry as TrashEntry


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything on the wire."""


class Problem(Message, frozen=True, kw_only=True):
    """An error as people and scripts see it."""

    code: str
    message: str
    hint: str = ""


State = Literal["no_device", "idle", "counting_in", "recording", "playing"]


class TransportTopic(Message, tag_field="topic", tag="transport", frozen=True, kw_only=True):
    """What the tape does. Positions move on their own; a client extrapolates from `position_s` and its own clock."""

    state: State = "no_device"
    take: int | None = None
    """Being recorded or played."""
    false_number: int = 0
    bounce: str | None = None
    comp: bool = False
    """Whether it is the comp that is being put together."""
    stems: tuple[str, ...] = ()
    """Which stems of the bounce are heard; () is the mix itself."""
    position_s: float = 0.0
    length_s: float | None = None
    """Of what plays; None while recording."""
    remaining_s: float | None = None
    """How long the disk lasts at this rate and number of armed tracks, short of the reserve."""
    preroll_s: float = 0.0
    preroll_filled_s: float = 0.0
    loop: tuple[float, float] | None = None
    overdub_of: int | None = None
    losses: Losses = Losses()
    """Of the take being recorded, or of the last one."""
    mirror: Literal["off", "ok", "failed"] = "off"


class DeviceInfo(Message, frozen=True, kw_only=True):
    """An audio interface that is plugged in."""

    id: str
    """Identity that survives re-plugging: USB id and port where there is one, else host API and name."""
    name: str
    """Made safe to show."""
    host_api: str
    inputs: int
    outputs: int
    default_rate_hz: int
    rates_hz: tuple[int, ...] = ()
    channel_names: tuple[str, ...] = ()
    """What the interface calls its inputs, where it says so."""


class DeviceTopic(Message, tag_field="topic", tag="device", frozen=True, kw_only=True):
    """The interface in use and the ones that could be."""

    wanted: str | None = None
    current: DeviceInfo | None = None
    rate_hz: int = 48_000
    problem: Problem | None = None
    available: tuple[DeviceInfo, ...] = ()
    round_trip_samples: int | None = None
    """Measured; None if it never was."""


class SessionTopic(Message, tag_field="topic", tag="session", frozen=True, kw_only=True):
    """The open session."""

    session: Session | None = None
    path: str = ""


class TakesTopic(Message, tag_field="topic", tag="takes", frozen=True, kw_only=True):
    """The takes of the open session, oldest first."""

    takes: tuple[Take, ...] = ()


class CompTopic(Message, tag_field="topic", tag="comp", frozen=True, kw_only=True):
    """The comp that is being put together in the open session; without parts when nobody is at it."""

    comp: Comp = Comp()
    notes: tuple[str, ...] = ()
    """Which tracks are missing where."""
    problem: Problem | None = None
    """Why it can't be played as it is: a take that it needs is gone."""


class BouncesTopic(Message, tag_field="topic", tag="bounces", frozen=True, kw_only=True):
    """The bounces of the open session, newest first, and what was exported."""

    bounces: tuple[Bounce, ...] = ()
    exports: tuple[ExportRecord, ...] = ()
    album: tuple[AlbumSong, ...] = ()
    """Mixes of the open session in the order of an album."""


JobKind = Literal[
    "analyse",
    "mix",
    "master",
    "album",
    "export",
    "overview",
    "comp",
    "backup",
    "restore",
    "hash",
    "autoexport",
    "taste",
    "motif",
]


JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(Message, frozen=True, kw_only=True):
    """A piece of work for a worker."""

    id: str
    kind: JobKind
    session: str
    take: int | None = None
    options: dict[str, str | float | bool | list[str] | None] = {}
    state: JobState = "queued"
    fraction: float = 0.0
    doing: str = ""
    problem: Problem | None = None
    created_utc: str = ""
    attempts: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    left_s: float | None = None
    """How long it will still take by its pace so far; None before that can be told."""


PlanLetter = Literal["A", "B", "C"]


class PlanVersion(Message, frozen=True, kw_only=True):
    """That a plan is there, and a word that changes whenever the plan does."""

    kind: Literal["mix", "master"]
    take: int
    version: str


class KeptPlan(Message, frozen=True, kw_only=True):
    """A mix plan of a take that is kept under a letter. Bounces rendered from it have its version."""

    take: int
    letter: PlanLetter
    version: str


class PlansTopic(Message, tag_field="topic", tag="plans", frozen=True, kw_only=True):
    """The plans of the open session; ask with `GetPlan` for one whose version is new."""

    plans: tuple[PlanVersion, ...] = ()
    kept: tuple[KeptPlan, ...] = ()


class JobsTopic(Message, tag_field="topic", tag="jobs", frozen=True, kw_only=True):
    """Every job that is queued or running, and the last twenty that ended."""

    jobs: tuple[Job, ...] = ()


class Drive(Message, frozen=True, kw_only=True):
    """Somewhere finished music can go."""

    path: str
    label: str
    """Made safe to show."""
    file_system: str
    size_bytes: int
    free_bytes: int
    removable: bool
    writable: bool
    max_file_bytes: int | None = None
    """4 GiB - 1 on FAT."""
    marked: bool = False
    """Finished bounces go there by themselves."""


class DrivesTopic(Message, tag_field="topic", tag="drives", frozen=True, kw_only=True):
    """Drives that are plugged in."""

    drives: tuple[Drive, ...] = ()


class ModelInfo(Message, frozen=True, kw_only=True):
    """A learned model that came with this OTO."""

    name: str
    version: str
    used: bool
    """False where its card keeps it out of use, or where there is nothing that runs it: then rules decide."""


class BoxTopic(Message, tag_field="topic", tag="box", frozen=True, kw_only=True):
    """Health, refreshed every few seconds, and what the box runs."""

    disk_free_bytes: int = 0
    disk_size_bytes: int = 0
    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    temperature_c: float | None = None
    version: str = ""
    system: str = ""
    """Operating system, kernel and Python."""
    models: tuple[ModelInfo, ...] = ()


class SettingsTopic(Message, tag_field="topic", tag="settings", frozen=True, kw_only=True):
    """All settings, by name."""

    values: dict[str, str | float | bool | None] = {}


ControlAction = Literal[
    "record", "stop", "record_or_stop", "next_take", "play", "play_or_stop", "mark", "false_take", "keep"
]
"""What a pedal, button or pad can do."""


class ControlInfo(Message, frozen=True, kw_only=True):
    """Something with keys, pedals or pads that is plugged in."""

    id: str
    """Identity that survives re-plugging."""
    name: str
    """Made safe to show."""
    kind: Literal["keys", "midi"]
    keyboard: bool = False
    """People could type on it. Once learnt, its keys reach OTO alone."""


class Learnt(Message, frozen=True, kw_only=True):
    """What a control was taught to do."""

    device: str
    control: str
    """Which of its keys: "key 48", "note 60 on channel 1"."""
    action: ControlAction


class HeardControl(Message, frozen=True, kw_only=True):
    """A press while somebody listens."""

    number: int
    """Counts up, so that the same press twice is seen twice."""
    device: str
    control: str


class ControlsTopic(Message, tag_field="topic", tag="controls", frozen=True, kw_only=True):
    """Foot switches, buttons and MIDI controllers, and what they were taught."""

    panel: bool = False
    """Whether a process reads them (`oto panel`)."""
    present: tuple[ControlInfo, ...] = ()
    learnt: tuple[Learnt, ...] = ()
    listening: bool = False
    """Presses are reported here and do nothing."""
    listening_to: str | None = None
    """A device, which may be a keyboard; None is all that are none."""
    heard: HeardControl | None = None


class SettingInfo(Message, frozen=True, kw_only=True):
    """What a setting is, for a screen that lets people change it."""

    name: str
    kind: Literal["switch", "number", "choice", "text"]
    explanation: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    whole: bool = False
    """Only whole numbers."""
    choices: tuple[str, ...] = ()
    default: str | float | bool | None = None


class Notice(Message, frozen=True, kw_only=True):
    """Something a person should know: a recovered take, a full disk, a vanished interface."""

    number: int
    """Counts up from 1 within one engine."""
    utc: str
    level: Literal["info", "warning", "error"]
    message: str
    hint: str = ""


class NoticesTopic(Message, tag_field="topic", tag="notices", frozen=True, kw_only=True):
    """The last hundred notices, oldest first."""

    notices: tuple[Notice, ...] = ()


class Meters(Message, tag_field="topic", tag="meters", frozen=True, kw_only=True):
    """Levels of every input of the interface, in dBFS, -120 is silence; also where the tape is."""

    peak_dbfs: tuple[float, ...]
    hold_dbfs: tuple[float, ...]
    rms_dbfs: tuple[float, ...]
    clips: tuple[int, ...]
    """Samples at full scale since they were cleared."""
    position_s: float
    remaining_s: float | None = None
    preroll_filled_s: float = 0.0


Topic = (
    TransportTopic
    | DeviceTopic
    | SessionTopic
    | TakesTopic
    | CompTopic
    | BouncesTopic
    | PlansTopic
    | JobsTopic
    | DrivesTopic
    | BoxTopic
    | SettingsTopic
    | ControlsTopic
    | NoticesTopic
    | Meters
)


class Status(Message, frozen=True, kw_only=True):
    """Every topic at once, for `oto status`."""

    transport: TransportTopic
    device: DeviceTopic
    session: SessionTopic
    takes: TakesTopic
    bounces: BouncesTopic
    jobs: JobsTopic
    drives: DrivesTopic
    box: BoxTopic
    settings: SettingsTopic
    notices: NoticesTopic
    version: str
    pid: int
    plans: PlansTopic = PlansTopic()
    comp: CompTopic = CompTopic()


class SessionSummary(Message, frozen=True, kw_only=True):
    """A line of the session list."""

    id: str
    name: str
    created_utc: str
    takes: int
    tracks: int
    bytes: int
    path: str
    notes: str = ""


class UnreadableSession(Message, frozen=True, kw_only=True):
    """A session whose document can't be read; its audio is there."""

    id: str
    """Its folder's name."""
    message: str
    hint: str
