"""The song is found in the take; what may belong to it stays in."""

import numpy as np
import pytest

from core.analysis.extent import find_extent
from core.analysis.track import analyse_source
from tests.core.analysis.microphones import strokes_at
from tests.core.analysis.sounds import Samples, noise, seconds

DURATION_S = 30.0
T = seconds(DURATION_S)


def during(start_s, end_s):
    return ((start_s <= T) & (end_s > T)).astype(float)


def guitar(start_s, end_s, gain=0.1):
    tones = sum(np.sin(2 * np.pi * 196.0 * n * T) / n for n in range(1, 8))
    return gain * tones * during(start_s, end_s)


def kit(start_s, end_s):
    return strokes_at(np.arange(start_s, end_s, 0.5), DURATION_S)


def sticks(times_s):
    return 0.1 * strokes_at(times_s, DURATION_S, decay_s=0.01, seed=3)


def talk(start_s, end_s):
    """Words: bursts of uneven length."""
    words = np.sin(2 * np.pi * 1.7 * T) + np.sin(2 * np.pi * 2.9 * T) > 0.0
    return 0.1 * noise(DURATION_S, 0.0, 8) * words * during(start_s, end_s)


def extent_of(drums, strings, voice=None):
    tracks = (drums, strings) if voice is None else (drums, strings, voice)
    sources = [Samples(audio + noise(DURATION_S, -75.0, seed)) for seed, audio in enumerate(tracks)]
    return find_extent(sources, [analyse_source(source) for source in sources], voices=[2])


def test_dead_time_before_and_after_is_left_out_and_the_last_sound_dies_away():
    decay = guitar(5.0, 30.0) * np.exp(-np.maximum(T - 22.0, 0.0) / 0.4)
    extent = extent_of(kit(5.0, 22.0), decay)
    assert extent.start_s == pytest.approx(4.7, abs=0.11)
    assert extent.end_s > 24.0
    assert extent.counted_in == extent.asides == 0


def test_a_count_with_sticks_goes_and_the_first_beat_stays():
    for beats in (4, 8):
        clicks = 2.0 + 0.5 * np.arange(beats)
        downbeat_s = 2.0 + 0.5 * beats
        extent = extent_of(kit(downbeat_s, 28.0) + sticks(clicks), guitar(downbeat_s, 28.0))
        assert extent.counted_in == beats
        assert downbeat_s - 0.1 <= extent.start_s < downbeat_s


def test_strokes_that_may_be_the_song_stay_in():
    uneven = sticks([2.0, 2.5, 3.2, 3.5])
    fill = strokes_at(2.0 + 0.5 * np.arange(4), DURATION_S, seed=3)
    three = sticks([2.5, 3.0, 3.5])
    for opening in (uneven, fill, three):
        extent = extent_of(kit(4.0, 28.0) + opening, guitar(4.0, 28.0))
        assert extent.counted_in == 0
        assert extent.start_s < 2.5


def test_talk_apart_from_the_song_is_left_out_and_a_voice_that_begins_the_song_is_not():
    song = (kit(8.0, 20.0), guitar(8.0, 20.0))
    around = extent_of(*song, talk(0.5, 2.5) + talk(9.0, 19.0) + talk(26.0, 28.0))
    assert around.asides == 2
    assert around.start_s > 7.0
    assert around.end_s < 23.0
    opening = extent_of(*song, talk(5.0, 7.0) + talk(9.0, 19.0))
    assert opening.asides == 0
    assert opening.start_s < 5.0


def test_a_quiet_opening_and_a_late_last_chord_stay_in():
    extent = extent_of(kit(8.0, 20.0), guitar(1.0, 5.0, 0.02) + guitar(8.0, 20.0) + guitar(23.0, 25.0, 0.03))
    assert extent.start_s < 1.0
    assert extent.end_s > 25.0


def test_no_song_no_extent():
    assert find_extent([], []) is None
    assert extent_of(np.zeros(T.size), np.zeros(T.size)) is None
    assert extent_of(kit(3.0, 6.0), guitar(3.0, 6.0)) is None
