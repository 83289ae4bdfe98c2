"""What finished music has in common, per style, and what of a song lies outside it.

The figures are measured (`core.master.finished`). Half of the finished songs and more lie between a quarter and nine
tenths: a song there is left alone. A mix is darker than its record more often than brighter, hence the skew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.dsp.audio import Floats
from core.errors import Exit, OtoError
from core.master import faults, tone
from core.master.finished import FINISHED

MOST_TONE_DB: Final = 6.0


@dataclass(frozen=True)
class Style:
    """A kind of music: the spread of its finished songs, and how much limiting it bears."""

    name: str
    label: str
    """As it goes on after "finished"."""
    most_limiting_db: float
    """At the loudest hundredth of the time; beyond it no loudness is worth the damage."""
    low_db: Floats
    """Per band, around the song's own mean: a quarter of the finished songs lie below."""
    middle_db: Floats
    """Half of them."""
    high_db: Floats
    """A tenth of them lie above."""


def _style(name: str, label: str, most_limiting_db: float) -> Style:
    found = FINISHED[name]
    low, middle, high = (np.array(found[key]) for key in ("low_db", "middle_db", "high_db"))
    return Style(name, label, most_limiting_db, low, middle, high)


STYLES: Final[dict[str, Style]] = {
    style.name: style
    for style in (
        _style("any", "songs", 8.0),
        _style("orchestral", "orchestral music", 3.0),
        _style("electronic", "electronic music", 8.0),
        _style("band", "band music", 6.0),
    )
}


def style_named(name: str) -> Style:
    """The style of this name. Raises OtoError("bad_input") listing those there are."""
    try:
        return STYLES[name]
    except KeyError as error:
        raise OtoError(
            "bad_input", f"There is no style {name!r}.", "Styles: " + ", ".join(STYLES) + ".", Exit.BAD_INPUT
        ) from error


def tone_correction(levels_db: Floats, style: Style, heard: Floats) -> Floats:
    """Gain per band that takes back what faults probably did; 0 where all bands lie within the spread."""
    off = tone.distance_db(levels_db, style.middle_db, heard)
    above, below = off > style.high_db - style.middle_db, off < style.low_db - style.middle_db
    if not np.any((above | below) & (heard > 0.0)):
        return np.zeros(len(levels_db))
    return np.clip(-faults.likely_db(levels_db, style.middle_db, heard), -MOST_TONE_DB, MOST_TONE_DB)
