"""The master strip: every knob is heard, the tone curve too, and what can't be is refused."""

import numpy as np
import pytest

from core.dsp.audio import run
from core.errors import OtoError
from core.master.chain import master_chain
from core.plans.document import Setting, ToneCurve
from core.plans.parameters import MASTER
from tests.core.master.songs import RATE_HZ, song

SONG = song(1.5, peak_dbfs=-3.0)
WIDE = (SONG + 0.1 * np.stack([1, -1])[:, None] * np.sin(np.arange(72_000) / 60)).astype(np.float32)
CURVE = ToneCurve(freq_hz=(50.0, 500.0, 5_000.0), mid_db=(0.0, -3.0, 2.0), side_db=(-6.0, 0.0, 3.0))
COMPANY = {
    "comp_": {"comp_threshold_db": -20.0, "comp_ratio": 4.0},
    "mb_": {f"mb_{band}_{knob}": value for band in ("low", "mid", "high") for knob, value in
            {"threshold_db": -30.0, "ratio": 3.0}.items()},
    "eq": {f"eq{band}_gain_db": 6.0 for band in range(1, 7)},
    "limiter_": {"limiter_on": True, "loudness_gain_db": 12.0},
}  # fmt: skip


def through(values, curve=None, audio=WIDE):
    settings = {name: Setting(value=value) for name, value in values.items()}
    return run(master_chain(settings, RATE_HZ, len(audio), curve).whole(), audio)


@pytest.mark.parametrize("parameter", MASTER, ids=lambda p: p.name)
def test_every_knob_of_the_master_is_heard(parameter):
    company = next((values for prefix, values in COMPANY.items() if parameter.name.startswith(prefix)), {})
    company = {name: value for name, value in company.items() if name != parameter.name}
    turned = True if parameter.scale == "switch" else parameter.from_normalised(0.75)
    if turned == parameter.neutral:
        turned = parameter.from_normalised(0.6)
    assert np.abs(through({**company, parameter.name: turned}) - through(company)).max() > 1e-4


def test_neutral_values_written_out_change_nothing():
    neutral = {parameter.name: parameter.neutral for parameter in MASTER}
    flat = ToneCurve(freq_hz=(100.0, 1_000.0), mid_db=(0.0, 0.0), side_db=(0.0, 0.0))
    assert np.array_equal(through(neutral, flat), WIDE)


@pytest.mark.parametrize(("side", "gains_db"), [(1.0, CURVE.mid_db), (-1.0, CURVE.side_db)])
def test_the_tone_curve_is_what_middle_and_sides_get(side, gains_db):
    click = np.zeros((2, 16_384), np.float32)
    click[:, 8_192] = 0.5, 0.5 * side
    y = through({}, CURVE, click)[0] * 2
    phase = np.exp(-2j * np.pi * np.outer(CURVE.freq_hz, np.arange(len(y)) - 8_192) / RATE_HZ)
    response = phase @ y
    assert 20 * np.log10(np.abs(response)) == pytest.approx(gains_db, abs=0.3)
    assert np.angle(response) == pytest.approx(0.0, abs=1e-3)


def test_mono_gets_the_curve_of_the_middle():
    np.testing.assert_allclose(through({}, CURVE, SONG[:1]), through({}, CURVE, SONG[[0, 0]])[:1], atol=1e-6)


@pytest.mark.parametrize(
    "curve",
    [
        ToneCurve(freq_hz=(100.0,), mid_db=(0.0, 1.0), side_db=(0.0,)),
        ToneCurve(freq_hz=(100.0, 50.0), mid_db=(1.0, 1.0), side_db=(0.0, 0.0)),
        ToneCurve(freq_hz=(100.0, 100.0), mid_db=(1.0, 1.0), side_db=(0.0, 0.0)),
        ToneCurve(freq_hz=(0.0, 100.0), mid_db=(1.0, 1.0), side_db=(0.0, 0.0)),
        ToneCurve(freq_hz=(float("nan"),), mid_db=(1.0,), side_db=(0.0,)),
        ToneCurve(freq_hz=(100.0,), mid_db=(float("nan"),), side_db=(0.0,)),
        ToneCurve(freq_hz=(100.0,), mid_db=(25.0,), side_db=(0.0,)),
        ToneCurve(freq_hz=(100.0,), mid_db=(0.0,), side_db=(float("inf"),)),
    ],
)
def test_a_curve_that_can_not_be_is_refused(curve):
    with pytest.raises(OtoError, match="tone curve") as refused:
        master_chain({}, RATE_HZ, 2, curve)
    assert refused.value.code == "bad_input"
