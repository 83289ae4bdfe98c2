"""What mastering means, for a session's mix, a file and an album: a wish becomes a plan, a render and a check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from core.desk.sources import Source, file_sources
from core.errors import Exit, OtoError
from core.jobs.codecs import round_trips
from core.jobs.listening import Engineer
from core.jobs.work import engineer_of
from core.master.album import Album, master_album
from core.master.delivery import Delivery, check_delivery
from core.master.engineer import propose_master
from core.master.reference import FULLY, Strengths
from core.master.render import MasterResult, render_master
from core.master.targets import TARGETS, target_named
from core.models.mastering import Controller, controller
from core.models.runtime import Unusable
from core.plans.document import MasterPlan, Target
from core.progress import Progress, part

DEFAULT_TARGET: Final = "streaming"
DEFAULT_ENGINEER: Final = "rules"
_ASPECTS: Final = ("tone", "dynamics", "width", "loudness")
_PROPOSING_SHARE: Final = 0.4


@dataclass(frozen=True)
class Wish:
    """What a person wants of a master."""

    target: Target
    references: tuple[Path, ...] = ()
    strengths: Strengths = FULLY
    style: str = "any"
    engineer: Engineer = DEFAULT_ENGINEER
    """Who decides on tone and width where no reference does."""
    hands: float = 1.0
    """How much of tone, width and compression is applied, 0 to 1."""
    codecs: bool = False
    """Whether the delivery check tries lossy copies too."""


def wish_from(options: Mapping[str, Any], previous: MasterPlan | None = None) -> Wish:
    """A wish from a job's options or a command's: target, reference, references, tone ... loudness in %, style,
    engineer, hands (0 to 1), codecs.

    What is missing or None takes its default; the target that of the previous plan. Raises OtoError("bad_input").
    """
    known = previous.target.name if previous is not None and previous.target.name in TARGETS else DEFAULT_TARGET
    named = _option(options, "references", list, [])
    single = _option(options, "reference", str, "")
    hands = float(_option(options, "hands", (int, float), 1.0))
    if not 0.0 <= hands <= 1.0:
        raise OtoError("bad_input", "Hands are between 0 (untouched) and 1 (the whole proposal).", "", Exit.BAD_INPUT)
    strengths = {aspect: float(_option(options, aspect, (int, float), 100.0)) / 100 for aspect in _ASPECTS}
    return Wish(
        target=target_named(_option(options, "target", str, known)),
        references=tuple(Path(path) for path in (*([single] if single else []), *named)),
        strengths=Strengths(**strengths),
        style=_option(options, "style", str, "any"),
        engineer=engineer_of(_option(options, "engineer", str, DEFAULT_ENGINEER)),
        hands=hands,
        codecs=_option(options, "codecs", bool, False),
    )


def _option(options: Mapping[str, Any], name: str, kind: type | tuple[type, ...], default: Any) -> Any:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise OtoError("bad_input", f"The option {name!r} of a master can't be {value!r}.", "", Exit.BAD_INPUT)
    return value


def master(
    source: Source,
    out: Path,
    wish: Wish,
    *,
    plan: MasterPlan | None = None,
    previous: MasterPlan | None = None,
    start_samples: int = 0,
    progress: Progress | None = None,
) -> tuple[MasterPlan, MasterResult]:
    """Render `plan`, or a new proposal that keeps what a person set in `previous`.

    `start_samples` is where the mix begins on its take's timeline.
    """
    if plan is not None:
        return plan, render_master(plan, source, out, start_samples=start_samples, progress=progress)
    asked = controller() if wish.engineer == "model" and not wish.references else None
    proposal = propose_master(
        source,
        wish.target,
        references=wish.references,
        strengths=wish.strengths,
        style=wish.style,
        hands=wish.hands,
        controller=asked if isinstance(asked, Controller) else None,
        previous=previous,
        progress=part(progress, 0.0, _PROPOSING_SHARE),
    )
    if isinstance(asked, Unusable):
        proposal = msgspec.structs.replace(proposal, notes=(*proposal.notes, f"{asked.why} The rules decided."))
    rendering = part(progress, _PROPOSING_SHARE, 1 - _PROPOSING_SHARE)
    return proposal, render_master(proposal, source, out, start_samples=start_samples, progress=rendering)


def album(
    songs: Sequence[Path],
    outs: Sequence[Path],
    wish: Wish,
    *,
    gap_s: float | Sequence[float],
    progress: Progress | None = None,
) -> Album:
    """Master files so that they sit together, each into its own file."""
    return master_album(file_sources(songs), outs, wish.target, gap_s=gap_s, style=wish.style, progress=progress)


def delivery_of(path: Path, plan: MasterPlan, wish: Wish, progress: Progress | None = None) -> Delivery:
    """Check a master against its own target."""
    return check_delivery(path, plan.target, codecs=round_trips() if wish.codecs else None, progress=progress)


def delivery_value(delivery: Delivery) -> dict[str, Any]:
    """A delivery check as scripts read it."""
    value: dict[str, Any] = msgspec.to_builtins(delivery)
    return value
