"""A motif as a Standard MIDI File, which every music program opens; it says who wrote it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import mido
import numpy as np

from core.muse.harmony import key_named
from core.muse.motif import Motif
from sessions.files import write_atomic

TICKS_PER_BEAT: Final = 480
CHANNELS: Final = {"melody": 0, "bass": 1, "chords": 2, "rhythm": 9}
"""General MIDI keeps the tenth for percussion."""
PROGRAMS: Final = {"melody": 4, "bass": 33, "chords": 4}
"""General MIDI sounds, from 0: an electric piano, a fingered bass."""


def write_midi(motif: Motif, path: Path) -> None:
    """Write the notes with the tempo of every beat as it was played, key, chord names and the mark of their maker."""
    file = mido.MidiFile(ticks_per_beat=TICKS_PER_BEAT, type=1)
    file.tracks.append(_conductor(motif))
    file.tracks.append(_player(motif))
    data = io.BytesIO()
    file.save(file=data)
    write_atomic(path, data.getvalue())


def _conductor(motif: Motif) -> Any:
    events: list[tuple[int, Any]] = [
        (0, mido.MetaMessage("track_name", name=f"OTO motif ({motif.part})")),
        (0, mido.MetaMessage("text", text=f"{motif.mark}. {motif.made_by}")),
        (0, mido.MetaMessage("time_signature", numerator=motif.beats_per_bar, denominator=4)),
    ]
    key = key_named(motif.key)
    if key is not None:
        tonic, _, mode = key.name.partition(" ")
        name = tonic + ("m" if mode == "minor" else "")
        events.append((0, mido.MetaMessage("key_signature", key=name)))
    for beat, gap_s in enumerate(np.diff(motif.beats_s)):
        events.append((beat * TICKS_PER_BEAT, mido.MetaMessage("set_tempo", tempo=round(float(gap_s) * 1e6))))
    events += [
        (round(chord.at_beats * TICKS_PER_BEAT), mido.MetaMessage("marker", text=chord.name)) for chord in motif.chords
    ]
    return _timed(events)


def _player(motif: Motif) -> Any:
    channel = CHANNELS[motif.part]
    events: list[tuple[int, Any]] = [(0, mido.MetaMessage("track_name", name=f"{motif.part} - AI-generated"))]
    if motif.part in PROGRAMS:
        events.append((0, mido.Message("program_change", program=PROGRAMS[motif.part], channel=channel)))
    for note in motif.notes:
        start, end = (round(at * TICKS_PER_BEAT) for at in (note.at_beats, note.at_beats + note.beats))
        said = {"note": note.pitch, "channel": channel}
        events.append((start, mido.Message("note_on", velocity=note.velocity, **said)))
        events.append((max(end, start + 1), mido.Message("note_off", **said)))
    return _timed(events)


def _timed(events: list[tuple[int, Any]]) -> Any:
    """A track: times since the message before, a note's end before the next one's beginning."""
    track = mido.MidiTrack()
    before = 0
    for at, message in sorted(events, key=lambda event: (event[0], event[1].type == "note_on")):
        track.append(message.copy(time=at - before))
        before = at
    return track
