"""The words of the library as data: what a session, a track, a take and a bounce are on disk.

Every document carries `schema`, the version of its shape; `sessions.migrate` walks old ones forward.
Positions are samples at the session's rate; channels are numbered from 1, as printed on the interface.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SampleFormat = Literal["pcm24", "float32"]
TakeStatus = Literal["recording", "complete", "recovered"]
TakeOrigin = Literal["recorded", "retro", "imported", "comp"]
GapCause = Literal["overflow", "ring_overrun", "disk_error", "device_lost"]
PlanKind = Literal["mix", "master"]
BounceKind = Literal["mix", "master", "motif"]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A value that is written to disk as JSON."""


class Track(Document, frozen=True, kw_only=True):
    """One named thing that is recorded: a microphone, a DI, a pair's left side."""

    id: str
    """Stable within the session ("t1"); never re-used."""
    name: str
    role: str | None = None
    """A role word of `core.plans.roles` that a person set; None lets OTO listen and guess."""
    input: int | None = None
    """Channel of the interface, from 1; None for tracks that were imported."""
    armed: bool = True


class Session(Document, frozen=True, kw_only=True):
    """One rehearsal, gig or song: its patch, its tracks, and (in folders beside it) its takes."""

    schema: int = 1
    id: str
    """The folder's name in the library; unique, safe on any file system."""
    name: str
    created_utc: str
    """ISO 8601."""
    sequence: int = 0
    """Order of creation within the library, so that a box without a clock keeps sessions in order."""
    rate_hz: int = 48_000
    sample_format: SampleFormat = "pcm24"
    device: str | None = None
    """Identity of the interface last used (`devices` decides its form)."""
    tracks: tuple[Track, ...] = ()
    notes: str = ""


class Clip(Document, frozen=True, kw_only=True):
    """One audio file of a take, laid on the take's timeline."""

    track: str
    """Track id."""
    file: str
    """File name within the take's folder."""
    start_samples: int
    """Where its first sample sits on the take's timeline."""
    frames: int


class Marker(Document, frozen=True, kw_only=True):
    """A named position that someone set while recording or later."""

    at_samples: int
    name: str = ""


class Gap(Document, frozen=True, kw_only=True):
    """Audio that was lost, said openly."""

    at_samples: int
    """Where on the take's timeline."""
    frames: int | None
    """How much is missing; None when the driver only said that something is."""
    cause: GapCause


class Losses(Document, frozen=True, kw_only=True):
    """What went wrong while recording, each cause counted apart."""

    overflows: int = 0
    """The interface's driver said it dropped input (a lower bound)."""
    ring_overruns: int = 0
    """The disk fell so far behind that the memory ring lapped it."""
    disk_errors: int = 0
    mirror_errors: int = 0


class TakeTrack(Document, frozen=True, kw_only=True):
    """A track as it was named and patched when the take was recorded."""

    id: str
    name: str
    role: str | None = None
    input: int | None = None


class CompPart(Document, frozen=True, kw_only=True):
    """A stretch of a take, as it goes into a comp. Positions are samples on that take's own timeline."""

    take: int
    false_number: int = 0
    start_samples: int
    end_samples: int
    """Where its first sample is that belongs to the next part."""
    started_utc: str = ""
    """When that take started: finds it again under another number. "" trusts the number."""


class Comp(Document, frozen=True, kw_only=True):
    """How a take is put together out of others: parts one after the other, like pieces of tape."""

    schema: int = 1
    parts: tuple[CompPart, ...] = ()
    fade_ms: float = 15.0
    """How long one part goes over into the next, at equal power."""


class Take(Document, frozen=True, kw_only=True):
    """One pass of a song: a file per armed track and a journal of what happened meanwhile."""

    schema: int = 1
    number: int
    session: str
    """Session id."""
    name: str = ""
    status: TakeStatus
    origin: TakeOrigin = "recorded"
    rate_hz: int
    sample_format: SampleFormat
    started_utc: str
    time_reference_samples: int = 0
    """Samples since local midnight at the take's first sample, as bext wants it."""
    preroll_samples: int = 0
    """How much of the start was captured before REC was pressed."""
    frames: int = 0
    """Length of the timeline; 0 while recording."""
    tracks: tuple[TakeTrack, ...]
    clips: tuple[Clip, ...] = ()
    markers: tuple[Marker, ...] = ()
    gaps: tuple[Gap, ...] = ()
    losses: Losses = Losses()
    overdub_of: int | None = None
    """The take that was playing while this one was recorded; its tracks belong to the same song."""
    false_take: bool = False
    """Kept but out of the way; its number may be used again."""
    false_number: int = 0
    """Tells false takes of one number apart ("003 false 2" is 2); 0 for a take that counts."""
    starred: bool = False
    notes: str = ""
    comp: Comp | None = None
    """For a take of origin "comp": what it was made of, so that it can be changed and made again."""


class Bounce(Document, frozen=True, kw_only=True):
    """Rendered audio with the plan that made it."""

    schema: int = 1
    id: str
    """Folder name under the session's bounces/."""
    kind: BounceKind
    session: str
    take: int
    file: str
    """Stereo WAV within the bounce's folder."""
    plan: str
    """Plan file within the bounce's folder; of a motif, the motif itself."""
    plan_version: str = ""
    """Of a mix: `sessions.planshelf.fingerprint` of the plan that it was rendered from; "" where that is not known."""
    source_bounce: str | None = None
    """For a master: the mix it was made from."""
    stems: dict[str, str] = {}
    """Track name to file within the bounce's folder."""
    returns: dict[str, str] = {}
    """Effect name to file, where there are stems: what it adds to them."""
    beside: tuple[str, ...] = ()
    """Files that go along with every export: of a motif, its MIDI file."""
    created_utc: str
    sequence: int = 0
    """Order of making within the session, so that a box without a clock keeps them in order; given when it is saved."""
    rate_hz: int
    frames: int
    start_samples: int = 0
    """Where its first sample lies on the take's timeline: past 0 where only a span of the take was mixed."""
    integrated_lufs: float | None
    """None when silent."""
    true_peak_dbtp: float | None
    sha256: str
    oto_version: str
    album_track: int = 0
    """For a master that was made as a part of an album: its number there, from 1."""
    target: str = ""
    """For a master: the target that it was made for; "" where that is not known."""
    like: tuple[str, ...] = ()
    """For a master: the songs that it was made to sound like."""
    about: str = ""
    """For a motif: what it is ("melody, D major"),"""
    why: tuple[str, ...] = ()
    """and why it is so, in plain words."""


class AlbumSong(Document, frozen=True, kw_only=True):
    """A song's place on an album: which mix, and how much silence comes after it."""

    bounce: str
    gap_s: float = 2.0


class Album(Document, frozen=True, kw_only=True):
    """The songs of an album in their order."""

    schema: int = 1
    songs: tuple[AlbumSong, ...] = ()


class ExportRecord(Document, frozen=True, kw_only=True):
    """What was written to a drive, so that a person can see later what left the box."""

    schema: int = 1
    created_utc: str
    destination: str
    files: tuple[ExportedFile, ...]
    took_s: float | None = None
    """To write them, read them back and compare; None where that was not kept."""


class ExportedFile(Document, frozen=True, kw_only=True):
    """One verified file on a drive."""

    path: str
    bytes: int
    sha256: str
    source_bounce: str | None = None


class DeliveryCheck(Document, frozen=True, kw_only=True):
    """One thing that a master is judged by before it leaves."""

    name: str
    passes: bool
    says: str
    """What was measured and, if it fails, what to do."""


class Overview(Document, frozen=True, kw_only=True):
    """Peaks, and for a bounce its loudness, spectrum and what the limiter did; nothing that can't be made again."""

    schema: int = 2
    frames: int
    """Length of what it shows; another length means that it is out of date."""
    rate_hz: int
    peaks: dict[str, bytes]
    """Per track id (of a bounce: "mix", stems and returns by their names), for each of 480 equal parts the sample peak,
    in half dB below full scale.
    """
    level_lufs: float | None = None
    """Of a take: how loud its tracks are as they are played together, to compare takes; None when silent."""
    loudness_lufs: tuple[float | None, ...] = ()
    """Short-term loudness at the end of every second; None while it is silent."""
    loudness_range_lu: float | None = None
    band_hz: tuple[float, ...] = ()
    """Middles of the bands of `band_db`."""
    band_db: tuple[float, ...] = ()
    """Level of each band against the mean of those from 45 Hz to 14 kHz."""
    usual_low_db: tuple[float, ...] = ()
    """Where finished music usually lies, by the same measure: a quarter of it is below this,"""
    usual_high_db: tuple[float, ...] = ()
    """and a tenth above this."""
    limiter_db: tuple[float, ...] = ()
    """Of a master, per second: how far below what went into the limiter its highest peak came out; 0 is untouched."""
    delivery: tuple[DeliveryCheck, ...] = ()
    """Of a master: whether it is what its target asks for."""


class TrashEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was removed."""

    id: str = ""
    """Folder name within the trash."""
    kind: Literal["session", "take", "leftover"]
    """A leftover is a file or folder that belongs to nothing."""
    title: str
    """What a person calls it: "Take 3 of 'Rehearsal'"."""
    path: str
    """Where it was, relative to the library."""
    bytes: int
    trashed_utc: str
