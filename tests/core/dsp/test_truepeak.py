import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.signal import resample_poly

from core.dsp import truepeak
from core.dsp.truepeak import CONTEXT, HALF_TAPS, ROW, TruePeakMeter, peaks_at, row_peaks, true_peak
from tests.core.dsp.signals import db, noise


def music_like(seed, frames=20_000, channels=2):
    """Noise without the last octave, bursts in it, so that few rows come near the top."""
    random = np.random.default_rng(seed)
    white = random.standard_normal((channels, frames + 8))
    dark = np.stack([np.convolve(row, np.hanning(9) / 4, mode="valid") for row in white])
    bursts = 0.1 + random.random(frames // 500 + 1).repeat(500)[:frames] ** 8
    return (dark * bursts).astype(np.float32)


@pytest.mark.parametrize("freq_part", [0.01, 0.1, 0.25, 0.4])
def test_a_tone_reads_its_amplitude_though_no_sample_sits_on_the_crest(freq_part):
    turns = np.arange(4_000) * freq_part + 0.125
    tone = (np.hanning(4_000) * np.sin(2 * np.pi * turns)).astype(np.float32)[None]
    lowest_db = db(np.cos(np.pi * freq_part / truepeak.METER_PHASES))
    assert lowest_db - 0.02 <= db(true_peak(tone)) <= 0.02


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_an_independent_oversampling(seed):
    x = music_like(seed)
    x *= np.minimum(1.0, np.minimum(np.arange(x.shape[1]), np.arange(x.shape[1])[::-1]) / 200).astype(np.float32)
    oracle = np.abs(resample_poly(x.astype(np.float64), 4, 1, axis=1, window=("kaiser", 8.0))).max()
    assert db(true_peak(x)) == pytest.approx(db(oracle), abs=0.05)


@given(st.integers(0, 1_000), st.lists(st.integers(0, 5_000), max_size=10))
@settings(deadline=None, max_examples=30)
def test_blocks_of_any_size_give_the_same_peak(seed, cuts):
    x = music_like(seed, 5_000)
    meter = TruePeakMeter(2)
    for piece in np.split(x, sorted(cuts), axis=1):
        meter.add(piece)
    assert meter.true_peak == pytest.approx(true_peak(x), rel=1e-6)
    assert meter.sample_peak == np.abs(x).max()


@given(st.integers(0, 1_000), st.floats(0.05, 3.0))
@settings(deadline=None, max_examples=40)
def test_what_is_not_computed_could_not_have_reached_the_floor(seed, floor):
    x = np.concatenate([np.zeros((2, HALF_TAPS - 1), np.float32), music_like(seed, 3_000)], axis=1)
    x = x[:, : (x.shape[1] - CONTEXT) // ROW * ROW + CONTEXT]
    everything, pruned = row_peaks(x, 8, 0.0), row_peaks(x, 8, floor)
    above = everything > floor
    np.testing.assert_allclose(pruned[above], everything[above], rtol=1e-6)
    assert (pruned[~above] <= floor).all()


def test_chosen_rows_read_the_same_as_all_rows():
    x = noise(0.1, channels=2)
    x = x[:, : (x.shape[1] - CONTEXT) // ROW * ROW + CONTEXT]
    rows = np.array([0, 3, 4, 17, 100])
    np.testing.assert_allclose(peaks_at(x, 8, rows), row_peaks(x, 8, 0.0).max(axis=0)[rows], rtol=1e-6)


@given(st.integers(0, 1_000), st.integers(1, 40))
@settings(deadline=None, max_examples=20)
def test_chosen_rows_read_the_same_wherever_a_stream_was_cut(seed, dropped):
    x = music_like(seed, 150 * ROW + CONTEXT)
    rows = np.arange(dropped, 150)
    from_there = peaks_at(x[:, dropped * ROW :], 4, rows - dropped)
    np.testing.assert_allclose(from_there, peaks_at(x, 4, rows), rtol=1e-12)


def test_no_signal_can_hide_a_peak_from_the_samples_and_the_points_halfway():
    """The bound by which rows are left out, against the worst case that a linear programme finds."""
    phases = 8
    weights = truepeak._interpolator(phases)
    first, frames = ROW + HALF_TAPS, 3 * ROW + 2 * HALF_TAPS

    def value(kernel, sample):
        row = np.zeros(frames)
        row[first + sample - HALF_TAPS + 1 : first + sample + HALF_TAPS + 1] = kernel
        return row

    halfway = weights.halfway[0, : 2 * HALF_TAPS]
    known = np.array([value(halfway, sample) for sample in range(-ROW, 2 * ROW)])
    limits = [(-1.0, 1.0) if first - ROW <= i < first + 2 * ROW else (None, None) for i in range(frames)]
    worst = 0.0
    for phase in range(phases - 2):
        kernel = weights.others[phase, : 2 * HALF_TAPS]
        for sample in (0, ROW // 2, ROW - 1):
            found = linprog(-value(kernel, sample), np.vstack([known, -known]), np.ones(2 * len(known)), bounds=limits)
            worst = max(worst, -found.fun)
    assert 1.0 < worst <= truepeak._HALFWAY_REACH


def test_silence_has_no_peak():
    assert true_peak(np.zeros((2, 1_000), np.float32)) == 0.0
