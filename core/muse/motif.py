"""A motif as a document: notes, what they were made to go with, and why. It says of itself that no person wrote it."""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from core.muse.harmony import Mode

Part = Literal["melody", "bass", "chords", "rhythm"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
Mood = Literal["plain", "calm", "bright", "dark", "driving"]
MOODS: Final[tuple[Mood, ...]] = get_args(Mood)

MARK: Final = "AI-generated: no person wrote these notes"
"""What every file says that a motif ends up in."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One note. Times are beats since the first bar of the motif."""

    at_beats: float
    beats: float
    pitch: int
    """MIDI note number, 60 is middle C; of a rhythm, the General MIDI percussion key."""
    velocity: int
    """1..127."""


class MotifChord(msgspec.Struct, frozen=True, kw_only=True):
    """What sounds under the motif from here on."""

    at_beats: float
    root: int
    mode: Mode
    name: str
    heard: str = ""
    """What the band played there, where the motif proposes another chord."""


class Motif(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="motif"):
    """A musical idea that OTO proposes."""

    schema: int = 1
    ai_generated: bool = True
    mark: str = MARK
    made_by: str
    """Program, version and who in it: rules, or a model with its version."""
    part: Part
    mood: Mood = "plain"
    density: float
    """0 (few notes) to 1 (many)."""
    seed: int
    """The same seed, take and wishes make the same motif."""
    session: str | None = None
    take: int | None = None
    bpm: float
    beats_per_bar: int
    bars: int
    beats_s: tuple[float, ...]
    """When on the take's timeline each of its beats falls, and the one after the last."""
    key: str
    """"" for a rhythm on a take where no key is heard."""
    tuning_cents: float = 0.0
    """How far above 440 Hz the band's A is; the sketch is tuned to it, the MIDI file can't be."""
    chords: tuple[MotifChord, ...] = ()
    notes: tuple[Note, ...]
    why: tuple[str, ...]
    """Reasons in plain words that name what was measured."""
