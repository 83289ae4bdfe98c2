"""What the muse knows of a take: beat, bars, key, chords, and where in a bar the band plays."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis
from core.desk.sources import Source
from core.errors import Exit, OtoError
from core.mix.tempo import Tempo, tempo_of_onsets
from core.muse.beats import FREE_BPM, beats_of, even_beats, first_of_bar
from core.muse.harmony import Chord, Key, find_chords, find_key
from core.muse.pitches import Pitches, PitchListener
from core.plans.roles import BUS_OF_ROLE, Role
from core.progress import Progress, report

Floats = NDArray[np.float64]

BEATS_PER_BAR: Final = 4
SLOTS: Final = 16
"""Into how many steps a bar is cut."""
CHORDS_PER_BAR: Final = 2
BLOCK_S: Final = 10
MOST_S: Final = 900
"""How much of a take is listened to."""
PITCHED: Final = 0.3
"""Share of its sounding time in which a track has a pitch, from which on it counts as playing notes."""
INSTRUMENTS: Final[frozenset[Role]] = frozenset(
    {
        "bass",
        "synth_bass",
        "acoustic_guitar",
        "electric_guitar",
        "distorted_guitar",
        "piano",
        "keys",
        "synth_pad",
        "synth_lead",
        "strings",
        "brass",
        "woodwind",
    }
)
"""They play notes however little pitch is found: a power chord has several, a slapped bass few that last."""
LOW: Final[frozenset[Role]] = frozenset({"kick", "bass", "synth_bass"})


@dataclass(frozen=True, eq=False)
class Song:
    """What was heard."""

    tempo: Tempo | None
    """None where no beat is steady: then the bars are an even grid of 100 beats a minute."""
    beats_s: Floats
    """Every beat of whole bars, and the one after the last."""
    beats_per_bar: int
    key: Key | None
    """None where nothing has a pitch."""
    chords: tuple[Chord, ...]
    """Two for every bar; empty without a key."""
    groove: Floats
    """(bars, 16): how much is struck at each step of each bar, all tracks."""
    low_groove: Floats
    """The same of kick and bass alone."""
    tuning_cents: float
    singer_midi: float | None
    """Middle of what the lead voice sings."""
    heard_s: float
    """How much of the take was listened to."""

    @property
    def bars(self) -> int:
        """Whole bars."""
        return (len(self.beats_s) - 1) // self.beats_per_bar

    @property
    def bpm(self) -> float:
        """Mean tempo."""
        return 60.0 / float(np.diff(self.beats_s).mean())


@dataclass(frozen=True)
class Heard:
    """A track, with what its player is and what was measured."""

    source: Source
    role: Role
    analysis: TrackAnalysis

    @property
    def plays_notes(self) -> bool:
        """Whether it says something about key and chords."""
        if BUS_OF_ROLE.get(self.role) == "drums" or self.role in ("click", "speech"):
            return False
        return self.role in INSTRUMENTS or self.analysis.pitched >= PITCHED


def hear_song(
    tracks: Sequence[Heard], *, bpm: float | None = None, key: Key | None = None, progress: Progress | None = None
) -> Song:
    """Listen to a take's tracks together. `bpm` and `key` are a person's and are believed.

    Raises OtoError: "bad_input" where there are no two bars to go with, "cancelled".
    """
    audible = [track for track in tracks if not track.analysis.silent and track.role != "click"]
    length_s = min(max((track.source.frames / track.source.rate_hz for track in audible), default=0.0), MOST_S)
    strokes = [
        ([at for at in track.analysis.onsets_s if at < length_s], 1.0)
        for track in [one for one in audible if BUS_OF_ROLE.get(one.role) == "drums"] or audible
    ]
    pitches = listen_to_pitches([track for track in audible if track.plays_notes], length_s, progress)
    tempo = Tempo(bpm=bpm, confidence=1.0) if bpm else tempo_of_onsets(strokes)
    beats = _beats(strokes, tempo, length_s)
    if len(beats) < 2 * BEATS_PER_BAR + 1:
        raise OtoError(
            "bad_input",
            "The take is too short: a motif needs two bars to go with.",
            "Choose a longer take.",
            Exit.BAD_INPUT,
        )
    low = [track.analysis.onsets_s for track in audible if track.role in LOW]
    first = first_of_bar(beats, low, _changes(beats, pitches), BEATS_PER_BAR)
    whole = (len(beats) - 1 - first) // BEATS_PER_BAR * BEATS_PER_BAR
    beats = beats[first : first + whole + 1]
    found = key or find_key(pitches.every.mean(axis=0) if len(pitches.every) else np.zeros(12))
    singer = next((one.analysis.pitch_hz for one in audible if one.role == "lead_vocal"), None)
    return Song(
        tempo=tempo,
        beats_s=beats,
        beats_per_bar=BEATS_PER_BAR,
        key=found,
        chords=() if found is None else tuple(find_chords(_stretches(beats, pitches), found)),
        groove=_groove(beats, [times for times, _ in strokes]),
        low_groove=_groove(beats, low),
        tuning_cents=round(pitches.tuning_cents, 1),
        singer_midi=None if singer is None else float(69.0 + 12.0 * np.log2(singer / 440.0)),
        heard_s=length_s,
    )


def listen_to_pitches(tracks: Sequence[Heard], length_s: float, progress: Progress | None = None) -> Pitches:
    """Pitch classes of tracks that play notes, all of them about as loud. Raises OtoError("cancelled", "bad_input")."""
    rate_hz = tracks[0].source.rate_hz if tracks else 48_000
    listener = PitchListener(rate_hz)
    frames = round(length_s * rate_hz) if tracks else 0
    gains = [10.0 ** ((-20.0 - (track.analysis.active_lufs or -20.0)) / 20.0) for track in tracks]
    for start in range(0, frames, BLOCK_S * rate_hz):
        report(progress, start / frames, "Listening for key and chords")
        count = min(BLOCK_S * rate_hz, frames - start)
        together = np.zeros(count, np.float32)
        for track, gain in zip(tracks, gains, strict=True):
            together += np.float32(gain) * track.source.read(start, count).mean(axis=0)
        listener.add(together)
    return listener.result()


def _beats(strokes: Sequence[tuple[Sequence[float], float]], tempo: Tempo | None, length_s: float) -> Floats:
    first_s = min((times[0] for times, _ in strokes if times), default=0.0)
    if tempo is None or not any(times for times, _ in strokes):
        return even_beats(length_s, tempo.bpm if tempo else FREE_BPM, first_s)
    return beats_of(strokes, tempo.bpm, length_s)


def _changes(beats: Floats, pitches: Pitches) -> Floats:
    """How much the pitch classes after each beat differ from those before it."""
    gaps = [pitches.between(start, end)[0] for start, end in itertools.pairwise(beats)]
    between = np.array([np.zeros(12), *gaps, np.zeros(12)])
    return np.asarray(np.abs(np.diff(between, axis=0)).sum(axis=1))


def _stretches(beats: Floats, pitches: Pitches) -> list[tuple[Floats, Floats]]:
    edges = beats[:: BEATS_PER_BAR // CHORDS_PER_BAR]
    return [pitches.between(start, end) for start, end in itertools.pairwise(edges)]


def _groove(beats: Floats, tracks: Sequence[Sequence[float]]) -> Floats:
    """How many tracks strike at each sixteenth of each bar, the nearest counting."""
    per_beat = SLOTS // BEATS_PER_BAR
    slots = np.interp(np.arange((len(beats) - 1) * per_beat), np.arange(len(beats)) * per_beat, beats)
    counts = np.zeros(slots.size)
    for times in tracks:
        struck = np.array([at for at in times if beats[0] - 0.05 <= at < beats[-1] - 0.05])
        counts[np.unique(np.searchsorted((slots[1:] + slots[:-1]) / 2.0, struck))] += 1.0
    return counts.reshape(-1, SLOTS)
