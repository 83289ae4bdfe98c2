"""The jobs that make sound: mix, master and album, from their plans to bounces in the library."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core import memory, paths
from core.desk.sources import Source, file_sources, take_sources
from core.errors import Exit, OtoError
from core.jobs import mastering, reports, work
from core.jobs.ending import held
from core.jobs.keeping import PORTRAITS_FOLDER, strip_cache
from core.jobs.options import option, roles_of, take_of
from core.jobs.tasting import followed_taste
from core.master.render import MasterResult
from core.plans.document import MasterPlan, MixPlan, Plan
from core.progress import Progress, report
from core.protocol.topics import Job
from core.report import HTML_FILE
from core.version import VERSION
from sessions.albums import load_album
from sessions.files import sha256_file, write_atomic
from sessions.model import Bounce, BounceKind, PlanKind, Take
from sessions.planshelf import fingerprint
from sessions.store import Library

PlanForm = TypeVar("PlanForm", MixPlan, MasterPlan)

MIX_FILE = "mix.wav"
MASTER_FILE = "master.wav"
PLAN_FILE = "plan.json"
STEMS_FOLDER = "stems"

RENDERING_SHARE = 0.9
"""Of the progress of a mix or master; the rest is its report."""


def make_mix(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    """Mix a take by its plan, or by one that is proposed; raises as `tasks.run_job` does."""
    take = take_of(library, job)
    sources = take_sources(library, job.session, take.number)
    letter = option(job, "kept", str, "")
    existing = (
        _kept_plan(library, job.session, take.number, letter)
        if letter
        else _saved_plan(library, job.session, "mix", take.number, MixPlan)
    )
    propose = existing is None or (not letter and option(job, "propose", bool, False))
    with new_bounce(library, job.session, "mix", take.number) as (bounce_id, folder):
        stems = folder / STEMS_FOLDER if option(job, "stems", bool, False) else None
        plan, result = work.mix(
            sources,
            folder / MIX_FILE,
            plan=None if propose else existing,
            previous=existing,
            roles=roles_of(take),
            style=option(job, "style", str, existing.style if existing else "natural"),
            hands=float(option(job, "hands", (int, float), existing.hands if existing else 1.0)),
            priorities=work.priorities(option(job, "lead", list, []), option(job, "background", list, [])),
            engineer=work.engineer_of(option(job, "engineer", str, "model")),
            taste=followed_taste(library) if propose else None,
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
            created_utc=now_utc(),
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
    return {**whose(bounce), **work.mix_value(result, plan_file), "report": drawn.path, "notes": notes}


def make_master(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    """Master a mix, with its delivery check and report; raises as `tasks.run_job` does."""
    mix = _mix_to_master(library, job)
    existing = _saved_plan(library, job.session, "master", mix.take, MasterPlan)
    wish = mastering.wish_from(job.options, existing)
    source = _only_source(library.bounce_path(job.session, mix.id) / mix.file)
    keep_plan = existing is not None and not option(job, "propose", bool, True)
    with new_bounce(library, job.session, "master", mix.take) as (bounce_id, folder):
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
    return {**whose(bounce), **value, "report": drawn.path, "notes": [*value["notes"], *drawn.notes]}


def make_album(library: Library, job: Job, progress: Progress) -> dict[str, Any]:
    """Master the songs of the session's album to sit together; raises as `tasks.run_job` does."""
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
        made = [stack.enter_context(new_bounce(library, job.session, "master", mix.take)) for mix in mixes]
        outs = [folder / MASTER_FILE for _, folder in made]
        album = mastering.album(files, outs, wish, gap_s=[song.gap_s for song in songs], progress=progress)
        values: list[dict[str, Any]] = []
        for mix, (bounce_id, folder), song in zip(mixes, made, album.songs, strict=True):
            plan_file = _write_plan(folder, song.plan)
            bounce = _master_bounce(mix, bounce_id, song.plan, song.result, album_track=len(values) + 1)
            library.save_bounce(bounce)
            master = work.master_value(song.result, song.plan, plan_file)
            values.append({**whose(bounce), "start_s": song.start_s, **master})
    loudness = album.loudness
    return {
        "session": job.session,
        "album": values,
        "integrated_lufs": loudness.integrated_lufs,
        "true_peak_dbtp": loudness.true_peak_dbtp,
        "duration_s": loudness.duration_s,
    }


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
        created_utc=now_utc(),
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


def _mix_to_master(library: Library, job: Job) -> Bounce:
    """The mix that the job names, else the newest mix (of the job's take)."""
    wanted = option(job, "bounce", str, "")
    for bounce in library.bounces(job.session):
        if bounce.kind == "mix" and (bounce.id == wanted if wanted else job.take in (None, bounce.take)):
            return bounce
    what = f"no mix {wanted!r}" if wanted else "no mix yet"
    raise OtoError("not_found", f"The session {job.session!r} has {what}.", "'oto mix' makes one.", Exit.NOT_FOUND)


def _only_source(path: Path) -> Source:
    (source,) = file_sources([path])
    return source


def _saved_plan(library: Library, session: str, kind: PlanKind, take: int, form: type[PlanForm]) -> PlanForm | None:
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


@contextlib.contextmanager
def new_bounce(library: Library, session: str, kind: BounceKind, take: int) -> Iterator[tuple[str, Path]]:
    """Id and folder of a new bounce, taken away again when the work in it fails."""
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


def whose(bounce: Bounce) -> dict[str, Any]:
    """What every result of a bounce begins with."""
    return {"session": bounce.session, "take": bounce.take, "bounce": bounce.id}


def now_utc() -> str:
    """The time of day, as documents say it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
