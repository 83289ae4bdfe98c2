"""Compressor, gate, de-esser and transient shaper measured from outside: curves, times, images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dsp.deesser import MOST_DB, deess
from core.dsp.dynamics import compress, gain_reduction_db
from core.dsp.envelope import (
    Ballistics,
    CrestFactor,
    DecayingMaximum,
    Smoother,
    coefficient,
    hop_samples,
    peaks,
    powers,
)
from core.dsp.gate import HYSTERESIS_DB, gate
from core.dsp.transient import shape_transients
from tests.core.dsp.signals import RATE_HZ, db, impulse, noise, rms, sine

RATES = [44_100, 48_000, 96_000, 192_000]


def steps(*levels_db, seconds=0.5, rate_hz=RATE_HZ):
    """A square wave whose level jumps: its peak is the same in every hop."""
    frames = round(seconds * rate_hz)
    square = np.where(np.arange(frames * len(levels_db)) // 4 % 2, 1.0, -1.0)
    level = np.repeat([10.0 ** (level / 20.0) for level in levels_db], frames)
    return (square * level).astype(np.float32)[None]


def gain_curve_db(y, x):
    return db(y[0].astype(np.float64) / x[0])


@given(
    level=st.floats(-60.0, 0.0), threshold=st.floats(-50.0, 0.0), ratio=st.floats(1.0, 20.0), knee=st.floats(0.0, 24.0)
)
@settings(max_examples=40, deadline=None)
def test_a_steady_level_lands_on_the_static_curve(level, threshold, ratio, knee):
    # Giannoulis, Massberg, Reiss 2012, equation 4, written out again.
    over = level - threshold
    if 2 * over < -knee:
        expected = level
    elif 2 * abs(over) <= knee and knee > 0:
        expected = level + (1 / ratio - 1) * (over + knee / 2) ** 2 / (2 * knee)
    else:
        expected = threshold + over / ratio
    x = steps(level, seconds=0.2)
    y = compress(x, RATE_HZ, threshold_db=threshold, ratio=ratio, knee_db=knee, attack_ms=1.0, release_ms=20.0)
    assert db(np.abs(y[0, -200:]).max()) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("attack_ms", [2.0, 10.0, 50.0])
def test_the_attack_is_63_percent_of_the_way_after_its_time(rate_hz, attack_ms):
    x = steps(-40.0, -10.0, rate_hz=rate_hz)
    y = compress(x, rate_hz, threshold_db=-20.0, ratio=4.0, knee_db=0.0, attack_ms=attack_ms, release_ms=500.0)
    gain_db = gain_curve_db(y, x)[x.shape[1] // 2 :]
    reached_ms = np.argmax(gain_db <= -7.5 * (1 - np.exp(-1))) / rate_hz * 1000.0
    assert reached_ms == pytest.approx(attack_ms, abs=0.4 + 0.02 * attack_ms)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("release_ms", [20.0, 120.0, 400.0])
def test_the_release_is_63_percent_of_the_way_after_its_time(rate_hz, release_ms):
    x = steps(-10.0, -40.0, seconds=1.0, rate_hz=rate_hz)
    y = compress(x, rate_hz, threshold_db=-20.0, ratio=4.0, knee_db=0.0, attack_ms=0.5, release_ms=release_ms)
    gain_db = gain_curve_db(y, x)[rate_hz:]
    reached_ms = np.argmax(gain_db >= -7.5 * np.exp(-1)) / rate_hz * 1000.0
    assert reached_ms == pytest.approx(release_ms, abs=1.0 + 0.02 * release_ms)


def test_a_very_fast_attack_catches_a_peak_within_a_hop():
    x = steps(-60.0, 0.0, seconds=0.1)
    y = compress(x, RATE_HZ, threshold_db=-20.0, ratio=20.0, knee_db=0.0, attack_ms=0.1, release_ms=100.0)
    hop = hop_samples(RATE_HZ)
    after = gain_curve_db(y, x)[x.shape[1] // 2 :]
    assert after[hop - 1] < -17.0
    assert after[3 * hop] == pytest.approx(-19.0, abs=0.1)


def test_the_gain_moves_without_steps():
    x = sine(100.0, 2.0, 0.5)
    x[:, RATE_HZ:] *= 0.1
    y = compress(x, RATE_HZ, threshold_db=-30.0, ratio=8.0, attack_ms=5.0, release_ms=80.0)
    loud = np.abs(x[0]) > 0.01
    gain = y[0, loud].astype(np.float64) / x[0, loud]
    near = np.diff(np.flatnonzero(loud)) == 1
    assert np.abs(np.diff(gain)[near]).max() < 0.01


def test_channels_are_compressed_together_so_the_image_stays():
    x = np.concatenate([noise(1.0, seed=1), 0.3 * noise(1.0, seed=2)])
    y = compress(x, RATE_HZ, threshold_db=-30.0, ratio=6.0)
    assert np.allclose(y[0] * x[1], y[1] * x[0], atol=1e-6)


def test_a_side_chain_high_pass_keeps_the_bass_from_pumping():
    bass = sine(50.0, 1.0, 0.8)
    open_ = compress(bass, RATE_HZ, threshold_db=-20.0, ratio=4.0)
    deaf = compress(bass, RATE_HZ, threshold_db=-20.0, ratio=4.0, sidechain_hz=400.0)
    assert db(rms(open_) / rms(bass)) < -10.0
    assert db(rms(deaf) / rms(bass)) > -0.5


def test_the_mix_blends_in_phase_and_make_up_raises():
    x = steps(-10.0)
    kwargs = {"threshold_db": -20.0, "ratio": 4.0}
    wet = compress(x, RATE_HZ, **kwargs)
    half = compress(x, RATE_HZ, **kwargs, mix=0.5)
    assert np.allclose(half, 0.5 * x + 0.5 * wet, atol=1e-6)
    raised = compress(x, RATE_HZ, **kwargs, makeup_db=6.0)
    assert np.allclose(raised, wet * 10.0 ** (6.0 / 20.0), rtol=1e-4)


@given(
    x=st.lists(st.floats(0.0, 60.0), min_size=1, max_size=300),
    decay=st.just(0.0) | st.floats(1e-6, 1.0),
    cut=st.integers(0, 300),
)
@settings(max_examples=60, deadline=None)
def test_the_decaying_maximum_is_the_recursion_it_stands_for(x, decay, cut):
    expected, last = [], 0.0
    for value in x:
        last = max(value, decay * last)
        expected.append(last)
    follower = DecayingMaximum(decay)
    whole = np.array(x)
    got = np.concatenate([follower.process(whole[:cut]), follower.process(whole[cut:])])
    assert np.allclose(got, expected, rtol=1e-9, atol=1e-12)


@given(
    x=st.lists(st.floats(-60.0, 60.0), min_size=1, max_size=300),
    feedback=st.just(0.0) | st.floats(1e-30, 1.0 - 1e-9),
    start=st.floats(-60.0, 60.0),
    cut=st.integers(0, 300),
)
@settings(max_examples=60, deadline=None)
def test_the_smoother_is_the_recursion_it_stands_for(x, feedback, start, cut):
    expected, last = [], start
    for value in x:
        last = feedback * last + (1.0 - feedback) * value
        expected.append(last)
    smoother = Smoother(feedback, start)
    whole = np.array(x)
    got = np.concatenate([smoother.process(whole[:cut]), smoother.process(whole[cut:])])
    assert np.allclose(got, expected, rtol=1e-9, atol=1e-12)


@given(
    pairs=st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(1e-6, 1.0)), min_size=1, max_size=200),
    cut=st.integers(0, 200),
)
@settings(max_examples=40, deadline=None)
def test_the_decaying_maximum_follows_a_decay_that_moves(pairs, cut):
    x, decays = np.array(pairs).T
    expected, last = [], 0.0
    for value, decay in zip(x, decays, strict=True):
        last = max(value, decay * last)
        expected.append(last)
    follower = DecayingMaximum(0.5)
    got = np.concatenate([follower.process(x[:cut], decays[:cut]), follower.process(x[cut:], decays[cut:])])
    assert np.allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_ballistics_equal_a_sample_by_sample_loop():
    wanted = np.abs(noise(0.05, seed=5)[0]).astype(np.float64) * 30.0
    attack, release = coefficient(3.0, 3_000.0), coefficient(40.0, 3_000.0)
    first = second = 0.0
    expected = []
    for value in wanted:
        first = max(value, release * first)
        second = attack * second + (1.0 - attack) * first
        expected.append(second)
    assert np.allclose(Ballistics(3.0, 40.0, 3_000.0).process(wanted), expected, atol=1e-9)


AUTO = {"threshold_db": -20.0, "ratio": 4.0, "knee_db": 0.0, "attack_ms": 0.5, "auto_release": True}


def strokes_then_quiet(spacing_ms, rate_hz=RATE_HZ):
    """A second of strokes of 2 ms, then a second of a tone under any threshold to read the gain from; and its start."""
    spacing, length = round(spacing_ms * rate_hz / 1000), rate_hz // 500
    begin = rate_hz // spacing * spacing + length
    level = np.where(np.arange(begin) % spacing < length, 0.3, 0.0)
    square = np.where(np.arange(begin + rate_hz) // 4 % 2, 1.0, -1.0)
    return (square * np.append(level, np.full(rate_hz, 0.001))).astype(np.float32)[None], begin


def let_go_ms(x, begin, rate_hz=RATE_HZ, **kwargs):
    """Time in which the reduction falls to 37 % of what it was at `begin`."""
    gain_db = gain_curve_db(compress(x, rate_hz, **kwargs), np.where(x == 0.0, np.float32(1.0), x))
    return np.argmax(gain_db[begin:] >= gain_db[begin - 1] * np.exp(-1)) / rate_hz * 1000.0


@pytest.mark.parametrize("rate_hz", RATES)
def test_an_automatic_release_is_slow_under_a_held_note_and_fast_after_strokes(rate_hz):
    held = steps(-10.0, -60.0, seconds=1.5, rate_hz=rate_hz)
    slow_ms = let_go_ms(held, 3 * rate_hz // 2, rate_hz, release_ms=60.0, **AUTO)
    assert slow_ms == pytest.approx(8 * 60.0, rel=0.03)
    strokes, begin = strokes_then_quiet(200, rate_hz)
    fast_ms = let_go_ms(strokes, begin, rate_hz, release_ms=60.0, **AUTO)
    assert fast_ms == pytest.approx(60.0 / 2, rel=0.05)


def test_an_automatic_release_is_what_the_knob_says_at_a_crest_of_12_db():
    # 2 ms of 36: the strokes' mean power, smoothed over 200 ms, is an 18th of their peak power at most.
    strokes, begin = strokes_then_quiet(36)
    level = peaks(strokes[:, :begin], 16)
    crest = CrestFactor(RATE_HZ / 16).process(level, powers(strokes[:, :begin], 16))[-1]
    assert crest == pytest.approx(16.0, rel=0.1)
    assert let_go_ms(strokes, begin, release_ms=60.0, **AUTO) == pytest.approx(60.0 * 16.0 / crest, rel=0.05)


def test_the_crest_factor_of_a_sine_is_3_db_at_any_level():
    for amplitude in (1.0, 0.001):
        x = sine(441.0, 2.0, amplitude)
        crest = CrestFactor(RATE_HZ / 16).process(peaks(x, 16), powers(x, 16))
        assert 10 * np.log10(crest[-1]) == pytest.approx(3.01, abs=0.1)


def test_an_automatic_release_changes_neither_the_curve_nor_the_attack():
    x = steps(-40.0, -10.0, seconds=1.0)
    kwargs = {"threshold_db": -20.0, "ratio": 4.0, "attack_ms": 10.0, "release_ms": 100.0}
    assert np.array_equal(compress(x, RATE_HZ, **kwargs, auto_release=True), compress(x, RATE_HZ, **kwargs))


def test_the_knee_is_smooth():
    level = np.linspace(-60.0, 0.0, 6_001)
    reduction = gain_reduction_db(level, threshold_db=-30.0, ratio=4.0, knee_db=12.0)
    slope = np.diff(reduction) / np.diff(level)
    assert (np.diff(slope) >= -1e-9).all()
    assert slope[0] == pytest.approx(0.0, abs=1e-9)
    assert slope[-1] == pytest.approx(0.75)


# ---------------------------------------------------------------- gate

GATE = {"threshold_db": -30.0, "range_db": -40.0, "attack_ms": 1.0, "hold_ms": 50.0, "release_ms": 100.0}


def test_a_gate_lowers_what_is_under_its_threshold_by_its_range_and_passes_the_rest():
    x = steps(-50.0, -10.0)
    gain_db = gain_curve_db(gate(x, RATE_HZ, **GATE), x)
    half = x.shape[1] // 2
    assert gain_db[half // 2] == pytest.approx(-40.0, abs=0.01)
    assert gain_db[-1] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("attack_ms", [0.05, 1.0, 5.0])
@pytest.mark.parametrize("rate_hz", RATES)
def test_a_gate_hears_ahead_so_that_the_note_begins_whole(attack_ms, rate_hz):
    x = steps(-50.0, -10.0, rate_hz=rate_hz)
    half = x.shape[1] // 2
    gain_db = gain_curve_db(gate(x, rate_hz, **{**GATE, "attack_ms": attack_ms}), x)
    hop = hop_samples(rate_hz)
    assert gain_db[half + hop] == pytest.approx(0.0, abs=0.01)
    assert gain_db[half - round(attack_ms * rate_hz / 1000.0) - 2 * hop] == pytest.approx(-40.0, abs=0.01)


def test_a_gate_holds_then_shuts_in_its_release_time():
    x = steps(-10.0, -50.0)
    half = x.shape[1] // 2
    gain_db = gain_curve_db(gate(x, RATE_HZ, **GATE), x)[half:]
    ms = RATE_HZ // 1000
    assert gain_db[48 * ms] == pytest.approx(0.0, abs=0.5)
    assert gain_db[100 * ms] == pytest.approx(-20.0, abs=1.0)
    assert gain_db[155 * ms] == pytest.approx(-40.0, abs=0.01)


def test_a_level_between_the_two_thresholds_neither_opens_nor_shuts():
    between = GATE["threshold_db"] - HYSTERESIS_DB / 2
    x = steps(between, -10.0, between, -60.0)
    gain_db = gain_curve_db(gate(x, RATE_HZ, **GATE), x)
    quarter = x.shape[1] // 4
    assert gain_db[quarter // 2] == pytest.approx(-40.0, abs=0.01)
    assert gain_db[3 * quarter - 500] == pytest.approx(0.0, abs=0.01)
    assert gain_db[-1] == pytest.approx(-40.0, abs=0.01)


# ---------------------------------------------------------------- de-esser


def test_a_de_esser_ducks_sibilance_and_leaves_vowels():
    vowel, sibilance = sine(500.0, 1.0, 0.5), sine(9_000.0, 1.0, 0.5)
    kwargs = {"threshold_db": -30.0, "freq_hz": 6_000.0}
    assert db(rms(deess(vowel, RATE_HZ, **kwargs)) / rms(vowel)) == pytest.approx(0.0, abs=0.05)
    ducked = db(rms(deess(sibilance, RATE_HZ, **kwargs)) / rms(sibilance))
    assert -MOST_DB < ducked < -4.0


def test_a_de_esser_that_hears_nothing_returns_the_same_samples():
    x = sine(300.0, 1.0, 0.5)
    assert np.array_equal(deess(x, RATE_HZ, threshold_db=-20.0, freq_hz=8_000.0), x)


# ---------------------------------------------------------------- transient shaper


def strokes(amplitude=0.5):
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    stroke = amplitude * np.exp(-time_s / 0.12) * np.sin(2 * np.pi * 200.0 * time_s)
    return np.tile(stroke, 4).astype(np.float32)[None]


def part_db(y, x, first_ms, last_ms):
    window = slice(RATE_HZ + RATE_HZ * first_ms // 1000, RATE_HZ + RATE_HZ * last_ms // 1000)
    return db(rms(y[:, window]) / rms(x[:, window]))


@pytest.mark.parametrize("amplitude", [0.5, 0.05])
def test_attack_and_sustain_are_raised_apart_whatever_the_level(amplitude):
    x = strokes(amplitude)
    attack = shape_transients(x, RATE_HZ, attack_db=6.0)
    assert part_db(attack, x, 1, 10) > 3.0
    assert abs(part_db(attack, x, 150, 400)) < 0.5
    sustain = shape_transients(x, RATE_HZ, sustain_db=6.0)
    assert part_db(sustain, x, 150, 400) > 2.5
    assert abs(part_db(sustain, x, 1, 10)) < 1.0


def test_a_steady_tone_has_no_transients():
    x = sine(440.0, 2.0, 0.3)
    y = shape_transients(x, RATE_HZ, attack_db=12.0, sustain_db=12.0)
    assert db(rms(y[:, RATE_HZ:]) / rms(x[:, RATE_HZ:])) == pytest.approx(0.0, abs=0.3)


def test_noise_under_the_floor_is_no_transient():
    x = impulse(RATE_HZ, at=20_000, amplitude=1e-4)
    assert np.allclose(shape_transients(x, RATE_HZ, attack_db=12.0), x, atol=1e-7)
