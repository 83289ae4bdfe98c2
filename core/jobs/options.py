"""What a job is about: its options, checked, and the take that it names."""

from __future__ import annotations

from typing import TypeVar

from core.errors import Exit, OtoError
from core.jobs.choice import newest_take
from core.protocol.topics import Job
from sessions.model import Take
from sessions.store import Library

T = TypeVar("T")


def option(job: Job, name: str, kind: type[T] | tuple[type, ...], default: T) -> T:
    """An option of the job, None standing for the default; raises OtoError "bad_input" where it is of another kind."""
    value = job.options.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise OtoError("bad_input", f"The option {name!r} of a {job.kind} can't be {value!r}.", "", Exit.BAD_INPUT)
    return value  # type: ignore[return-value]  # isinstance has just checked it


def take_of(library: Library, job: Job) -> Take:
    """The take that the job names, or the newest that is complete and not false. Raises OtoError, "busy" if it runs."""
    if job.take is None:
        return newest_take(library.takes(job.session), job.session)
    take = library.take(job.session, job.take)
    if take.status == "recording":
        raise OtoError("busy", f"Take {take.number} is still being recorded.", "Stop it first.", Exit.BUSY)
    return take


def roles_of(take: Take) -> dict[str, str]:
    """The roles that a person gave to tracks of a take, by track name."""
    return {track.name: track.role for track in take.tracks if track.role}
