"""What can be done with plans kept as A, B and C: the dialog of the Mix screen."""

from __future__ import annotations

from typing import Final, cast

from core.protocol.topics import KeptPlan, PlanLetter
from tui import kept, words
from tui.picture import Picture
from tui.screens.dialogs import Choice

KEEP: Final = "keep "
TAKE_UP: Final = "take up "


def choices(picture: Picture, take: int | None) -> list[Choice]:
    """What can be done with kept plans: keep the one that stands, the first free letter first, or go back to one."""
    there = {plan.letter: plan for plan in kept.plans(picture, take)}
    order = sorted(kept.LETTERS, key=lambda letter: letter in there)
    keep = [
        Choice(KEEP + letter, f"Keep as {letter}", "in place of the one before" if letter in there else "")
        for letter in order
    ]
    return keep + [
        Choice(TAKE_UP + letter, f"Go on with {letter}", _detail(picture, there[letter])) for letter in there
    ]


def letter_of(choice: str) -> PlanLetter:
    """The letter that a choice is about."""
    return cast("PlanLetter", choice[-1])


def _detail(picture: Picture, plan: KeptPlan) -> str:
    bounce = kept.bounce_of(picture, plan)
    return "not rendered" if bounce is None else f"{words.clean(bounce.id)}, {words.loudness(bounce.integrated_lufs)}"
