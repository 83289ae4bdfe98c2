"""A singer: pulses of the glottis and breath through a throat that moves.

Source and filter after Fant (Acoustic Theory of Speech Production, 1960); the pulse is Rosenberg's (JASA 49, 1971),
most vowels are Peterson & Barney's means for men (JASA 24, 1952). The throat is a cascade of resonances, set anew every
10 ms and applied by overlap-add in the frequency domain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from devices.simulated.arrangement import Note
from devices.simulated.filters import Signal, convolve, filter_of, place, white_noise

_FRAME_S = 0.010
_OVERLAPS = 5
"""Length of a transform in frames: room for the ring of the narrowest formant."""
_HIGHEST_HZ = 13_000.0
"""Nothing of a voice is rendered above."""
_UPPER_HZ = (3_300.0, 3_900.0, 4_900.0, 5_900.0, 6_900.0, 7_900.0, 8_900.0, 9_900.0, 10_900.0, 11_900.0, 12_900.0)
"""The resonances of a throat above the third, which make no vowel but the voice."""
_BANDWIDTHS_HZ = (80.0, 125.0, 190.0)
_TABLE = 4_096
_BATCH = 512

VOWELS: dict[str, tuple[float, float, float]] = {
    "i": (270, 2290, 3010),
    "I": (390, 1990, 2550),
    "e": (460, 1950, 2600),
    "E": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "O": (570, 840, 2410),
    "o": (450, 880, 2380),
    "U": (440, 1020, 2240),
    "u": (310, 870, 2240),
}


@dataclass(frozen=True)
class Consonant:
    """What the mouth does before a vowel."""

    seconds: float
    voiced: float = 0.0
    """Share of the voice that gets out meanwhile."""
    formants: tuple[float, float, float] | None = None
    """Where the throat stands; None: already at the vowel."""
    breath: float = 0.0
    """Noise from the glottis, through the throat."""
    hiss: float = 0.0
    """Noise from teeth and lips, of which the throat knows nothing."""
    hiss_hz: float = 5_000.0
    burst: bool = False
    """Closed first, noise only in the last 15 ms."""


CONSONANTS: dict[str, Consonant] = {
    "m": Consonant(0.085, 0.42, (250, 1050, 2200)),
    "n": Consonant(0.075, 0.45, (260, 1500, 2500)),
    "l": Consonant(0.075, 0.6, (350, 1100, 2700)),
    "r": Consonant(0.080, 0.6, (350, 1150, 1550)),
    "w": Consonant(0.085, 0.6, (300, 680, 2200)),
    "y": Consonant(0.075, 0.6, (280, 2200, 2950)),
    "h": Consonant(0.080, 0.05, None, breath=0.5),
    "s": Consonant(0.115, 0.0, (320, 1600, 2600), hiss=0.30, hiss_hz=6_800.0),
    "z": Consonant(0.085, 0.3, (320, 1600, 2600), hiss=0.14, hiss_hz=6_800.0),
    "f": Consonant(0.090, 0.0, (330, 1000, 2300), hiss=0.10, hiss_hz=8_000.0),
    "v": Consonant(0.070, 0.4, (330, 1000, 2300), hiss=0.05, hiss_hz=7_000.0),
    "t": Consonant(0.060, 0.0, (350, 1750, 2600), breath=0.25, hiss=0.35, hiss_hz=5_200.0, burst=True),
    "d": Consonant(0.055, 0.12, (330, 1700, 2600), hiss=0.20, hiss_hz=4_200.0, burst=True),
}


@dataclass(frozen=True)
class Singer:
    """One person's throat and habits."""

    throat: float = 1.0
    """Formants as multiples of an average man's."""
    vibrato_hz: float = 5.4
    vibrato_cents: float = 38.0
    breath: float = 0.016
    level: float = 0.3
    effort: float = 1.0
    """More lets more of the high harmonics out."""


@dataclass
class _Track:
    """A line of points in time."""

    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def to(self, at_s: float, value: float) -> None:
        """Go straight to `value` at `at_s`; a point can't lie before the last."""
        self.times.append(max(at_s, self.times[-1] + 1e-4) if self.times else at_s)
        self.values.append(value)

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(t, self.times, self.values)


def sing(
    notes: Sequence[Note],
    singer: Singer,
    track: Signal,
    rate_hz: int,
    chance: Callable[[float], np.random.Generator],
) -> None:
    """Add the whole part to `track`, phrase by phrase; a phrase ends where the singer breathes.

    A phrase that begins before the track's end is rendered whole. `chance` is asked for a generator for each phrase, by
    the time at which it starts.
    """
    phrase: list[Note] = []
    for note, following in pairwise([*notes, None]):
        assert note is not None
        phrase.append(note)
        if following is None or following.at_s - (note.at_s + note.duration_s) > 0.2:
            if phrase[0].at_s * rate_hz >= track.size:
                return
            sound, start_s = _phrase(phrase, singer, rate_hz, chance(phrase[0].at_s))
            place(track, sound, round(start_s * rate_hz), singer.level)
            phrase = []


def _phrase(notes: Sequence[Note], singer: Singer, rate_hz: int, chance: np.random.Generator) -> tuple[Signal, float]:
    """The sound of one breath and when it starts."""
    start_s = max(notes[0].at_s - 0.3, 0.0)
    hop = round(rate_hz * _FRAME_S)
    frames = int((notes[-1].at_s + notes[-1].duration_s + 0.3 - start_s) * rate_hz / hop) + 1
    samples = np.arange(frames * hop)
    t = start_s + np.arange(frames) * hop / rate_hz
    mouth = _Mouth(notes, singer)

    # Pitch: the line, vibrato that comes in late on long notes, and a little waver.
    cents = 100 * mouth.pitch.at(t) + singer.vibrato_cents * mouth.vibrato.at(t) * np.sin(
        2 * np.pi * np.cumsum(singer.vibrato_hz * (1 + 0.05 * _waver(frames, chance))) * hop / rate_hz
    )
    cents += 6 * _waver(frames, chance)
    hz = 440.0 * 2 ** ((cents / 100 - 69) / 12)
    phase = np.cumsum(np.interp(samples, np.arange(frames) * hop, hz)) / rate_hz

    voiced = mouth.voiced.at(t) * (1 + 0.05 * _waver(frames, chance))
    table = _glottis(int(min(0.45 * rate_hz, _HIGHEST_HZ) / hz.max()))
    position = (phase % 1.0) * _TABLE
    index = position.astype(np.int64)
    pulse = table[index] + (table[index + 1] - table[index]) * (position - index).astype(np.float32)
    white = white_noise(samples.size, rate_hz, chance)
    # Breath is let through while the glottis is open: it pulses with the voice.
    gate = (0.6 - 0.4 * np.cos(2 * np.pi * phase)).astype(np.float32)
    breath = mouth.breath.at(t) + singer.breath * voiced
    source = pulse * _spread(voiced, hop) + white * gate * _spread(breath, hop)
    formants = np.stack([formant.at(t) for formant in mouth.formants])
    # A singer opens the mouth until the first formant is not below the note.
    formants[0] = np.maximum(formants[0], 1.04 * hz)
    sound = _through_throat(source, formants, mouth.effort.at(t), hop, rate_hz, singer)
    for note in notes:
        _hiss(note, sound, start_s, rate_hz, chance)
    return sound, start_s


class _Mouth:
    """The lines that all the parts of the mouth follow through a phrase."""

    def __init__(self, notes: Sequence[Note], singer: Singer) -> None:
        self.pitch, self.vibrato, self.voiced, self.effort = _Track(), _Track(), _Track(), _Track()
        self.breath = _Track()
        self.formants = (_Track(), _Track(), _Track())
        self.singer = singer
        for index, note in enumerate(notes):
            following = notes[index + 1] if index + 1 < len(notes) else None
            self._sing(note, notes[index - 1] if index else None, following)

    def _sing(self, note: Note, previous: Note | None, following: Note | None) -> None:
        letters, _, vowels = note.syllable.rpartition(".")
        consonant = CONSONANTS[letters] if letters else None
        start_s, level = note.at_s, note.velocity
        end_s = note.at_s + note.duration_s
        if following is not None:
            coming = following.syllable.rpartition(".")[0]
            end_s = following.at_s - (CONSONANTS[coming].seconds if coming else 0.03)
        self._pitch(note, previous, following, end_s)
        first, last = VOWELS[vowels[0]], VOWELS[vowels[-1]]
        if consonant is not None:
            self._consonant(consonant, start_s, level, first)
        elif previous is None:
            self.voiced.to(start_s - 0.06, 0.0)
            self._shape(start_s - 0.06, first)
        held_s = max(end_s - start_s, 0.05)
        self.voiced.to(start_s + 0.025, 0.85 * level)
        self.voiced.to(start_s + 0.35 * held_s, level)
        self.breath.to(start_s + 0.03, 0.0)
        self.effort.to(start_s, 0.8 * level * self.singer.effort)
        self.effort.to(start_s + 0.4 * held_s, level * self.singer.effort)
        self._shape(start_s + 0.045, first)
        self._shape(start_s + 0.62 * held_s, first)
        self._shape(end_s, last)
        if following is None:
            self.voiced.to(end_s - 0.12, 0.75 * level)
            self.voiced.to(end_s + 0.02, 0.0)
            self.breath.to(end_s - 0.05, 0.0)
            self.breath.to(end_s + 0.02, 0.03 * level)
            self.breath.to(end_s + 0.14, 0.0)
        else:
            self.voiced.to(end_s, 0.8 * level)

    def _shape(self, at_s: float, formants: tuple[float, float, float]) -> None:
        for track, hz in zip(self.formants, formants, strict=True):
            track.to(at_s, hz * self.singer.throat)

    def _consonant(self, consonant: Consonant, start_s: float, level: float, vowel: tuple[float, float, float]) -> None:
        begin_s = start_s - consonant.seconds
        loud_s = start_s - 0.015 if consonant.burst else begin_s + 0.02
        if not self.voiced.times:
            self.voiced.to(begin_s - 0.02, 0.0)
        self.voiced.to(begin_s + 0.02, consonant.voiced * level)
        self.voiced.to(start_s - 0.012, consonant.voiced * level)
        self._shape(begin_s + 0.02, consonant.formants or vowel)
        self._shape(start_s - 0.012, consonant.formants or vowel)
        if consonant.breath:
            self.breath.to(begin_s, 0.0)
            self.breath.to(loud_s - 0.002, 0.0 if consonant.burst else consonant.breath * level)
            self.breath.to(start_s, consonant.breath * level)

    def _pitch(self, note: Note, previous: Note | None, following: Note | None, end_s: float) -> None:
        at_s, pitch = note.at_s, float(note.pitch)
        if previous is None:
            self.pitch.to(at_s - 0.10, pitch - 1.3)
            self.pitch.to(at_s + 0.06, pitch)
        else:
            # A little past the note, and back: how a voice lands.
            self.pitch.to(at_s + 0.03, pitch + 0.15 * np.sign(pitch - previous.pitch))
            self.pitch.to(at_s + 0.11, pitch)
        if following is None:
            self.pitch.to(end_s - 0.10, pitch)
            self.pitch.to(end_s + 0.05, pitch - 0.7)
        else:
            self.pitch.to(following.at_s - 0.05, pitch)
        self.vibrato.to(at_s, 0.0)
        if note.duration_s > 0.45:
            self.vibrato.to(at_s + 0.28, 0.1)
            self.vibrato.to(at_s + 0.65, 1.0)
        self.vibrato.to(
            max(end_s, at_s + 0.7 if note.duration_s > 0.7 else at_s), 1.0 if note.duration_s > 0.7 else 0.0
        )


def _waver(frames: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Slow noise of about unit size."""
    steps = frames // 12 + 3
    return np.interp(np.arange(frames) / 12, np.arange(steps), chance.standard_normal(steps))


def _spread(control: NDArray[np.float64], hop: int) -> Signal:
    """A line at the frame rate as one at the audio rate."""
    frames = control.size
    return np.interp(np.arange(frames * hop), np.arange(frames) * hop, control).astype(np.float32)


def _glottis(harmonics: int) -> Signal:
    """One cycle of the flow's derivative with that many harmonics, and the first sample again."""
    t = np.arange(_TABLE) / _TABLE
    opening, closing = 0.42, 0.16
    flow = np.where(
        t < opening,
        0.5 - 0.5 * np.cos(np.pi * t / opening),
        np.where(t < opening + closing, np.cos(np.pi / 2 * np.clip((t - opening) / closing, 0, 1)), 0.0),
    )
    spectrum = np.fft.rfft(flow) * 2j * np.pi * np.arange(_TABLE // 2 + 1)
    spectrum[harmonics + 1 :] = 0
    cycle = np.fft.irfft(spectrum)
    cycle /= np.abs(cycle).max()
    return np.append(cycle, cycle[0]).astype(np.float32)


def _overlap_add(source: Signal, responses: NDArray[np.complex64], hop: int) -> Signal:
    """Each frame of `source` (windowed, half overlapping) through its row of `responses` (frames, low bins)."""
    frames, bins = responses.shape
    size = hop * _OVERLAPS
    window = np.hanning(2 * hop + 1)[:-1].astype(np.float32)
    padded = np.concatenate((np.zeros(hop, np.float32), source, np.zeros(hop, np.float32)))
    out = np.zeros((frames + _OVERLAPS, hop), np.float32)
    for first in range(0, frames, _BATCH):
        some = np.arange(first, min(first + _BATCH, frames))
        pieces = padded[some[:, None] * hop + np.arange(2 * hop)] * window
        spectra = np.fft.rfft(pieces, size, axis=1)
        spectra[:, bins:] = 0
        spectra[:, :bins] *= responses[some]
        filtered = np.fft.irfft(spectra, size, axis=1).reshape(some.size, _OVERLAPS, hop)
        for part in range(_OVERLAPS):
            out[first + part : first + part + some.size] += filtered[:, part]
    return out.reshape(-1)[hop : hop + source.size]


def _through_throat(
    source: Signal,
    formants: NDArray[np.float64],
    effort: NDArray[np.float64],
    hop: int,
    rate_hz: int,
    singer: Singer,
) -> Signal:
    """The three resonances that move, those above that stand, and the tilt of a voice that is not pushed."""
    bins = int(_HIGHEST_HZ / rate_hz * hop * _OVERLAPS)
    hz = np.arange(bins, dtype=np.float32) * np.float32(rate_hz / (hop * _OVERLAPS))
    # Below the first resonance a cascade passes everything; a mouth radiates less and less.
    still = hz / (hz + 80) + np.complex64(0)
    for upper_hz in _UPPER_HZ:
        still /= _resonator(hz, np.float32(upper_hz * singer.throat), 80 + 0.05 * upper_hz)
    # A glottis that shuts fast leaves more at the top than the pulse's table has.
    still *= np.minimum(1 + (hz / 3_500) ** 4, 4.0)
    corner_hz = (1_000 + 3_200 * np.clip(effort, 0.0, 1.2) ** 1.5).astype(np.float32)
    below = 1 + np.complex64(1j) * hz / corner_hz[:, None]
    for centre_hz, bandwidth_hz in zip(formants, _BANDWIDTHS_HZ, strict=True):
        below *= _resonator(hz, centre_hz.astype(np.float32)[:, None], bandwidth_hz)
    return _overlap_add(source, still / below, hop)


def _resonator(hz: Signal, centre_hz: Signal | np.float32, bandwidth_hz: float) -> NDArray[np.complex64]:
    """One over the response of a pair of poles: 1 + j f b / c^2 - f^2 / c^2."""
    relative = hz / (centre_hz * centre_hz)
    return np.asarray((1 - relative * hz) + np.complex64(1j * bandwidth_hz) * relative)


def _hiss(note: Note, sound: Signal, start_s: float, rate_hz: int, chance: np.random.Generator) -> None:
    """Add the noise of teeth and lips that leads into `note`."""
    letters = note.syllable.rpartition(".")[0]
    if not letters or not CONSONANTS[letters].hiss:
        return
    consonant = CONSONANTS[letters]
    length_s = 0.03 if consonant.burst else consonant.seconds
    frames = int(length_s * rate_hz)
    rise = 0.05 if consonant.burst else 0.35
    t = np.linspace(0, 1, frames)
    shape = np.minimum(np.minimum(t / rise, (1 - t) / 0.3), 1).astype(np.float32)
    noise = white_noise(frames, rate_hz, chance) * shape
    centre = consonant.hiss_hz
    band = (
        (centre / 4, -50.0),
        (centre / 1.6, -8.0),
        (centre, 0.0),
        (centre * 1.4, -6.0),
        (_HIGHEST_HZ, -24.0),
        (20_000.0, -70.0),
    )
    level = consonant.hiss * note.velocity
    begin_s = note.at_s - (0.02 if consonant.burst else consonant.seconds) - start_s
    place(sound, convolve(noise, filter_of(band, rate_hz, 0.01)), round(begin_s * rate_hz), level)
