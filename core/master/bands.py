"""What only some sections of a song have too much of: the multiband compressor, where a measured reason asks for it.

An equaliser changes the whole song alike. Bass that is twice as strong in the verse as in the chorus, or a top that
only hurts where everybody plays, wants a band that gives way there and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.dsp.audio import Floats
from core.master import tone
from core.master.draft import Draft
from core.master.sections import loudness_weights
from core.master.styles import Style

LOW_HZ: Final = 120.0
HARSH_FROM_HZ: Final = 2_000.0
HARSH_TO_HZ: Final = 6_000.0
UNEVEN_LOWS_DB: Final = 10.0
"""Between the tenth with least and the tenth with most lows against the rest; of 23 finished songs one exceeds it."""
HARSHER_DB: Final = 5.0
"""How much the loudest quarter's upper middle gains on the whole; of the same songs one exceeds it."""
FEWEST_SECTIONS: Final = 8
_AS_LOUD_DB: Final = 10.0
"""Sections that count lie no further below the loudest."""
_PLAYING_DB: Final = 12.0
"""The bass plays in sections whose lows lie no further below the strongest."""
_RATIO: Final = 2.0
_LOW_CREST_DB, _HIGH_CREST_DB = 6.0, 10.0
"""Peaks of a band above its power."""
_CONFIDENCE: Final = 0.5


def even_out(
    draft: Draft, sections: Floats, integrated_lufs: float, style: Style, rate_hz: int, strength: float
) -> None:
    """Set the multiband for what varies between a song's sections, band powers of shape (sections, bands).

    `strength` is 0 to 1. Songs of fewer than eight loud sections (24 s) are left alone.
    """
    loudness = sections @ loudness_weights(rate_hz)
    loud = loudness > loudness.max(initial=0.0) * 10 ** (-_AS_LOUD_DB / 10)
    if strength == 0.0 or np.count_nonzero(loud) < FEWEST_SECTIONS:
        return
    powers, loudness = sections[loud], loudness[loud]
    # One channel of a loudness in LUFS, which is the power of two: what a power of these makes as a level in dBFS.
    unit_db = draft.value("input_gain_db", 0.0) + integrated_lufs + 0.691 - 3.0 - 10 * math.log10(loudness.mean())
    lows = _uneven_lows(draft, powers, unit_db, strength)
    harsh = _harsh_where_loud(draft, powers, loudness, unit_db, style, rate_hz, strength)
    if lows or harsh:
        why = "Slow enough to leave single notes alone."
        draft.set("mb_attack_ms", 20.0, why, _CONFIDENCE)
        draft.set("mb_release_ms", 250.0, why, _CONFIDENCE)


def _uneven_lows(draft: Draft, powers: Floats, unit_db: float, strength: float) -> bool:
    lows_db, rest_db = _levels_db(powers, _between(0.0, LOW_HZ)), _levels_db(powers, _between(LOW_HZ))
    playing = lows_db > lows_db.max() - _PLAYING_DB
    least, most = np.percentile((lows_db - rest_db)[playing], (10, 90))
    spread_db = float(most - least)
    if spread_db <= UNEVEN_LOWS_DB:
        return False
    why = (
        f"Below {LOW_HZ:.0f} Hz the song varies by {spread_db:.1f} dB against the rest from section to section, which "
        f"finished songs hardly do by more than {UNEVEN_LOWS_DB:g}: what is above the usual comes down by half of it."
    )
    threshold_db = unit_db + float(np.median(lows_db[playing])) + _LOW_CREST_DB
    _press(draft, "low", ("mb_low_hz", LOW_HZ), threshold_db, strength, why)
    return True


def _harsh_where_loud(
    draft: Draft, powers: Floats, loudness: Floats, unit_db: float, style: Style, rate_hz: int, strength: float
) -> bool:
    biting = _between(HARSH_FROM_HZ, HARSH_TO_HZ)
    order, quarter = np.argsort(loudness), len(loudness) // 4
    rest, loudest = order[:-quarter], order[-quarter:]
    share_db = _levels_db(powers, biting) - _levels_db(powers, _between(0.0))
    more_db = float(share_db[loudest].mean() - share_db[rest].mean())
    off_db = tone.distance_db(
        10 * np.log10(powers[loudest].sum(axis=0) + 1e-30), style.middle_db, tone.heard_bands(rate_hz)
    )
    beyond_db = float((off_db - (style.high_db - style.middle_db))[biting].max())
    if more_db <= HARSHER_DB or beyond_db <= 0.0:
        return False
    why = (
        f"Where the song is loudest, {HARSH_FROM_HZ / 1000:g} to {HARSH_TO_HZ / 1000:g} kHz are {more_db:.1f} dB "
        f"stronger against the whole than elsewhere, and {beyond_db:.1f} dB above what is usual: they give way there."
    )
    usual_db = float(np.percentile(_levels_db(powers[rest], _between(HARSH_FROM_HZ)), 75))
    _press(draft, "high", ("mb_high_hz", HARSH_FROM_HZ), unit_db + usual_db + _HIGH_CREST_DB, strength, why)
    return True


def _press(draft: Draft, band: str, edge: tuple[str, float], threshold_db: float, strength: float, why: str) -> None:
    values: Sequence[tuple[str, float]] = (
        edge,
        (f"mb_{band}_threshold_db", threshold_db),
        (f"mb_{band}_ratio", 1.0 + strength * (_RATIO - 1.0)),
    )
    for name, value in values:
        draft.set(name, value, why, _CONFIDENCE)


def _between(low_hz: float, high_hz: float = math.inf) -> NDArray[np.bool_]:
    bands = np.array(BAND_HZ)
    return (bands > low_hz) & (bands <= high_hz)


def _levels_db(powers: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Level of some bands in every section, (sections,)."""
    levels: Floats = 10 * np.log10(powers[:, chosen].sum(axis=1) + 1e-30)
    return levels
