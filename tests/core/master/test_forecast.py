"""What is foretold about the limiter, against the limiter."""

import tracemalloc

import numpy as np
import pytest

from core.analysis.loudness import LoudnessMeter
from core.dsp.limiter import TruePeakLimiter
from core.master.forecast import LimiterForecast
from tests.core.master.songs import song


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
@pytest.mark.parametrize("over_db", [-3.0, 3.0, 9.0])
def test_foretells_loudness_and_reduction(rate_hz, over_db):
    audio = song(8.0, rate_hz=rate_hz)
    forecast = LimiterForecast(rate_hz, 2)
    for block in np.array_split(audio, 13, axis=1):
        forecast.add(block)
    forecast.finish()
    gain_db = over_db - forecast.peak_dbtp() - 1.0
    told = forecast.at(gain_db, ceiling_dbtp=-1.0, release_ms=100.0)
    limiter, meter = TruePeakLimiter(rate_hz, 2, ceiling_dbtp=-1.0, release_ms=100.0), LoudnessMeter(rate_hz, 2)
    meter.add(limiter.process(audio * np.float32(10 ** (gain_db / 20))))
    assert told.integrated_lufs == pytest.approx(meter.result().integrated_lufs, abs=0.1)
    assert told.deepest_db == pytest.approx(limiter.deepest_db, abs=0.2)
    assert (told.lost_lu > 0.0) == (over_db > 0.0)


def test_without_a_limiter_loudness_is_the_meter_s():
    audio = song(5.0)
    forecast, meter = LimiterForecast(48_000, 2), LoudnessMeter(48_000, 2)
    forecast.add(audio)
    forecast.finish()
    meter.add(audio)
    assert forecast.unlimited_lufs() == pytest.approx(meter.result().integrated_lufs, abs=0.02)
    assert forecast.peak_dbtp() == pytest.approx(meter.result().true_peak_dbtp, abs=1e-3)


def test_what_is_foretold_does_not_hang_on_how_it_is_kept(monkeypatch):
    def told():
        forecast = LimiterForecast(44_100, 2)
        for block in np.array_split(song(8.0, rate_hz=44_100), 13, axis=1):
            forecast.add(block)
        forecast.finish()
        at = forecast.at(6.0, ceiling_dbtp=-1.0, release_ms=100.0)
        return [*vars(at).values(), forecast.unlimited_lufs(), forecast.peak_dbtp(), forecast.loud_peak_dbfs()]

    whole = told()
    monkeypatch.setattr("core.master.forecast._HELD_ROWS", 5_000)
    assert told() == whole
    monkeypatch.setattr("core.master.forecast._STRETCH_ROWS", 777)
    assert told() == pytest.approx(whole, abs=1e-6)


def test_a_long_song_takes_no_more_memory_than_a_short_one(monkeypatch):
    monkeypatch.setattr("core.master.forecast._HELD_ROWS", 10_000)
    forecast, audio = LimiterForecast(44_100, 2), song(8.0, rate_hz=44_100)

    def held_bytes(times):
        for _ in range(times):
            forecast.add(audio)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        short = held_bytes(1)
        assert abs(held_bytes(8) - short) < 10_000
    finally:
        tracemalloc.stop()
