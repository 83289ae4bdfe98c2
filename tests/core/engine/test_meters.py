"""Meters say what a level is, hold peaks long enough to be seen, and count every sample at full scale."""

import numpy as np
import pytest

from core.engine.meters import SILENCE_DBFS, MeterBank


def sine(level_db: float, frames: int = 4_800) -> np.ndarray:
    wave = np.sin(2 * np.pi * 1_000 * np.arange(frames) / 48_000) * 10 ** (level_db / 20)
    return wave.astype(np.float32)[:, None]


@pytest.mark.parametrize("level_db", [0.0, -6.0, -20.0, -60.0])
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_a_sine_reads_its_peak_and_three_db_less_rms(level_db, dtype):
    audio = sine(level_db)
    if dtype is np.int32:
        audio = np.round(audio.astype(np.float64) * (2**31 - 1)).astype(np.int32)
    bank = MeterBank(1)
    bank.add(audio)
    levels = bank.read()
    assert levels.peak_dbfs[0] == pytest.approx(level_db, abs=0.1)
    assert levels.rms_dbfs[0] == pytest.approx(level_db - 3.01, abs=0.1)


def test_a_reading_covers_all_blocks_since_the_last_one_and_the_peak_is_held_after():
    bank = MeterBank(1)
    bank.add(sine(-10.0))
    bank.add(sine(-30.0))
    assert bank.read().peak_dbfs[0] == pytest.approx(-10.0, abs=0.1)
    bank.add(sine(-30.0))
    later = bank.read()
    assert later.peak_dbfs[0] == pytest.approx(-30.0, abs=0.1)
    assert later.hold_dbfs[0] == pytest.approx(-10.0, abs=0.1)


def test_clips_are_counted_per_input_until_they_are_cleared():
    audio = np.zeros((100, 2), dtype=np.float32)
    audio[10:13, 1] = 1.0
    audio[50, 1] = -1.0
    bank = MeterBank(2)
    bank.add(audio)
    bank.add(audio)
    assert bank.read().clips == (0, 8)
    bank.clear()
    bank.add(np.zeros((10, 2), dtype=np.float32))
    assert bank.read().clips == (0, 0)


def test_silence_reads_as_silence():
    bank = MeterBank(3)
    bank.add(np.zeros((64, 3), dtype=np.float32))
    assert bank.read().peak_dbfs == (SILENCE_DBFS,) * 3
