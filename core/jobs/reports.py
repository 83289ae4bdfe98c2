"""The report of a render, drawn for whoever rendered; one that can't be drawn is a note, never a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.desk.sources import Source
from core.errors import OtoError
from core.master.delivery import Delivery
from core.plans.document import MasterPlan, MixPlan
from core.progress import Progress
from core.report.document import Check, Report
from core.report.make import master_report, mix_report, write_report


class Drawn(NamedTuple):
    """What became of a report."""

    path: str | None
    """Of the page; None when there is none."""
    notes: tuple[str, ...] = ()
    """Why there is none."""


def draw_mix(
    plan: MixPlan,
    tracks: Sequence[Source],
    mix: Path,
    html: Path,
    *,
    title: str,
    made: str,
    progress: Progress | None = None,
) -> Drawn:
    """Write the report of a mix to `html`. Raises OtoError("cancelled") when `progress` says so, nothing else."""
    return _drawn(lambda: mix_report(plan, tracks, mix, html, title=title, made=made, progress=progress), html)


def draw_master(
    plan: MasterPlan,
    mix: Path,
    master: Path,
    html: Path,
    *,
    title: str,
    made: str,
    delivery: Delivery,
    progress: Progress | None = None,
) -> Drawn:
    """Write the report of a master to `html`, with its delivery check. Raises as `draw_mix`."""

    def make() -> Report:
        checks = [Check(name=check.name, passes=check.passes, says=check.says) for check in delivery.checks]
        checks += [Check(name=copy.format, passes=copy.passes, says=copy.says) for copy in delivery.copies]
        return master_report(plan, mix, master, html, title=title, made=made, checks=checks, progress=progress)

    return _drawn(make, html)


def _drawn(make: Callable[[], Report], html: Path) -> Drawn:
    try:
        write_report(make(), html)
    except Exception as error:  # whatever is wrong with a report, the music is finished and stays
        if isinstance(error, OtoError) and error.code == "cancelled":
            raise
        return Drawn(None, (f"The report could not be drawn: {error}",))
    return Drawn(str(html))
