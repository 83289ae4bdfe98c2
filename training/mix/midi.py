"""General MIDI songs played part by part by a soundfont: their composers' levels and places, on dry mono tracks."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from training.data.general_midi import PERCUSSION_KEYS, PIECE_OF_KEY, label_of_program

Audio = NDArray[np.float32]

RATE_HZ: Final = 48_000
TAIL_S: Final = 2.0
DRUM_CHANNEL: Final = 9
TICKS_PER_S: Final = 960
PAN_CONTROL: Final = 10
MIDDLE: Final = 64
FEWEST_NOTES: Final = 6
LEAST_PEAK: Final = 1e-3
CALLED: Final = {"lead_vocal": "choir", "sidestick": "snare"}
"""Programs that sing are choirs."""


@dataclass(frozen=True)
class Part:
    """What one track of a band plays."""

    name: str
    pan: float | None
    """-1..1 where the composer said so throughout."""
    events: tuple[tuple[float, mido.Message], ...]
    """With their times in seconds from the beginning of the window, without places."""


def parts(path: Path, seconds: float, *, split_kit: bool) -> list[Part]:
    """The parts of a song in the window that has the most notes; drums as one kit or piece by piece.

    A file that can't be read has none.
    """
    try:
        timed = _timed(mido.MidiFile(path, clip=True))
    except (OSError, EOFError, ValueError, KeyError, IndexError):
        return []
    start_s = _busiest(timed, seconds)
    found = []
    for channel, events in sorted(_by_channel(timed, start_s, seconds).items()):
        program = _usual_program(events)
        places = {message.value for _, message in events if is_pan(message)}
        pan = (places.pop() - MIDDLE) / (127 - MIDDLE) if len(places) == 1 else None
        kept = tuple((at, message) for at, message in events if not is_pan(message))
        if channel != DRUM_CHANNEL:
            label = label_of_program(program) or "other"
            name = f"{channel + 1} {CALLED.get(label, label).replace('_', ' ')}"
            found.append(Part(name, None if pan is None else max(pan, -1.0), kept))
        elif not split_kit:
            found.append(Part("drums", None, kept))
        else:
            found += [Part(piece, None, chosen) for piece, chosen in _pieces(kept).items()]
    return [part for part in found if _notes(part.events) >= FEWEST_NOTES]


def play(played: list[Part], soundfont: Path, seconds: float) -> Iterator[tuple[Part, Audio]]:
    """Each part alone, mono float32 at 48 kHz; all of them lie in one file, so that the font is loaded once."""
    with tempfile.TemporaryDirectory() as folder:
        midi, sound = Path(folder) / "parts.mid", Path(folder) / "parts.wav"
        _in_a_row(played, seconds + TAIL_S).save(midi)
        quiet = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.3", "-r", str(RATE_HZ), "-T", "wav"]
        subprocess.run(
            [*quiet, "-O", "float", "-F", str(sound), str(soundfont), str(midi)], check=True, capture_output=True
        )
        with soundfile.SoundFile(sound) as file:
            for part in played:
                audio = file.read(round((seconds + TAIL_S) * RATE_HZ), dtype="float32", always_2d=True).mean(axis=1)
                if audio.size and np.abs(audio).max() > LEAST_PEAK:
                    yield part, audio[: round(seconds * RATE_HZ)]


def _timed(song: mido.MidiFile) -> list[tuple[float, mido.Message]]:
    now_s, timed = 0.0, []
    for message in song:
        now_s += message.time
        if not message.is_meta and hasattr(message, "channel"):
            timed.append((now_s, message))
    return timed


def _busiest(timed: list[tuple[float, mido.Message]], seconds: float) -> float:
    """Start of the window, in steps of ten seconds, in which most channels play, and among these most notes."""
    heard: dict[int, Counter[int]] = defaultdict(Counter)
    for at, message in timed:
        if message.type == "note_on" and message.velocity:
            heard[int(at / 10.0)][message.channel] += 1
    steps = round(seconds / 10.0)

    def worth(start: int) -> tuple[int, int]:
        notes = sum((heard[step] for step in range(start, start + steps)), Counter[int]())
        return len(notes), notes.total()

    return 10.0 * max(range(max(heard, default=0) + 1), key=worth)


def _by_channel(
    timed: list[tuple[float, mido.Message]], start_s: float, seconds: float
) -> dict[int, list[tuple[float, mido.Message]]]:
    """Events of the window; programs and controllers from before it stand at its beginning."""
    found: dict[int, list[tuple[float, mido.Message]]] = defaultdict(list)
    for at, message in timed:
        note = message.type in {"note_on", "note_off"}
        if start_s <= at < start_s + seconds or (at < start_s and not note):
            found[message.channel].append((max(at - start_s, 0.0), message))
    return found


def _usual_program(events: list[tuple[float, mido.Message]]) -> int:
    """The program that plays most notes."""
    program, counts = 0, Counter[int]()
    for _, message in events:
        if message.type == "program_change":
            program = message.program
        elif message.type == "note_on" and message.velocity:
            counts[program] += 1
    return counts.most_common(1)[0][0] if counts else program


def _pieces(events: tuple[tuple[float, mido.Message], ...]) -> dict[str, tuple[tuple[float, mido.Message], ...]]:
    pieces: dict[str, list[tuple[float, mido.Message]]] = defaultdict(list)
    everywhere = [(at, message) for at, message in events if not hasattr(message, "note")]
    for at, message in events:
        if hasattr(message, "note"):
            piece = PIECE_OF_KEY.get(message.note, "percussion" if message.note in PERCUSSION_KEYS else "")
            if piece:
                pieces[CALLED.get(piece, piece)].append((at, message))
    return {piece: tuple(sorted(everywhere + own, key=lambda one: one[0])) for piece, own in pieces.items()}


def is_pan(message: mido.Message) -> bool:
    """Whether an event says where a part stands."""
    return bool(message.type == "control_change" and message.control == PAN_CONTROL)


def _notes(events: tuple[tuple[float, mido.Message], ...]) -> int:
    return sum(message.type == "note_on" and message.velocity > 0 for _, message in events)


def _in_a_row(played: list[Part], each_s: float) -> mido.MidiFile:
    song, track, now = mido.MidiFile(ticks_per_beat=TICKS_PER_S // 2), mido.MidiTrack(), 0
    for place, part in enumerate(played):
        start_s = place * each_s
        reset = mido.Message("control_change", channel=part.events[0][1].channel, control=121, value=0)
        silence = mido.Message("control_change", channel=reset.channel, control=123, value=0)
        events = [(start_s, reset), *((start_s + at, message) for at, message in part.events)]
        for at, message in [*events, (start_s + each_s - TAIL_S, silence)]:
            ticks = max(round(at * TICKS_PER_S), now)
            track.append(message.copy(time=ticks - now))
            now = ticks
    track.append(
        mido.Message("note_off", channel=0, note=0, time=max(round(len(played) * each_s * TICKS_PER_S) - now, 0))
    )
    song.tracks.append(track)
    return song
