"""Curves on the screen are what the desk does to the sound."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.desk.settings import resolve
from core.desk.strip import bands, compressor, highpass
from core.dsp.audio import run
from core.dsp.dynamics import gain_reduction_db
from core.dsp.filters import frequency_response
from core.plans.document import Setting
from core.plans.parameters import BUS, REVERB, STRIP, by_name
from tui.curves import level_db, spread_hz, tone_db

KNOBS = by_name(STRIP)
AUDIBLE_HZ = spread_hz(200)
RATES = st.sampled_from((44_100, 48_000, 88_200, 96_000))


def of(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Setting]]:
    """Settings of some knobs anywhere in their ranges, each there or not."""
    values = {name: st.floats(KNOBS[name].low, KNOBS[name].high).map(lambda x: Setting(value=x)) for name in names}
    return st.fixed_dictionaries({}, optional=values)


EQUALISER = tuple(name for name in KNOBS if name.startswith("eq"))
DYNAMICS = ("comp_threshold_db", "comp_ratio", "comp_knee_db", "comp_makeup_db", "comp_mix")


@settings(max_examples=60, deadline=None)
@given(of((*EQUALISER, "highpass_hz")), RATES)
def test_the_tone_curve_is_the_response_of_the_filters_that_the_desk_runs(plan, rate_hz) -> None:
    values = resolve(plan, STRIP, "a strip")
    sections = np.concatenate((highpass(values, rate_hz), bands(values, rate_hz)))
    real_db = 20.0 * np.log10(np.abs(frequency_response(sections, np.array(AUDIBLE_HZ), rate_hz)))
    drawn_db = np.array(tone_db(plan, KNOBS, rate_hz, AUDIBLE_HZ))
    seen = real_db > -100.0
    assert np.max(np.abs(drawn_db - real_db)[seen], initial=0.0) < 0.1


@settings(max_examples=60, deadline=None)
@given(of(DYNAMICS[:3]), st.floats(-80.0, 0.0))
def test_the_dynamics_curve_is_the_static_curve_of_the_compressor(plan, input_db) -> None:
    values = resolve(plan, STRIP, "a strip")
    lowered_db = gain_reduction_db(
        np.array([input_db]),
        threshold_db=float(values["comp_threshold_db"]),
        ratio=float(values["comp_ratio"]),
        knee_db=float(values["comp_knee_db"]),
    )
    assert abs(level_db(plan, KNOBS, input_db) - (input_db - float(lowered_db[0]))) < 0.001


def test_a_steady_square_wave_leaves_the_real_compressor_where_the_curve_says() -> None:
    values = {
        "comp_threshold_db": -24.0, "comp_ratio": 4.0, "comp_knee_db": 8.0, "comp_makeup_db": 5.0, "comp_mix": 0.6,
    }  # fmt: skip
    plan = {name: Setting(value=value) for name, value in values.items()}
    for input_db in (-40.0, -24.0, -12.0, -3.0):
        amplitude = 10.0 ** (input_db / 20.0)
        square = np.where(np.arange(48_000) // 24 % 2, amplitude, -amplitude).astype(np.float32)[None]
        (processor,) = compressor(resolve(plan, STRIP, "a strip"), 48_000, 1)
        heard_db = 20.0 * np.log10(np.abs(run(processor, square)[0, -1_000:]).max())
        assert abs(heard_db - level_db(plan, KNOBS, input_db)) < 0.05


def test_a_gate_lowers_what_stays_under_its_threshold() -> None:
    plan = {"gate_threshold_db": Setting(value=-40.0), "gate_range_db": Setting(value=-15.0)}
    assert level_db(plan, KNOBS, -50.0) == -65.0
    assert level_db(plan, KNOBS, -30.0) == -30.0


def test_what_a_section_has_no_knob_for_is_left_out_of_its_curves() -> None:
    plan = {"highpass_hz": Setting(value=500.0), "gate_threshold_db": Setting(value=-10.0)}
    for knobs in (by_name(BUS), by_name(REVERB)):
        assert set(tone_db(plan, knobs, 48_000, AUDIBLE_HZ)) == {0.0}
        assert level_db(plan, knobs, -30.0) == -30.0
