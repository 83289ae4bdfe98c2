"""What each kind of job does to the library: the same in a worker and, with no engine running, in a command."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core import memory, paths
from core.backup.make import back_up
from core.backup.restore import restore
from core.backup.shelf import find
from core.desk.sources import Source, file_sources, take_sources
from core.errors import Exit, OtoError
from core.export.export import check_formats, export_files
from core.jobs import mastering, reports, work
from core.jobs.choice import newest_take
from core.jobs.ending import held
from core.jobs.hashing import hash_takes
from core.jobs.keeping import PORTRAITS_FOLDER, strip_cache
from core.jobs.marked import bring_new
from core.jobs.overview import Origin, bounce_overview, take_overview
from core.jobs.songs import song_of
from core.master.render import MasterResult
from core.plans.document import MasterPlan, MixPlan, Plan
from core.progress import Progress, report
from core.protocol.topics import Job
from core.report import HTML_FILE
from core.version import VERSION
from sessions.albums import load_album
from sessions.files import sha256_file, write_atomic
from sessions.model import Bounce, BounceKind, Comp, ExportRecord, Take
from sessions.overview import save_overview
from sessions.planshelf import fingerprint
from sessions.splicing import make_comp
from sessions.store import Library

T = TypeVar("T")
PlanKind = TypeVar("PlanKind", MixPlan, MasterPlan)

MIX_FILE = "mix.wav"
MASTER_FILE = "master.wav"
PLAN_FILE = "plan.json"
STEMS_FOLDER = "stems"

RENDERING_SHARE = 0.9
"""Of the progress of a mix or master; the rest is its report."""

DEFAULT_FORMATS = ("wav24",)


def run_job(job: Job, library: Library, progress: Progress) -> dict[str, Any]:
    """Do a job and return its JSON-able result, as `oto` prints it for this kind.

    Raises OtoError or LibraryError; "cancelled" when `progress` no longer wants the work. A job that fails leaves no
    bounce.
    """
    with memory.kept():
        return _TASKS[job.kind](library, job, progress)


# ---------------------------------------------------------------- the kinds


def _analyse(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    take = _take(library, job)
    sources = take_sources(library, job.session, take.number)
    heard = work.analyse(sources, _roles(take), progress)
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


def _mix(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    take = _take(library, job)
    sources = take_sources(library, job.session, take.number)
    letter = _option(job, "kept", str, "")
    existing = (
        _kept_plan(library, job.session, take.number, letter)
        if letter
        else _saved_plan(library, job.session, "mix", take.number, MixPlan)
    )
    propose = existing is None or (not letter and _option(job, "propose", bool, False))
    with _new_bounce(library, job.session, "mix", take.number) as (bounce_id, folder):
        stems = folder / STEMS_FOLDER if _option(job, "stems", bool, False) else None
        plan, result = work.mix(
            sources,
            folder / MIX_FILE,
            plan=None if propose else existing,
            previous=existing,
            roles=_roles(take),
            style=_option(job, "style", str, existing.style if existing else "natural"),
            hands=float(_option(job, "hands", (int, float), existing.hands if existing else 1.0)),
            priorities=work.priorities(_option(job, "lead", list, []), _option(job, "background", list, [])),
            engineer=work.engineer_of(_option(job, "engineer", str, "model")),
            stems=stems,
            cache=strip_cache(),
            progress=work.share(progress, 0.0, RENDERING_SHARE),
        )
        version = "" if propose else fingerprint(work.plan_bytes(plan))
        plan = msgspec.structs.replace(plan, session=job.session, take=take.number)
        memory.give_back()
        drawn = reports.draw_mix(
            plan,
            sources,
            result.out,
            folder / HTML_FILE,
            meter=result.meter,
            **_titled(library, take, bounce_id),
            portraits=paths.cache() / PORTRAITS_FOLDER,
            progress=work.share(progress, RENDERING_SHARE, 1 - RENDERING_SHARE),
        )
        report(progress, 1.0, "keeping the mix")
        if propose:
            library.save_plan(job.session, "mix", take.number, work.plan_bytes(plan))
        plan_file = _write_plan(folder, plan)
        bounce = Bounce(
            id=bounce_id,
            kind="mix",
            session=job.session,
            take=take.number,
            file=MIX_FILE,
            plan=PLAN_FILE,
            plan_version=version or fingerprint(work.plan_bytes(plan)),
            stems={name: str(path.relative_to(folder)) for name, path in result.stems.items()},
            returns={name: str(path.relative_to(folder)) for name, path in result.returns.items()},
            created_utc=_now(),
            rate_hz=result.rate_hz,
            frames=result.frames,
            start_samples=result.start_samples,
            integrated_lufs=result.loudness.integrated_lufs,
            true_peak_dbtp=result.loudness.true_peak_dbtp,
            sha256=sha256_file(result.out),
            oto_version=VERSION,
        )
        library.save_bounce(bounce)
    notes = [*plan.notes, *drawn.notes]
    return {**_whose(bounce), **work.mix_value(result, plan_file), "report": drawn.path, "notes": notes}


def _master(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    mix = _mix_to_master(library, job)
    existing = _saved_plan(library, job.session, "master", mix.take, MasterPlan)
    wish = mastering.wish_from(job.options, existing)
    source = _only_source(library.bounce_path(job.session, mix.id) / mix.file)
    keep_plan = existing is not None and not _option(job, "propose", bool, True)
    with _new_bounce(library, job.session, "master", mix.take) as (bounce_id, folder):
        plan, result = mastering.master(
            source,
            folder / MASTER_FILE,
            wish,
            plan=existing if keep_plan else None,
            previous=existing,
            start_samples=mix.start_samples,
            progress=work.share(progress, 0.0, RENDERING_SHARE),
        )
        delivery = mastering.delivery_of(result.out, plan, wish)
        memory.give_back()
        drawn = reports.draw_master(
            plan,
            library.bounce_path(job.session, mix.id) / mix.file,
            result.out,
            folder / HTML_FILE,
            meter=result.meter,
            **_titled(library, library.take(job.session, mix.take), bounce_id),
            delivery=delivery,
            style=wish.style,
            progress=work.share(progress, RENDERING_SHARE, 1 - RENDERING_SHARE),
        )
        report(progress, 1.0, "keeping the master")
        if not keep_plan:
            library.save_plan(job.session, "master", mix.take, work.plan_bytes(plan))
        plan_file = _write_plan(folder, plan)
        bounce = _master_bounce(mix, bounce_id, plan, result, start_samples=mix.start_samples)
        library.save_bounce(bounce)
    value = {**work.master_value(result, plan, plan_file), "delivery": mastering.delivery_value(delivery)}
    return {**_whose(bounce), **value, "report": drawn.path, "notes": [*value["notes"], *drawn.notes]}


def _master_bounce(
    mix: Bounce,
    bounce_id: str,
    plan: MasterPlan,
    result: MasterResult,
    *,
    start_samples: int = 0,
    album_track: int = 0,
) -> Bounce:
    return Bounce(
        id=bounce_id,
        kind="master",
        session=mix.session,
        take=mix.take,
        file=MASTER_FILE,
        plan=PLAN_FILE,
        source_bounce=mix.id,
        created_utc=_now(),
        rate_hz=result.rate_hz,
        frames=result.frames,
        start_samples=start_samples,
        integrated_lufs=result.loudness.integrated_lufs,
        true_peak_dbtp=result.loudness.true_peak_dbtp,
        sha256=sha256_file(result.out),
        oto_version=VERSION,
        album_track=album_track,
        target=plan.target.name,
        like=plan.references or ((Path(plan.reference).name,) if plan.reference else ()),
    )


def _album(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    songs = load_album(library.session_path(job.session)).songs
    bounces = {bounce.id: bounce for bounce in library.bounces(job.session)}
    gone = [song.bounce for song in songs if song.bounce not in bounces]
    if not songs or gone:
        what = f"The mix {gone[0]!r} is gone" if gone else "No mix is on the album yet"
        raise OtoError("not_found", f"{what}; nothing was rendered.", "Put mixes on the album, in order.")
    mixes = [bounces[song.bounce] for song in songs]
    files = [library.bounce_path(job.session, mix.id) / mix.file for mix in mixes]
    wish = mastering.wish_from(job.options)
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(_new_bounce(library, job.session, "master", mix.take)) for mix in mixes]
        outs = [folder / MASTER_FILE for _, folder in made]
        album = mastering.album(files, outs, wish, gap_s=[song.gap_s for song in songs], progress=progress)
        values: list[dict[str, Any]] = []
        for mix, (bounce_id, folder), song in zip(mixes, made, album.songs, strict=True):
            plan_file = _write_plan(folder, song.plan)
            bounce = _master_bounce(mix, bounce_id, song.plan, song.result, album_track=len(values) + 1)
            library.save_bounce(bounce)
            master = work.master_value(song.result, song.plan, plan_file)
            values.append({**_whose(bounce), "start_s": song.start_s, **master})
    loudness = album.loudness
    return {
        "session": job.session,
        "album": values,
        "integrated_lufs": loudness.integrated_lufs,
        "true_peak_dbtp": loudness.true_peak_dbtp,
        "duration_s": loudness.duration_s,
    }


def _export(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    formats = _option(job, "formats", list, list(DEFAULT_FORMATS))
    check_formats(formats)
    destination = Path(_option(job, "to", str, ""))
    if not destination.is_absolute():
        raise OtoError("bad_input", "An export needs a folder or drive to go to.", "", Exit.BAD_INPUT)
    rate_hz = int(_option(job, "rate_hz", (int, float), 0)) or None
    items = [song_of(library, job.session, bounce) for bounce in _bounces_to_export(library, job)]
    began_s = time.monotonic()
    files = export_files(items, destination, formats, rate_hz=rate_hz, progress=progress)
    took_s = round(time.monotonic() - began_s, 1)
    record = ExportRecord(created_utc=_now(), destination=str(destination), files=tuple(files), took_s=took_s)
    library.append_export(job.session, record)
    return {
        "session": job.session,
        "destination": str(destination),
        "exports": [file.path for file in files],
        "files": [msgspec.to_builtins(file) for file in files],
    }


def _overview(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    wanted = _option(job, "bounce", str, "")
    if wanted:
        bounce = next((one for one in library.bounces(job.session) if one.id == wanted), None)
        if bounce is None:
            raise OtoError("not_found", f"The session has no bounce {wanted!r}.", "", Exit.NOT_FOUND)
        folder = library.bounce_path(job.session, bounce.id)
        save_overview(folder, bounce_overview(bounce, folder, _origin(library, bounce), progress))
        return {"session": job.session, "bounce": bounce.id}
    false_number = int(_option(job, "false_number", (int, float), 0))
    take = library.take(job.session, job.take or 0, false_number)
    folder = library.take_path(job.session, take.number, false_number)
    save_overview(folder, take_overview(take, folder, progress))
    return {"session": job.session, "take": take.number}


def _comp(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    try:
        comp = msgspec.json.decode(_option(job, "comp", str, "{}"), type=Comp)
    except msgspec.DecodeError as error:
        raise OtoError("bad_input", f"The comp can't be read: {error}.", "", Exit.BAD_INPUT) from error
    take, layout = make_comp(library, job.session, comp, name=_option(job, "name", str, ""), progress=progress)
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
    plan_file = library.bounce_path(bounce.session, bounce.id) / bounce.plan
    plan = work.read_plan(plan_file.read_bytes(), str(plan_file))
    if mix is None or not isinstance(plan, MasterPlan):
        return None
    return Origin(plan, library.bounce_path(bounce.session, mix.id) / mix.file)


def _hash(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    return hash_takes(library, job.session, progress)


def _autoexport(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    kinds = ("master",) if _option(job, "what", str, "masters") == "masters" else ("master", "mix")
    place = Path(_option(job, "to", str, ""))
    return bring_new(library, place, kinds, progress)


def _back_up(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    keep = _option(job, "keep", (int, float, type(None)), None)
    made = back_up(
        library.root.parent,
        Path(_option(job, "to", str, "")),
        keep=None if keep is None else max(1, int(keep)),
        progress=progress,
    )
    return {**dataclasses.asdict(made), "folder": str(made.folder)}


def _restore(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    number = _option(job, "number", (int, float, type(None)), None)
    done = restore(
        find(Path(_option(job, "to", str, ""))),
        library.root.parent,
        number=None if number is None else int(number),
        only=_option(job, "sessions", list, []),
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


_TASKS: dict[str, Callable[[Library, Job, Progress], dict[str, Any]]] = {
    "analyse": _analyse,
    "mix": _mix,
    "master": _master,
    "album": _album,
    "export": _export,
    "overview": _overview,
    "comp": _comp,
    "backup": _back_up,
    "restore": _restore,
    "hash": _hash,
    "autoexport": _autoexport,
}


# ---------------------------------------------------------------- what a job is about


def _option(job: Job, name: str, kind: type[T] | tuple[type, ...], default: T) -> T:
    """An option of the job, checked. None stands for the default."""
    value = job.options.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise OtoError("bad_input", f"The option {name!r} of a {job.kind} can't be {value!r}.", "", Exit.BAD_INPUT)
    return value  # type: ignore[return-value]  # isinstance has just checked it


def _take(library: Library, job: Job) -> Take:
    """The take that the job names, or the newest that is complete and not false."""
    if job.take is None:
        return newest_take(library.takes(job.session), job.session)
    take = library.take(job.session, job.take)
    if take.status == "recording":
        raise OtoError("busy", f"Take {take.number} is still being recorded.", "Stop it first.", Exit.BUSY)
    return take


def _roles(take: Take) -> dict[str, str]:
    """The roles that a person gave to tracks of a take, by track name."""
    return {track.name: track.role for track in take.tracks if track.role}


def _mix_to_master(library: Library, job: Job) -> Bounce:
    """The mix that the job names, else the newest mix (of the job's take)."""
    wanted = _option(job, "bounce", str, "")
    for bounce in library.bounces(job.session):
        if bounce.kind == "mix" and (bounce.id == wanted if wanted else job.take in (None, bounce.take)):
            return bounce
    what = f"no mix {wanted!r}" if wanted else "no mix yet"
    raise OtoError("not_found", f"The session {job.session!r} has {what}.", "'oto mix' makes one.", Exit.NOT_FOUND)


def _bounces_to_export(library: Library, job: Job) -> list[Bounce]:
    """The bounces that the job names, else the newest master, else the newest mix (of the job's take)."""
    bounces = [bounce for bounce in library.bounces(job.session) if job.take in (None, bounce.take)]
    wanted: list[str] = _option(job, "bounces", list, [])
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


def _only_source(path: Path) -> Source:
    (source,) = file_sources([path])
    return source


def _saved_plan(library: Library, session: str, kind: BounceKind, take: int, form: type[PlanKind]) -> PlanKind | None:
    data = library.load_plan(session, kind, take)
    if data is None:
        return None
    plan = work.read_plan(data, f"the {kind} of take {take}")
    return plan if isinstance(plan, form) else None


def _kept_plan(library: Library, session: str, take: int, letter: str) -> MixPlan:
    data = library.kept_plan(session, "mix", take, letter)
    plan = None if data is None else work.read_plan(data, f"plan {letter} of take {take}")
    if not isinstance(plan, MixPlan):
        raise OtoError("not_found", f"No plan of take {take} is kept as {letter}.", "Keep one first.", Exit.NOT_FOUND)
    return plan


# ---------------------------------------------------------------- what a job leaves behind


@contextlib.contextmanager
def _new_bounce(library: Library, session: str, kind: BounceKind, take: int) -> Iterator[tuple[str, Path]]:
    """A bounce's folder, taken away again when the work in it fails."""
    with contextlib.ExitStack() as stack:
        with held():
            bounce_id, folder = library.new_bounce(session, kind, take)
            unfinished = stack.enter_context(_gone_on_failure(folder))
        yield bounce_id, unfinished


@contextlib.contextmanager
def _gone_on_failure(folder: Path) -> Iterator[Path]:
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write_plan(folder: Path, plan: Plan) -> Path:
    path = folder / PLAN_FILE
    write_atomic(path, work.plan_bytes(plan))
    return path


def _titled(library: Library, take: Take, bounce_id: str) -> dict[str, str]:
    """What a report calls a bounce of a take, and where it says that it comes from."""
    session = library.session(take.session)
    return {"title": take.name or session.name, "made": f"{session.name}, take {take.number}, {bounce_id}"}


def _whose(bounce: Bounce) -> dict[str, Any]:
    return {"session": bounce.session, "take": bounce.take, "bounce": bounce.id}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
