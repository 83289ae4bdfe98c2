"""Mix and master plans: every decision as a named value with who made it, why, and how sure.

A plan is plain data. A parameter that a plan does not name has its neutral default (`core.plans.parameters`), so an
empty strip passes audio through untouched. Plans are never changed in place: each change is a new value.
"""

from __future__ import annotations

from typing import Literal

import msgspec

By = Literal["default", "rules", "model", "person"]


class Setting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision."""

    value: float | bool | str
    """In the unit of its parameter."""
    unit: str = ""
    """Repeated from the parameter so that the file reads well without OTO."""
    by: By = "default"
    why: str = ""
    """Plain words that name what was measured or which rule applied."""
    confidence: float | None = None
    """0..1; None where it makes no sense (a person decided)."""
    locked: bool = False
    """True keeps it when a plan is proposed again."""


Settings = dict[str, Setting]
"""Parameter name to decision."""


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """One track's channel strip."""

    track: str
    """Track name, or the input file's name without its suffix when files are mixed."""
    role: str = "other"
    role_confidence: float | None = None
    role_by: By = "default"
    settings: Settings = {}


class BusStrip(msgspec.Struct, frozen=True, kw_only=True):
    """A bus (drums, music, vocals), an effect return (room, plate, hall, delay) or the master."""

    name: str
    settings: Settings = {}


class MixPlan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="mix"):
    """Everything needed to render a take to stereo."""

    schema: int = 1
    engineer: str = "rules"
    """Who proposed it: "rules", or a model's name and version."""
    oto_version: str
    session: str | None = None
    take: int | None = None
    style: str = "natural"
    hands: float = 1.0
    """0 leaves the faders at unity, 1 applies the proposal whole."""
    strips: tuple[Strip, ...]
    buses: tuple[BusStrip, ...] = ()
    master: Settings = {}
    notes: tuple[str, ...] = ()
    """What a person should know about the proposal as a whole."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a master is going."""

    name: str
    integrated_lufs: float
    true_peak_dbtp: float
    why: str = ""
    """Where the figures come from."""


class MasterPlan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="master"):
    """Everything needed to turn a mix into a master."""

    schema: int = 1
    engineer: str = "rules"
    oto_version: str
    target: Target
    reference: str | None = None
    settings: Settings = {}
    notes: tuple[str, ...] = ()


Plan = MixPlan | MasterPlan
"""A plan on the wire or on disk; its `kind` key says which."""


def value_of(settings: Settings, name: str, default: float) -> float:
    """A numeric setting, or `default` when the plan does not name it."""
    setting = settings.get(name)
    return default if setting is None else float(setting.value)
