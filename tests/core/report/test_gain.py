"""What a chain did to the level is found by comparing what went in with what came out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.desk.sources import file_sources
from core.dsp.limiter import limit
from core.report.gain import GainCurve, gain_over_time
from core.report.portrait import listen
from tests.core.report.conftest import RATE_HZ, Write, song

Compare = Callable[[NDArray[np.float64], NDArray[np.float64]], GainCurve | None]


@pytest.fixture
def compared(write: Write) -> Compare:
    def do(before: NDArray[np.float64], after: NDArray[np.float64]) -> GainCurve | None:
        heard = [listen(file_sources([write(name, audio)])) for name, audio in (("a.wav", before), ("b.wav", after))]
        return gain_over_time(heard[0], heard[1])

    return do


def known(levels: tuple[float | None, ...]) -> NDArray[np.float64]:
    return np.array([level for level in levels if level is not None])


@pytest.mark.parametrize("gain_db", [-12.0, 0.0, 7.5])
def test_a_plain_gain_is_matched_and_leaves_a_flat_line(compared: Compare, gain_db: float) -> None:
    audio = 0.3 * song()
    curve = compared(audio, audio * 10 ** (gain_db / 20))
    assert curve.matched_db == pytest.approx(gain_db, abs=0.01)
    assert np.abs(known(curve.level_db)).max() < 0.02
    assert np.abs(known(curve.peak_db)).max() < 0.02


def test_a_loud_stretch_that_was_turned_down_shows_where_and_how_much(compared: Compare) -> None:
    before = 0.1 * song(9.0)
    before[3 * RATE_HZ : 6 * RATE_HZ] *= 4.0
    after = before.copy()
    after[3 * RATE_HZ : 6 * RATE_HZ] *= 0.5
    curve = compared(before, after)
    levels = np.array(curve.level_db, float)
    times = (np.arange(len(levels)) + 0.5) * curve.step_s
    inside = (times > 3.4) & (times < 5.6)
    outside = (times < 2.6) | (times > 6.4)
    assert levels[inside] == pytest.approx(-6.02, abs=0.05)
    assert levels[outside] == pytest.approx(0.0, abs=0.05)
    assert known(curve.peak_db).min() == pytest.approx(-6.02, abs=0.05)


def test_a_limiter_shows_in_the_peaks(compared: Compare) -> None:
    before = 0.05 * song(6.0)
    before[RATE_HZ // 2 :: RATE_HZ] = 0.9
    after = limit(before.T.astype(np.float32), RATE_HZ, ceiling_dbtp=-9.0).T
    curve = compared(before, after)
    assert known(curve.peak_db).min() == pytest.approx(20 * np.log10(10 ** (-9 / 20) / 0.9), abs=1.5)
    assert np.median(known(curve.peak_db)) == pytest.approx(0.0, abs=0.05)


def test_silence_has_no_gain(compared: Compare) -> None:
    silence, sound = np.zeros((RATE_HZ, 2)), song(1.0)
    assert compared(silence, sound) is None
    half = np.concatenate([sound, silence])
    curve = compared(half, half)
    assert None in curve.peak_db
    assert known(curve.peak_db).tolist() == [0.0] * len(known(curve.peak_db))
