"""Plans kept as A, B and C beside the one that stands, each heard by the bounce that was rendered from exactly it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

from core.protocol.topics import Bounce, KeptPlan, PlanLetter
from tui.picture import Picture

LETTERS: Final[tuple[PlanLetter, ...]] = get_args(PlanLetter)


def plans(picture: Picture, take: int | None) -> list[KeptPlan]:
    """The kept plans of a take, A first."""
    return sorted((plan for plan in picture.plans.kept if plan.take == take), key=lambda plan: plan.letter)


def bounce_of(picture: Picture, plan: KeptPlan) -> Bounce | None:
    """The newest mix that was rendered from a kept plan as it is."""
    mixes = (bounce for bounce in picture.bounces.bounces if bounce.kind == "mix" and bounce.take == plan.take)
    return next((mix for mix in mixes if mix.plan_version == plan.version), None)


def letters(picture: Picture, take: int | None) -> dict[str, str]:
    """Bounce to letters."""
    found: dict[str, str] = {}
    for plan in plans(picture, take):
        if (bounce := bounce_of(picture, plan)) is not None:
            found.setdefault(bounce.id, plan.letter)
    return found


def playing(picture: Picture) -> str:
    """The letter of the kept plan that is heard; "" when none is."""
    bounce = picture.transport.bounce
    if not picture.playing or bounce is None:
        return ""
    takes = {plan.take for plan in picture.plans.kept}
    return next((found[bounce] for take in sorted(takes) if bounce in (found := letters(picture, take))), "")


def missing(picture: Picture, take: int | None) -> list[KeptPlan]:
    """Kept plans that no bounce was rendered from and no job is rendering."""
    queued = {job.options.get("kept") for job in picture.running_jobs if job.kind == "mix" and job.take == take}
    return [plan for plan in plans(picture, take) if bounce_of(picture, plan) is None and plan.letter not in queued]


def next_rendered(picture: Picture, take: int | None) -> tuple[KeptPlan, Bounce] | None:
    """The kept plan after the one that is heard, among those that can be; None when there is no other."""
    rendered = [(plan, bounce) for plan in plans(picture, take) if (bounce := bounce_of(picture, plan)) is not None]
    now = playing(picture)
    later = [one for one in rendered if one[0].letter > now]
    return next((one for one in (*later, *rendered) if one[0].letter != now), None)


def head(picture: Picture, take: int | None) -> str:
    """The kept plans, and which of them plays."""
    now = playing(picture)
    shown = " ".join(f"[{plan.letter}]" if plan.letter == now else plan.letter for plan in plans(picture, take))
    return f"Plans {shown}{' plays' if now else ''}   " if shown else ""


def announced(plan: KeptPlan, gain_db: float, waiting: Sequence[KeptPlan]) -> str:
    """What is heard from now on."""
    louder = "as it is" if gain_db > -0.05 else f"{-gain_db:.1f} dB down, as loud as the others"
    queued = f" {_named(waiting)} will follow when rendered." if waiting else ""
    return f"Plan {plan.letter} plays, {louder}.{queued}"


def nothing_to_hear(picture: Picture, take: int | None) -> tuple[Literal["info", "warning"], str, str]:
    """Why no kept plan can be switched to."""
    if not plans(picture, take):
        return "warning", "No plan is kept yet.", "K keeps the one that stands as A, B or C."
    if now := playing(picture):
        return (
            "info",
            f"Plan {now} plays; no other one can be heard yet.",
            "K keeps another, or wait for its rendering.",
        )
    return "info", "The kept plans are being rendered.", "X plays them when they are done."


def _named(waiting: Sequence[KeptPlan]) -> str:
    letters = [plan.letter for plan in waiting]
    return f"Plan {letters[0]}" if len(letters) == 1 else f"Plans {' and '.join(letters)}"
