"""What a track is: by its name, and where that says nothing by a simple look at its sound, with honest doubt."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from core.analysis.features import BAND_HZ
from core.analysis.names import role_of_name
from core.analysis.track import TrackAnalysis
from core.plans.document import By
from core.plans.roles import Role

UNSURE: Final = 0.3
"""A guess below this confidence should be shown as a question."""


class RoleGuess(msgspec.Struct, frozen=True, kw_only=True):
    """A role, how sure OTO is (0..1), and what it is based on."""

    role: Role
    confidence: float
    why: str
    by: By = "rules"
    note: str = ""
    """What a person should hear about it: where name and sound disagree."""


def guess_role(name: str, analysis: TrackAnalysis | None = None) -> RoleGuess:
    """The role of a track by its name, else by its sound if it was analysed; "other" when neither tells."""
    named = role_of_name(name)
    if named is not None:
        role, confidence, words = named
        return RoleGuess(role=role, confidence=confidence, why=f'The name says "{words}".')
    if analysis is None:
        return RoleGuess(role="other", confidence=0.0, why="The name does not say what it is.")
    if analysis.silent:
        return RoleGuess(role="other", confidence=0.0, why="The name does not say what it is, and the track is silent.")
    return guess_from_sound(analysis)


def guess_from_sound(analysis: TrackAnalysis) -> RoleGuess:
    """Tell the few kinds of sound that a spectrum and a rhythm give away; say "other" for the rest."""
    centroid_hz = analysis.centroid_hz or 0.0
    pitch_hz = analysis.pitch_hz or 0.0
    crest_db = analysis.crest_db or 0.0
    struck = crest_db > 14.0 and analysis.onsets_per_s > 0.8
    measured = f"weight at {_hz(centroid_hz)}, {analysis.onsets_per_s:.1f} strokes a second, crest {crest_db:.0f} dB"
    low = share_between(analysis, 20.0, 120.0)

    def guess(role: Role, confidence: float, like: str) -> RoleGuess:
        return RoleGuess(role=role, confidence=confidence, why=f"Sounds like {like}: {measured}.")

    if centroid_hz > 3_500.0 and analysis.pitched < 0.3:
        return guess("hihat", 0.45, "a hi-hat") if analysis.onsets_per_s > 1.5 else guess("cymbals", 0.3, "cymbals")
    if centroid_hz < 140.0 and analysis.onsets_per_s > 1.0 and low > 0.5 and _fall_db(analysis) > 3.0:
        return guess("kick", 0.4, "a kick drum")
    if analysis.pitched > 0.4 and pitch_hz < 130.0 and centroid_hz < 300.0 and low > 0.3:
        return guess("bass", 0.4, "a bass")
    if struck and analysis.pitched < 0.25 and 150.0 < centroid_hz <= 3_500.0:
        if low > 0.25:
            return guess("drums", 0.3, "a drum kit")
        return guess("snare", 0.25, "a snare or other drum")
    return RoleGuess(role="other", confidence=0.0, why=f"Neither the name nor the sound tells ({measured}).")


def share_between(analysis: TrackAnalysis, low_hz: float, high_hz: float) -> float:
    """Share (0..1) of the track's power between two frequencies, in whole third-octave bands."""
    powers = 10.0 ** (np.array(analysis.bands_db) / 10.0)
    chosen = [low_hz <= centre <= high_hz for centre in BAND_HZ]
    return float(powers[chosen].sum() / powers.sum()) if powers.size else 0.0


def _fall_db(analysis: TrackAnalysis) -> float:
    """How far the track falls between its strokes: the middle of the active loudness below the loud moments."""
    assert analysis.loud_lufs is not None
    return analysis.loud_lufs - float(np.median(np.array(analysis.loudness_curve)[analysis.active_steps()]))


def _hz(frequency_hz: float) -> str:
    return f"{frequency_hz / 1000:.1f} kHz" if frequency_hz >= 1000.0 else f"{frequency_hz:.0f} Hz"
