"""Tone and width of a master without a reference: what the rules want, what the model makes of it, and the settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import Spectrum
from core.dsp.audio import Floats
from core.master import faults, styles, tone, width
from core.master.chain import EQ_SHAPES
from core.master.draft import KNOBS, Draft
from core.master.styles import Style
from core.master.targets import Medium
from core.plans.document import By

if TYPE_CHECKING:
    from core.models.mastering import Advice

WIDTH: Final = "width_db"
_EQ_CONFIDENCE: Final = 0.6
LEAST_TONE_DB: Final = tone.LEAST_DB
LEAST_WIDTH_DB: Final = 0.3
_WORTH_TELLING_DB: Final = 0.1


@dataclass(frozen=True)
class Wanted:
    """A change that somebody would make."""

    change_db: float
    why: str
    confidence: float
    by: By


Changes = dict[str, Wanted]
"""By "eq1_gain_db" to "eq6_gain_db" and "width_db"."""


def by_rules(spectrum: Spectrum, shares_db: Floats | None, style: Style, rate_hz: int) -> Changes:
    """What takes back what probably happened to a finished song; `shares_db` as `width.WidthMeter` reads them."""
    heard = tone.heard_bands(rate_hz)
    song_db = spectrum.levels_db()
    found = faults.probabilities(song_db, style.middle_db, heard)
    changes: Changes = {}
    for band, gain_db in tone.fit_equaliser(styles.tone_correction(song_db, style, heard), heard, rate_hz).items():
        fault, probability = faults.behind(found, _nearest_band(tone.band_frequency_hz(band)), gain_db)
        so = ", yet going" if gain_db * _off_db(spectrum, style, rate_hz, band) > 0.0 else ". Going"
        why = (
            f"{measured_tone(spectrum, style, rate_hz, band)}{so} by all its bands it may be {fault.words} "
            f"({probability:.0%} likely, by how far finished songs differ); as much as is likely is taken back."
        )
        changes[_gain_of(band)] = Wanted(gain_db, why, _EQ_CONFIDENCE, "rules")
    own_db = spectrum.side_db(*width.WIDTH_HZ)
    turned = width.turned(shares_db, own_db)
    if change_db := width.correction_db(turned):
        why = (
            f"The sides are {own_db:.1f} dB against the middle, and single sounds share both as if somebody had "
            f"{'narrowed' if turned.change_db < 0 else 'widened'} the song ({turned.probability:.0%} likely, by how "
            f"finished songs differ), by about {abs(turned.change_db):g} dB."
        )
        changes[WIDTH] = Wanted(change_db, why, round(turned.probability, 2), "rules")
    return changes


def by_model(advice: dict[str, Advice], rules: Changes, spectrum: Spectrum, style: Style, rate_hz: int) -> Changes:
    """The model's changes, each giving way to the rules' the less sure the model is."""
    changes: Changes = {}
    for band in range(1, len(EQ_SHAPES) + 1):
        name = _gain_of(band)
        direction = "too quiet" if advice[name].heard_db > 0 else "too loud"
        heard = (
            f"{measured_tone(spectrum, style, rate_hz, band)}; going by how its bands move, the model hears "
            f"{abs(advice[name].heard_db):.1f} dB as {direction}, {advice[name].spread_db:.1f} dB more or less."
        )
        changes[name] = _blended(advice[name], rules.get(name), heard)
    own_db = spectrum.side_db(*width.WIDTH_HZ)
    if own_db is not None and own_db > width.NARROWEST_DB:
        direction = "too narrow" if advice[WIDTH].heard_db > 0 else "too wide"
        heard = (
            f"The sides are {own_db:.1f} dB against the middle; the model hears this as "
            f"{abs(advice[WIDTH].heard_db):.1f} dB {direction}, {advice[WIDTH].spread_db:.1f} dB more or less."
        )
        changes[WIDTH] = _blended(advice[WIDTH], rules.get(WIDTH), heard)
    return changes


def _blended(advice: Advice, rule: Wanted | None, heard: str) -> Wanted:
    """The model's change and the rules' by the model's trust; what is said is what counted more."""
    ruled_db = rule.change_db if rule else 0.0
    model_db, rules_db = advice.trust * advice.change_db, (1.0 - advice.trust) * ruled_db
    change_db = model_db + rules_db
    if rule and abs(rules_db) > abs(model_db):
        part = f" The model is not sure and adds {model_db:+.1f} dB." if abs(model_db) >= _WORTH_TELLING_DB else ""
        return Wanted(change_db, rule.why + part, rule.confidence, "rules")
    part = f" The rules add {rules_db:+.1f} dB." if abs(rules_db) >= _WORTH_TELLING_DB else ""
    return Wanted(change_db, heard + part, round(advice.confidence(change_db), 2), "model")


def put(draft: Draft, changes: Changes, medium: Medium, hands: float) -> None:
    """Make settings of what is worth it; `hands` is how much of it, 0 to 1."""
    for band in range(1, len(EQ_SHAPES) + 1):
        if wanted := changes.get(_gain_of(band)):
            most_db = medium.highs_db if medium.highs_db is not None and band == len(EQ_SHAPES) else math.inf
            _equalise(draft, band, round(min(hands * wanted.change_db, most_db), 1), wanted)
    if (wanted := changes.get(WIDTH)) and abs(change_db := hands * wanted.change_db) >= LEAST_WIDTH_DB:
        draft.set("width", 10 ** (change_db / 20), wanted.why, wanted.confidence, wanted.by)


def _equalise(draft: Draft, band: int, gain_db: float, wanted: Wanted) -> None:
    """Set a band of the EQ, unless a person has moved it: the correction was made for where it stands."""
    names = (f"eq{band}_freq_hz", _gain_of(band), f"eq{band}_q")
    if draft.keeps(*names) or abs(gain_db) < LEAST_TONE_DB:
        return
    values = (tone.band_frequency_hz(band), gain_db, float(KNOBS[names[2]].neutral))
    for name, value in zip(names, values, strict=True):
        draft.set(name, value, wanted.why, wanted.confidence, wanted.by)


def measured_tone(spectrum: Spectrum, style: Style, rate_hz: int, band: int) -> str:
    """Where a song lies at a band of the EQ, in words."""
    off_db = _off_db(spectrum, style, rate_hz, band)
    side = "above" if off_db > 0 else "below"
    return f"{_region(band)} the mix is {abs(off_db):.1f} dB {side} the middle of finished {style.label}"


def _off_db(spectrum: Spectrum, style: Style, rate_hz: int, band: int) -> float:
    off = tone.distance_db(spectrum.levels_db(), style.middle_db, tone.heard_bands(rate_hz))
    return float(off[_nearest_band(tone.band_frequency_hz(band))])


def _gain_of(band: int) -> str:
    return f"eq{band}_gain_db"


def _region(band: int) -> str:
    frequency = tone.band_frequency_hz(band)
    text = f"{frequency / 1000:g} kHz" if frequency >= 1000 else f"{frequency:g} Hz"
    return {1: f"Below {text}", 6: f"Above {text}"}.get(band, f"Around {text}")


def _nearest_band(frequency_hz: float) -> int:
    return min(range(len(BAND_HZ)), key=lambda i: abs(math.log(BAND_HZ[i] / frequency_hz)))
