"""Peaks as rows of cells: nothing loud is lost, nothing is drawn that was not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.look import BLOCK, CONSOLE, UNICODE
from tui.waveform import SILENCE, bars, columns, loudest

PEAKS = st.binary(min_size=1, max_size=480)


@given(PEAKS, st.integers(1, 300))
def test_the_loudest_moment_is_seen_at_any_width(peaks: bytes, width: int) -> None:
    heights = columns(peaks, width)
    assert len(heights) == width
    if width <= len(peaks):
        assert max(heights) == max(columns(peaks, len(peaks)))
    assert all(0.0 <= height <= 1.0 for height in heights)


@given(PEAKS, st.integers(1, 40), st.integers(1, 8), st.sampled_from([UNICODE, BLOCK, CONSOLE]))
def test_bars_stand_on_the_floor_and_fill_their_rows(peaks: bytes, width: int, rows: int, glyphs) -> None:
    lines = bars(columns(peaks, width), rows, glyphs)
    assert [len(line) for line in lines] == [width] * rows
    for column in zip(*lines, strict=True):
        inked = [character != " " for character in column]
        assert inked == sorted(inked)


@pytest.mark.parametrize("glyphs", [UNICODE, BLOCK, CONSOLE])
def test_silence_is_empty_and_full_scale_full(glyphs) -> None:
    assert bars(columns(bytes([SILENCE] * 10), 5), 3, glyphs) == [" " * 5] * 3
    assert bars(columns(bytes(10), 5), 3, glyphs) == [glyphs.full * 5] * 3


@given(st.lists(st.binary(min_size=20, max_size=20), max_size=5))
def test_all_tracks_together_are_as_loud_as_the_loudest(tracks: list[bytes]) -> None:
    together = loudest(tracks)
    assert together == bytes(min(column) for column in zip(*tracks, strict=True))
