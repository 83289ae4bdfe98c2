"""Where everybody stands in the rehearsal room, what hangs in front of them, and how the room answers.

Sound gets from a drum to each microphone by its true distance: delay, level, the microphone's cardioid, and the walls
by image sources (Allen & Berkley, JASA 65, 1979) followed by a short diffuse tail.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from devices.simulated.filters import Curve, Signal

Point: TypeAlias = tuple[float, float, float]
"""Metres from the front left corner of the floor, seen from the drummer: right, forward, up."""

SOUND_M_PER_S = 343.0
ROOM: Point = (7.0, 5.6, 2.7)
_WALLS: Curve = ((100.0, -4.0), (500.0, -6.0), (2_000.0, -8.0), (8_000.0, -13.0))
"""What a wall gives back: carpet, curtains, people."""
_TAIL_T60_S = 0.36
_TAIL_LEVEL = 0.10
"""RMS of the diffuse field's start against the direct sound at a metre, over its decay."""
_TAIL_COLOUR: Curve = ((80.0, -6.0), (200.0, 0.0), (1_500.0, -2.0), (6_000.0, -9.0), (16_000.0, -24.0))
_NEAREST_M = 0.06
_ANSWER_S = 0.3
_LOWEST_HZ = 12.0


@dataclass(frozen=True)
class Microphone:
    """A cardioid and what it does to the sound."""

    at: Point
    aim: Point
    """The point that it looks at."""
    colour: Curve


@dataclass(frozen=True)
class Input:
    """How the preamp of a channel is set."""

    gain_db: float
    noise_dbfs: float
    """RMS of what the preamp itself adds."""


INPUTS: dict[str, Input] = {
    "Kick": Input(-23.5, -88.0),
    "Snare": Input(-18.5, -86.0),
    "Hat": Input(-22.0, -84.0),
    "Rack Tom": Input(-24.5, -86.0),
    "Floor Tom": Input(-25.0, -86.0),
    "Overhead L": Input(-15.0, -82.0),
    "Overhead R": Input(-15.0, -82.0),
    "Bass DI": Input(-12.0, -90.0),
    "Guitar Clean": Input(-18.0, -86.0),
    "Guitar Amp": Input(-24.5, -86.0),
    "Keys L": Input(-26.5, -88.0),
    "Keys R": Input(-26.5, -88.0),
    "Lead Vocal": Input(-27.5, -84.0),
    "Backing Vocal": Input(-22.5, -84.0),
}
CHANNEL_NAMES: tuple[str, ...] = tuple(INPUTS)
"""What is plugged into the inputs 1, 2, ... of the simulated interface."""

PIECES: dict[str, Point] = {
    "kick": (3.50, 1.55, 0.35),
    "snare": (3.22, 1.22, 0.66),
    "hat": (2.80, 1.30, 0.95),
    "hat_open": (2.80, 1.30, 0.95),
    "hat_pedal": (2.80, 1.30, 0.95),
    "rack_tom": (3.36, 1.62, 0.85),
    "floor_tom": (4.02, 1.18, 0.62),
    "crash": (2.86, 1.78, 1.40),
    "ride": (4.20, 1.66, 1.15),
    "sticks": (3.45, 0.95, 1.15),
}
AMP: Point = (6.2, 3.0, 0.5)

_FLAT: Curve = ((20, -14), (45, 0), (20_000, 0))
_KICK: Curve = ((20, -10), (45, 2), (90, 3), (300, -5), (800, -4), (3_500, 6), (8_000, 0), (18_000, -12))
_DYNAMIC: Curve = ((20, -30), (80, -6), (180, 2), (500, -1), (2_000, 0), (5_500, 4), (12_000, 1), (20_000, -8))
_TOM: Curve = ((20, -16), (60, 1), (380, -4), (4_500, 3), (18_000, -6))
_HAT: Curve = ((20, -40), (100, -16), (400, -3), (20_000, 0))
_AMP: Curve = ((20, -20), (80, 0), (2_500, 1), (5_000, 4), (14_000, -10))
_VOCAL: Curve = ((20, -26), (90, -3), (200, 0), (2_500, 0), (6_000, 4), (12_000, 2), (20_000, -6))

MICROPHONES: dict[str, Microphone] = {
    "Kick": Microphone((3.50, 1.86, 0.36), PIECES["kick"], _KICK),
    "Snare": Microphone((3.24, 1.42, 0.76), PIECES["snare"], _DYNAMIC),
    "Hat": Microphone((2.70, 1.34, 1.16), PIECES["hat"], _HAT),
    "Rack Tom": Microphone((3.40, 1.78, 0.97), PIECES["rack_tom"], _TOM),
    "Floor Tom": Microphone((4.12, 1.34, 0.74), PIECES["floor_tom"], _TOM),
    "Overhead L": Microphone((2.55, 1.30, 2.00), (2.95, 1.35, 0.8), _FLAT),
    "Overhead R": Microphone((4.25, 1.30, 2.00), (3.90, 1.35, 0.8), _FLAT),
    "Guitar Amp": Microphone((6.20, 3.05, 0.50), AMP, _AMP),
    "Lead Vocal": Microphone((3.50, 4.50, 1.62), (3.50, 5.20, 1.62), _VOCAL),
    "Backing Vocal": Microphone((1.60, 4.40, 1.62), (1.60, 5.20, 1.62), _VOCAL),
}
"""By the channel that they are plugged into; who sings stands right in front of the last two."""


def distance_m(source: Point, microphone: Point) -> float:
    """How far the direct sound goes."""
    return float(sum((a - b) ** 2 for a, b in zip(source, microphone, strict=True)) ** 0.5)


def answer_frames(rate_hz: int) -> int:
    """How long the room is listened to."""
    from devices.simulated.filters import fast_length

    return fast_length(int(_ANSWER_S * rate_hz))


def path(source: Point, name: str, rate_hz: int) -> Signal:
    """Impulse response from `source` to the microphone of the channel `name`; a metre on axis is gain 1."""
    import numpy as np

    from devices.simulated.filters import exponential, fade_out, filter_of, gains

    microphone = MICROPHONES[name]
    size = answer_frames(rate_hz)
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    wall = gains(_WALLS, hz)
    at, aim = np.array(microphone.at), np.array(microphone.aim) - microphone.at
    aim = aim / np.linalg.norm(aim)
    by_order = np.zeros((4, hz.size), np.complex128)
    images = [((0, p), (1, -p), (1, 2 * length - p)) for p, length in zip(source, ROOM, strict=True)]
    for ways in product(*images):
        way = np.array([position for _, position in ways]) - at
        metres = float(np.linalg.norm(way))
        cardioid = 0.56 + 0.44 * float(way @ aim) / metres
        # The back of a microphone is dull.
        dull = np.sqrt(1 + (hz / (16_000 * (0.25 + cardioid))) ** 2)
        delay = exponential(-2j * np.pi * rate_hz / size * metres / SOUND_M_PER_S, hz.size)
        by_order[sum(order for order, _ in ways)] += cardioid / max(metres, _NEAREST_M) / dull * delay
    spectrum = (by_order * wall ** np.arange(4)[:, None]).sum(axis=0)
    chance = np.random.default_rng([sum(name.encode()), round(1_000 * sum(source))])
    t = np.arange(size) / rate_hz
    tail = chance.standard_normal(size) * np.exp(-6.9 / _TAIL_T60_S * t) * np.clip((t - 0.008) / 0.012, 0, 1)
    tail *= _TAIL_LEVEL / np.sqrt(rate_hz * _TAIL_T60_S / 13.8)
    spectrum += np.fft.rfft(tail) * gains(_TAIL_COLOUR, hz)
    spectrum *= np.fft.rfft(filter_of(microphone.colour, rate_hz), size)
    # A capsule and its transformer pass nothing that stands still; at half the rate everything has to be gone.
    spectrum *= (1j * hz / (1j * hz + _LOWEST_HZ)) ** 2
    spectrum *= np.clip((0.5 * rate_hz - hz) / (0.06 * rate_hz), 0, 1)
    return fade_out(np.fft.irfft(spectrum, size).astype(np.float32), size // 8)
