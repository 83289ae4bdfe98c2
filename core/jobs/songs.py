"""A bounce as a song for other people: its audio as it was rendered, its name, its tags and what made it."""

from __future__ import annotations

import dataclasses

from core.errors import Exit, OtoError
from core.export.export import ExportItem
from core.export.tags import Tags
from core.jobs import work
from core.jobs.motifs import read_motif
from sessions.files import sha256_file
from sessions.model import Bounce
from sessions.store import Library


def song_of(library: Library, session_id: str, bounce: Bounce) -> ExportItem:
    """A bounce as a song to export: its name, its tags, and the stems of the mix behind it.

    Raises OtoError("verify_failed") when its audio is not what was rendered.
    """
    session, take = library.session(session_id), library.take(session_id, bounce.take)
    title = take.name or session.name
    date = take.started_utc[:10]
    track = f"{bounce.album_track:02} " if bounce.album_track else ""
    mix = bounce
    if bounce.source_bounce is not None:
        by_id = {other.id: other for other in library.bounces(session_id)}
        mix = by_id.get(bounce.source_bounce, bounce)
    mix_folder = library.bounce_path(session_id, mix.id)
    source = library.bounce_path(session_id, bounce.id) / bounce.file
    if sha256_file(source) != bounce.sha256:
        raise OtoError(
            "verify_failed",
            f"{bounce.id} is no longer what was rendered: its file has suffered on this box's disk.",
            "Render it again; its plan is beside it. 'oto doctor --library' looks for what else has suffered.",
            Exit.VERIFY_FAILED,
        )
    if bounce.kind == "motif":
        return _motif_of(library, bounce, ExportItem(source, title, Tags(album=session.name, date=date)))
    return ExportItem(
        source=source,
        name=f"{track}{title}" if bounce.kind == "master" else f"{title} mix",
        tags=Tags(
            title=title,
            album=session.name,
            date=date,
            comment=_provenance(library, session_id, bounce, mix),
        ),
        bounce=bounce.id,
        stems={name: mix_folder / file for name, file in mix.stems.items()},
    )


def _motif_of(library: Library, bounce: Bounce, song: ExportItem) -> ExportItem:
    """A motif with its MIDI file; its name, its tags and its stems say that no person wrote it."""
    folder = library.bounce_path(bounce.session, bounce.id)
    motif = read_motif((folder / bounce.plan).read_bytes(), str(folder / bounce.plan))
    name = f"{song.name} {motif.part} motif {int(bounce.id.rpartition('-')[2])} (AI-generated)"
    comment = f"{motif.mark}; {motif.made_by}; take {bounce.take}; sha256 {bounce.sha256[:16]}"
    return dataclasses.replace(
        song,
        name=name,
        tags=dataclasses.replace(song.tags, title=name, comment=comment),
        bounce=bounce.id,
        stems={stem: folder / file for stem, file in bounce.stems.items()},
        beside=tuple(folder / file for file in bounce.beside),
    )


def _provenance(library: Library, session_id: str, bounce: Bounce, mix: Bounce) -> str:
    """One line that says what made this audio: version, take, bounces with their hashes, and who decided how much."""
    parts = [f"OTO {bounce.oto_version}", f"take {bounce.take}"]
    for made in (mix, bounce) if mix is not bounce else (bounce,):
        file = library.bounce_path(session_id, made.id) / made.plan
        plan = work.read_plan(file.read_bytes(), str(file))
        who = ", ".join(f"{by} {count}" for by, count in sorted(work.decisions(plan).items())) or "untouched"
        parts.append(f"{made.kind} by {plan.engineer} (settings: {who}; sha256 {made.sha256[:16]})")
    return "; ".join(parts)
