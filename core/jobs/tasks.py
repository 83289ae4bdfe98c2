"""What each kind of job does to the library: the same in a worker and, with no engine running, in a command."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from core import memory, paths, settings
from core.backup.make import back_up
from core.backup.restore import restore
from core.backup.shelf import find
from core.desk.sources import take_sources
from core.errors import Exit, OtoError
from core.export.export import check_formats, export_files
from core.jobs import work
from core.jobs.bouncing import make_album, make_master, make_mix
from core.jobs.hashing import hash_takes
from core.jobs.marked import bring_new
from core.jobs.motifs import make_motif
from core.jobs.options import option, roles_of, take_of
from core.jobs.overview import Origin, bounce_overview, take_overview
from core.jobs.songs import song_of
from core.jobs.tasting import taste_of
from core.plans.document import MasterPlan
from core.plans.parameters import STRIP, by_name
from core.progress import Progress
from core.protocol.topics import Job
from sessions.model import Bounce, Comp, ExportRecord
from sessions.overview import save_overview
from sessions.splicing import make_comp
from sessions.store import Library

DEFAULT_FORMATS = ("wav24",)


def run_job(job: Job, library: Library, progress: Progress) -> dict[str, Any]:
    """Do a job and return its JSON-able result, as `oto` prints it for this kind.

    Raises OtoError or LibraryError; "cancelled" when `progress` no longer wants the work. A job that fails leaves no
    bounce.
    """
    with memory.kept():
        return _TASKS[job.kind](library, job, progress)


def _analyse(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    take = take_of(library, job)
    sources = take_sources(library, job.session, take.number)
    heard = work.analyse(sources, roles_of(take), progress)
    folder = library.take_path(job.session, take.number)
    names = {track.id: track.name for track in take.tracks}
    files = {names[clip.track]: str(folder / clip.file) for clip in reversed(take.clips)}
    return {
        "session": job.session,
        "take": take.number,
        "tracks": [{"file": files.get(track["track"]), **track} for track in heard["tracks"]],
        "bleed": heard["bleed"],
        "notes": heard["notes"],
    }


def _export(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    formats = option(job, "formats", list, list(DEFAULT_FORMATS))
    check_formats(formats)
    destination = Path(option(job, "to", str, ""))
    if not destination.is_absolute():
        raise OtoError("bad_input", "An export needs a folder or drive to go to.", "", Exit.BAD_INPUT)
    rate_hz = int(option(job, "rate_hz", (int, float), 0)) or None
    items = [song_of(library, job.session, bounce) for bounce in _bounces_to_export(library, job)]
    began_s = time.monotonic()
    files = export_files(items, destination, formats, rate_hz=rate_hz, progress=progress)
    took_s = round(time.monotonic() - began_s, 1)
    record = ExportRecord(
        created_utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
        destination=str(destination),
        files=tuple(files),
        took_s=took_s,
    )
    library.append_export(job.session, record)
    return {
        "session": job.session,
        "destination": str(destination),
        "exports": [file.path for file in files],
        "files": [msgspec.to_builtins(file) for file in files],
    }


def _bounces_to_export(library: Library, job: Job) -> list[Bounce]:
    """The bounces that the job names, else the newest master, else the newest mix (of the job's take)."""
    bounces = [bounce for bounce in library.bounces(job.session) if job.take in (None, bounce.take)]
    wanted: list[str] = option(job, "bounces", list, [])
    if wanted:
        chosen = {bounce.id: bounce for bounce in bounces}
        missing = [name for name in wanted if name not in chosen]
        if missing:
            raise OtoError("not_found", f"The session has no bounce {missing[0]!r}.", "", Exit.NOT_FOUND)
        return [chosen[name] for name in wanted]
    for kind in ("master", "mix"):
        for bounce in bounces:
            if bounce.kind == kind:
                return [bounce]
    raise OtoError(
        "not_found",
        f"The session {job.session!r} has nothing to export yet.",
        "'oto mix' and then 'oto master' make it.",
        Exit.NOT_FOUND,
    )


def _overview(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    wanted = option(job, "bounce", str, "")
    if wanted:
        bounce = next((one for one in library.bounces(job.session) if one.id == wanted), None)
        if bounce is None:
            raise OtoError("not_found", f"The session has no bounce {wanted!r}.", "", Exit.NOT_FOUND)
        folder = library.bounce_path(job.session, bounce.id)
        save_overview(folder, bounce_overview(bounce, folder, _origin(library, bounce), progress))
        return {"session": job.session, "bounce": bounce.id}
    false_number = int(option(job, "false_number", (int, float), 0))
    take = library.take(job.session, job.take or 0, false_number)
    folder = library.take_path(job.session, take.number, false_number)
    save_overview(folder, take_overview(take, folder, progress))
    return {"session": job.session, "take": take.number}


def _comp(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    try:
        comp = msgspec.json.decode(option(job, "comp", str, "{}"), type=Comp)
    except ValueError as error:
        raise OtoError("bad_input", f"The comp can't be read: {error}.", "", Exit.BAD_INPUT) from error
    take, layout = make_comp(library, job.session, comp, name=option(job, "name", str, ""), progress=progress)
    folder = library.take_path(take.session, take.number)
    return {
        "session": take.session,
        "take": take.number,
        "files": [str(folder / clip.file) for clip in take.clips],
        "frames": take.frames,
        "rate_hz": take.rate_hz,
        "overdub_of": take.overdub_of,
        "parts": [
            {
                "take": part.take,
                "false_number": part.false_number,
                "start_s": part.start_samples / take.rate_hz,
                "end_s": part.end_samples / take.rate_hz,
                "at_s": at / take.rate_hz,
            }
            for part, at in zip(layout.parts, layout.starts, strict=True)
        ],
        "fade_ms": comp.fade_ms,
        "notes": list(layout.notes),
    }


def _origin(library: Library, bounce: Bounce) -> Origin | None:
    """The plan and the mix of a master, where its mix is still there."""
    mix = next((one for one in library.bounces(bounce.session) if one.id == bounce.source_bounce), None)
    if mix is None:
        return None
    plan_file = library.bounce_path(bounce.session, bounce.id) / bounce.plan
    plan = work.read_plan(plan_file.read_bytes(), str(plan_file))
    if not isinstance(plan, MasterPlan):
        return None
    return Origin(plan, library.bounce_path(bounce.session, mix.id) / mix.file)


def _hash(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    return hash_takes(library, job.session, progress)


def _autoexport(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    kinds = ("master",) if option(job, "what", str, "masters") == "masters" else ("master", "mix")
    place = Path(option(job, "to", str, ""))
    return bring_new(library, place, kinds, progress)


def _back_up(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    keep = option(job, "keep", (int, float, type(None)), None)
    made = back_up(
        library.root.parent,
        Path(option(job, "to", str, "")),
        keep=None if keep is None else max(1, int(keep)),
        progress=progress,
    )
    return {**dataclasses.asdict(made), "folder": str(made.folder)}


def _restore(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    number = option(job, "number", (int, float, type(None)), None)
    done = restore(
        find(Path(option(job, "to", str, ""))),
        library.root.parent,
        number=None if number is None else int(number),
        only=option(job, "sessions", list, []),
        progress=progress,
    )
    return {
        "backup": done.backup.number,
        "created_utc": done.backup.created_utc,
        "host": done.backup.host,
        "sessions": [one._asdict() for one in done.sessions],
        "settings": [one._asdict() for one in done.settings],
        "damaged": list(done.damaged),
    }


def _taste(library: Library, _job: Job, _progress: Progress) -> dict[str, Any]:
    wished = settings.load(paths.settings_file())
    leans = taste_of(library, wished.taste_since).values()
    return {
        "on": wished.taste,
        "since_utc": wished.taste_since or None,
        "leans": [
            {**dataclasses.asdict(lean), "label": by_name(STRIP)[lean.knob].label, "followed": lean.followed}
            for lean in leans
        ],
    }


_TASKS: dict[str, Callable[[Library, Job, Progress], dict[str, Any]]] = {
    "analyse": _analyse,
    "mix": make_mix,
    "master": make_master,
    "album": make_album,
    "export": _export,
    "overview": _overview,
    "comp": _comp,
    "backup": _back_up,
    "restore": _restore,
    "hash": _hash,
    "autoexport": _autoexport,
    "taste": _taste,
    "motif": make_motif,
}
