"""Songs made worse by known amounts: random faults of tone and width, applied to portraits where they are exact.

A steady equaliser adds its response in dB to every band, and a change of width adds its gain to the sides; nothing else
of a portrait moves but its peaks, which the crest's noise stands for. Faults of dynamics were measured
(`training.master.songs`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.models.mastering import BANDS, DYNAMICS, Portrait

Floats = NDArray[np.float64]
Random = np.random.Generator

UNTOUCHED: Final = 0.3
"""Share of songs in which nothing is wrong: the answer is to do nothing."""
SQUASHED, EXPANDED = 0.2, 0.1
DARKER: Final = 0.65
"""A mix is darker than its record more often than brighter."""
NARROWED, WIDENED = 0.4, 0.15
CREST_NOISE_DB: Final = 0.5
_OCTAVES: Final = np.log2(np.array(BAND_HZ) / 1000.0)


@dataclass(frozen=True)
class Batch:
    """Degraded songs and what would undo it."""

    portrait: Portrait
    tone_db: Floats
    """(n, bands): gain that brings each band of middle and sides together back, with any offset."""
    width_db: Floats
    """(n,): gain of the sides against the middle that brings the width back."""
    crest_db: Floats
    """(n,): crest that was lost; negative where there is too much."""
    power_db: Floats
    """(n, bands): the spectrum that it had."""


def picked(portraits: Portrait, song: NDArray[np.intp], variant: NDArray[np.intp]) -> Portrait:
    """Chosen songs of (songs, variants, ...) in chosen variants."""
    chosen = {name: getattr(portraits, name)[song, variant] for name in Portrait.__dataclass_fields__}
    return Portrait(**chosen)


def degraded(portraits: Portrait, songs: NDArray[np.intp], random: Random) -> Batch:
    """A batch of (songs, variants, ...) portraits with faults drawn by lot."""
    n = len(songs)
    fine = random.random(n) < UNTOUCHED
    variant = random.choice(3, n, p=(1 - SQUASHED - EXPANDED, SQUASHED, EXPANDED)) * ~fine
    original, worse = picked(portraits, songs, np.zeros(n, np.intp)), picked(portraits, songs, variant)
    tone_db = _tone_faults(n, random) * ~fine[:, None]
    width_db = _width_faults(n, random) * ~fine
    noise = np.zeros((n, len(DYNAMICS)))
    noise[:, :3] = CREST_NOISE_DB * random.standard_normal((n, 3)) * (np.abs(tone_db).max(axis=1) > 0)[:, None]
    heard = replace(
        worse,
        middle_db=worse.middle_db + tone_db,
        side_db=worse.side_db + tone_db + width_db[:, None],
        dynamics=worse.dynamics + noise,
    )
    power_db = total_db(original)
    return Batch(
        portrait=heard,
        tone_db=power_db - total_db(worse) - tone_db,
        width_db=np.clip(-width_db, -20.0, 20.0),
        crest_db=original.dynamics[:, 0] - worse.dynamics[:, 0],
        power_db=power_db,
    )


def total_db(portrait: Portrait) -> Floats:
    """Middle and sides together."""
    total: Floats = 10 * np.log10(10 ** (portrait.middle_db / 10) + 10 ** (portrait.side_db / 10) + 1e-20)
    return total


# ---------------------------------------------------------------- faults


def _tone_faults(n: int, random: Random) -> Floats:
    """(n, bands): none to three faults of tone each, the first kind of which any mix may have."""
    kinds = (_tilt, _dull, _shelf, _mud, _harsh, _resonance)
    chances = (0.3, 0.2, 0.15, 0.12, 0.12, 0.11)
    tone = np.zeros((n, BANDS))
    count = random.choice(4, n, p=(0.2, 0.5, 0.2, 0.1))
    for turn in range(3):
        kind = random.choice(len(kinds), n, p=chances)
        for i, fault in enumerate(kinds):
            chosen = (kind == i) & (turn < count)
            tone[chosen] += fault(int(chosen.sum()), random)
    return tone


def _sign(n: int, random: Random) -> Floats:
    """-1 for darker, 1 for brighter."""
    return np.where(random.random(n) < DARKER, -1.0, 1.0)


def _tilt(n: int, random: Random) -> Floats:
    corner = random.uniform(-4.0, 0.0, (n, 1))
    slope = (_sign(n, random) * random.uniform(0.3, 2.2, n))[:, None]
    from_corner = np.maximum(_OCTAVES - corner, 0.0)
    straight = random.random((n, 1)) < 0.3
    return slope * np.where(straight, _OCTAVES, from_corner)


def _dull(n: int, random: Random) -> Floats:
    corner_hz = np.exp(random.uniform(np.log(1_500.0), np.log(9_000.0), (n, 1)))
    pole = -10 * np.log10(1 + (np.array(BAND_HZ) / corner_hz) ** 2)
    return np.where(random.random((n, 1)) < 0.85, pole, -0.5 * pole)


def _shelf(n: int, random: Random) -> Floats:
    corner = random.uniform(-4.0, 3.0, (n, 1))
    gain = (_sign(n, random) * random.uniform(1.0, 6.0, n))[:, None]
    shelf: Floats = gain / (1 + np.exp(-3.0 * (_OCTAVES - corner)))
    return shelf


def _bell(centre: Floats, gain: Floats, octaves: Floats) -> Floats:
    shape: Floats = gain[:, None] * np.exp(-0.5 * np.square((_OCTAVES - centre[:, None]) / octaves[:, None]))
    return shape


def _mud(n: int, random: Random) -> Floats:
    return _bell(random.uniform(-2.7, -1.2, n), random.uniform(2.0, 6.0, n), random.uniform(0.4, 0.9, n))


def _harsh(n: int, random: Random) -> Floats:
    return _bell(random.uniform(1.0, 2.6, n), random.uniform(2.0, 6.0, n), random.uniform(0.4, 0.8, n))


def _resonance(n: int, random: Random) -> Floats:
    return _bell(random.uniform(-3.6, 3.2, n), random.uniform(3.0, 8.0, n), random.uniform(0.15, 0.35, n))


def _width_faults(n: int, random: Random) -> Floats:
    drawn = random.random(n)
    narrow, wide = random.uniform(-9.0, -1.5, n), random.uniform(1.5, 6.0, n)
    return np.where(drawn < NARROWED, narrow, np.where(drawn < NARROWED + WIDENED, wide, 0.0))
