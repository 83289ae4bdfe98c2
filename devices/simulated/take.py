"""One take of the band: every instrument played from the score, heard by its microphones, through its preamp.

Everything that sounds in the room goes to every microphone; what is plugged in stays dry. The room is worked out block
by block and each different note is rendered once, so that memory does not grow with the number of channels. Each part
draws its chance from a stream of its own and notes are rendered whole, so that a shorter take is the beginning of the
longer one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np

from devices.simulated import stage
from devices.simulated.arrangement import Hit, Note, Score, pitch_hz
from devices.simulated.filters import BLOCK, Signal, fade_out, fast_length, place
from devices.simulated.instruments import amp, drums, keys, strings, voice

_FORCES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""How hard a note or a stroke is played, in steps of timbre; between them only the level changes."""
_ALTERNATES = 2
"""Different renderings of the same note or stroke, taken in turn."""
_LET_GO_S = 0.05
_SPEAKER = 0.16
"""How loud the guitar amplifier is turned up in the room, beside a snare drum of 1."""

_Kind = TypeVar("_Kind", bound=Hashable)
_Event = TypeVar("_Event", Hit, Note)
_Render: TypeAlias = Callable[[_Kind, float, int, float], Signal]
"""(kind, force, turn, seconds) to sound."""

_LEAD = voice.Singer()
_LOW = voice.Singer(throat=1.03, vibrato_hz=5.0, vibrato_cents=18, breath=0.014, effort=0.8)
_HIGH = voice.Singer(throat=1.16, vibrato_hz=5.8, vibrato_cents=22, breath=0.018, effort=0.75)


def play(score: Score, rate_hz: int, frames: int, seed: int) -> Iterator[tuple[str, Signal]]:
    """Yield (channel name, its next stretch) until each channel has had `frames` samples, as they leave the preamp."""
    take = _Take(score, rate_hz, frames, seed)
    preamps = {name: _Preamp(name, take.chance("preamp", name)) for name in stage.CHANNEL_NAMES}
    for name, audio in take.lines():
        for start in range(0, audio.size, BLOCK):
            yield name, preamps[name](audio[start : start + BLOCK])


class _Preamp:
    """Gain, and noise drawn block by block."""

    def __init__(self, name: str, chance: np.random.Generator) -> None:
        self.gain = np.float32(10 ** (stage.INPUTS[name].gain_db / 20))
        self.noise = np.float32(10 ** (stage.INPUTS[name].noise_dbfs / 20) * np.sqrt(3) / 2**15)
        self.chance = chance

    def __call__(self, audio: Signal) -> Signal:
        # Noise so low that nobody can tell even chances from normal ones, which take ten times as long to draw.
        hiss = np.frombuffer(self.chance.bytes(2 * audio.size), "<i2")
        return np.asarray(audio * self.gain + hiss * self.noise)


class _Take:
    """What is the same for all parts of a take."""

    def __init__(self, score: Score, rate_hz: int, frames: int, seed: int) -> None:
        self.score = score
        self.rate_hz = rate_hz
        self.frames = frames
        self.seed = seed

    def chance(self, *what: Hashable) -> np.random.Generator:
        """Chance of its own for each thing, so that none depends on the order of rendering."""
        return np.random.default_rng([self.seed, zlib.crc32(repr(what).encode())])

    def lines(self) -> Iterator[tuple[str, Signal]]:
        """Yield (channel name, its next stretch): what is plugged in, then what is in front of microphones."""
        yield "Bass DI", self.plucked("bass", self.score.bass, strings.BASS)
        yield "Guitar Clean", amp.clean(self.plucked("clean", self.score.clean, strings.CLEAN), self.rate_hz)
        left = self.keys()
        right = left.copy()
        keys.sway(left, right, self.rate_hz)
        yield "Keys L", left
        yield "Keys R", right
        del left, right
        yield from self.room()

    def room(self) -> Iterator[tuple[str, Signal]]:
        """Every drum and the guitar amplifier as every microphone hears them, and the singers close to theirs."""
        kit = self.kit()
        speaker = self.speaker()
        singers = {
            "Lead Vocal": self.sung(("lead", self.score.lead, _LEAD)),
            "Backing Vocal": self.sung(
                ("low backing", self.score.low_backing, _LOW), ("high backing", self.score.high_backing, _HIGH)
            ),
        }
        places = sorted({stage.AMP, *(stage.PIECES[piece] for piece, *_ in kit)})
        tail = stage.answer_frames(self.rate_hz)
        size = fast_length(BLOCK + tail)
        paths = {
            name: np.stack([np.fft.rfft(stage.path(source, name, self.rate_hz), size) for source in places])
            for name in stage.MICROPHONES
        }
        ringing = {name: np.zeros(size, np.float32) for name in paths}
        for start in range(0, self.frames, BLOCK):
            frames = min(BLOCK, self.frames - start)
            dry = np.zeros((len(places), BLOCK), np.float32)
            dry[places.index(stage.AMP), :frames] = speaker[start : start + frames]
            for piece, at, sound, gain in kit:
                place(dry[places.index(stage.PIECES[piece])], sound, at - start, gain)
            spectra = np.fft.rfft(dry, size, axis=1)
            for name, path in paths.items():
                heard = ringing[name]
                heard += np.fft.irfft((spectra * path).sum(axis=0), size)
                audio = heard[:frames].copy()
                if name in singers:
                    audio += singers[name][start : start + frames]
                ringing[name] = np.concatenate((heard[BLOCK:], np.zeros(BLOCK, np.float32)))
                yield name, audio

    def kit(self) -> list[tuple[str, int, Signal, float]]:
        """Every hit: piece, first frame, the stroke as heard at a metre, gain."""
        closed_s = np.array([hit.at_s for hit in self.score.hits if hit.piece in ("hat", "hat_pedal")])
        played = []
        for (piece, force, turn), hits in _in_turn(self.score.hits, lambda hit: hit.piece).items():
            hits = [hit for hit in hits if hit.at_s < self.end_s]
            if not hits:
                continue
            stroke = drums.strike(piece, force, self.rate_hz, self.chance(piece, force, turn))
            for hit in hits:
                sound = stroke
                if piece == "hat_open":
                    # The foot closes it at the next stroke.
                    open_s = float(min(closed_s[closed_s > hit.at_s], default=np.inf)) - hit.at_s
                    frames = int(min(open_s + 0.03, 9.0) * self.rate_hz)
                    sound = fade_out(stroke[:frames].copy(), self.rate_hz // 25)
                played.append((piece, round(hit.at_s * self.rate_hz), sound, hit.velocity / force))
        return played

    def speaker(self) -> Signal:
        """The guitar amplifier a metre before its loudspeaker."""
        guitar = self.plucked("amp", self.score.amp, strings.AMP)
        return amp.drive(
            guitar, self.rate_hz, self.chance("amp noise"), gain=9.0, hum=0.0016, hiss=0.0012
        ) * np.float32(_SPEAKER)

    def plucked(self, part: str, notes: Sequence[Note], string: strings.String) -> Signal:
        """A part for plucked strings, straight from the pickup."""

        def render(pitch_and_muted: tuple[int, bool], force: float, turn: int, seconds: float) -> Signal:
            pitch, muted = pitch_and_muted
            chance = self.chance(part, pitch, muted, force, turn)
            return strings.pluck(
                strings.MUTED if muted else string, pitch_hz(pitch), force, seconds, self.rate_hz, chance
            )

        return self.held(notes, lambda note: (note.pitch, note.muted), render)

    def keys(self) -> Signal:
        """The electric piano before its tremolo."""
        return self.held(
            self.score.keys,
            lambda note: note.pitch,
            lambda pitch, force, _, seconds: keys.play_key(pitch_hz(pitch), force, seconds, self.rate_hz),
        )

    def held(self, notes: Sequence[Note], kind: Callable[[Note], _Kind], render: _Render[_Kind]) -> Signal:
        """A part whose notes are rendered once for each kind and let go at their ends."""
        audio = np.zeros(self.frames, np.float32)
        release = int(_LET_GO_S * self.rate_hz)
        for (what, force, turn), group in _in_turn(notes, kind).items():
            played = [note for note in group if note.at_s < self.end_s]
            if not played:
                continue
            # As long as any of the whole song: how a note sounds must not depend on where the take ends.
            sound = render(what, force, turn, max(note.duration_s for note in group) + _LET_GO_S)
            for note in played:
                held = sound[: int(note.duration_s * self.rate_hz) + release].copy()
                place(audio, fade_out(held, release), round(note.at_s * self.rate_hz), note.velocity / force)
        return audio

    def sung(self, *parts: tuple[str, Sequence[Note], voice.Singer]) -> Signal:
        """Singers around one microphone."""
        audio = np.zeros(self.frames, np.float32)
        for part, notes, singer in parts:
            voice.sing(notes, singer, audio, self.rate_hz, partial(self.chance, part))
        return audio

    @property
    def end_s(self) -> float:
        """When the tape stops."""
        return self.frames / self.rate_hz


def _in_turn(events: Sequence[_Event], kind: Callable[[_Event], _Kind]) -> dict[tuple[_Kind, float, int], list[_Event]]:
    """The events by (kind, force, turn)."""
    groups: dict[tuple[_Kind, float, int], list[_Event]] = {}
    turns: dict[tuple[_Kind, float], int] = {}
    for event in events:
        what, force = kind(event), _nearest_force(event.velocity)
        key = (what, force)
        turns[key] = (turns.get(key, -1) + 1) % _ALTERNATES
        groups.setdefault((what, force, turns[key]), []).append(event)
    return groups


def _nearest_force(velocity: float) -> float:
    return min(_FORCES, key=lambda force: abs(force - velocity))
