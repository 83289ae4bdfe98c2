"""What a report draws is what the meters read."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.analysis.loudness import measure_file
from core.desk.sources import file_sources
from core.errors import OtoError
from core.report.columns import Fold, even_edges, step_edges
from core.report.portrait import COLUMNS, Heard, listen
from tests.core.report.conftest import RATE_HZ, Write, song

SECOND = np.arange(RATE_HZ) / RATE_HZ


def heard(*paths: Path, **stretch: float) -> Heard:
    return listen(file_sources(paths), **stretch)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_every_number_is_the_meters(write: Write, rate_hz: int, channels: int) -> None:
    path = write("song.wav", song(4.0, channels, rate_hz), rate_hz)
    portrait, meter = heard(path).portrait, measure_file(path)
    # Blocks are cut elsewhere, and a float32 product rounds by its place in a block: by 2e-7 on some processors.
    assert msgspec.structs.astuple(portrait.loudness) == pytest.approx(msgspec.structs.astuple(meter), abs=1e-5)
    assert meter.true_peak_dbtp is not None
    assert meter.integrated_lufs is not None
    assert portrait.plr_db == pytest.approx(meter.true_peak_dbtp - meter.integrated_lufs)


def test_a_steady_tone_has_a_flat_curve_at_its_integrated_loudness(write: Write) -> None:
    portrait = heard(write("tone.wav", np.tile(0.2 * np.sin(2 * np.pi * 997 * SECOND), 5))).portrait
    curve = portrait.curve
    for levels, window_s in ((curve.momentary_lufs, 0.4), (curve.short_term_lufs, 3.0)):
        silent = sum(level is None for level in levels) * curve.step_s
        assert silent == pytest.approx(window_s - 0.1)
        sounding = [level for level in levels if level is not None]
        assert sounding == pytest.approx([portrait.loudness.integrated_lufs] * len(sounding), abs=0.02)


def test_a_sine_stands_three_decibels_above_its_rms(write: Write) -> None:
    portrait = heard(write("tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * SECOND))).portrait
    assert portrait.crest_db == pytest.approx(20 * math.log10(math.sqrt(2)), abs=0.01)
    assert (portrait.correlation, portrait.side_db) == (None, None)


@pytest.mark.parametrize(("right", "correlation"), [(1.0, 1.0), (-1.0, -1.0)])
def test_the_sides_are_told_from_the_middle(write: Write, right: float, correlation: float) -> None:
    tone = 0.2 * np.sin(2 * np.pi * 1000 * SECOND)
    portrait = heard(write("tone.wav", np.stack([tone, right * tone], axis=1))).portrait
    assert portrait.correlation == pytest.approx(correlation, abs=1e-6)


def test_no_peak_falls_between_the_columns(write: Write) -> None:
    audio = np.zeros(10 * RATE_HZ)
    audio[[5, 123_456, 479_999]] = [0.25, -0.75, 0.5]
    wave = heard(write("clicks.wav", audio)).portrait.waveform
    assert len(wave.low) == len(wave.high) == len(wave.rms) == COLUMNS
    assert (min(wave.low), max(wave.high), wave.high[0], wave.high[-1]) == (-0.75, 0.5, 0.25, 0.5)


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=200),
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
    st.integers(1, 30),
)
def test_folding_does_not_depend_on_the_blocks(values: list[int], blocks: list[int], size: int) -> None:
    whole = np.array(values, float)
    for edges in (even_edges(min(size, len(whole)), len(whole)), step_edges(size, len(whole))):
        for by, start in ((np.minimum, math.inf), (np.maximum, -math.inf), (np.add, 0.0)):
            fold, at = Fold(edges, by, start), 0
            while at < len(whole):
                for length in blocks:
                    if at < len(whole):
                        fold.add(whole[at : at + length])
                        at += length
            assert fold.values.tolist() == by.reduceat(whole, edges[:-1]).tolist()


def test_tracks_are_summed_at_unity_with_mono_ones_in_the_middle(write: Write) -> None:
    tone = 0.2 * np.sin(2 * np.pi * 997 * np.tile(SECOND, 2))
    mono, stereo = write("mono.wav", tone), write("stereo.wav", np.stack([tone, tone], axis=1))
    longer = write("longer.wav", np.zeros(3 * RATE_HZ))
    portrait = heard(mono, stereo, longer).portrait
    assert portrait.channels == 2
    assert portrait.loudness.duration_s == 3.0
    assert max(portrait.waveform.high) == pytest.approx(0.2 * (1 + math.sqrt(0.5)), abs=1e-3)
    # BS.1770 sums the powers of the sides: a mono track in the middle at constant power reads as it does alone.
    alone = heard(mono).portrait.loudness.integrated_lufs
    assert heard(mono, longer).portrait.loudness.momentary_max_lufs == pytest.approx(alone, abs=0.02)


def test_only_the_stretch_that_was_asked_for_is_heard(write: Write) -> None:
    audio = np.concatenate([np.full(RATE_HZ, 0.9), np.full(RATE_HZ, 0.1), np.full(RATE_HZ, 0.9)])
    portrait = heard(write("a.wav", audio), start_s=1.0, end_s=2.0).portrait
    assert portrait.loudness.duration_s == 1.0
    assert portrait.loudness.sample_peak_dbfs == pytest.approx(-20.0, abs=0.01)


def test_tracks_of_other_rates_are_converted_to_the_first(write: Write) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100) * 0.1
    portrait = heard(write("a.wav", np.zeros(RATE_HZ)), write("b.wav", tone, 44_100)).portrait
    assert (portrait.rate_hz, portrait.loudness.duration_s) == (RATE_HZ, 1.0)
    assert portrait.loudness.sample_peak_dbfs == pytest.approx(-23.0, abs=0.3)


def test_silence_has_a_length_and_nothing_else(write: Write) -> None:
    portrait = heard(write("silence.wav", np.zeros((RATE_HZ, 2)))).portrait
    assert portrait.loudness.duration_s == 1.0
    nothing = (portrait.plr_db, portrait.crest_db, portrait.correlation, portrait.side_db, portrait.bands_db)
    assert nothing == (None,) * 5
    assert set(portrait.curve.momentary_lufs) == {None}


@pytest.mark.parametrize("frames", [1, 2, 17, 4_800, 4_801])
def test_a_moment_is_enough(write: Write, frames: int) -> None:
    portrait = heard(write("blip.wav", np.full(frames, 0.5))).portrait
    assert len(portrait.waveform.low) == min(frames, COLUMNS)
    assert portrait.loudness.integrated_lufs is None


@pytest.mark.parametrize("paths", [(), ("empty.wav",)])
def test_no_audio_is_refused(write: Write, paths: tuple[str, ...]) -> None:
    with pytest.raises(OtoError) as caught:
        heard(*(write(path, np.zeros(0)) for path in paths))
    assert caught.value.code == "bad_input"


class Drone:
    """A long note that lies on no disk."""

    name, channels, rate_hz = "drone", 1, 8_000

    def __init__(self, minutes: float) -> None:
        self.frames = round(minutes * 60 * self.rate_hz)

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        return 0.1 * np.sin(np.arange(start, start + frames, dtype=np.float32) * 0.3)[None, :]


def test_a_quarter_of_an_hour_is_drawn_with_as_many_points_as_two_minutes() -> None:
    sizes = [len(msgspec.json.encode(listen([Drone(minutes)]).portrait)) for minutes in (2, 15)]
    assert sizes[1] < 1.1 * sizes[0] < 60_000
