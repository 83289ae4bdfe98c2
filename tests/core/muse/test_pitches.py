"""Pitch classes: whatever is played is found, in any tuning, however the audio is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.muse.pitches import PitchListener
from tests.core.muse.songs import RATE_HZ, tone


def heard(audio, rate_hz=RATE_HZ):
    listener = PitchListener(rate_hz)
    listener.add(audio)
    return listener.result()


@settings(max_examples=20, deadline=None)
@given(midi=st.integers(36, 84), cents=st.floats(-45, 45))
def test_a_single_note_is_its_own_pitch_class_and_tells_the_tuning(midi: int, cents: float) -> None:
    found = heard(tone(midi + cents / 100.0, 1.5))
    assert int(np.argmax(found.every.mean(axis=0))) == midi % 12
    assert abs(found.tuning_cents - cents) < 8.0


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_the_rate_does_not_matter(rate_hz: int) -> None:
    found = heard(tone(57, 1.5, rate_hz), rate_hz)
    assert int(np.argmax(found.every.mean(axis=0))) == 9
    assert int(np.argmax(found.bass.mean(axis=0))) == 9


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 80_000), max_size=6))
def test_it_does_not_matter_how_the_audio_is_cut(cuts: list[int]) -> None:
    audio = np.concatenate((tone(60, 1.0), tone(67, 1.0)))
    listener = PitchListener(RATE_HZ)
    for piece in np.split(audio, sorted({min(cut, audio.size) for cut in cuts})):
        listener.add(piece)
    np.testing.assert_allclose(listener.result().every, heard(audio).every, atol=1e-6)


def test_a_note_is_where_it_was_played() -> None:
    found = heard(np.concatenate((tone(60, 2.0), tone(66, 2.0))))
    first, _ = found.between(0.2, 1.8)
    second, _ = found.between(2.4, 3.8)
    assert (int(np.argmax(first)), int(np.argmax(second))) == (0, 6)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 3.0])
def test_silence_has_no_pitch(seconds: float) -> None:
    found = heard(np.zeros(round(seconds * RATE_HZ), np.float32))
    assert found.tuning_cents == 0.0
    assert not found.every.any()
    assert not found.between(0.0, 1.0)[0].any()
