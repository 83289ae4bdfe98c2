"""Who is heard on whose track, and how loud: found where it is so, and nowhere else."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.analysis.bleed import BleedMap, measure_bleed
from core.analysis.track import analyse_source
from tests.core.analysis.microphones import later, strokes_at
from tests.core.analysis.sounds import RATE_HZ, Samples, noise, seconds

DURATION_S = 9.0
T = seconds(DURATION_S)


def band_of(**tracks):
    sources = [Samples(audio, name) for name, audio in tracks.items()]
    return measure_bleed(sources, [analyse_source(source) for source in sources])


def drum():
    return strokes_at(np.arange(0.2, DURATION_S - 0.6, 0.45), DURATION_S, seed=1)


def singer():
    """Phrases of a second and a half, as much rest between."""
    tones = sum(np.sin(2 * np.pi * 220.0 * n * T + n * n) / n for n in range(1, 20))
    return 0.05 * tones * (T % 3.0 < 1.5) * (1.0 + 0.5 * np.sin(2 * np.pi * 1.3 * T)) + noise(DURATION_S, -75.0, 9)


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(loss_db=st.floats(-32.0, -6.0), delay=st.floats(20.0, 500.0))
def test_the_level_of_bleed_is_told_within_a_decibel(loss_db, delay):
    bleeding = later(drum(), delay, 10 ** (loss_db / 20))
    tracks = {"Drum": drum() + noise(DURATION_S, -85.0, 4), "Voice": singer() + bleeding}
    heard = {name: analyse_source(Samples(audio, name)) for name, audio in tracks.items()}
    bleed = band_of(**tracks)
    expected_dbfs = heard["Drum"].rms_dbfs + loss_db
    (found,) = bleed.on("Voice")
    assert found.level_dbfs == pytest.approx(expected_dbfs, abs=1.0)
    assert found.level_db == pytest.approx(expected_dbfs - heard["Voice"].rms_dbfs, abs=1.1)
    assert found.peak_dbfs == pytest.approx(20 * math.log10(np.abs(bleeding).max()), abs=1.5)


@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10_000))
def test_tracks_that_do_not_hear_each_other_have_no_bleed(seed):
    """None plays another's very pitch: two steady tones of one frequency are alike however they came about."""
    times = np.arange(0.2, DURATION_S - 0.6, 0.5)
    bleed = band_of(
        Kick=strokes_at(times, DURATION_S, seed=seed, low_hz=55.0),
        Snare=strokes_at(times + 0.25, DURATION_S, seed=seed + 1, low_hz=190.0),
        Voice=singer(),
        Keys=0.1 * np.sin(2 * np.pi * 277.2 * T) * (T % 2.0 < 1.5) + noise(DURATION_S, -80.0, seed + 2),
    )
    assert bleed == BleedMap()


def test_who_is_heard_first_elsewhere_is_not_blamed():
    """The voice's microphone hears the drum late; that doesn't put the voice on the drum's track."""
    bleed = band_of(Drum=drum(), Voice=singer() + later(drum(), 400.0, 0.1))
    assert [(one.source, one.onto) for one in bleed.bleeds] == [("Drum", "Voice")]


def test_two_microphones_of_one_source_are_no_bleed():
    assert band_of(Top=drum(), Bottom=later(drum(), 9.0, -0.8) + noise(DURATION_S, -70.0)) == BleedMap()


def test_silence_noise_other_rates_and_nothing_at_all_are_no_error():
    assert measure_bleed([], []) == BleedMap()
    sources = [
        Samples(drum(), "Drum"),
        Samples(np.zeros(RATE_HZ * 9), "Empty"),
        Samples(noise(2.0, -80.0), "Input noise"),
        Samples(drum(), "Elsewhere", 44_100),
    ]
    assert measure_bleed(sources, [analyse_source(source) for source in sources]) == BleedMap()


def test_a_map_is_a_document():
    bleed = band_of(Drum=drum(), Voice=singer() + later(drum(), 400.0, 0.1))
    assert msgspec.json.decode(msgspec.json.encode(bleed), type=BleedMap) == bleed
