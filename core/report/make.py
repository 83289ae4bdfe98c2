"""Makes reports: listens to what went into a render and to what came out, and writes the page and its data."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

from core.analysis.loudness import LoudnessMeter
from core.desk.sources import FileSource, Source
from core.errors import Exit, OtoError
from core.plans.document import MasterPlan, MixPlan, Span
from core.progress import Progress
from core.report.decisions import decided
from core.report.document import Check, Piece, Report, ToneBand
from core.report.gain import gain_over_time
from core.report.page import page
from core.report.portrait import Portrait, listen
from core.report.text import readable
from core.version import VERSION
from sessions.files import write_atomic

_BEFORE_SHARE: Final = 0.6

PortraitOfTracks = Callable[[Sequence[Source], Span | None, Progress | None], Portrait]
"""Tracks, the span of them that is mixed, and whom to tell how far it is."""


def mix_report(
    plan: MixPlan,
    tracks: Sequence[Source],
    mix: Path,
    html: Path,
    *,
    title: str,
    made: str,
    portrait: PortraitOfTracks | None = None,
    meter: LoudnessMeter | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compare a mix with the sum of its tracks at unity, for a page that will lie at `html`.

    `portrait` stands in for `tracks_portrait`; a `meter` that has heard the mix saves measuring it again. Raises
    OtoError: "bad_input" for audio that can't be read and for none at all, "cancelled" when `progress` says so.
    """
    before = (portrait or tracks_portrait)(tracks, plan.span, _part(progress, 0.0, _BEFORE_SHARE))
    after = listen(
        [FileSource(mix)],
        meter=meter,
        progress=_part(progress, _BEFORE_SHARE, 1 - _BEFORE_SHARE),
        doing="listening to the mix",
    )
    label = "the track as recorded" if len(tracks) == 1 else f"{len(tracks)} tracks at unity, mono ones in the middle"
    return Report(
        kind="mix",
        title=readable(title),
        made=readable(made),
        created_utc=_now(),
        oto_version=VERSION,
        before=Piece(label=label, audio=None, portrait=before),
        after=Piece(label=readable(mix.name), audio=_beside(mix, html), portrait=after.portrait),
        decided=decided(plan),
        plan=plan,
    )


def tracks_portrait(tracks: Sequence[Source], span: Span | None, progress: Progress | None = None) -> Portrait:
    """The sum of tracks at unity, before anybody mixed them. Raises as `mix_report`."""
    start_s, end_s = (span.start_s, span.end_s) if span else (0.0, math.inf)
    return listen(tracks, start_s=start_s, end_s=end_s, progress=progress, doing="listening to the tracks").portrait


def master_report(
    plan: MasterPlan,
    mix: Path,
    master: Path,
    html: Path,
    *,
    title: str,
    made: str,
    tone: ToneBand | None = None,
    checks: Sequence[Check] = (),
    meter: LoudnessMeter | None = None,
    progress: Progress | None = None,
) -> Report:
    """Compare a master with the mix that it was made of, for a page that will lie at `html`.

    A `meter` that has heard the master saves measuring it again. Raises as `mix_report`.
    """
    before = listen([FileSource(mix)], progress=_part(progress, 0.0, 0.5), doing="listening to the mix")
    after = listen(
        [FileSource(master)], meter=meter, progress=_part(progress, 0.5, 0.5), doing="listening to the master"
    )
    return Report(
        kind="master",
        title=readable(title),
        made=readable(made),
        created_utc=_now(),
        oto_version=VERSION,
        before=Piece(label=readable(mix.name), audio=_beside(mix, html), portrait=before.portrait),
        after=Piece(label=readable(master.name), audio=_beside(master, html), portrait=after.portrait),
        gain=gain_over_time(before, after),
        tone=tone,
        checks=tuple(checks),
        decided=decided(plan),
        plan=plan,
    )


def write_report(report: Report, html: Path) -> Path:
    """Write the page and, under the same name, its data, each when it is whole; returns the path of the data."""
    data = html.with_suffix(".json")
    html.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(data, msgspec.json.encode(report) + b"\n")
    write_atomic(html, page(report, data.name).encode())
    return data


def read_report(data: Path) -> Report:
    """The report in a file that `write_report` wrote. Raises OtoError("bad_input") when it is something else."""
    try:
        return msgspec.json.decode(data.read_bytes(), type=Report)
    except (OSError, ValueError) as error:
        raise OtoError("bad_input", f"The report {data.name} can't be read: {error}.", "", Exit.BAD_INPUT) from error


def copy_report(html: Path, to: Path) -> Path:
    """Write a report again somewhere else, its players finding the audio where it stays; returns the page's path."""
    report = read_report(html.with_suffix(".json"))
    before, after = (
        msgspec.structs.replace(piece, audio=piece.audio and _beside(_path(piece.audio, html), to))
        for piece in (report.before, report.after)
    )
    write_report(msgspec.structs.replace(report, before=before, after=after), to)
    return to


def _beside(audio: Path, html: Path) -> str | None:
    """The URL of audio in or near a page's folder, so that both can be moved together; None for what lies elsewhere."""
    relative = os.path.relpath(audio, html.parent)
    return None if relative.count(os.pardir + os.sep) > 1 else quote_from_bytes(os.fsencode(relative))


def _path(url: str, html: Path) -> Path:
    return html.parent / os.fsdecode(unquote_to_bytes(url))


def _part(progress: Progress | None, start: float, part: float) -> Progress | None:
    return None if progress is None else lambda fraction, doing: progress(start + part * fraction, doing)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
