"""How well the muse hears a song: tempo, beats, first beats of the bar, chords and key, against what was written.

Three kinds of music whose truth is known without listening: the simulated band (its score), General MIDI songs played
part by part by a soundfont (their tempo maps and notes), and grooves of human drummers to a click (their tempo). A MIDI
song counts where its notes lie on its own grid, and all of it is in 4/4. Its chords are derived: of every half bar the
triad that most of the sounding notes' time belongs to, judged where there is only one such, with no look at the audio.
Songs fall into two halves by a hash of their names, grooves into their own splits: constants are chosen with `look`.

    python -m benchmarks.motifs ../shared/data --half report
"""

from __future__ import annotations

import argparse
import csv
import shutil
import statistics
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import mido
import numpy as np
from numpy.typing import NDArray

from benchmarks.recorded import Sound
from core.analysis.track import Source, analyse_source
from core.desk.sources import file_sources
from core.errors import OtoError
from core.models.roles import decide_role
from core.muse.harmony import SCALES, TRIADS
from core.muse.song import Heard, Song, hear_song
from devices.simulated.arrangement import parse_chord
from devices.simulated.band import render_band
from devices.simulated.song import SONG
from training.data.general_midi import HEARD_AS_KEY, PIECE_OF_KEY
from training.mix.midi import CALLED, Part, parts, play

Floats = NDArray[np.float64]

SOUNDFONT: Final = Path("/usr/share/sounds/sf2/default-GM.sf2")
SECONDS: Final = 60.0
MOST: Final = 20
"""Songs of a kind."""
NEAR_S: Final = 0.07
"""How far a heard beat may lie from a written one (Dixon, "Automatic Extraction of Tempo and Beat", 2001)."""
SAME_TEMPO: Final = 0.04
ON_GRID: Final = 0.9
"""Share of notes within a 25th of a beat of a sixteenth or a triplet, from which on a file's own beat is believed."""
MOMENT_S: Final = 0.05
WHOLE_SONG_S: Final = 36_000.0
HALVES: Final = {"look": "validation", "report": "test"}
DRUMS: Final = frozenset({*(CALLED.get(piece, piece) for piece in PIECE_OF_KEY.values()), "percussion", "drums"})

Note = tuple[float, float, int]
"""(start_s, end_s, MIDI number)."""


@dataclass(frozen=True)
class Stretch:
    """A written chord; what can't be said of it is None."""

    start_s: float
    end_s: float
    root: int | None
    mode: str | None


@dataclass(frozen=True)
class Truth:
    """What was written; a bar has four beats."""

    beats_s: Floats
    chords: tuple[Stretch, ...] = ()
    notes: tuple[Note, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Score:
    """How one song was heard: shares 0..1, None where there is nothing to judge."""

    tempo: str
    """"right", "double", "half", "other" or "none"."""
    beats: float
    """F-measure."""
    bars: float
    """Share of heard bars that begin where one was written."""
    root: float | None
    triad: float | None
    in_chord: float | None
    """Share of the notes' time in the heard chords,"""
    in_best_chord: float | None
    """and in the triads that would have held most."""
    in_scale: float | None
    in_best_scale: float | None
    key: str
    cpu_s: float
    """What listening took once the tracks were measured."""


@dataclass(frozen=True)
class Task:
    """A song to play and hear."""

    kind: str
    name: str
    path: Path = field(default_factory=Path)
    soundfont: Path = SOUNDFONT


def written_band() -> Truth:
    """The score of the simulated band."""
    now_s, beats, chords = 0.0, [], []
    for section in SONG:
        beat_s = 60.0 / section.bpm
        for bar in section.chords:
            symbols = bar.split()
            edges = now_s + 4.0 * beat_s * np.arange(len(symbols) + 1) / len(symbols)
            for symbol, (start_s, end_s) in zip(symbols, pairwise(edges.tolist()), strict=True):
                if symbol != "N.C.":
                    chord = parse_chord(symbol)
                    modes = [
                        mode for mode, third in (("major", 4), ("minor", 3)) if (chord.root + third) % 12 in chord.tones
                    ]
                    chords.append(Stretch(start_s, end_s, chord.root, modes[0] if modes else None))
            beats += [now_s + beat * beat_s for beat in range(4)]
            now_s += 4.0 * beat_s
    return Truth(np.array([*beats, now_s]), tuple(chords), key="D major")


def written_beats(path: Path, seconds: float) -> Floats | None:
    """Beats of a MIDI file by its own tempo map; None where its notes don't keep to them, or a bar has not four."""
    song = mido.MidiFile(path, clip=True)
    ticks, tempos, notes = 0, {0: mido.bpm2tempo(120)}, []
    for message in mido.merge_tracks(song.tracks):
        ticks += message.time
        if message.type == "time_signature" and (message.numerator, message.denominator) != (4, 4):
            return None
        if message.type == "set_tempo":
            tempos[ticks] = message.tempo
        if message.type == "note_on" and message.velocity:
            notes.append(ticks / song.ticks_per_beat)
    at = np.array(notes)
    off = np.min([np.abs(at * steps - np.round(at * steps)) / steps for steps in (4, 6)], axis=0)
    if not at.size or np.mean(off < 0.04) < ON_GRID:
        return None
    changes = sorted(tempos)
    beat_s = np.array([tempos[change] for change in changes]) / 1e6
    edges = np.array(changes) / song.ticks_per_beat
    passed_s = np.concatenate(([0.0], np.cumsum(np.diff(edges) * beat_s[:-1])))
    beats = np.arange(0.0, 1.0 + seconds / float(beat_s.min()))
    here = np.searchsorted(edges, beats, side="right") - 1
    times = passed_s[here] + (beats - edges[here]) * beat_s[here]
    return np.asarray(times[times <= seconds])


def sounding(played: Sequence[Part], seconds: float) -> tuple[Note, ...]:
    """Notes of the parts with a pitch."""
    found: list[Note] = []
    for part in played:
        held: dict[int, float] = {}
        for at, message in part.events if part.name not in DRUMS else ():
            if message.type in ("note_on", "note_off") and message.note in held:
                found.append((held.pop(message.note), at, message.note))
            if message.type == "note_on" and message.velocity:
                held[message.note] = at
        found += [(start, seconds, pitch) for pitch, start in held.items()]
    return tuple(found)


def classes_between(notes: Floats, start_s: float, end_s: float) -> Floats:
    """Seconds of each pitch class."""
    if not notes.size:
        return np.zeros(12)
    lengths = np.minimum(notes[:, 1], end_s) - np.maximum(notes[:, 0], start_s)
    return np.bincount(notes[:, 2].astype(np.int64) % 12, np.maximum(lengths, 0.0), 12)


def within(classes: Floats, root: int, steps: Sequence[int]) -> float:
    """Seconds that belong to a chord or scale."""
    return float(sum(classes[(root + step) % 12] for step in steps))


def derived_chords(notes: Sequence[Note], beats_s: Floats) -> tuple[Stretch, ...]:
    """The triad of each half bar; root or mode are None where several hold as much."""
    found, every = [], np.array(notes)
    for start_s, end_s in pairwise(beats_s[::2].tolist()):
        classes = classes_between(every, start_s, end_s)
        worth = {(root, mode): within(classes, root, TRIADS[mode]) for mode in TRIADS for root in range(12)}
        most = max(worth.values())
        best = [chord for chord, seconds in worth.items() if most > 0.0 and seconds > most - 1e-6]
        roots = {root for root, _ in best}
        found.append(
            Stretch(start_s, end_s, roots.pop() if len(roots) == 1 else None, best[0][1] if len(best) == 1 else None)
        )
    return tuple(found)


def tempo_word(heard_bpm: float | None, written_bpm: float) -> str:
    """How a tempo compares."""
    if heard_bpm is None:
        return "none"
    for word, factor in (("right", 1.0), ("double", 2.0), ("half", 0.5)):
        if abs(heard_bpm / (written_bpm * factor) - 1.0) <= SAME_TEMPO:
            return word
    return "other"


def hits(heard_s: Floats, written_s: Floats) -> int:
    """How many heard beats have a written one near them that no other has."""
    near = np.abs(heard_s[:, None] - written_s[None, :])
    return sum(row.min() <= NEAR_S and near[:, row.argmin()].argmin() == n for n, row in enumerate(near))


def compared(song: Song, truth: Truth, cpu_s: float) -> Score:
    """How what was heard compares with what was written, from the first heard beat to the last."""
    beats = song.beats_s
    written = truth.beats_s[(truth.beats_s >= beats[0] - NEAR_S) & (truth.beats_s <= beats[-1] + NEAR_S)]
    bars = beats[: -1 : song.beats_per_bar]
    tempo = song.bpm if song.tempo else None
    root, triad = agreement(song, truth.chords)
    notes = np.array(truth.notes)
    known = bool(notes.size and song.key)
    in_scale = in_scales(song, notes) if known else (None, None)
    in_chord = in_chords(song, notes) if known else (None, None)
    key = "" if not truth.key or not song.key else "right" if song.key.name == truth.key else song.key.name
    return Score(
        tempo=tempo_word(tempo, 60.0 / float(np.median(np.diff(truth.beats_s)))),
        beats=2.0 * hits(beats, written) / max(len(beats) + len(written), 1),
        bars=hits(bars, truth.beats_s[::4]) / len(bars),
        root=root,
        triad=triad,
        in_chord=in_chord[0],
        in_best_chord=in_chord[1],
        in_scale=in_scale[0],
        in_best_scale=in_scale[1],
        key=key,
        cpu_s=cpu_s,
    )


def agreement(song: Song, written: Sequence[Stretch]) -> tuple[float | None, float | None]:
    """Shares of the judged time in which root and triad are those written."""
    if not written or not song.chords:
        return None, None
    edges = song.beats_s[:: song.beats_per_bar // 2]
    roots, triads = [], []
    for stretch in written:
        moments = np.arange(stretch.start_s, stretch.end_s, MOMENT_S)
        for at in np.searchsorted(edges, moments[(moments >= edges[0]) & (moments < edges[-1])], side="right") - 1:
            chord = song.chords[at]
            if stretch.root is not None:
                roots.append(chord.root == stretch.root)
                if stretch.mode is not None:
                    triads.append(chord.root == stretch.root and chord.mode == stretch.mode)
    return (float(np.mean(roots)) if roots else None), (float(np.mean(triads)) if triads else None)


def in_scales(song: Song, notes: Floats) -> tuple[float, float]:
    """Shares of the notes' time in the heard key's scale, and in the one of twelve that holds most."""
    assert song.key
    classes = classes_between(notes, 0.0, song.heard_s)
    best = max(within(classes, root, SCALES["major"]) for root in range(12))
    return within(classes, 0, song.key.scale) / classes.sum(), best / float(classes.sum())


def in_chords(song: Song, notes: Floats) -> tuple[float, float]:
    """Shares of the notes' time in the heard chords, and in the triads that hold most of the same half bars."""
    total = held = best = 0.0
    edges = song.beats_s[:: song.beats_per_bar // 2].tolist()
    for chord, (start_s, end_s) in zip(song.chords, pairwise(edges), strict=True):
        classes = classes_between(notes, start_s, end_s)
        total += float(classes.sum())
        held += within(classes, 0, chord.tones)
        best += max(within(classes, root, steps) for steps in TRIADS.values() for root in range(12))
    return held / max(total, 1e-9), best / max(total, 1e-9)


def played(task: Task) -> tuple[list[Source], Truth]:
    """A MIDI file as separate tracks, with what is written in it."""
    found, seconds = [], min(SECONDS, mido.MidiFile(task.path, clip=True).length)
    for part in parts(task.path, WHOLE_SONG_S, split_kit=True):
        events = tuple((at, _as_heard(message, part)) for at, message in part.events if at < seconds)
        if any(message.type == "note_on" for _, message in events):
            found.append(replace(part, events=events))
    beats = written_beats(task.path, seconds) if task.kind == "songs" else _clicked(task.path, seconds)
    assert beats is not None
    notes = sounding(found, seconds)
    tracks: list[Source] = [Sound(part.name, audio[None]) for part, audio in play(found, task.soundfont, seconds)]
    return tracks, Truth(beats, derived_chords(notes, beats), notes)


def _as_heard(message: mido.Message, part: Part) -> mido.Message:
    if part.name in DRUMS and hasattr(message, "note"):
        return message.copy(note=HEARD_AS_KEY.get(message.note, message.note))
    return message


def _clicked(path: Path, seconds: float) -> Floats:
    """The click that a drummer heard."""
    return np.arange(0.0, seconds, 60.0 / float(path.stem.split("_")[2]))


def hear(tracks: Sequence[Source], truth: Truth) -> Score | None:
    """Hear tracks with the roles that their names tell; None where the muse declines."""
    heard = []
    for track in tracks:
        analysis = analyse_source(track)
        heard.append(Heard(track, decide_role(track.name, analysis, None).role, analysis))
    start = time.process_time()
    try:
        song = hear_song(heard)
    except OtoError:
        return None
    return compared(song, truth, time.process_time() - start)


def judge(task: Task) -> Score | None:
    """One song from its score to how it was heard."""
    if task.kind == "band":
        with tempfile.TemporaryDirectory(prefix="oto-band-") as folder:
            render_band(Path(folder), 48_000)
            return hear(list(file_sources(sorted(Path(folder).glob("*.wav")))), written_band())
    return hear(*played(task))


def songs(data: Path, half: str, soundfont: Path) -> list[Task]:
    """MIDI songs of a half that have a truth."""
    found, left_out = [], 0
    for path in sorted((data / "midi" / "freedoom").glob("*.mid")):
        if ("look", "report")[zlib.crc32(path.stem.encode()) % 2] == half:
            if written_beats(path, SECONDS) is None:
                left_out += 1
            else:
                found.append(Task("songs", path.stem, path, soundfont))
    print(f"{len(found)} songs; {left_out} left out: not in 4/4, or not on their own grid", flush=True)
    return found[:MOST]


def grooves(data: Path, half: str, soundfont: Path) -> list[Task]:
    """Long grooves of a split, by lot."""
    folder = data / "midi" / "groove" / "groove"
    with (folder / "info.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == HALVES[half] and row["beat_type"] == "beat"]
    found = [
        Task("grooves", Path(row["midi_filename"]).stem, folder / row["midi_filename"], soundfont)
        for row in rows
        if row["time_signature"] == "4-4" and float(row["duration"]) >= 25.0
    ]
    return sorted(found, key=lambda task: zlib.crc32(task.name.encode()))[:MOST]


def share(values: Sequence[float | None]) -> str:
    """A mean as per cent; a dash without any."""
    there = [value for value in values if value is not None]
    return f"{100.0 * statistics.fmean(there):.0f} %" if there else "-"


def row(name: str, scores: Sequence[Score]) -> str:
    """A line of the table."""
    words = [score.tempo for score in scores]
    counts = [str(words.count(word)) for word in ("right", "double", "half", "other", "none")]
    shares = [share([getattr(score, of) for score in scores]) for of in SHARES]
    cells = [name, *counts, *shares, ", ".join(sorted({score.key for score in scores if score.key})) or "-"]
    return f"| {' | '.join(cells)} |"


SHARES: Final = (
    "beats", "bars", "root", "triad", "in_chord", "in_best_chord", "in_scale", "in_best_scale"
)  # fmt: skip


def tasks(data: Path, half: str, soundfont: Path) -> Iterator[Task]:
    """All that can be judged here; says what can't."""
    yield Task("band", "simulated band")
    if shutil.which("fluidsynth") is None or not soundfont.is_file() or not (data / "midi").is_dir():
        print("no fluidsynth, soundfont or MIDI files: the simulated band alone", flush=True)
        return
    yield from songs(data, half, soundfont)
    yield from grooves(data, half, soundfont)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--half", choices=tuple(HALVES), default="report")
    parser.add_argument("--soundfont", type=Path, default=SOUNDFONT)
    options = parser.parse_args()
    wanted = list(tasks(options.data, options.half, options.soundfont))
    head = "| music | tempo right | double | half | other | none | beats, F | bars begin right | root | triad "
    head += "| notes in chord | at best | notes in scale | at best | key |\n|---|" + "---|" * 14
    by_kind: dict[str, list[Score]] = {}
    cpu_s = 0.0
    print(head)
    with ProcessPoolExecutor(2) as pool:
        for task, score in zip(wanted, pool.map(judge, wanted), strict=True):
            if score is None:
                print(f"| {task.name} | too short |", flush=True)
                continue
            by_kind.setdefault(task.kind, []).append(score)
            cpu_s += score.cpu_s
            print(row(task.name, [score]), flush=True)
    print(f"\n{head}")
    for kind, scores in by_kind.items():
        print(row(f"{kind} ({len(scores)}, {options.half})", scores))
    print(f"\nlistening: {cpu_s:.1f} CPU-s for {len(wanted)} pieces")


if __name__ == "__main__":
    main()
