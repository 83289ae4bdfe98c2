"""The sketch of a motif: in tune with the band, as long as its bars, and never too loud."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.motif import PARTS
from core.muse.pitches import PitchListener
from core.muse.sketch import sketch
from tests.core.muse.test_midifile import motif


@settings(max_examples=20, deadline=None)
@given(part=st.sampled_from(PARTS), seed=st.integers(1, 999), rate_hz=st.sampled_from([8_000, 44_100, 96_000]))
def test_it_is_finite_as_long_as_asked_and_peaks_at_a_half(part, seed: int, rate_hz: int) -> None:
    audio = sketch(motif(part, seed), rate_hz, 4 * rate_hz)
    assert audio.shape == (4 * rate_hz,)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() == pytest.approx(0.5, abs=1e-4)
    assert abs(audio[-1]) < 1e-3


@pytest.mark.parametrize("cents", [-35.0, 0.0, 20.0])
def test_it_is_tuned_as_the_band_is(cents: float) -> None:
    one = msgspec.structs.replace(motif("chords"), tuning_cents=cents)
    listener = PitchListener(44_100)
    listener.add(sketch(one, 44_100, 4 * 44_100))
    assert listener.result().tuning_cents == pytest.approx(cents, abs=6.0)


def test_a_note_begins_where_its_beat_is() -> None:
    one = motif("rhythm")
    first = min(note.at_beats for note in one.notes if note.at_beats > 0)
    early = msgspec.structs.replace(one, notes=tuple(note for note in one.notes if note.at_beats == first))
    audio = np.abs(sketch(early, 48_000, 4 * 48_000))
    at_s = np.flatnonzero(audio > 0.01)[0] / 48_000
    assert at_s == pytest.approx(first * 0.5, abs=0.015)
