"""The report as data: what `report.json` holds and the page is drawn from."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.plans.document import MasterPlan, MixPlan, Target
from core.report.gain import GainCurve
from core.report.portrait import Portrait


class ToneBand(msgspec.Struct, frozen=True, kw_only=True):
    """The spectrum that is usual for a kind of music; only its shape counts."""

    name: str
    """As it goes on after "usual for"."""
    centre_hz: tuple[float, ...]
    low_db: tuple[float, ...]
    middle_db: tuple[float, ...]
    high_db: tuple[float, ...]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that whoever takes the file will ask of it."""

    name: str
    passes: bool
    says: str


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the comparison."""

    label: str
    """What it is: "the tracks at unity", or the name of a file."""
    audio: str | None
    """Where it lies, as a URL relative to the report; None when it does not lie on a disk as one file."""
    portrait: Portrait


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to say about one render."""

    schema: int = 1
    kind: Literal["mix", "master"]
    title: str
    made: str
    """Where it comes from, in words: session, take, bounce."""
    created_utc: str
    oto_version: str
    before: Piece
    after: Piece
    gain: GainCurve | None = None
    """What the chain did to the level; None where before and after are not the same music moment by moment."""
    tone: ToneBand | None = None
    checks: tuple[Check, ...] = ()
    decided: dict[str, int]
    """How many settings were made by whom."""
    plan: MixPlan | MasterPlan

    def target(self) -> Target | None:
        """Where a master goes; a mix goes nowhere yet."""
        return self.plan.target if isinstance(self.plan, MasterPlan) else None
