"""Mix and master plans: every decision as a named value with who made it, why, and how sure.

A plan is plain data. A parameter that a plan does not name has its neutral default (`core.plans.parameters`), so an
empty strip passes audio through untouched. Plans are never changed in place: each change is a new value.
"""

from __future__ import annotations

from typing import Literal

import msgspec

By = Literal["default", "rules", "model", "person"]
Priority = Literal["lead", "normal", "background"]


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
    taste: float | None = None
    """How much of the value is there because of what this studio's owner changed in earlier mixes; None is nothing."""


Settings = dict[str, Setting]
"""Parameter name to decision."""


class RidePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of a ride."""

    at_s: float
    """Since the start of the take."""
    gain_db: float


class Ride(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fader that moves: gain on top of its setting, straight lines in dB between the points, held beyond them."""

    points: tuple[RidePoint, ...]
    """In order of time."""
    by: By = "default"
    why: str = ""
    confidence: float | None = None
    locked: bool = False


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of a take that is mixed; a count-in before it and talk after it stay in the recording."""

    start_s: float
    end_s: float
    by: By = "default"
    why: str = ""
    confidence: float | None = None
    locked: bool = False


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """One track's channel strip."""

    track: str
    """Track name, or the input file's name without its suffix when files are mixed."""
    role: str = "other"
    role_confidence: float | None = None
    role_by: By = "default"
    role_why: str = ""
    """What the role was told by; empty where a person said it."""
    priority: Priority = "normal"
    """What a person wants of this track; the engineer gives a lead its place first."""
    settings: Settings = {}
    ride: Ride | None = None


class BusStrip(msgspec.Struct, frozen=True, kw_only=True):
    """A bus (drums, music, vocals), an effect return (room, plate, hall, delay) or the master."""

    name: str
    settings: Settings = {}
    ride: Ride | None = None


class MixPlan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="mix"):
    """Everything needed to render a take to stereo."""

    schema: int = 1
    engineer: str = "rules"
    """Who proposed it: "rules", and the models that took part with their versions ("rules, roles 1.0.0")."""
    oto_version: str
    session: str | None = None
    take: int | None = None
    style: str = "natural"
    hands: float = 1.0
    """0 leaves the faders at unity, 1 applies the proposal whole."""
    strips: tuple[Strip, ...]
    buses: tuple[BusStrip, ...] = ()
    master: Settings = {}
    master_ride: Ride | None = None
    """A fade-out, where the take ends in noise."""
    span: Span | None = None
    """None mixes all of the take."""
    tempo_bpm: float | None = None
    """What a delay in beats counts; None where it is not known."""
    notes: tuple[str, ...] = ()
    """What a person should know about the proposal as a whole."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a master is going."""

    name: str
    integrated_lufs: float
    true_peak_dbtp: float
    why: str = ""
    """Where the figures come from."""


class ToneCurve(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Gains of a linear-phase equaliser, smooth between its frequencies and held beyond them."""

    freq_hz: tuple[float, ...]
    mid_db: tuple[float, ...]
    side_db: tuple[float, ...]
    by: By = "default"
    why: str = ""
    confidence: float | None = None
    locked: bool = False


class MasterPlan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="master"):
    """Everything needed to turn a mix into a master."""

    schema: int = 1
    engineer: str = "rules"
    """As in a mix."""
    hands: float = 1.0
    """How much of tone, width and compression was applied: 0 none, 1 what was proposed."""
    oto_version: str
    target: Target
    reference: str | None = None
    references: tuple[str, ...] = ()
    """Names of the songs it was matched to, when there are several."""
    settings: Settings = {}
    curve: ToneCurve | None = None
    """What is left between this song's spectrum and a reference's, ahead of the EQ."""
    notes: tuple[str, ...] = ()


Plan = MixPlan | MasterPlan
"""A plan on the wire or on disk; its `kind` key says which."""


def value_of(settings: Settings, name: str, default: float) -> float:
    """A numeric setting, or `default` when the plan does not name it."""
    setting = settings.get(name)
    return default if setting is None else float(setting.value)
