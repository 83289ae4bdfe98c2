"""What a client may ask of the engine."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from core.protocol import PROTOCOL
from core.protocol.topics import (
    AlbumSong,
    CompPart,
    ControlAction,
    ControlInfo,
    JobKind,
    Message,
    Plan,
    PlanLetter,
    Priority,
    Problem,
    SampleFormat,
)


class _Request(Message, tag_field="do", frozen=True, kw_only=True):
    """Something a client asks for. The docstring of each says what its reply's `value` is."""


class Attach(_Request, tag="attach", frozen=True, kw_only=True):
    """First request of a client: which topics it wants. Replies with nothing; the topics follow at once."""

    client: str
    """What it is, for the log: "tui", "cli", "worker"."""
    protocol: int = PROTOCOL
    meters: bool = False
    topics: tuple[str, ...] | None = None
    """None wants all; () wants none."""


class GetStatus(_Request, tag="status", frozen=True, kw_only=True):
    """Replies with `Status`: every topic at once."""


class ListSessions(_Request, tag="sessions", frozen=True, kw_only=True):
    """Replies with a list of `SessionSummary`, newest first."""


class ListUnreadable(_Request, tag="sessions.unreadable", frozen=True, kw_only=True):
    """Replies with a list of `UnreadableSession`, by id: those that hold takes and that `ListSessions` leaves out."""


class CreateSession(_Request, tag="session.create", frozen=True, kw_only=True):
    """Makes a session, with a track per input of the present interface, and opens it. Replies with `Session`."""

    name: str = ""
    """Empty gives it the date."""


class OpenSession(_Request, tag="session.open", frozen=True, kw_only=True):
    """Replies with `Session`. Refused ("busy") while recording."""

    session: str
    """Id or name."""


class EditSession(_Request, tag="session.edit", frozen=True, kw_only=True):
    """Changes what is not None. Replies with `Session`."""

    session: str | None = None
    """None is the open one."""
    name: str | None = None
    notes: str | None = None
    sample_format: SampleFormat | None = None


class TrashSession(_Request, tag="session.trash", frozen=True, kw_only=True):
    """Moves a session to the trash. Replies with nothing."""

    session: str


class EditTrack(_Request, tag="track.edit", frozen=True, kw_only=True):
    """Changes what is not None. Arming is refused ("busy") while recording; naming is not. Replies with `Session`."""

    track: str
    name: str | None = None
    role: str | None = None
    """"" clears it."""
    armed: bool | None = None
    input: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None


class ArmAll(_Request, tag="track.arm_all", frozen=True, kw_only=True):
    """Arms or disarms every track. Replies with `Session`."""

    armed: bool


class Record(_Request, tag="record", frozen=True, kw_only=True):
    """Starts a take, or, while recording, the next one without a gap. Replies with the take's number."""

    name: str = ""
    preroll_s: float | None = None
    """None uses the setting."""
    overdub_of: int | None = None
    """Plays this take while recording."""
    count_in_bars: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    seconds: Annotated[float, msgspec.Meta(gt=0.0)] | None = None
    """Stops by itself after this long (not counting the pre-roll), to the sample."""


class Stop(_Request, tag="stop", frozen=True, kw_only=True):
    """Stops recording or playback. Replies with the finished take's number, or nothing."""


class FalseTake(_Request, tag="false_take", frozen=True, kw_only=True):
    """Marks the take being recorded (which stops) or the last one as false: kept, its number free again."""


class Mark(_Request, tag="mark", frozen=True, kw_only=True):
    """Sets a marker now in the take being recorded or played. Replies with `Marker`."""

    name: str = ""


class KeepLast(_Request, tag="keep_last", frozen=True, kw_only=True):
    """Makes a take out of the last seconds that were heard but not recorded. Replies with the take's number."""

    seconds: Annotated[float, msgspec.Meta(gt=0.0)]


class ListTakes(_Request, tag="takes", frozen=True, kw_only=True):
    """Replies with a list of `Take`."""

    session: str | None = None
    """None is the open one."""


class EditTake(_Request, tag="take.edit", frozen=True, kw_only=True):
    """Changes what is not None. Replies with `Take`."""

    take: int
    false_number: int = 0
    """Which false take of this number is meant; 0 is the one that counts."""
    session: str | None = None
    name: str | None = None
    notes: str | None = None
    starred: bool | None = None
    false_take: bool | None = None
    """True sets it aside; False lets a false take count again, with the next number if its own is taken."""


class EditMarker(_Request, tag="marker.edit", frozen=True, kw_only=True):
    """Names a marker of a finished take anew, or takes it away. Replies with `Take`."""

    take: int
    false_number: int = 0
    session: str | None = None
    at_samples: int
    """Which marker: the first one there."""
    name: str | None
    """None takes it away."""
    again: bool = False
    """Set it where there is none any more, instead of refusing."""


class SetComp(_Request, tag="comp.set", frozen=True, kw_only=True):
    """Lays the comp of the open session anew, out of stretches of its takes; () begins from nothing.

    It is kept until another is laid, and undone step by step. Replies with `Comp`; a job of kind "comp" makes a take of
    it.
    """

    parts: tuple[CompPart, ...]
    fade_ms: float = 15.0


class SetAlbum(_Request, tag="album.set", frozen=True, kw_only=True):
    """Puts mixes of the open session in order for an album; a job of kind "album" masters them. Replies with nothing.

    Refused ("not_found") with a bounce that is not there, ("bad_input") with one that is no mix.
    """

    songs: tuple[AlbumSong, ...]


class StepAlbum(_Request, tag="album.step", frozen=True, kw_only=True):
    """Undoes the last change of the open session's album, or redoes one. Replies with `Album`; nothing when there is no
    such step.
    """

    redo: bool = False


class StepComp(_Request, tag="comp.step", frozen=True, kw_only=True):
    """Undoes the last change of the comp, or redoes one. Replies with `Comp`; nothing when there is no such step."""

    redo: bool = False


class GetOverview(_Request, tag="overview", frozen=True, kw_only=True):
    """Replies with the `Overview` of a finished take or a bounce, or with nothing while a worker is making it.

    The jobs topic shows the work, of kind "overview"; ask again when it is gone from there.
    """

    take: int | None = None
    false_number: int = 0
    bounce: str | None = None
    session: str | None = None


class TrashTake(_Request, tag="take.trash", frozen=True, kw_only=True):
    """Moves a take to the trash. Replies with nothing."""

    take: int
    false_number: int = 0
    session: str | None = None


class ListTrash(_Request, tag="trash", frozen=True, kw_only=True):
    """Replies with a list of `TrashEntry`, newest first."""


class Restore(_Request, tag="trash.restore", frozen=True, kw_only=True):
    """Puts something back out of the trash. Replies with where it is now."""

    entry: str
    """Its id."""


class EmptyTrash(_Request, tag="trash.empty", frozen=True, kw_only=True):
    """Deletes what is in the trash for good. Replies with the bytes that were freed."""


class Play(_Request, tag="play", frozen=True, kw_only=True):
    """Plays a take, a bounce, or the comp that is being put together, of the open session. Replies with nothing.

    While playing, a second Play of the same length keeps the position when `at_s` is None: that is how A/B works.
    """

    take: int | None = None
    false_number: int = 0
    bounce: str | None = None
    comp: bool = False
    stems: tuple[str, ...] = ()
    """Of a bounce that was rendered with stems: play the sum of these instead of the mix. Returns count as stems."""
    at_s: float | None = None
    loop: tuple[float, float] | None = None
    gain_db: float = 0.0


class Seek(_Request, tag="seek", frozen=True, kw_only=True):
    """Moves the playback position."""

    at_s: float


class ListBounces(_Request, tag="bounces", frozen=True, kw_only=True):
    """Replies with a list of `Bounce`, newest first."""

    session: str | None = None


class GetPlan(_Request, tag="plan.get", frozen=True, kw_only=True):
    """Replies with the `MixPlan` or `MasterPlan` that a take has now; "not_found" when none was proposed."""

    kind: Literal["mix", "master"]
    take: int
    session: str | None = None
    kept: PlanLetter | None = None
    """The mix plan kept under this letter instead."""


class KeepPlan(_Request, tag="plan.keep", frozen=True, kw_only=True):
    """Keeps the mix plan that a take has now under a letter, in place of what had it. Replies with `KeptPlan`."""

    take: int
    letter: PlanLetter
    session: str | None = None


class SetPlanValue(_Request, tag="plan.set", frozen=True, kw_only=True):
    """A person changes one setting. Replies with the new plan."""

    kind: Literal["mix", "master"]
    take: int
    strip: str | None = None
    """Track name, bus name, or None for the master strip."""
    name: str
    """Parameter."""
    value: float | bool | str | None = None
    """None takes the setting out of the plan: neutral again."""
    locked: bool | None = None
    session: str | None = None


class StepPlan(_Request, tag="plan.step", frozen=True, kw_only=True):
    """Undoes the last change of a plan, or redoes one. Replies with the plan; nothing when there is no such step."""

    kind: Literal["mix", "master"]
    take: int
    redo: bool = False
    session: str | None = None


class SetPriority(_Request, tag="plan.priority", frozen=True, kw_only=True):
    """A person says how much a track matters; heeded when OTO proposes again. Replies with the new `MixPlan`."""

    take: int
    strip: str
    """Track name."""
    priority: Priority
    session: str | None = None


class ReplacePlan(_Request, tag="plan.replace", frozen=True, kw_only=True):
    """Puts a whole plan in place (undo, import). Replies with nothing."""

    take: int
    plan: Plan
    session: str | None = None


class StartJob(_Request, tag="job.start", frozen=True, kw_only=True):
    """Queues work for a worker. Replies with `Job`."""

    kind: JobKind
    session: str | None = None
    """None is the open one."""
    take: int | None = None
    """None is the newest take that is not false."""
    options: dict[str, str | float | bool | list[str] | None] = msgspec.field(default_factory=dict)
    """mix: propose, stems, style, hands, lead, background, kept, engineer; master: target, reference, bounce; album:
    target, style; export:
    to, formats, bounces; overview: bounce, or false_number of the take; comp: comp (a `Comp` as JSON; without it the
    one that is being put together), name; motif: part, bars, density, mood, seed, key, bpm, at_s."""


class CancelJob(_Request, tag="job.cancel", frozen=True, kw_only=True):
    """Replies with `Job`."""

    job: str


class TakeJob(_Request, tag="job.take", frozen=True, kw_only=True):
    """A worker asks for work. Replies with `Job` or nothing; the jobs topic says when to ask again."""


class JobProgress(_Request, tag="job.progress", frozen=True, kw_only=True):
    """A worker says how far it is. Replies with whether to go on (false: it was cancelled)."""

    job: str
    fraction: float
    doing: str = ""


class FinishJob(_Request, tag="job.finish", frozen=True, kw_only=True):
    """A worker is done, well (error None) or not."""

    job: str
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Problem | None = None


class ListDrives(_Request, tag="drives", frozen=True, kw_only=True):
    """Looks again and replies with a list of `Drive`."""


class SelectDevice(_Request, tag="device.select", frozen=True, kw_only=True):
    """Chooses the interface and remembers it. Refused ("busy") while recording. Replies with `DeviceTopic`."""

    device: str
    """Identity, or a part of the name that only one interface has; "sim" is the simulated band."""
    rate_hz: int | None = None


class MeasureLatency(_Request, tag="device.measure_latency", frozen=True, kw_only=True):
    """Plays a click out of one output into one input (a cable between) and replies with the round trip in samples."""

    output: int = 1
    input: int = 1


class EditSettings(_Request, tag="settings.edit", frozen=True, kw_only=True):
    """Changes what is named; replies with all of them."""

    changes: dict[str, str | float | bool | None]


class DescribeSettings(_Request, tag="settings.describe", frozen=True, kw_only=True):
    """Replies with a list of `SettingInfo`."""


class ReportControls(_Request, tag="controls.report", frozen=True, kw_only=True):
    """The process that reads controls says which are plugged in. They are gone when it is."""

    present: tuple[ControlInfo, ...]


class ReportHeard(_Request, tag="controls.heard", frozen=True, kw_only=True):
    """The process that reads controls heard one while somebody listens."""

    device: str
    control: str


class ListenToControls(_Request, tag="controls.listen", frozen=True, kw_only=True):
    """Lets presses be reported in the controls topic instead of doing something, until it is off or the client gone.

    Replies with `ControlsTopic`.
    """

    on: bool
    device: str | None = None
    """This one, which may be a keyboard; None is all that are none."""


class TeachControl(_Request, tag="controls.teach", frozen=True, kw_only=True):
    """Says what a control does from now on. Replies with `ControlsTopic`."""

    device: str
    control: str
    action: ControlAction | None
    """None forgets it."""


class ClearClips(_Request, tag="meters.clear", frozen=True, kw_only=True):
    """Resets clip counts and peak holds."""


class Shutdown(_Request, tag="shutdown", frozen=True, kw_only=True):
    """Finishes takes, then ends the engine."""


class PowerOff(_Request, tag="power_off", frozen=True, kw_only=True):
    """Switches the box off. Refused ("busy") while recording or working, ("refused") on anything but a box."""


Request = (
    Attach
    | GetStatus
    | ListSessions
    | ListUnreadable
    | CreateSession
    | OpenSession
    | EditSession
    | TrashSession
    | EditTrack
    | ArmAll
    | Record
    | Stop
    | FalseTake
    | Mark
    | KeepLast
    | ListTakes
    | EditTake
    | EditMarker
    | SetAlbum
    | SetComp
    | StepAlbum
    | StepComp
    | GetOverview
    | TrashTake
    | ListTrash
    | Restore
    | EmptyTrash
    | Play
    | Seek
    | ListBounces
    | GetPlan
    | KeepPlan
    | SetPlanValue
    | StepPlan
    | SetPriority
    | ReplacePlan
    | StartJob
    | CancelJob
    | TakeJob
    | JobProgress
    | FinishJob
    | ListDrives
    | SelectDevice
    | MeasureLatency
    | EditSettings
    | DescribeSettings
    | ReportControls
    | ReportHeard
    | ListenToControls
    | TeachControl
    | ClearClips
    | Shutdown
    | PowerOff
)
