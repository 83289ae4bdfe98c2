"""What holds for every processor: blocks don't matter, nothing blows up, NaN is refused, neutral changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dsp.audio import LOUDEST, Chain, DelayLine, checked, run
from core.dsp.declip import Declip, declip
from core.dsp.deesser import Deesser, deess
from core.dsp.delay import Delay, delay
from core.dsp.dither import Dither, ShapedDither, dither
from core.dsp.dynamics import Compressor, compress
from core.dsp.echo import Echo, echo
from core.dsp.equaliser import Band, equalise, sections
from core.dsp.filters import Biquads, butterworth_highpass, dc_blocker, highpass, remove_dc
from core.dsp.gain import gain, pan, polarity, width
from core.dsp.gate import Gate, gate
from core.dsp.hum import HumFilter, remove_hum
from core.dsp.limiter import TruePeakLimiter, limit
from core.dsp.linear_phase import LinearPhase, shape_tone
from core.dsp.multiband import BandDynamics, Multiband, compress_bands
from core.dsp.reverb import Reverb, reverb
from core.dsp.ride import Ride, ride
from core.dsp.saturation import Saturation, saturate
from core.dsp.transient import TransientShaper, shape_transients
from core.errors import OtoError
from core.plans.parameters import CURVE_GAIN, DELAY, MASTER, REVERB, RIDE_GAIN, STRIP, by_name
from tests.core.dsp.signals import RATE_HZ, in_blocks, noise

KNOBS = {**by_name(MASTER), **by_name(REVERB), **{f"echo_{p.name}": p for p in DELAY}, **by_name(STRIP)}
SHAPES = ("low_shelf", "bell", "bell", "bell", "bell", "high_shelf")


def knob(name):
    """Any legal value of a knob, its ends included."""
    parameter = KNOBS[name]
    return st.floats(0.0, 1.0).map(parameter.from_normalised)


def knobs(prefix, *names):
    """Keyword arguments for a processor from the knobs whose names begin with `prefix`."""
    return st.fixed_dictionaries({name: knob(prefix + name) for name in names})


def bands():
    return st.tuples(
        *(
            st.builds(Band, st.just(shape), knob(f"eq{i}_freq_hz"), knob(f"eq{i}_gain_db"), knob(f"eq{i}_q"))
            for i, shape in enumerate(SHAPES, start=1)
        )
    )


def any_of(parameter):
    return st.floats(parameter.low, parameter.high)


def multiband():
    dynamics = [
        st.builds(BandDynamics, **{k: knob(f"mb_{band}_{k}") for k in ("threshold_db", "ratio", "gain_db")})
        for band in ("low", "mid", "high")
    ]
    edges = {name: knob(f"mb_{name}") for name in ("low_hz", "high_hz", "attack_ms", "release_ms")}
    return st.fixed_dictionaries({"bands": st.tuples(*dynamics), **edges})


def tone_curve():
    gains = st.tuples(*[any_of(CURVE_GAIN)] * 4)
    return st.fixed_dictionaries(
        {"freq_hz": st.just((30.0, 300.0, 3_000.0, 16_000.0)), "mid_db": gains, "side_db": gains}
    )


def ride_points():
    moments = st.lists(st.floats(0.0, 0.3), max_size=5, unique=True).map(sorted)
    return st.fixed_dictionaries(
        {"points": moments.flatmap(lambda at: st.tuples(*(st.tuples(st.just(s), any_of(RIDE_GAIN)) for s in at)))}
    )


PROCESSORS = {
    "declip": (lambda rate, ch, kw: Declip(rate, ch), st.just({})),
    "hum": (
        lambda rate, ch, kw: HumFilter(rate, ch, **kw),
        st.fixed_dictionaries({"hum_hz": st.sampled_from([50.0, 60.0])}),
    ),
    "offset": (lambda rate, ch, kw: Biquads(dc_blocker(rate), ch), st.just({})),
    "multiband": (lambda rate, ch, kw: Multiband(rate, ch, **kw), multiband()),
    "tone curve": (lambda rate, ch, kw: LinearPhase(rate, ch, **kw), tone_curve()),
    "ride": (lambda rate, ch, kw: Ride(rate, **kw), ride_points()),
    "limiter": (
        lambda rate, ch, kw: TruePeakLimiter(rate, ch, **kw),
        knobs("limiter_", "ceiling_dbtp", "release_ms"),
    ),
    "compressor": (
        lambda rate, ch, kw: Compressor(rate, ch, **kw),
        knobs(
            "comp_",
            "threshold_db",
            "ratio",
            "attack_ms",
            "release_ms",
            "knee_db",
            "makeup_db",
            "sidechain_hz",
            "mix",
        ),
    ),
    "compressor with automatic release": (
        lambda rate, ch, kw: Compressor(rate, ch, auto_release=True, **kw),
        knobs("comp_", "threshold_db", "ratio", "attack_ms", "release_ms", "sidechain_hz"),
    ),
    "gate": (
        lambda rate, ch, kw: Gate(rate, ch, **kw),
        knobs("gate_", "threshold_db", "range_db", "attack_ms", "hold_ms", "release_ms"),
    ),
    "deesser": (lambda rate, ch, kw: Deesser(rate, ch, **kw), knobs("deess_", "threshold_db", "freq_hz")),
    "transient": (lambda rate, ch, kw: TransientShaper(rate, ch, **kw), knobs("transient_", "attack_db", "sustain_db")),
    "saturation": (lambda rate, ch, kw: Saturation(rate, ch, **kw), knobs("saturation_", "drive_db")),
    "delay": (lambda rate, ch, kw: Delay(rate, ch, **kw), st.fixed_dictionaries({"delay_ms": knob("delay_ms")})),
    "highpass": (
        lambda rate, ch, kw: Biquads(butterworth_highpass(rate, **kw), ch),
        st.fixed_dictionaries({"freq_hz": knob("highpass_hz")}),
    ),
    "equaliser": (
        lambda rate, ch, kw: Biquads(np.concatenate([sections(kw["bands"], rate), [[1, 0, 0, 1, 0, 0]]]), ch),
        st.fixed_dictionaries({"bands": bands()}),
    ),
    "echo": (lambda rate, ch, kw: Echo(rate, ch, **kw), knobs("echo_", "time_ms", "feedback", "damping_hz")),
    "dither": (lambda rate, ch, kw: Dither(ch, **kw), st.fixed_dictionaries({"bits": st.sampled_from([16, 24])})),
    "shaped dither": (lambda rate, ch, kw: ShapedDither(ch, **kw), st.just({"bits": 16})),
}
RATES = st.sampled_from([44_100, 48_000, 96_000, 192_000])
names = pytest.mark.parametrize("name", PROCESSORS)


@names
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_stream_cut_anywhere_equals_the_whole(name, data):
    make, arguments = PROCESSORS[name]
    kwargs, rate = data.draw(arguments), data.draw(RATES)
    channels = data.draw(st.integers(1, 2))
    cuts = data.draw(st.lists(st.integers(0, 5_000), max_size=8))
    x = noise(0.1, channels, seed=data.draw(st.integers(0, 99)), rate_hz=RATE_HZ)
    whole = run(make(rate, channels, kwargs), x)
    assert whole.shape == x.shape
    assert whole.dtype == np.float32
    loudest = max(float(np.abs(whole).max()), 1.0)
    # -140 dB, or the last bit of a sample where that is more.
    bound = max(1e-7 * loudest, float(np.spacing(np.float32(loudest))))
    assert np.abs(in_blocks(make(rate, channels, kwargs), x, cuts) - whole).max() <= bound


def hard_input(kind, frames=30_000):
    time = np.arange(frames)
    return {
        "silence": np.zeros(frames),
        "denormals": np.where(time % 2, 1e-40, -1e-42),
        "a constant": np.ones(frames),
        "full-scale square": np.where(time // 50 % 2, 1.0, -1.0),
        "alternating full scale": np.where(time % 2, 1.0, -1.0),
        "a click in silence": (time == 1_000) * 1.0,
    }[kind].astype(np.float32)[None]


@names
@settings(max_examples=8, deadline=None)
@given(
    data=st.data(),
    kind=st.sampled_from(
        ["silence", "denormals", "a constant", "full-scale square", "alternating full scale", "a click in silence"]
    ),
)
def test_any_legal_setting_stays_finite_and_bounded_on_hard_input(name, data, kind):
    make, arguments = PROCESSORS[name]
    rate = data.draw(RATES)
    y = run(make(rate, 1, data.draw(arguments)), hard_input(kind))
    # Six bands of +18 dB and a make-up of +24 dB are 132 dB at most.
    assert np.abs(y).max() < 10.0 ** (132.0 / 20.0) * 4.0


@names
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_silence_stays_silent(name, data):
    if "dither" in name:
        pytest.skip("dither is noise")
    make, arguments = PROCESSORS[name]
    assert not run(make(48_000, 1, data.draw(arguments)), np.zeros((1, 3_000), np.float32)).any()


@pytest.mark.parametrize("space", ["room", "plate", "hall"])
def test_a_reverb_cut_anywhere_equals_the_whole(space):
    x = noise(1.5, 2)
    kwargs = {"space": space, "decay_s": 0.7}
    whole = reverb(x, RATE_HZ, **kwargs)
    assert np.array_equal(in_blocks(Reverb(RATE_HZ, **kwargs), x, [1, 777, 32_768, 32_769, 40_000]), whole)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.1e10, -3e38])
@pytest.mark.parametrize(
    "process",
    [
        lambda x: gain(x, gain_db=-3.0),
        lambda x: polarity(x),
        lambda x: pan(x, pan=0.3),
        lambda x: width(x, width=0.5),
        lambda x: highpass(x, RATE_HZ, freq_hz=80.0),
        lambda x: remove_dc(x, RATE_HZ),
        lambda x: equalise(x, RATE_HZ, bands=[Band("bell", 500.0, 3.0)]),
        lambda x: compress(x, RATE_HZ, threshold_db=-20.0, ratio=4.0),
        lambda x: gate(x, RATE_HZ, threshold_db=-40.0),
        lambda x: deess(x, RATE_HZ, threshold_db=-30.0),
        lambda x: shape_transients(x, RATE_HZ, attack_db=3.0),
        lambda x: saturate(x, RATE_HZ, drive_db=6.0),
        lambda x: delay(x, RATE_HZ, delay_ms=0.3),
        lambda x: echo(x, RATE_HZ, time_ms=50.0),
        lambda x: reverb(x, RATE_HZ, space="room", decay_s=0.1),
        lambda x: dither(x, bits=16),
        lambda x: declip(x, RATE_HZ),
        lambda x: remove_hum(x, RATE_HZ, hum_hz=50.0),
        lambda x: compress_bands(x, RATE_HZ, bands=[BandDynamics(gain_db=1.0)] * 3),
        lambda x: shape_tone(x, RATE_HZ, freq_hz=[100.0], mid_db=[3.0], side_db=[0.0]),
        lambda x: ride(x, RATE_HZ, points=[(0.0, -3.0)]),
        lambda x: limit(x, RATE_HZ, ceiling_dbtp=-1.0),
    ],
)
def test_what_is_not_a_number_is_refused(process, bad):
    x = noise(0.05, 2)
    x[1, 77] = bad
    with pytest.raises(OtoError) as refused:
        process(x)
    assert refused.value.code == "bad_input"
    assert "77" in refused.value.message


@pytest.mark.parametrize(
    "process",
    [
        lambda x: gain(x, gain_db=0.0),
        lambda x: polarity(polarity(x)),
        lambda x: pan(x, pan=0.0),
        lambda x: width(x, width=1.0),
        lambda x: equalise(x, RATE_HZ, bands=[Band("bell", 500.0, 0.0), Band("high_shelf", 9_000.0, 0.0)]),
        lambda x: compress(x, RATE_HZ, threshold_db=-60.0, ratio=1.0),
        lambda x: compress(x, RATE_HZ, threshold_db=-60.0, ratio=20.0, mix=0.0),
        lambda x: gate(x, RATE_HZ, threshold_db=-100.0),
        lambda x: gate(x, RATE_HZ, threshold_db=-10.0, range_db=0.0),
        lambda x: deess(x, RATE_HZ, threshold_db=0.0),
        lambda x: shape_transients(x, RATE_HZ),
        lambda x: saturate(x, RATE_HZ, drive_db=0.0),
        lambda x: delay(x, RATE_HZ, delay_ms=0.0),
    ],
)
def test_neutral_settings_return_the_same_samples(process):
    x = noise(0.1, 2)
    assert np.array_equal(process(x), x)


def test_a_chain_is_as_late_as_its_parts():
    chain = Chain([DelayLine(1, 3), Saturation(RATE_HZ, 1, drive_db=6.0), Gate(RATE_HZ, 1, threshold_db=-40.0)])
    assert chain.latency_samples == sum(
        p.latency_samples for p in (Saturation(RATE_HZ, 1, drive_db=6.0), Gate(RATE_HZ, 1, threshold_db=-40.0))
    )


def test_audio_of_another_shape_is_refused():
    with pytest.raises(OtoError):
        checked(np.zeros(100, np.float32))


def test_the_loudest_that_can_be_worked_with_passes():
    assert checked(np.full((1, 10), -LOUDEST, np.float32)).shape == (1, 10)
    with pytest.raises(OtoError, match=r"beyond \+200 dBFS at sample 3"):
        checked(np.array([[0.0, 0.0, LOUDEST, np.nextafter(np.float32(LOUDEST), np.inf)]], np.float32))
