"""Three spaces: a room, a plate and a hall.

Each is a stereo impulse response made from a seeded random generator and convolved with what is sent to it. The tail is
Gaussian noise that decays exponentially at a rate of its own in every band: the statistical model of a diffuse field
(J. Moorer, "About this reverberation business", Computer Music Journal 3(2), 1979; J.-D. Polack, thesis, Le Mans
1988), which has no mode that could ring, as dense as a reverb can be, and a decay time that is right by construction.
Reflections before it grow in density with the square of time, as in any room (H. Kuttruff, "Room Acoustics").

So that it lives, what is sent is slowly turned, left into right into left, before the two sides meet their own,
unrelated responses: a stroke is never answered like the one before it, a held note swells and fades in every partial by
itself, while the power and the image of the whole stay (a rotation between uncorrelated responses keeps both). Being
linear, a return adds up from the strips that feed it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.dsp.audio import Audio, Floats, Framed, checked, run
from core.dsp.envelope import GainLine
from core.dsp.filters import butterworth_highpass, frequency_response
from core.dsp.windows import fast_length, hann, spectra

Space = Literal["room", "plate", "hall"]


@dataclass(frozen=True)
class _Character:
    """What makes a space sound like itself."""

    first_ms: float
    """When the first reflection arrives."""
    dense_ms: float
    """When reflections are too dense to tell apart."""
    build_ms: float
    """Time constant with which the tail swells."""
    early_db: float
    """Level of the early reflections against the tail."""
    bass_ratio: float
    """Decay time at 100 Hz against the middle."""
    common_below_hz: float
    """Below this the two sides are one: lows stay firm and mono-safe."""
    turn_hz: float
    """How often, on average, what is sent is turned once around."""
    seed: int


_CHARACTERS: dict[Space, _Character] = {
    "room": _Character(
        first_ms=2.0,
        dense_ms=25.0,
        build_ms=2.0,
        early_db=3.0,
        bass_ratio=0.9,
        common_below_hz=200.0,
        turn_hz=0.3,
        seed=11,
    ),
    "plate": _Character(
        first_ms=0.0,
        dense_ms=1.0,
        build_ms=0.5,
        early_db=-60.0,
        bass_ratio=1.0,
        common_below_hz=150.0,
        turn_hz=0.5,
        seed=23,
    ),
    "hall": _Character(
        first_ms=12.0,
        dense_ms=80.0,
        build_ms=25.0,
        early_db=-2.0,
        bass_ratio=1.25,
        common_below_hz=120.0,
        turn_hz=0.4,
        seed=37,
    ),
}

_SIXTY_DB = 3.0 * math.log(10.0)
_HOP = 256
"""Step of the short-time spectrum that a tail is shaped with."""
_SIZES = (16_384, 32_768, 49_152, 65_536, 98_304, 131_072)
"""Lengths of transforms; longer ones leave the processor's caches."""
_AT_ONCE = 2
"""Stretches taken together: four transforms in one call, two sides of each, share a processor's vector registers."""
_KNOT = 64
"""Samples from one exact angle of the turning to the next, with straight lines between (within -110 dB)."""
_WANDER_RAD = 1.0
"""How far the turning runs ahead of and behind its average, so that it never repeats."""
_DENSEST_PER_S = 4_000.0
"""Reflections per second that the ear no longer tells from noise."""


def decay_time_s(freq_hz: float, space: Space, *, decay_s: float, damping_hz: float) -> float:
    """Time to fall by 60 dB at a frequency: `decay_s` in the middle, half of it at `damping_hz`, less above."""
    bass = 1.0 + (_CHARACTERS[space].bass_ratio - 1.0) / (1.0 + (freq_hz / 200.0) ** 2)
    return decay_s * bass / (1.0 + (freq_hz / damping_hz) ** 2)


def tail_s(space: Space, *, decay_s: float, predelay_ms: float) -> float:
    """How long the response lasts: until it is 66 dB down in its longest band."""
    return predelay_ms / 1000.0 + 1.1 * decay_s * max(1.0, _CHARACTERS[space].bass_ratio) + 0.05


def _excitation(random: np.random.Generator, character: _Character, frames: int, rate_hz: int) -> Floats:
    """What arrives at one ear before any decay: single reflections that grow into Gaussian noise. Shape (frames,)."""
    time_s = np.arange(frames) / rate_hz
    first_s, dense_s = character.first_ms / 1000.0, character.dense_ms / 1000.0
    swell = -np.expm1(-np.maximum(time_s - first_s, 0.0) / (character.build_ms / 1000.0))
    excitation = swell * random.standard_normal(frames)
    # Reflections at random times, per second as many as the square of time says, each with its share of the energy.
    early = slice(round(first_s * rate_hz), round(dense_s * rate_hz))
    density_hz = _DENSEST_PER_S * (np.maximum(time_s[early], 1e-3) / dense_s) ** 2
    arrives = random.random(len(density_hz)) < density_hz / rate_hz
    sign = np.where(random.random(len(density_hz)) < 0.5, -1.0, 1.0)
    level = 10.0 ** (character.early_db / 20.0) * np.sqrt(rate_hz / density_hz)
    fade = 1.0 - (time_s[early] / dense_s) ** 2
    excitation[early] += arrives * sign * level * fade
    return excitation


def impulse_response(
    rate_hz: int, space: Space, *, decay_s: float, predelay_ms: float, damping_hz: float, lowcut_hz: float
) -> Audio:
    """Response of a space, shape (2 inputs, 2 outputs, frames).

    Scaled so that white noise comes back exactly as loud as it was sent, at any decay: how long a reverb lasts and how
    loud it is are two knobs.
    """
    character = _CHARACTERS[space]
    predelay = round(predelay_ms / 1000.0 * rate_hz)
    frames = round(tail_s(space, decay_s=decay_s, predelay_ms=0.0) * rate_hz)
    size = fast_length(frames)
    frequencies = np.fft.rfftfreq(size, 1.0 / rate_hz)
    common = 1.0 / (1.0 + (frequencies / character.common_below_hz) ** 4)
    cut = frequency_response(butterworth_highpass(rate_hz, freq_hz=lowcut_hz), frequencies, rate_hz)
    fade = np.ones(frames)
    fade[-frames // 10 :] = 0.5 + 0.5 * np.cos(np.linspace(0.0, math.pi, len(fade[-frames // 10 :])))
    random = np.random.Generator(np.random.PCG64(character.seed))
    response = np.zeros((2, 2, predelay + frames), np.float32)
    for source in range(2):
        left = np.fft.rfft(_excitation(random, character, size, rate_hz))
        right = np.fft.rfft(_excitation(random, character, size, rate_hz))
        sides = (left, np.sqrt(common) * left + np.sqrt(1.0 - common) * right)
        for ear, spectrum in enumerate(sides if source == 0 else sides[::-1]):
            tail = _decaying(np.fft.irfft(spectrum * cut, size)[:frames], rate_hz, space, decay_s, damping_hz)
            tail *= fade
            # Each ear gets half of the energy of each input, so that a source in the middle stays there.
            response[source, ear, predelay:] = tail * math.sqrt(0.5 / np.sum(np.square(tail)))
    return response


def _decaying(excitation: Floats, rate_hz: int, space: Space, decay_s: float, damping_hz: float) -> Floats:
    """Let an excitation of shape (frames,) decay, at each frequency at its own rate.

    The decay of the middle is exact in time; what other frequencies do beside it changes slowly enough for a short-time
    spectrum, whose gains are smooth over frequency and therefore smear nothing.
    """
    frames = len(excitation)
    time_s = np.arange(frames) / rate_hz
    decayed = excitation * np.exp(time_s * (-_SIXTY_DB / decay_s))
    window = np.sqrt(hann(2 * _HOP))
    padded = np.concatenate([np.zeros(_HOP), decayed, np.zeros(2 * _HOP - frames % _HOP)])
    segments = sliding_window_view(padded, 2 * _HOP)[::_HOP]
    frequencies = np.fft.rfftfreq(2 * _HOP, 1.0 / rate_hz)
    seconds = np.array([decay_time_s(f, space, decay_s=decay_s, damping_hz=damping_hz) for f in frequencies])
    rate_beside = _SIXTY_DB / decay_s - _SIXTY_DB / np.maximum(seconds, 0.02)
    starts_s = np.arange(len(segments)) * (_HOP / rate_hz)
    shaped = np.fft.rfft(segments * window) * np.exp(np.outer(starts_s, rate_beside))
    pieces = np.fft.irfft(shaped) * window
    joined = np.zeros(len(padded))
    joined[: len(pieces) * _HOP] += pieces[:, :_HOP].reshape(-1)
    joined[_HOP : (len(pieces) + 1) * _HOP] += pieces[:, _HOP:].reshape(-1)
    return joined[_HOP : _HOP + frames]


def turned_rad(time_s: Floats, space: Space) -> Floats:
    """By how much what is sent to a space has been turned at a time since the start of the stream."""
    phase = 2.0 * math.pi * _CHARACTERS[space].turn_hz * time_s
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    turned: Floats = phase + _WANDER_RAD * np.sin(golden * phase)
    return turned


class _Turning:
    """Turns (2, frames) audio, streaming."""

    def __init__(self, rate_hz: int, space: Space) -> None:
        self._knot_s = _KNOT / rate_hz
        self._space = space
        self._knots = 0
        self._cosine, self._sine = GainLine(_KNOT, 1.0), GainLine(_KNOT, 0.0)

    def process(self, x: Audio) -> Audio:
        """Take and give (2, k * knot)."""
        knots = self._knots + np.arange(1, x.shape[1] // _KNOT + 1)
        self._knots = int(knots[-1])
        angles = turned_rad(knots * self._knot_s, self._space)
        cosine, sine = self._cosine.curve(np.cos(angles)), self._sine.curve(np.sin(angles))
        out = x * cosine
        out[0] -= x[1] * sine
        out[1] += x[0] * sine
        return out


class Reverb(Framed):
    """Streaming form of `reverb`: fast convolution by overlap-save, stereo in and out.

    A response that fills no more than half of a transform is convolved in one piece; a longer one is cut into parts of
    half a transform, whose spectra of what was heard are used again (W. Gardner, "Efficient Convolution without
    Input-Output Delay", JAES 43(3), 1995, without its small first parts: the desk renders ahead and takes the latency
    of one frame out).
    """

    def __init__(
        self,
        rate_hz: int,
        *,
        space: Space,
        decay_s: float = 1.2,
        predelay_ms: float = 10.0,
        damping_hz: float = 7_000.0,
        lowcut_hz: float = 200.0,
    ) -> None:
        response = impulse_response(
            rate_hz, space, decay_s=decay_s, predelay_ms=predelay_ms, damping_hz=damping_hz, lowcut_hz=lowcut_hz
        )
        frames = response.shape[2]
        self._size = next((size for size in _SIZES if 2 * frames <= size), _SIZES[-1])
        whole = 2 * frames <= self._size
        self._step = (self._size - frames) // _KNOT * _KNOT if whole else self._size // 2
        parts = -(-frames // self._step)
        super().__init__(2, _AT_ONCE * self._step)
        padded = np.zeros((2, 2, parts * self._step), np.float32)
        padded[:, :, :frames] = response
        pieces = padded.reshape(2, 2, parts, self._step).transpose(2, 0, 1, 3)
        # (parts, inputs, outputs, bins), by the size of the transform, which `spectra` divides by.
        found = np.fft.rfft(pieces[..., : frames if whole else None], self._size)
        self._response = (self._size * found).astype(np.complex64)
        self._turning = _Turning(rate_hz, space)
        self._heard: deque[NDArray[np.complex64] | None] = deque(maxlen=parts)
        # Memory of this size that came and went would cost more than the multiplications that are done in it.
        self._joined = np.zeros((2, self._size - self._step + self._frame), np.float32)
        self._answers = np.zeros((_AT_ONCE, *self._response.shape[2:]), np.complex64)
        self._product = np.zeros(self._response.shape[2:], np.complex64)

    def _process_frames(self, x: Audio) -> Audio:
        out = np.empty_like(x)
        for start in range(0, x.shape[1], self._frame):
            now = slice(start, start + self._frame)
            out[:, now] = self._convolved(self._turning.process(x[:, now]))
        return out

    def _convolved(self, x: Audio) -> Audio:
        self._joined[:, : -self._frame] = self._joined[:, self._frame :]
        self._joined[:, -self._frame :] = x
        pieces = sliding_window_view(self._joined, self._size, axis=1)[:, :: self._step].transpose(1, 0, 2)
        # Silence costs nothing.
        arrived = spectra(pieces) if self._joined.any() else (None,) * _AT_ONCE
        self._answers[:] = 0.0
        for answer, spectrum in zip(self._answers, arrived, strict=True):
            self._heard.appendleft(spectrum)
            for heard, response in zip(self._heard, self._response, strict=False):
                if heard is None:
                    continue
                for source in range(2):
                    np.multiply(response[source], heard[source], out=self._product)
                    answer += self._product
        if not self._answers.any():
            return np.zeros_like(x)
        wet = np.asarray(np.fft.irfft(self._answers, self._size), np.float32)[:, :, -self._step :]
        return wet.transpose(1, 0, 2).reshape(2, -1)


def reverb(
    x: Audio,
    rate_hz: int,
    *,
    space: Space,
    decay_s: float = 1.2,
    predelay_ms: float = 10.0,
    damping_hz: float = 7_000.0,
    lowcut_hz: float = 200.0,
) -> Audio:
    """What a space answers to (2, frames) audio, without the audio itself. Cut off where the audio ends.

    `decay_s` is the time to fall by 60 dB in the middle of the spectrum, `damping_hz` where it is half as long,
    `lowcut_hz` a 12 dB per octave high-pass on the return. Raises OtoError("bad_input") for NaN.
    """
    processor = Reverb(
        rate_hz, space=space, decay_s=decay_s, predelay_ms=predelay_ms, damping_hz=damping_hz, lowcut_hz=lowcut_hz
    )
    return run(processor, checked(x))
