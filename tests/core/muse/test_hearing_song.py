"""Which tracks tell key and chords."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.track import TrackAnalysis
from core.muse.song import Heard
from core.plans.roles import Role

RATE_HZ = 48_000


@dataclass(frozen=True)
class Quiet:
    """A source of which only the length matters."""

    name: str
    channels: int = 1
    frames: int = 32 * RATE_HZ
    rate_hz: int = RATE_HZ

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        return np.zeros((1, frames), np.float32)


def track(role: Role, *, pitched: float = 0.0) -> Heard:
    analysis = TrackAnalysis(rate_hz=RATE_HZ, channels=1, duration_s=32.0, sample_peak_dbfs=-6.0, pitched=pitched)
    return Heard(Quiet(role), role, analysis)


@pytest.mark.parametrize("role", ["bass", "distorted_guitar", "keys", "strings"])
def test_an_instrument_of_the_band_plays_notes_even_where_hardly_a_pitch_is_found(role: Role) -> None:
    assert track(role, pitched=0.05).plays_notes


@pytest.mark.parametrize(("pitched", "notes"), [(0.05, False), (0.9, True)])
def test_what_nobody_knows_plays_notes_where_it_has_a_pitch(pitched: float, notes: bool) -> None:
    assert track("other", pitched=pitched).plays_notes is notes


@pytest.mark.parametrize("role", ["kick", "toms", "percussion", "click", "speech"])
def test_drums_click_and_speech_say_nothing_about_chords(role: Role) -> None:
    assert not track(role, pitched=0.9).plays_notes
