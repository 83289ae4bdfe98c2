"""Filters and equaliser: presets by role, cuts where a track's spectrum is unusual.

Band 3 takes unusual lows and mids, 4 lifts presence, 5 takes unusual highs, 6 is air; bells that stay free make room
for others (`core.mix.unmasking`).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.analysis.loudness import k_weighting
from core.analysis.track import TrackAnalysis
from core.dsp.filters import frequency_response
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.mix.presets import OCTAVE_HZ, TYPICAL_OCTAVES_DB

Floats = NDArray[np.float64]

UNUSUAL_DB: Final = 7.0
"""Octave levels of one role differ by about this much from song to song (standard deviation 3 to 9 dB)."""
PLENTY_DB: Final = 4.0
LEAST_LIFT_DB: Final = 0.3
DEEPEST_CUT_DB: Final = 4.0
BELL_REACH_HZ: Final = {2: (40.0, 1_000.0), 3: (100.0, 4_000.0), 4: (300.0, 10_000.0), 5: (1_000.0, 16_000.0)}
_CENTRES: Final[Floats] = np.array(BAND_HZ)


def set_tone(draft: Draft, player: Player) -> None:
    """High-pass, the role's hill and top, and cuts where the track has unusually much; finished stems get cuts only."""
    preset = player.preset
    _set_unusual(draft, player)
    if player.finished:
        return
    _set_highpass(draft, player)
    if preset.presence is not None:
        bell = preset.presence
        share, told = _lift(player, bell.freq_hz / 2.0, bell.freq_hz * 2.0)
        if share * bell.gain_db >= LEAST_LIFT_DB:
            why = f"Helps {preset.called} through{told}."
            set_bell(draft, 4, bell.freq_hz, share * bell.gain_db, bell.q, why)
    air = preset.air
    if air is not None and air.freq_hz < player.heard.rate_hz / 2.0:
        share, told = _lift(player, air.freq_hz / math.sqrt(2.0), 20_000.0)
        if share * air.gain_db >= LEAST_LIFT_DB:
            set_bell(draft, 6, air.freq_hz, share * air.gain_db, 0.7, f"Air for {preset.called}{told}.")


def _set_highpass(draft: Draft, player: Player) -> None:
    """The role's corner, lower where the track's own lowest notes need it."""
    corner_hz, heard = player.preset.highpass_hz, player.heard
    if corner_hz <= 0.0:
        return
    why = f"Nothing of {player.preset.called} lies below."
    if heard.pitch_hz is not None and heard.pitched > 0.3 and heard.pitch_hz * 0.6 < corner_hz:
        corner_hz = max(heard.pitch_hz * 0.6, 20.0)
        why = f"Notes around {heard.pitch_hz:.0f} Hz: the high-pass stays below them."
    below_db = _share_db(heard, 0.0, corner_hz)
    if below_db is not None and below_db > -60.0:
        why += f" Rumble there is {-below_db:.0f} dB below the track."
    draft.propose("highpass_hz", corner_hz, why, 0.7, amount=True)


def _lift(player: Player, low_hz: float, high_hz: float) -> tuple[float, str]:
    """Share of the role's usual lift between two frequencies, and why.

    Half of it where the track has as much there as its role usually has, all of it where it has `PLENTY_DB` less, none
    where it has as much more.
    """
    usual = TYPICAL_OCTAVES_DB.get(player.role)
    if usual is None:
        return 1.0, ""
    octaves = np.array(OCTAVE_HZ)
    within = (low_hz <= octaves) & (octaves <= high_hz)
    levels = 10.0 ** (np.stack([octave_levels_db(player.heard), np.array(usual)])[:, within] / 10.0)
    heard_db, usual_db = 10.0 * np.log10(levels.sum(axis=1))
    more_db = float(heard_db - usual_db)
    share = min(max((PLENTY_DB - more_db) / (2.0 * PLENTY_DB), 0.0), 1.0)
    amount = f"{abs(more_db):.0f} dB {'more' if more_db > 0.0 else 'less'} than"
    where = f"from {hertz(octaves[within][0])} up to {hertz(octaves[within][-1])}"
    return share, f": {where} it has {amount if abs(more_db) >= 0.5 else 'as much as'} usual"


def _set_unusual(draft: Draft, player: Player) -> None:
    """Take away half of what stands out from the role's usual spectrum, in one low and one high band."""
    usual = TYPICAL_OCTAVES_DB.get(player.role)
    if usual is None:
        return
    octaves = octave_levels_db(player.heard)
    excess = octaves - np.array(usual) - UNUSUAL_DB
    # Energy matters only where there is some: an octave 25 dB below the track bothers nobody.
    excess[octaves < -20.0] = 0.0
    for band, low, high in ((3, 2, 6), (5, 6, 9)):
        worst = low + int(np.argmax(excess[low:high]))
        if excess[worst] <= 0.0:
            continue
        cut_db = min(excess[worst] / 2.0, DEEPEST_CUT_DB)
        more_db = octaves[worst] - usual[worst]
        why = f"{more_db:.0f} dB more around {hertz(OCTAVE_HZ[worst])} than is usual for {player.preset.called}."
        if cut_db >= 0.5:
            set_bell(draft, band, OCTAVE_HZ[worst], -cut_db, 1.2, why, confidence=0.5)


def loudness_change_lu(draft: Draft, analysis: TrackAnalysis) -> float:
    """What the strip's filters do to the track's loudness, from its bands (bells and shelves as their usual shapes)."""
    if not analysis.bands_db:
        return 0.0
    change_db = _response_db(draft)
    heard = np.array(analysis.bands_db) + _k_weight_db()
    before, after = 10.0 ** (heard / 10.0), 10.0 ** ((heard + change_db) / 10.0)
    return 10.0 * math.log10(float(after.sum() / before.sum()))


def octave_levels_db(analysis: TrackAnalysis) -> Floats:
    """Levels of the octaves of `OCTAVE_HZ` against the whole."""
    powers = 10.0 ** (np.array(analysis.bands_db) / 10.0)
    octaves = np.array([powers[3 * at : 3 * at + 3].sum() for at in range(len(OCTAVE_HZ))])
    return np.asarray(10.0 * np.log10(np.maximum(octaves, 1e-9)))


def set_bell(
    draft: Draft, band: int, frequency_hz: float, gain_db: float, q: float, why: str, confidence: float = 0.6
) -> bool:
    """Set a band unless a person has touched any of its three knobs; says whether it was set."""
    names = (f"eq{band}_freq_hz", f"eq{band}_gain_db", f"eq{band}_q")
    if any(draft.is_kept(name) for name in names) or draft.hands == 0.0:
        return False
    draft.propose(names[0], frequency_hz, why, confidence)
    draft.propose(names[1], gain_db, why, confidence, amount=True)
    draft.propose(names[2], q, why, confidence)
    return True


def free_bell(draft: Draft, frequency_hz: float) -> int | None:
    """A bell that nothing uses yet and that reaches a frequency, or None."""
    for band, (low_hz, high_hz) in BELL_REACH_HZ.items():
        untouched = not any(f"eq{band}_{knob}" in draft.settings for knob in ("freq_hz", "gain_db", "q"))
        if untouched and low_hz <= frequency_hz <= high_hz:
            return band
    return None


def _share_db(analysis: TrackAnalysis, low_hz: float, high_hz: float) -> float | None:
    chosen = (low_hz <= _CENTRES) & (high_hz > _CENTRES)
    power = float((10.0 ** (np.array(analysis.bands_db)[chosen] / 10.0)).sum())
    return 10.0 * math.log10(power) if power > 0.0 else None


def _response_db(draft: Draft) -> Floats:
    """Approximate response at the band centres: Butterworth high-pass, resonance-shaped bells, gentle shelves."""
    total = np.zeros_like(_CENTRES)
    corner_hz = draft.value("highpass_hz")
    if corner_hz > 10.0:
        total -= 10.0 * np.log10(1.0 + (corner_hz / _CENTRES) ** 4)
    for band in range(1, 7):
        gain_db = draft.value(f"eq{band}_gain_db")
        if gain_db == 0.0:
            continue
        frequency_hz, q = draft.value(f"eq{band}_freq_hz"), draft.value(f"eq{band}_q")
        ratio = _CENTRES / frequency_hz
        if band == 1:
            total += gain_db / (1.0 + ratio**3)
        elif band == 6:
            total += gain_db / (1.0 + ratio**-3)
        else:
            total += gain_db / (1.0 + (q * (ratio - 1.0 / ratio)) ** 2)
    return total


def _k_weight_db() -> Floats:
    """K-weighting at the band centres."""
    return np.asarray(20.0 * np.log10(np.abs(frequency_response(k_weighting(48_000), _CENTRES, 48_000))))


def hertz(frequency_hz: float, up_to_hz: float | None = None) -> str:
    """A frequency, or a range of them, as people say it."""
    if up_to_hz is not None:
        unit = 1_000.0 if frequency_hz >= 1_000.0 else 1.0
        if unit == 1.0 and up_to_hz >= 1_000.0:
            return f"{hertz(frequency_hz)} to {hertz(up_to_hz)}"
        return f"{frequency_hz / unit:.2g}-{hertz(up_to_hz)}" if unit > 1.0 else f"{frequency_hz:.0f}-{hertz(up_to_hz)}"
    return f"{frequency_hz / 1000:.2g} kHz" if frequency_hz >= 1000.0 else f"{frequency_hz:.0f} Hz"
