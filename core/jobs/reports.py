"""The report of a render, drawn for whoever rendered; one that can't be drawn is a note, never a failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from core.analysis.features import BAND_HZ
from core.analysis.loudness import LoudnessMeter
from core.desk.sources import Source
from core.dsp.audio import Floats
from core.errors import OtoError
from core.jobs.keeping import kept_portrait
from core.master.delivery import Delivery
from core.master.styles import STYLES
from core.master.tone import HEARD_HZ
from core.plans.document import MasterPlan, MixPlan
from core.progress import Progress
from core.report.document import Check, Report, ToneBand
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
    meter: LoudnessMeter,
    title: str,
    made: str,
    portraits: Path | None = None,
    progress: Progress | None = None,
) -> Drawn:
    """Write the report of a mix to `html`; `meter` has heard the mix, `portraits` keeps how the tracks sound before it.

    Raises OtoError("cancelled") when `progress` says so, nothing else.
    """
    portrait = None if portraits is None else partial(kept_portrait, folder=portraits)
    return _drawn(
        lambda: mix_report(
            plan, tracks, mix, html, portrait=portrait, meter=meter, title=title, made=made, progress=progress
        ),
        html,
    )


def draw_master(
    plan: MasterPlan,
    mix: Path,
    master: Path,
    html: Path,
    *,
    meter: LoudnessMeter,
    title: str,
    made: str,
    delivery: Delivery,
    style: str = "any",
    progress: Progress | None = None,
) -> Drawn:
    """Write the report of a master to `html`, with its delivery check, beside the usual spectrum of a style.

    `meter` has heard the master. Raises as `draw_mix`.
    """

    def make() -> Report:
        checks = [Check(name=check.name, passes=check.passes, says=check.says) for check in delivery.checks]
        checks += [Check(name=copy.format, passes=copy.passes, says=copy.says) for copy in delivery.copies]
        tone = usual_tone(style)
        return master_report(
            plan, mix, master, html, meter=meter, title=title, made=made, tone=tone, checks=checks, progress=progress
        )

    return _drawn(make, html)


def usual_tone(style: str) -> ToneBand:
    """The spectrum of most finished songs of a style, where songs can be compared at all."""
    found = STYLES[style]
    heard = [index for index, hz in enumerate(BAND_HZ) if HEARD_HZ[0] <= hz <= HEARD_HZ[1]]

    def part(levels_db: Floats) -> tuple[float, ...]:
        return tuple(round(float(levels_db[index]), 2) for index in heard)

    return ToneBand(
        name=f"finished {found.label}",
        centre_hz=tuple(round(BAND_HZ[index], 2) for index in heard),
        low_db=part(found.low_db),
        middle_db=part(found.middle_db),
        high_db=part(found.high_db),
    )


def _drawn(make: Callable[[], Report], html: Path) -> Drawn:
    try:
        write_report(make(), html)
    except Exception as error:  # whatever is wrong with a report, the music is finished and stays
        if isinstance(error, OtoError) and error.code == "cancelled":
            raise
        return Drawn(None, (f"The report could not be drawn: {error}",))
    return Drawn(str(html))
