"""The three spaces: decay times, density, no ringing mode, level, mono, and that they live."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, fftconvolve, sosfilt

from core.dsp.reverb import Reverb, decay_time_s, impulse_response, reverb, tail_s, turned_rad
from tests.core.dsp.signals import RATE_HZ, db, impulse, in_blocks, noise, rms, sine

SPACES = ["room", "plate", "hall"]
spaces = pytest.mark.parametrize("space", SPACES)


def response(space, decay_s=1.5, predelay_ms=0.0, damping_hz=7_000.0, lowcut_hz=40.0, rate_hz=RATE_HZ):
    return impulse_response(
        rate_hz, space, decay_s=decay_s, predelay_ms=predelay_ms, damping_hz=damping_hz, lowcut_hz=lowcut_hz
    ).astype(np.float64)


def measured_decay_s(ir, freq_hz, rate_hz=RATE_HZ):
    """T30 of an octave band by backward integration (ISO 3382), over all channels."""
    band = butter(3, [freq_hz / 1.41, freq_hz * 1.41], "bandpass", fs=rate_hz, output="sos")
    energy = np.square(sosfilt(band, ir, axis=-1)).sum(axis=(0, 1))
    curve = 10 * np.log10(np.cumsum(energy[::-1])[::-1] / energy.sum() + 1e-30)
    start, end = np.argmax(curve < -5.0), np.argmax(curve < -35.0)
    return 2.0 * (end - start) / rate_hz


@spaces
@pytest.mark.parametrize(("decay_s", "damping_hz"), [(0.5, 5_000.0), (2.0, 9_000.0)])
@pytest.mark.parametrize("freq_hz", [250.0, 1_000.0, 4_000.0])
def test_each_band_decays_in_the_time_that_the_knobs_say(space, decay_s, damping_hz, freq_hz):
    expected = decay_time_s(freq_hz, space, decay_s=decay_s, damping_hz=damping_hz)
    ir = response(space, decay_s, damping_hz=damping_hz)
    assert measured_decay_s(ir, freq_hz) == pytest.approx(expected, rel=0.08, abs=0.04)


def test_the_decay_does_not_depend_on_the_sample_rate():
    for rate_hz in (44_100, 96_000):
        ir = response("plate", 1.0, damping_hz=20_000.0, rate_hz=rate_hz)
        assert measured_decay_s(ir, 1_000.0, rate_hz) == pytest.approx(1.0, rel=0.08)


@spaces
def test_the_tail_is_as_dense_as_gaussian_noise(space):
    # Echo density of Abel and Huang (AES 121, 2006): the share of samples beyond one standard deviation, over 0.3173.
    ir = response(space)
    tail = ir[0, 0, round(0.15 * RATE_HZ) : round(0.9 * RATE_HZ)]
    window = 960
    blocks = tail[: len(tail) // window * window].reshape(-1, window)
    density = (np.abs(blocks) > blocks.std(axis=1, keepdims=True)).mean(axis=1) / 0.3173
    assert density.mean() == pytest.approx(1.0, abs=0.05)
    assert density.min() > 0.8


@spaces
def test_no_frequency_rings_out_of_the_tail(space):
    # After the tail fell by 30 dB a mode that decays more slowly than its neighbours would stand out of them.
    ir = response(space, 1.2)
    late = ir[:, :, round(0.6 * RATE_HZ) : round(1.2 * RATE_HZ)] * np.hanning(round(0.6 * RATE_HZ))
    power = np.square(np.abs(np.fft.rfft(late))).mean(axis=(0, 1))
    frequencies = np.fft.rfftfreq(late.shape[-1], 1.0 / RATE_HZ)
    heard = (frequencies > 100.0) & (frequencies < 6_000.0)
    smooth = np.convolve(power, np.ones(101) / 101, "same")
    # Four independent exponential variables per bin: 12 dB above the mean happens less than once in 10^20 bins.
    assert 10 * np.log10(power[heard] / smooth[heard]).max() < 11.0


@spaces
@pytest.mark.parametrize("decay_s", [0.3, 3.0])
def test_noise_comes_back_as_loud_as_it_was_sent_whatever_the_decay(space, decay_s):
    x = noise(8.0, 2)
    y = reverb(x, RATE_HZ, space=space, decay_s=decay_s)
    late = y[:, 4 * RATE_HZ :]
    assert db(rms(late) / rms(x)) == pytest.approx(0.0, abs=0.5)


@spaces
def test_both_sides_are_equally_loud_and_differ_above_the_bass(space):
    ir = response(space)
    left, right = ir[:, 0].sum(axis=0), ir[:, 1].sum(axis=0)
    assert abs(db(rms(left) / rms(right))) < 1.0
    high = butter(2, 600.0, "highpass", fs=RATE_HZ, output="sos")
    low = butter(4, 90.0, "lowpass", fs=RATE_HZ, output="sos")
    apart = np.corrcoef(sosfilt(high, left), sosfilt(high, right))[0, 1]
    together = np.corrcoef(sosfilt(low, ir[0, 0]), sosfilt(low, ir[0, 1]))[0, 1]
    assert abs(apart) < 0.1
    assert together > 0.6


def test_the_spaces_build_up_differently():
    def reaches_half_ms(space):
        energy = np.cumsum(np.square(response(space, 1.2)).sum(axis=(0, 1)))
        return np.argmax(energy > 0.1 * energy[-1]) / RATE_HZ * 1_000.0

    assert reaches_half_ms("room") < reaches_half_ms("hall")
    assert reaches_half_ms("plate") < reaches_half_ms("hall")


def test_predelay_and_low_cut_do_what_they_say():
    late = response("plate", predelay_ms=50.0)
    assert not late[:, :, :2_400].any()
    assert np.array_equal(late[:, :, 2_400:], response("plate"))
    frequencies = np.fft.rfftfreq(1 << 18, 1.0 / RATE_HZ)

    def bass_db(ir):
        power = np.square(np.abs(np.fft.rfft(ir, 1 << 18))).sum(axis=(0, 1))
        low, mid = (frequencies > 40) & (frequencies < 80), (frequencies > 800) & (frequencies < 1_600)
        return 10 * np.log10(power[low].mean() / power[mid].mean())

    # Two octaves and a bit under the corner, at 12 dB per octave.
    assert bass_db(response("plate", lowcut_hz=300.0)) < bass_db(response("plate")) - 15.0


@spaces
def test_what_comes_back_is_what_was_sent_turned_then_plainly_convolved(space):
    x = noise(1.2, 2)
    kwargs = {"decay_s": 0.4, "predelay_ms": 5.0, "damping_hz": 6_000.0, "lowcut_hz": 100.0}
    ir = impulse_response(RATE_HZ, space, **kwargs)
    at = np.arange(1, x.shape[1] + 1)
    knots = np.arange(0, x.shape[1] + 64, 64)
    angles = turned_rad(knots / RATE_HZ, space)
    cosine, sine_ = np.interp(at, knots, np.cos(angles)), np.interp(at, knots, np.sin(angles))
    sent = [cosine * x[0] - sine_ * x[1], sine_ * x[0] + cosine * x[1]]
    expected = [sum(fftconvolve(sent[i], ir[i, o])[: x.shape[1]] for i in range(2)) for o in range(2)]
    y = reverb(x, RATE_HZ, space=space, **kwargs)
    assert db(rms(y - np.array(expected)) / rms(y)) < -120.0


@spaces
@settings(max_examples=3, deadline=None)
@given(cuts=st.lists(st.integers(0, 200_000), max_size=6))
def test_turning_goes_by_the_stream_and_not_by_its_blocks(space, cuts):
    x = noise(2.0, 2)
    kwargs = {"space": space, "decay_s": 0.2}
    assert np.array_equal(in_blocks(Reverb(RATE_HZ, **kwargs), x, cuts), reverb(x, RATE_HZ, **kwargs))


def strokes_answered(space, times_s, decay_s=1.0):
    """What comes back from clicks in the middle, each alone: (strokes, 2, frames)."""
    answers = []
    for time_s in times_s:
        at = round(time_s * RATE_HZ)
        x = impulse(at + round(1.2 * decay_s * RATE_HZ), 2, at)
        answers.append(reverb(x, RATE_HZ, space=space, decay_s=decay_s, lowcut_hz=40.0)[:, at:])
    return np.array(answers, np.float64)


@spaces
def test_strokes_are_answered_as_loud_but_not_the_same(space):
    answers = strokes_answered(space, [0.0, 0.31, 0.74, 1.18, 2.05])
    energy = np.square(answers).sum(axis=(1, 2))
    assert np.ptp(10 * np.log10(energy)) < 1.0
    likeness = np.abs(np.corrcoef(answers.reshape(len(answers), -1)))[np.triu_indices(len(answers), 1)]
    assert likeness.mean() < 0.75
    assert likeness.min() < 0.4


@spaces
def test_a_held_note_breathes_and_the_whole_does_not(space):
    spread_db = []
    for freq_hz in (523.25, 659.26, 783.99, 1_046.5):
        tone = np.repeat(sine(freq_hz, 5.0, 0.3), 2, axis=0)
        y = reverb(tone, RATE_HZ, space=space, decay_s=0.8)[:, RATE_HZ:]
        levels_db = db(np.sqrt(np.square(y.reshape(2, -1, RATE_HZ // 10)).mean(axis=2)))
        spread_db.append(levels_db.std(axis=1))
    assert np.mean(spread_db) > 1.0
    y = reverb(np.repeat(noise(5.0), 2, axis=0), RATE_HZ, space=space, decay_s=0.8)[:, RATE_HZ:]
    levels_db = db(np.sqrt(np.square(y.reshape(2, -1, RATE_HZ // 2)).mean(axis=2)))
    assert levels_db.std(axis=1).max() < 0.7
    # The image stays where it is, too.
    assert abs((levels_db[0] - levels_db[1]).mean()) < 0.7


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("freq_hz", [125.0, 500.0, 2_000.0, 8_000.0])
def test_the_decay_that_comes_back_is_within_a_tenth_of_the_setting(space, freq_hz):
    expected = decay_time_s(freq_hz, space, decay_s=1.0, damping_hz=12_000.0)
    x = impulse(round(1.4 * RATE_HZ), 2, round(0.2 * RATE_HZ))
    y = reverb(x, RATE_HZ, space=space, decay_s=1.0, damping_hz=12_000.0, lowcut_hz=40.0)[:, round(0.2 * RATE_HZ) :]
    assert measured_decay_s(y[None].astype(np.float64), freq_hz) == pytest.approx(expected, rel=0.1)


def echo_density(ir, window=960):
    """Normalised echo density of Abel and Huang (AES 121, 2006, eq. 2) along (frames,): 1 is Gaussian noise."""
    weights = np.hanning(window + 2)[1:-1]
    weights /= weights.sum()
    deviation = np.sqrt(np.convolve(np.square(ir), weights, "valid"))
    middle = ir[window // 2 : window // 2 + len(deviation)]
    beyond = np.lib.stride_tricks.sliding_window_view(np.abs(ir), window)[::48] > deviation[: len(middle) : 48, None]
    return beyond @ weights / 0.3173


@pytest.mark.parametrize(("space", "dense_ms"), [("plate", 25.0), ("room", 45.0), ("hall", 75.0)])
def test_echoes_are_too_dense_to_tell_apart_soon(space, dense_ms):
    (answer,) = strokes_answered(space, [0.5])
    # The first value stands for 20 ms after the stroke (pre-delay and half a window); there is one per millisecond.
    for side in answer[:, round(0.01 * RATE_HZ) :]:
        density = echo_density(side)
        assert 20 + np.argmax(density > 0.9) < dense_ms
        assert density[round(dense_ms) : 600].mean() == pytest.approx(1.0, abs=0.05)


@spaces
def test_a_response_has_died_away_where_it_ends(space):
    ir = response(space, 0.8)
    assert ir.shape[2] == pytest.approx(tail_s(space, decay_s=0.8, predelay_ms=0.0) * RATE_HZ, abs=1)
    assert db(np.abs(ir[:, :, -100:]).max() / np.abs(ir).max()) < -60.0
