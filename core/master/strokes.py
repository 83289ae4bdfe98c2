"""Whether a song's peaks were cut flat, and strokes that stand out again.

A limiter leaves the peaks of a loud passage side by side under its ceiling; in music that was left alone most of them
lie well below the highest. What each stroke lost can't be read any more, so strokes are lifted as a transient shaper
does it, by an amount that most squashed songs have lost, and only where the target leaves room above them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from core.dsp.audio import Audio
from core.master.draft import Draft
from core.master.levels import Heard
from core.plans.document import Target

FLAT_DB: Final = 1.2
"""A quarter of the time the peaks come this close to the highest in one finished song of a hundred."""
FREE_DB: Final = 2.0
"""The same for one in twenty: from here on nothing was cut, as far as one can tell."""
MOST_ATTACK_DB: Final = 6.0
LEAST_ATTACK_DB: Final = 1.0
"""Less is not worth a processor."""
_STEP_S: Final = 0.01
_UPPER_QUARTER: Final = 0.75
_SPAN_DB: Final = 50.0
"""Steps further below the highest peak are silence or its neighbours."""
_STEPS_PER_DB: Final = 20
_LOWEST_DB: Final = -120.0
_HIGHEST_DB: Final = 60.0


class StrokeMeter:
    """Gathers how high the peaks of a song reach: a histogram of its hundredths of a second, never the audio."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._size = round(rate_hz * _STEP_S)
        self._rest = np.zeros((channels, 0), np.float32)
        self._counts = np.zeros(round((_HIGHEST_DB - _LOWEST_DB) * _STEPS_PER_DB), np.int64)

    def add(self, block: Audio) -> None:
        """Take (channels, n)."""
        audio = np.concatenate((self._rest, block), axis=1)
        whole = audio.shape[1] // self._size * self._size
        self._rest = audio[:, whole:].copy()
        peaks = np.abs(audio[:, :whole]).max(axis=0).reshape(-1, self._size).max(axis=1).astype(np.float64)
        peaks_db = 20.0 * np.log10(peaks[peaks > 10.0 ** (_LOWEST_DB / 20.0)])
        step = np.clip((peaks_db - _LOWEST_DB) * _STEPS_PER_DB, 0, len(self._counts) - 1).astype(np.intp)
        self._counts += np.bincount(step, minlength=len(self._counts))

    def result_db(self) -> float | None:
        """How far below the highest peak the upper quarter of all peaks begins; None for silence."""
        (found,) = np.nonzero(self._counts)
        if not len(found):
            return None
        highest = int(found[-1])
        counts = self._counts[max(highest - round(_SPAN_DB * _STEPS_PER_DB), 0) : highest + 1][::-1]
        below = np.cumsum(counts)
        return float(np.searchsorted(below, (1.0 - _UPPER_QUARTER) * below[-1]) / _STEPS_PER_DB)


def lift(draft: Draft, upper_quarter_db: float | None, heard: Heard, target: Target, strength: float) -> bool:
    """Let strokes stand out again where peaks were cut and the target has room for them; whether anything was done."""
    if draft.keeps("transient_attack_db") or upper_quarter_db is None or upper_quarter_db >= FREE_DB:
        return False
    flat = float(np.clip((FREE_DB - upper_quarter_db) / (FREE_DB - FLAT_DB), 0.0, 1.0))
    room_db = target.true_peak_dbtp - target.integrated_lufs - heard.plr_db
    attack_db = strength * min(MOST_ATTACK_DB * flat, room_db)
    if attack_db < LEAST_ATTACK_DB:
        return False
    why = (
        f"A quarter of the time the peaks lie within {upper_quarter_db:.1f} dB of the highest: they were cut. The "
        f"target leaves {room_db:.1f} dB above them, so strokes stand out again."
    )
    draft.set("transient_attack_db", attack_db, why, 0.4 + 0.3 * flat)
    return True
