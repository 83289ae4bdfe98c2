"""What is likely wrong with a song's tone: usual faults weighed against how far finished songs differ anyway.

A dark song is either a dark piece or a mix that came out dark. Finished songs differ from their middle in a few broad
ways (`finished.FACTORS_DB`), and within these a fault can't be told from taste; what no finished song would do can. By
Bayes' rule with Gaussian songs each fault gets its probability, and what is taken back is the mean over all of them,
none included: the less sure, the less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.analysis.features import BAND_HZ
from core.dsp.audio import Floats
from core.master.finished import FACTORS_DB, REST_DB

FAULTLESS: Final = 0.6
"""Part of all mixes whose tone wants nothing, before they are heard. With more, less is taken back from what is dark
and less done to what is fine; over finished songs of held-out packages the sum of both is level from 0.5 to 0.8."""
_LOWEST_DB: Final = -70.0
"""Bands this far below the loudest hold nothing that a fault took away."""
_BANDS: Final = np.array(BAND_HZ)
_OCTAVES_UP: Final = np.maximum(np.log2(_BANDS / 250.0), 0.0)


@dataclass(frozen=True)
class Fault:
    """A way in which a mix's tone goes wrong."""

    words: str
    """As it goes on after "it may be"."""
    curve_db: Floats
    """Per band: what it did to the song."""


def _bump(freq_hz: float, gain_db: float, octaves: float) -> Floats:
    curve: Floats = gain_db * np.exp(-0.5 * np.square(np.log2(_BANDS / freq_hz) / octaves))
    return curve


FAULTS: Final = (
    *(Fault(f"dark, by {slope:g} dB per octave", -slope * _OCTAVES_UP) for slope in (0.75, 1.5, 2.25)),
    *(Fault(f"bright, by {slope:g} dB per octave", slope * _OCTAVES_UP) for slope in (0.5, 1.0)),
    *(Fault(f"dull above {hz / 1000:g} kHz", -10 * np.log10(1 + (_BANDS / hz) ** 2)) for hz in (1800, 2500, 4000)),
    Fault("muddy around 250 Hz", _bump(250.0, 5.0, 0.6)),
    Fault("harsh around 3.2 kHz", _bump(3200.0, 4.0, 0.5)),
    Fault("boomy below 120 Hz", np.where(_BANDS < 120.0, 5.0, 0.0)),
    Fault("thin below 160 Hz", np.where(_BANDS < 160.0, -5.0, 0.0)),
)


def probabilities(levels_db: Floats, usual_db: Floats, heard: Floats) -> Floats:
    """Of each of `FAULTS`, for a song of `levels_db` (bands,) where `usual_db` is usual; what lacks to 1 is none."""
    chosen = heard > 0.0
    floored = np.maximum(levels_db, levels_db.max() + _LOWEST_DB)
    curves = np.vstack([np.zeros(len(_BANDS)), *(fault.curve_db for fault in FAULTS)])
    off = (floored - usual_db - curves)[:, chosen]
    off = off - off.mean(axis=1, keepdims=True)
    factors = np.array(FACTORS_DB)[:, chosen]
    covariance = factors.T @ factors + np.diag(np.square(REST_DB)[chosen])
    unlikely = 0.5 * np.einsum("fb,fb->f", off, np.linalg.solve(covariance, off.T).T)
    before = np.full(len(curves), (1.0 - FAULTLESS) / len(FAULTS))
    before[0] = FAULTLESS
    weights = before * np.exp(unlikely.min() - unlikely)
    found: Floats = (weights / weights.sum())[1:]
    return found


def likely_db(levels_db: Floats, usual_db: Floats, heard: Floats) -> Floats:
    """What faults probably did to each heard band (bands,): the mean over all, the overall level set aside."""
    curves = np.array([fault.curve_db for fault in FAULTS])
    done = probabilities(levels_db, usual_db, heard) @ curves
    even: Floats = (done - np.average(done, weights=heard)) * heard
    return even


def behind(found: Floats, band: int, gain_db: float) -> tuple[Fault, float]:
    """The fault that most of a correction of `gain_db` at a band takes back, and its share of `probabilities`."""
    did_db = found * np.array([fault.curve_db[band] for fault in FAULTS])
    number = int(np.argmax(-np.sign(gain_db) * did_db))
    return FAULTS[number], float(found[number])
