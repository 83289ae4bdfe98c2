"""What analysing, mixing and mastering mean: the same for a take in the library and for files somewhere on a disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from core.analysis.bleed import measure_bleed
from core.analysis.loudness import Loudness
from core.analysis.roles import RoleGuess
from core.desk.render import MixResult, render_mix
from core.desk.sources import Source
from core.desk.stripcache import StripCache
from core.errors import Exit, OtoError
from core.jobs.listening import ENGINEERS, Engineer, listen
from core.master.render import MasterResult
from core.memory import give_back
from core.mix.engineer import propose_mix
from core.mix.taste import Taste
from core.models import mixing
from core.models.roles import decide_role
from core.plans.document import MasterPlan, MixPlan, Plan, Priority
from core.plans.roles import Role
from core.progress import Progress

PROPOSING_SHARE = 0.4
"""Of the progress of a mix; the rest is rendering."""
LISTENING_SHARE = 0.7
"""Of that; the rest is comparing the tracks with each other."""

CURVES = ("loudness_curve", "peak_curve_dbfs", "onsets_s", "ear_levels")
"""Parts of an analysis that grow with the song; too long for a message."""


def read_plan(data: bytes, where: str) -> Plan:
    """Decode a plan document. Raises OtoError("bad_input") naming what is wrong in it."""
    try:
        plan: Plan = msgspec.json.decode(data, type=Plan)
        return plan
    except ValueError as error:
        raise OtoError(
            "bad_input", f"The plan in {where} can't be used: {error}.", "Nothing was rendered.", Exit.BAD_INPUT
        ) from error


def plan_bytes(plan: Plan) -> bytes:
    """A plan as the document that people read and change."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def analyse(
    sources: Sequence[Source], roles: Mapping[str, str] | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Listen to every source: role with its confidence and reason, then what was measured; who is heard on whose track.

    `roles` are a person's, by track name. JSON-able: "tracks" in the order of the sources, "bleed", the loudest first,
    and "notes": why there is no recogniser, and where names and sounds disagree.
    """
    heard = listen(sources, "model", share(progress, 0.0, 0.8))
    tracks: list[dict[str, Any]] = []
    notes = list(heard.notes)
    for source in sources:
        analysis = heard.analyses[source.name]
        given = (roles or {}).get(source.name)
        guess = (
            RoleGuess(role=cast("Role", given), confidence=1.0, why="You said so.", by="person")
            if given is not None
            else decide_role(source.name, analysis, heard.recognised.get(source.name))
        )
        notes += [guess.note] if guess.note else []
        tracks.append(
            {
                "track": source.name,
                "role": guess.role,
                "confidence": guess.confidence,
                "by": guess.by,
                "why": guess.why,
                **{key: value for key, value in msgspec.to_builtins(analysis).items() if key not in CURVES},
            }
        )
    bleed = measure_bleed(sources, list(heard.analyses.values()), progress=share(progress, 0.8, 0.2))
    return {"tracks": tracks, "bleed": msgspec.to_builtins(bleed.bleeds), "notes": notes}


def priorities(lead: Sequence[str], background: Sequence[str]) -> dict[str, Priority]:
    """Track names with what a person wants of them. Raises OtoError("bad_input") for a track that is both."""
    both = set(lead) & set(background)
    if both:
        raise OtoError("bad_input", f"{min(both)} can't lead and be background.", "Say one of them.", Exit.BAD_INPUT)
    leads: dict[str, Priority] = dict.fromkeys(lead, "lead")
    return leads | dict.fromkeys(background, "background")


def engineer_of(name: str) -> Engineer:
    """Who proposes. Raises OtoError("bad_input") for anybody unknown."""
    if name not in ENGINEERS:
        raise OtoError("bad_input", f"There is no engineer '{name}'.", f"Say {' or '.join(ENGINEERS)}.", Exit.BAD_INPUT)
    return name


def mix(
    sources: Sequence[Source],
    out: Path,
    *,
    plan: MixPlan | None = None,
    previous: MixPlan | None = None,
    roles: dict[str, str] | None = None,
    style: str = "natural",
    hands: float = 1.0,
    priorities: Mapping[str, Priority] | None = None,
    engineer: Engineer = "model",
    taste: Taste | None = None,
    stems: Path | None = None,
    cache: StripCache | None = None,
    progress: Progress | None = None,
) -> tuple[MixPlan, MixResult]:
    """Render `plan`, or a new proposal that keeps what a person set in `previous` and leans to their `taste`."""
    if plan is not None:
        return plan, render_mix(plan, sources, out, stems=stems, cache=cache, progress=progress)
    heard = listen(sources, engineer, share(progress, 0.0, PROPOSING_SHARE * LISTENING_SHARE))
    give_back()
    asked = mixing.controller() if engineer == "model" else None
    controller = asked if isinstance(asked, mixing.Controller) else None
    proposal = propose_mix(
        sources,
        roles=roles,
        style=style,
        hands=hands,
        priorities=priorities,
        previous=previous,
        analyses=heard.analyses,
        recognised=heard.recognised,
        controller=controller,
        taste=taste,
        progress=share(progress, PROPOSING_SHARE * LISTENING_SHARE, PROPOSING_SHARE * (1.0 - LISTENING_SHARE)),
    )
    proposal = msgspec.structs.replace(
        proposal,
        engineer=", ".join((heard.engineer, *mixing.took_part(asked))),
        notes=(*heard.notes, *mixing.missing(asked), *proposal.notes),
    )
    give_back()
    rendering = share(progress, PROPOSING_SHARE, 1 - PROPOSING_SHARE)
    return proposal, render_mix(proposal, sources, out, stems=stems, cache=cache, progress=rendering)


def mix_value(result: MixResult, plan: Path) -> dict[str, Any]:
    """A rendered mix as scripts read it."""
    return {
        "out": str(result.out),
        "stems": {name: str(path) for name, path in result.stems.items()},
        "returns": {name: str(path) for name, path in result.returns.items()},
        "plan": str(plan),
        **_figures(result.loudness),
    }


def master_value(result: MasterResult, plan: MasterPlan, plan_file: Path) -> dict[str, Any]:
    """A rendered master as scripts read it."""
    target = plan.target
    return {
        "out": str(result.out),
        **_figures(result.loudness),
        "target": {
            "name": target.name,
            "integrated_lufs": target.integrated_lufs,
            "true_peak_dbtp": target.true_peak_dbtp,
        },
        "plan": str(plan_file),
        "notes": list(plan.notes),
    }


def _figures(loudness: Loudness) -> dict[str, float | None]:
    return {
        "integrated_lufs": loudness.integrated_lufs,
        "true_peak_dbtp": loudness.true_peak_dbtp,
        "duration_s": loudness.duration_s,
    }


def decisions(plan: Plan) -> dict[str, int]:
    """How many settings of a plan were made by whom: rules, model, person."""
    groups: Iterable[Any] = (
        [strip.settings for strip in plan.strips] + [bus.settings for bus in plan.buses] + [plan.master]
        if isinstance(plan, MixPlan)
        else [plan.settings]
    )
    counts: dict[str, int] = {}
    for settings in groups:
        for setting in settings.values():
            counts[setting.by] = counts.get(setting.by, 0) + 1
    return counts


def share(progress: Progress | None, start: float, part: float) -> Progress | None:
    """A step's own progress as a part of the whole's."""
    if progress is None:
        return None
    return lambda fraction, doing: progress(start + part * fraction, doing)
