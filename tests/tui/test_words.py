"""Names from outside can't do anything to a terminal, and figures read as engineers write them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui import words


@given(st.text())
def test_a_cleaned_name_is_one_line_without_controls(text: str) -> None:
    cleaned = words.clean(text)
    assert not any(unicodedata.category(character) in words.DROPPED_CATEGORIES for character in cleaned)
    assert words.clean(cleaned) == cleaned


def test_escape_sequences_and_direction_overrides_lose_their_power() -> None:
    assert words.clean("\x1b[2JSTICK\x07") == "[2JSTICK"
    assert words.clean("abc\u202egnp.exe") == "abcgnp.exe"
    assert words.clean("two\nlines\tand  tabs") == "two lines and tabs"


def test_brackets_are_kept_as_they_are() -> None:
    assert words.clean("[red]Kick[/red]") == "[red]Kick[/red]"


@given(st.text(st.characters(exclude_categories=("C", "M", "Z"))), st.integers(0, 40))
def test_fitted_text_has_exactly_the_width(text: str, width: int) -> None:
    assert cell_len(words.fit(text, width)) == width


@given(
    st.lists(st.text(st.characters(categories=("L", "N")), min_size=1), max_size=20),
    st.integers(5, 60),
    st.integers(1, 3),
)
def test_wrapped_text_stays_inside(parts: list[str], width: int, rows: int) -> None:
    lines = words.wrap(" ".join(parts), width, rows)
    assert len(lines) <= rows
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "-:--:--"), (0, "0:00:00"), (3_725.9, "1:02:05"), (-1, "0:00:00"), (360_000, "100:00:00")],
)
def test_the_tape_counter(seconds: float | None, shown: str) -> None:
    assert words.clock(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (999_500, "1 MB"), (12_345_678, "12.3 MB"), (412e9, "412 GB"), (2e12, "2 TB")],
)
def test_sizes_as_drives_are_sold(count: float, shown: str) -> None:
    assert words.size(count) == shown


@pytest.mark.parametrize(
    ("amount", "unit", "shown"),
    [
        (-3.5, "dB", "-3.5 dB"),
        (2.0, "dB", "+2.0 dB"),
        (-90.0, "dB", "off"),
        (80.0, "Hz", "80 Hz"),
        (2_500.0, "Hz", "2.5 kHz"),
        (True, "", "on"),
        (3.0, ":1", "3.00:1"),
        ("drums", "", "drums"),
    ],
)
def test_values_carry_their_unit(amount: float | bool | str, unit: str, shown: str) -> None:
    assert words.value(amount, unit) == shown


@pytest.mark.parametrize(("position", "shown"), [(0.0, "C"), (-1.0, "L100"), (0.35, "R35"), (0.001, "C")])
def test_pan_as_engineers_write_it(position: float, shown: str) -> None:
    assert words.pan(position) == shown


def test_a_level_of_nothing_is_minus_infinity_and_zero_has_no_sign() -> None:
    assert words.level(-120.0) == "-inf"
    assert words.level(-0.01) == "0.0"
